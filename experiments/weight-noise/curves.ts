/** Curves of log-loss on validation against epochs, with bands over seeds. */
import { idOf } from '../kit/line-chart.ts';
import { logBand } from '../kit/log-band.ts';

interface Point {
  readonly epoch: number;
  readonly validLoss: number;
}

interface Panel {
  readonly title: string;
  readonly arms: readonly { readonly name: string; readonly runs: readonly (readonly Point[])[] }[];
}

const PANEL = { width: 420, height: 300, left: 52, right: 14, top: 62, bottom: 40 };
/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = ['#555555', '#0072b2', '#d55e00', '#009e73'];

/** One panel a size: the geometric mean over seeds as a line with its 95% interval as a band; log-loss on a logarithmic axis. */
export function noiseCurves(panels: readonly Panel[]): string {
  const width = panels.length * PANEL.width;
  const title = 'Weight noise: log-loss on validation, nats a string';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL.height + 30}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${title}">
<rect width="${width}" height="${PANEL.height + 30}" fill="#fff"/>
<text x="14" y="22" font-size="16" font-weight="600">${title}</text>
${panels.map((panel, i) => `<g transform="translate(${i * PANEL.width},24)">${drawPanel(panel)}</g>`).join('\n')}
</svg>
`;
}

function drawPanel({ title, arms }: Panel): string {
  const points = arms.flatMap(({ runs }) => runs.flat());
  if (points.length === 0) return '';
  const last = Math.max(...points.map(({ epoch }) => epoch));
  const losses = points.map(({ validLoss }) => validLoss);
  const [low, high] = [Math.log10(Math.min(...losses)), Math.log10(Math.max(...losses))];
  const inner = { width: PANEL.width - PANEL.left - PANEL.right, height: PANEL.height - PANEL.top - PANEL.bottom };
  const x = (epoch: number): string => (PANEL.left + (epoch / last) * inner.width).toFixed(1);
  const y = (loss: number): string =>
    (PANEL.top + inner.height * (1 - (Math.log10(loss) - low) / Math.max(1e-9, high - low))).toFixed(1);
  const ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].filter(
    (t) => Math.log10(t) >= low && Math.log10(t) <= high,
  );
  return [
    `<text x="${PANEL.left}" y="20" font-weight="600">${title}</text>`,
    ...arms.map(
      ({ name }, i) =>
        `<text x="${PANEL.left + (i % 2) * 180}" y="${36 + 14 * Math.floor(i / 2)}" fill="${COLOURS[i]}" font-weight="600">${name}</text>`,
    ),
    `<path d="M${PANEL.left},${PANEL.top}V${PANEL.top + inner.height}H${PANEL.left + inner.width}" stroke="#bbb" fill="none"/>`,
    ...ticks.map(
      (t) => `<text x="${PANEL.left - 6}" y="${Number(y(t)) + 4}" text-anchor="end" fill="#555">${t}</text>`,
    ),
    ...[0, last / 2, last].map(
      (epoch) =>
        `<text x="${x(epoch)}" y="${PANEL.top + inner.height + 16}" text-anchor="middle" fill="#555">${Math.round(epoch)}</text>`,
    ),
    `<text x="${PANEL.left + inner.width / 2}" y="${PANEL.top + inner.height + 32}" text-anchor="middle" fill="#555">epoch; geometric mean and 95% interval over seeds</text>`,
    `<clipPath id="${idOf(title)}"><rect x="${PANEL.left}" y="${PANEL.top}" width="${inner.width}" height="${inner.height}"/></clipPath>`,
    `<g clip-path="url(#${idOf(title)})">${arms.map(({ runs }, i) => drawArm(runs, COLOURS[i], x, y)).join('')}</g>`,
  ].join('');
}

function drawArm(
  runs: readonly (readonly Point[])[],
  colour: string,
  x: (epoch: number) => string,
  y: (loss: number) => string,
): string {
  const common = Math.min(...runs.map(({ length }) => length));
  const columns = Array.from({ length: common }, (_, i) =>
    logBand(
      runs[0][i].epoch,
      runs.map((run) => run[i].validLoss),
    ),
  );
  const upper = columns.map((column) => `${x(column.x)},${y(column.high)}`);
  const lower = columns.map((column) => `${x(column.x)},${y(column.low)}`).reverse();
  const line = columns.map((column) => `${x(column.x)},${y(column.y)}`);
  return `<polygon points="${[...upper, ...lower].join(' ')}" fill="${colour}" fill-opacity="0.13"/><polyline points="${line.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}
