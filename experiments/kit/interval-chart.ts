/** Means with intervals, one a line, and what was published beside them, as SVG. */
import type { Interval } from './statistics.ts';

export interface IntervalRow {
  readonly name: string;
  readonly measured: Interval;
  readonly published?: number;
}

export interface IntervalChart {
  readonly title: string;
  readonly xLabel: string;
  readonly rows: readonly IntervalRow[];
  readonly ticks: readonly number[];
}

const WIDTH = 920;
const LEFT = 290;
const RIGHT = 40;
const TOP = 64;
const LINE = 26;
const MEASURED = '#0072b2';
const PUBLISHED = '#d55e00';

export function intervalChart({ title, xLabel, rows, ticks }: IntervalChart): string {
  const values = rows.flatMap(({ measured: { mean, half }, published = mean }) => {
    const reach = Number.isNaN(half) ? 0 : half;
    return [mean - reach, mean + reach, published];
  });
  const [low, high] = [Math.min(...values, ...ticks), Math.max(...values, ...ticks)];
  const x = (value: number): string => (LEFT + ((WIDTH - LEFT - RIGHT) * (value - low)) / (high - low || 1)).toFixed(1);
  const bottom = TOP + rows.length * LINE;
  const lines = rows.map((row, i) => drawRow(row, TOP + (i + 0.5) * LINE, x));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 46}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${WIDTH}" height="${bottom + 46}" fill="#fff"/>
<text x="14" y="24" font-size="16" font-weight="600">${escaped(title)}</text>
<circle cx="20" cy="42" r="5" fill="${MEASURED}"/><text x="32" y="46">measured, with its 95% interval over seeds</text>
<path d="M312,36l6,6l-6,6l-6,-6z" fill="none" stroke="${PUBLISHED}" stroke-width="2"/><text x="326" y="46">published: one run</text>
${ticks.map((t) => `<path d="M${x(t)},${TOP}V${bottom}" stroke="#eee"/><text x="${x(t)}" y="${bottom + 17}" text-anchor="middle" fill="#555">${t}</text>`).join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 36}" text-anchor="middle" fill="#555">${escaped(xLabel)}</text>
${lines.join('\n')}
</svg>
`;
}

function drawRow(
  { name, measured: { mean, half }, published }: IntervalRow,
  y: number,
  x: (value: number) => string,
): string {
  const reach = Number.isNaN(half) ? 0 : half;
  const diamond =
    published === undefined
      ? ''
      : `<path d="M${x(published)},${y - 6}l6,6l-6,6l-6,-6z" fill="none" stroke="${PUBLISHED}" stroke-width="2"/>`;
  return `<text x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${escaped(name)}</text><path d="M${x(mean - reach)},${y}H${x(mean + reach)}" stroke="${MEASURED}" stroke-width="3"/><circle cx="${x(mean)}" cy="${y}" r="5" fill="${MEASURED}"/>${diamond}`;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
