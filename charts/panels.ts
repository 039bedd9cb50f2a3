/** Charts of lines side by side in one SVG. */
import { areaY, axisX, axisY, dot, gridY, lineY, type Markish, type PlotOptions, ruleX } from '@observablehq/plot';
import { chart, element, figure, GRID, line, SOFT } from './figure.ts';

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** With `high` a band. */
  readonly low?: number;
  readonly high?: number;
}

/** A line of a panel. */
export interface PanelCurve {
  readonly name: string;
  readonly colour: string;
  /** Of the line, as SVG has it; default: none. */
  readonly dash?: string;
  readonly points: readonly CurvePoint[];
}

export interface Panel {
  readonly title: string;
  readonly curves: readonly PanelCurve[];
  /** What stands under the axis at its ends. */
  readonly xTick: (x: number) => string;
  /** Where the axis begins; default: at the first point. */
  readonly from?: number;
  /** Logarithmic heights; points that are not over 0 are left out. */
  readonly log?: true;
}

/** Of one panel. */
export const PANEL = { width: 340, height: 230, left: 52, top: 40, right: 14, bottom: 34 };
const COLUMNS = 3;
const HEAD = 46;
const LEGEND_LINE = 17;
/** Letters of a line of names above a panel, and the height of such a line. */
const LETTERS = 46;
const NAMES_LINE = 13;

/** @param legend of all panels together: curves whose names stand at the top; without it each panel has its own */
export function drawPanels(title: string, panels: readonly Panel[], legend: readonly PanelCurve[] = []): string {
  const columns = Math.min(COLUMNS, Math.max(1, panels.length));
  const head = HEAD + LEGEND_LINE * Math.ceil(legend.length / columns);
  const size = {
    width: columns * PANEL.width + 20,
    height: head + 10 + Math.ceil(panels.length / columns) * PANEL.height,
  };
  const names = legend.flatMap((curve, i) => {
    const [x, y] = [14 + (i % columns) * PANEL.width, HEAD + Math.floor(i / columns) * LEGEND_LINE];
    return [element('path', { d: `M${x},${y - 4}h34`, ...strokeOf(curve) }), line(x + 42, y, curve.name)];
  });
  const drawn = panels.map((panel, i) => {
    const [x, y] = [10 + (i % columns) * PANEL.width, head + Math.floor(i / columns) * PANEL.height];
    return drawPanel(panel, x, y, legend.length === 0);
  });
  return figure({ title, ...size }, [...names, ...drawn]);
}

function drawPanel(panel: Panel, x: number, y: number, withLegend: boolean): Element {
  const { title, curves } = panel;
  const lines = withLegend ? legendLines(curves) : [];
  const lower = NAMES_LINE * Math.max(0, lines.length - 1);
  return element(
    'g',
    {},
    line(x + PANEL.left, y + 16, title, { font_size: 11, font_weight: 600 }),
    ...lines.map((own, i) =>
      line(
        x + PANEL.left,
        y + 31 + NAMES_LINE * i,
        own.flatMap(({ name, colour }, at) => [...(at > 0 ? [' · '] : []), { text: name, colour }]),
        { font_size: 11 },
      ),
    ),
    chart({ ...panelOptions(panel), marginTop: PANEL.top + lower }, x, y),
  );
}

/** Names of curves, as many a line as there is room for. */
function legendLines(curves: readonly PanelCurve[]): PanelCurve[][] {
  const lines: PanelCurve[][] = [[]];
  let letters = 0;
  for (const curve of curves) {
    letters += curve.name.length + 3;
    if (letters > LETTERS && lines[lines.length - 1].length > 0) {
      lines.push([]);
      letters = curve.name.length + 3;
    }
    lines[lines.length - 1].push(curve);
  }
  return lines;
}

const strokeOf = ({ colour, dash }: PanelCurve) => ({
  ...{ fill: 'none', stroke: colour, stroke_width: 2 },
  ...(dash !== undefined && { stroke_dasharray: dash }),
});

function panelOptions({ curves, xTick, from, log }: Panel): PlotOptions {
  const shown = curves.map(({ points, ...curve }) => ({
    ...curve,
    points: points.filter(({ y, low = y }) => Number.isFinite(y) && (!log || low > 0)),
  }));
  const xs = shown.flatMap(({ points }) => points.map((point) => point.x));
  const [start, last] = xs.length > 0 ? [least(xs), -least(xs.map((x) => -x))] : [0, 1];
  const first = xs.length > 0 ? (from ?? start) : start;
  const ends =
    first === last
      ? [[first, 'middle'] as const]
      : ([
          [first, 'start'],
          [last, 'end'],
        ] as const);
  const none = xs.length === 0;
  return {
    ...{ width: PANEL.width, height: PANEL.height },
    ...{ marginLeft: PANEL.left, marginTop: PANEL.top, marginRight: PANEL.right, marginBottom: PANEL.bottom },
    x: { type: 'linear', domain: first === last ? [first - 1, first + 1] : [first, last], label: null },
    y: {
      ...{ label: null, nice: true },
      ...(log ? { type: 'log' } : { type: 'linear', zero: true }),
      // Without points a scale has no domain.
      ...(none && { domain: log ? [0.1, 1] : [0, 1] }),
    },
    marks: [
      gridY({ stroke: GRID, strokeOpacity: 1, ticks: 4 }),
      axisY({ ticks: 4, tickSize: 0, tickFormat: log ? '~g' : short, fill: SOFT }),
      ruleX([first === last ? first - 1 : first], { stroke: '#bbb' }),
      ...ends.map(([at, textAnchor]) =>
        axisX([at], { textAnchor, tickSize: 0, tickFormat: (x: number) => xTick(x), fill: SOFT }),
      ),
      ...shown.flatMap(curveMarks),
    ],
  };
}

/** A band where there is one, the line, and a dot for a line of one point. */
export function curveMarks({ name, colour, dash, points }: PanelCurve): Markish[] {
  if (points.length === 0) return [];
  const banded = points.some(({ low, high }) => low !== high);
  const low = (point: CurvePoint): number => point.low ?? point.y;
  const high = (point: CurvePoint): number => point.high ?? point.y;
  return [
    ...(banded ? [areaY(points, { x: 'x', y1: low, y2: high, fill: colour, fillOpacity: 0.15 })] : []),
    lineY(points, {
      ...{ x: 'x', y: 'y', z: null, stroke: colour, strokeWidth: 2, title: () => name },
      ...(dash !== undefined && { strokeDasharray: dash }),
    }),
    ...(points.length === 1 ? [dot(points, { x: 'x', y: 'y', r: 3, fill: colour })] : []),
  ];
}

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));

const short = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(0)
    : String(Number(value.toPrecision(4)));
