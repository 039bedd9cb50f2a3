import type { Dimension, Range, RankedConfiguration, Space, SweepReport } from '../src/index.ts';
import { shown } from './shown.ts';

const BOX = { axis: 150, left: 90, right: 90, top: 76, height: 320, bottom: 40 };
/** Lines that are drawn; of more, the best. */
const MOST_LINES = 500;
/** From the best to the worst (viridis, readable without colours too). */
const STOPS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [189, 190, 40],
] as const;

interface Axis {
  readonly title: string;
  /** Height of a configuration's value, 0 at the foot and 1 at the top. */
  readonly at: (configuration: RankedConfiguration) => number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** A line a configuration through an axis a setting, to the metric at the right: dark ones are the best, dashed ones were left early. */
export function parallelChart(report: SweepReport, space: Space): string {
  const lines = report.configurations.filter(({ loss }) => !Number.isNaN(loss)).slice(0, MOST_LINES);
  const axes = [...Object.keys(space).map((name) => settingAxis(name, space[name], report)), metricAxis(report, lines)];
  const width = BOX.left + (axes.length - 1) * BOX.axis + BOX.right;
  const height = BOX.top + BOX.height + BOX.bottom;
  const x = (i: number): number => BOX.left + i * BOX.axis;
  const y = (place: number): string => (BOX.top + BOX.height * (1 - place)).toFixed(1);
  const title = `${report.name}: ${lines.length} configurations`;
  // The best last, so that it lies on top.
  const drawn = lines.map((line, rank) => drawLine(line, rank, lines.length, axes, x, y)).reverse();
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="14" y="24" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="14" y="42" fill="#555">a line each; dark: best ${escaped(report.metric)} (${report.goal}); dashed: left early</text>
${drawn.join('\n')}
${axes.map((axis, i) => drawAxis(axis, x(i), y)).join('\n')}
</svg>
`;
}

function settingAxis(name: string, dimension: Dimension, { importances }: SweepReport): Axis {
  const share = importances[name];
  const title = Number.isNaN(share) || share === undefined ? name : `${name} (${(100 * share).toFixed(0)}%)`;
  if (!isRange(dimension)) {
    const texts = dimension.map((value) => JSON.stringify(value));
    const place = (i: number): number => (texts.length === 1 ? 0.5 : i / (texts.length - 1));
    return {
      title,
      at: ({ settings }) => place(texts.indexOf(JSON.stringify(settings[name]))),
      ticks: dimension.map((value, i) => ({ at: place(i), text: shown(value) })),
    };
  }
  const { from, to, scale } = dimension;
  const warp = scale === 'log' ? Math.log : (value: number) => value;
  const place = (value: number): number => (warp(value) - warp(from)) / (warp(to) - warp(from));
  const middle = scale === 'log' ? Math.sqrt(from * to) : (from + to) / 2;
  return {
    title,
    at: ({ settings }) => place(settings[name] as number),
    ticks: [from, middle, to].map((value) => ({ at: place(value), text: String(Number(value.toPrecision(3))) })),
  };
}

function metricAxis({ metric }: SweepReport, lines: readonly RankedConfiguration[]): Axis {
  const values = lines.map((line) => line.metric.mean);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const place = (value: number): number => (high === low ? 0.5 : (value - low) / (high - low));
  const ticks = lines.length === 0 ? [] : [...new Set([low, (low + high) / 2, high])];
  return {
    title: metric,
    at: (line) => place(line.metric.mean),
    ticks: ticks.map((value) => ({ at: place(value), text: value.toPrecision(3) })),
  };
}

function drawLine(
  line: RankedConfiguration,
  rank: number,
  lines: number,
  axes: readonly Axis[],
  x: (i: number) => number,
  y: (place: number) => string,
): string {
  const points = axes.map((axis, i) => `${x(i)},${y(axis.at(line))}`).join(' ');
  const dash = line.pruned === undefined ? '' : ' stroke-dasharray="4 3"';
  const settings = Object.entries(line.settings).map(([name, value]) => `${name} ${shown(value)}`);
  const words = `configuration ${line.number}: ${settings.join(', ')}; ${line.metric.mean.toPrecision(4)}`;
  const stroke = `stroke="${colour(lines === 1 ? 0 : rank / (lines - 1))}" stroke-width="${rank === 0 ? 3 : 1.4}"`;
  return `<polyline points="${points}" fill="none" ${stroke} stroke-opacity="0.85"${dash}><title>${escaped(words)}</title></polyline>`;
}

function drawAxis({ title, ticks }: Axis, x: number, y: (place: number) => string): string {
  const labels = ticks.map(
    ({ at, text }) =>
      `<path d="M${x - 3},${y(at)}h6" stroke="#555"/><text x="${x + 6}" y="${(Number(y(at)) + 4).toFixed(1)}" stroke="#fff" stroke-width="3" paint-order="stroke">${escaped(text)}</text>`,
  );
  return `<path d="M${x},${y(0)}V${y(1)}" stroke="#555"/><text x="${x}" y="${BOX.top - 12}" text-anchor="middle" font-weight="600">${escaped(title)}</text>${labels.join('')}`;
}

function colour(share: number): string {
  const at = share * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  const mixed = STOPS[i].map((low, channel) => Math.round(low + (at - i) * (STOPS[i + 1][channel] - low)));
  return `rgb(${mixed.join(',')})`;
}

const isRange = (dimension: Dimension): dimension is Range => !Array.isArray(dimension);

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
