/** Charts side by side in one SVG, for people who look at files. */
import { extent } from '../src/math/statistics.ts';
import { plainLine } from './output.ts';

/** A line of a panel. */
export interface PanelCurve {
  readonly name: string;
  readonly colour: string;
  /** Of the line, as SVG has it; default: none. */
  readonly dash?: string;
  /** With `low` and `high` a band. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
}

export interface Panel {
  readonly title: string;
  readonly curves: readonly PanelCurve[];
  /** What stands under the axis at a place. */
  readonly xTick: (x: number) => string;
  /** Where the axis begins; default: at the first point. */
  readonly from?: number;
  /** Logarithmic heights; points that are not over 0 are left out. */
  readonly log?: true;
}

const PANEL = { width: 340, height: 230, left: 52, top: 40, right: 14, bottom: 34 };
const INNER = { width: PANEL.width - PANEL.left - PANEL.right, height: PANEL.height - PANEL.top - PANEL.bottom };
const COLUMNS = 3;
const HEAD = 46;
const LEGEND_LINE = 17;

/** @param legend of all panels together: curves whose names stand at the top; without it each panel has its own */
export function drawPanels(title: string, panels: readonly Panel[], legend: readonly PanelCurve[] = []): string {
  const columns = Math.min(COLUMNS, panels.length);
  const width = columns * PANEL.width + 20;
  const head = HEAD + LEGEND_LINE * Math.ceil(legend.length / columns);
  const height = head + 10 + Math.ceil(panels.length / columns) * PANEL.height;
  const names = legend.map((curve, i) => {
    const [x, y] = [14 + (i % columns) * PANEL.width, HEAD + Math.floor(i / columns) * LEGEND_LINE];
    return `<path d="M${x},${y - 4}h34"${stroke(curve)}/><text x="${x + 42}" y="${y}">${escaped(curve.name)}</text>`;
  });
  const drawn = panels.map((panel, i) => {
    const [x, y] = [10 + (i % columns) * PANEL.width, head + Math.floor(i / columns) * PANEL.height];
    return `<g transform="translate(${x},${y})">${drawPanel(panel, legend.length === 0)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="14" y="26" font-size="16" font-weight="600">${escaped(title)}</text>
${[...names, ...drawn].join('\n')}
</svg>
`;
}

function drawPanel({ title, curves, xTick, from, log }: Panel, withLegend: boolean): string {
  const shown = curves.map((curve) => ({
    ...curve,
    points: log ? curve.points.filter(({ y, low = y }) => low > 0) : curve.points,
  }));
  const points = shown.flatMap((curve) => curve.points);
  const values = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  const [lowest, highest] = extent(values);
  const ticks = log ? powers(lowest, highest) : steps(Math.min(0, lowest), Math.max(highest, 0));
  const [least, most] = [Math.min(...ticks, lowest), Math.max(...ticks, highest)];
  const heightOf = log ? Math.log : (value: number): number => value;
  const [start, last] = points.length > 0 ? extent(points.map((point) => point.x)) : [0, 1];
  const first = points.length > 0 ? (from ?? start) : start;
  const bottom = PANEL.top + INNER.height;
  const x = (at: number): string =>
    (PANEL.left + (first === last ? 0.5 : (at - first) / (last - first)) * INNER.width).toFixed(1);
  const y = (value: number): string =>
    (bottom - (INNER.height * (heightOf(value) - heightOf(least))) / (heightOf(most) - heightOf(least) || 1)).toFixed(
      1,
    );
  const legend = curves
    .map(({ name, colour }) => `<tspan fill="${colour}" font-weight="600">${escaped(name)}</tspan>`)
    .join(' · ');
  return [
    `<text x="${PANEL.left}" y="16" font-weight="600">${escaped(title)}</text>`,
    withLegend ? `<text x="${PANEL.left}" y="31">${legend}</text>` : '',
    ...ticks.map(
      (value) =>
        `<path d="M${PANEL.left},${y(value)}h${INNER.width}" stroke="#eee"/><text x="${PANEL.left - 5}" y="${Number(y(value)) + 4}" text-anchor="end" fill="#555">${short(value)}</text>`,
    ),
    `<path d="M${PANEL.left},${PANEL.top}V${bottom}H${PANEL.width - PANEL.right}" stroke="#bbb" fill="none"/>`,
    ...(first === last
      ? [[first, 'middle'] as const]
      : ([
          [first, 'start'],
          [last, 'end'],
        ] as const)
    ).map(
      ([at, anchor]) =>
        `<text x="${x(at)}" y="${bottom + 15}" text-anchor="${anchor}" fill="#555">${escaped(xTick(at))}</text>`,
    ),
    ...shown.map((curve) => drawCurve(curve, x, y)),
  ].join('');
}

function drawCurve(curve: PanelCurve, x: (at: number) => string, y: (value: number) => string): string {
  const { points, colour, name } = curve;
  if (points.length === 0) return '';
  const line = (of: (point: PanelCurve['points'][number]) => number): string[] =>
    points.map((point) => `${x(point.x)},${y(of(point))}`);
  const banded = points.some(({ low, high }) => low !== high);
  const band = [...line(({ y: own, high = own }) => high), ...line(({ y: own, low = own }) => low).reverse()].join(' ');
  const middle = line((point) => point.y);
  const [alone] = points;
  return [
    banded ? `<polygon points="${band}" fill="${colour}" fill-opacity="0.15"/>` : '',
    `<polyline points="${middle.join(' ')}"${stroke(curve)}><title>${escaped(name)}</title></polyline>`,
    points.length === 1 ? `<circle cx="${x(alone.x)}" cy="${y(alone.y)}" r="3" fill="${colour}"/>` : '',
  ].join('');
}

const stroke = ({ colour, dash }: PanelCurve): string =>
  ` fill="none" stroke="${colour}" stroke-width="2"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}`;

/** Three to six round numbers that hold the range. */
function steps(least: number, most: number): number[] {
  const rough = (most - least || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((wide) => wide >= rough) ?? rough;
  const [from, to] = [Math.floor(least / step + 1e-9), Math.ceil(most / step - 1e-9)];
  return Array.from({ length: to - from + 1 }, (_, i) => (from + i) * step);
}

/** Powers of ten that hold the range. */
function powers(least: number, most: number): number[] {
  if (least > most) return [0.1, 1];
  const from = Math.floor(Math.log10(least) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(Math.log10(most) - 1e-9));
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}

const short = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(0)
    : String(Number(value.toPrecision(4)));

const escaped = (text: string): string =>
  plainLine(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
