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
  /** What a tick is called; default: its number. For values that are logarithms. */
  readonly nameOf?: (tick: number) => string;
  /** A value that is marked by a line: no difference. */
  readonly mark?: number;
}

const WIDTH = 920;
const LEFT = 290;
const RIGHT = 40;
const TOP = 64;
const LINE = 26;
const MEASURED = '#0072b2';
const PUBLISHED = '#d55e00';
const LEGEND = `<path d="M312,36l6,6l-6,6l-6,-6z" fill="none" stroke="${PUBLISHED}" stroke-width="2"/><text x="326" y="46">published: one run</text>`;

export function intervalChart({ title, xLabel, rows, ticks, nameOf = String, mark }: IntervalChart): string {
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
${rows.some(({ published }) => published !== undefined) ? LEGEND : ''}
${ticks.map((t) => `<path d="M${x(t)},${TOP}V${bottom}" stroke="#eee"/><text x="${x(t)}" y="${bottom + 17}" text-anchor="middle" fill="#555">${escaped(nameOf(t))}</text>`).join('\n')}
${mark === undefined ? '' : `<path d="M${x(mark)},${TOP}V${bottom}" stroke="#bbb" stroke-width="2"/>`}
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

/** A chart of ratios, whose rows are logarithms: doubling and halving are equally far from 1. */
export function ratioChart({ title, xLabel, rows }: Pick<IntervalChart, 'title' | 'xLabel' | 'rows'>): string {
  const reach = rows.flatMap(({ measured: { mean, half } }) => [mean - (half || 0), mean, mean + (half || 0)]);
  const [low, high] = [Math.min(0, ...reach), Math.max(0, ...reach)];
  const steps = [0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20].map(Math.log);
  const within = steps.filter((tick) => tick > low - 0.02 && tick < high + 0.02);
  // As many as can be read: names of neighbours need room.
  const room = (high - low) / 12;
  const ticks = within.filter(
    (tick) =>
      tick === 0 ||
      (Math.abs(tick) > room &&
        within.every(
          (other) => other === tick || other === 0 || Math.abs(other - tick) > room || Math.abs(other) > Math.abs(tick),
        )),
  );
  return intervalChart({
    title,
    xLabel,
    rows,
    ticks,
    nameOf: (tick) => `× ${Number(Math.exp(tick).toPrecision(3))}`,
    mark: 0,
  });
}
