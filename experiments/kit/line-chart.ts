/** Lines over a common axis, as SVG, each named at its end. */

export interface Series {
  readonly name: string;
  /** Pairs of x and y; with `low` and `high` a band. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Logarithmic axes. */
  readonly log?: { readonly x?: true; readonly y?: true };
  /** The least y that is shown; lines under it leave the picture at the bottom. */
  readonly least?: number;
  /** The greatest y that is shown; lines above it leave the picture at the top. */
  readonly most?: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

const BOX = { width: 920, height: 480, left: 64, right: 310, top: 52, bottom: 46 };
/** Colour-blind safe (Okabe and Ito 2008); the second round is dashed. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#555555', '#000000'];
/** Vertical distance of names, so that they can be read. */
const LINE = 15;

export function lineChart({ title, xLabel, yLabel, series, log = {}, least, most, xTicks, yTicks }: LineChart): string {
  const inner = { width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom };
  const points = series.flatMap(({ points: own }) => own);
  const scale = (values: readonly number[], byLog: boolean | undefined, from: number, length: number) => {
    const at = byLog ? Math.log : (x: number) => x;
    const [low, high] = [at(Math.min(...values)), at(Math.max(...values))];
    return (value: number): number => from + (length * (at(value) - low)) / (high - low || 1);
  };
  const bottom = BOX.height - BOX.bottom;
  const heights = [...points.flatMap(({ y, low = y, high = y }) => [low, high]), ...yTicks].map((value) =>
    Math.min(Math.max(value, least ?? value), most ?? Number.POSITIVE_INFINITY),
  );
  const x = scale([...points.map((point) => point.x), ...xTicks], log.x, BOX.left, inner.width);
  const y = scale(heights, log.y, bottom, -inner.height);
  const names = placed(
    series.map(({ points: own }) => Math.max(BOX.top, Math.min(bottom, y(own.at(-1)?.y ?? heights[0])))),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BOX.width} ${BOX.height}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${BOX.width}" height="${BOX.height}" fill="#fff"/>
<text x="14" y="24" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="14" y="42" fill="#555">${escaped(yLabel)}</text>
<clipPath id="${idOf(title)}"><rect x="${BOX.left}" y="${BOX.top}" width="${inner.width}" height="${inner.height}"/></clipPath>
<path d="M${BOX.left},${BOX.top}V${bottom}H${BOX.left + inner.width}" stroke="#bbb" fill="none"/>
${yTicks.map((t) => `<path d="M${BOX.left},${y(t).toFixed(1)}h${inner.width}" stroke="#eee"/><text x="${BOX.left - 6}" y="${(y(t) + 4).toFixed(1)}" text-anchor="end" fill="#555">${t}</text>`).join('\n')}
${xTicks.map((t) => `<text x="${x(t).toFixed(1)}" y="${bottom + 17}" text-anchor="middle" fill="#555">${t}</text>`).join('\n')}
<text x="${BOX.left + inner.width / 2}" y="${bottom + 36}" text-anchor="middle" fill="#555">${escaped(xLabel)}</text>
${series.map((own, i) => drawSeries(own, i, { nameAt: names[i], clip: idOf(title) }, x, y)).join('\n')}
</svg>
`;
}

function drawSeries(
  { name, points }: Series,
  index: number,
  { nameAt, clip }: { readonly nameAt: number; readonly clip: string },
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const colour = COLOURS[index % COLOURS.length];
  const dash = index < COLOURS.length ? '' : ' stroke-dasharray="5 3"';
  const at = (pick: (point: Series['points'][number]) => number) =>
    points.map((point) => `${x(point.x).toFixed(1)},${y(pick(point)).toFixed(1)}`);
  const banded = points.some(({ low, high }) => low !== high);
  const band = [...at((point) => point.high ?? point.y), ...at((point) => point.low ?? point.y).reverse()].join(' ');
  return [
    `<g clip-path="url(#${clip})">`,
    banded ? `<polygon points="${band}" fill="${colour}" fill-opacity="0.13"/>` : '',
    `<polyline points="${at((point) => point.y).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/></g>`,
    `<text x="${BOX.width - BOX.right + 8}" y="${(nameAt + 4).toFixed(1)}" fill="${colour}" font-weight="600">${escaped(name)}</text>`,
  ].join('');
}

/** A name for what is clipped, so that several charts can stand on one page. */
export const idOf = (title: string): string => `inside-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;

/** Heights moved apart, in their order, where they are nearer than a line of text. */
function placed(heights: readonly number[]): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
  const result = [...heights];
  for (let k = 1; k < order.length; k++) result[order[k]] = Math.max(result[order[k]], result[order[k - 1]] + LINE);
  // Whatever ran over the bottom goes up again.
  const over = Math.max(0, (result[order.at(-1) ?? 0] ?? 0) - (BOX.height - BOX.bottom));
  let limit = Number.POSITIVE_INFINITY;
  for (const i of order.toReversed()) {
    if (over > 0) result[i] = Math.min(result[i], limit === Number.POSITIVE_INFINITY ? result[i] - over : limit);
    limit = result[i] - LINE;
  }
  return result;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
