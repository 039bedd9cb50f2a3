/** Means with intervals, one a line, and what was published beside them, as SVG. */
import { axisX, axisY, dot, gridX, type PlotOptions, ruleX, ruleY } from '@observablehq/plot';
import { chart, element, figure, GRID, INK, line, SOFT } from './figure.ts';
import { CENTRED, spanOf } from './line-chart.ts';

export interface IntervalRow {
  readonly name: string;
  /** `half` is NaN where there is no interval. */
  readonly measured: { readonly mean: number; readonly half: number };
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
const BOX = { left: 290, right: 40, top: 64, bottom: 46 };
const LINE = 26;

export function intervalChart({ title, xLabel, rows, ticks, nameOf = String, mark }: IntervalChart): string {
  const height = BOX.top + rows.length * LINE + BOX.bottom;
  const drawn = rows.map(({ measured: { mean, half }, ...row }, i) => {
    const reach = Number.isNaN(half) ? 0 : half;
    return { ...row, i, mean, low: mean - reach, high: mean + reach };
  });
  const published = drawn.filter((row) => row.published !== undefined);
  const values = drawn.flatMap(({ low, high, published: figure = low }) => [low, high, figure]);
  const diamond = { symbol: 'diamond', stroke: INK.vermilion, strokeWidth: 2, fill: 'none', r: 5 } as const;
  const options: PlotOptions = {
    ...{ width: WIDTH, height },
    ...{ marginLeft: BOX.left, marginRight: BOX.right, marginTop: BOX.top, marginBottom: BOX.bottom },
    x: { type: 'linear', domain: spanOf([...values, ...ticks]) },
    // By their numbers: two rows may have one name.
    y: { type: 'band', domain: rows.map((_, i) => i), label: null, padding: 0 },
    marks: [
      gridX(ticks, { stroke: GRID, strokeOpacity: 1 }),
      axisX(ticks, { tickSize: 0, tickFormat: nameOf, fill: SOFT, label: xLabel, ...CENTRED }),
      axisY({ tickSize: 0, tickPadding: 12, tickFormat: (i: number) => rows[i].name }),
      ...(mark === undefined ? [] : [ruleX([mark], { stroke: '#bbb', strokeWidth: 2 })]),
      ruleY(drawn, { y: 'i', x1: 'low', x2: 'high', stroke: INK.blue, strokeWidth: 3 }),
      dot(drawn, { y: 'i', x: 'mean', r: 5, fill: INK.blue }),
      dot(published, { y: 'i', x: 'published', ...diamond }),
    ],
  };
  const legend = [
    element('path', { d: 'M312,36l6,6l-6,6l-6,-6z', fill: 'none', stroke: INK.vermilion, stroke_width: 2 }),
    line(326, 46, 'published: one run'),
  ];
  return figure({ title, width: WIDTH, height }, [
    element('circle', { cx: 20, cy: 42, r: 5, fill: INK.blue }),
    line(32, 46, 'measured, with its 95% interval over seeds'),
    ...(published.length > 0 ? legend : []),
    chart(options),
  ]);
}

/** A chart of ratios, whose rows are logarithms: doubling and halving are equally far from 1. */
export function ratioChart({ title, xLabel, rows }: Pick<IntervalChart, 'title' | 'xLabel' | 'rows'>): string {
  const reach = rows.flatMap(({ measured: { mean, half } }) => [mean - (half || 0), mean, mean + (half || 0)]);
  const [low, high] = [Math.min(0, ...reach), Math.max(0, ...reach)];
  const steps = [0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20].map(Math.log);
  const within = steps.filter((tick) => tick > low - 0.02 && tick < high + 0.02);
  // Names of neighbouring ticks need room: of two that are too near each other, the one nearer to 1 stays.
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
