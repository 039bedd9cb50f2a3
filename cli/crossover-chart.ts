import { axisX, axisY, barX, line as curve, frame, gridY, type PlotOptions } from '@observablehq/plot';
import { chart, figure, GRID, INK, line, SOFT } from '../charts/figure.ts';
import type { CrossoverCurve, Waterfall } from '../src/index.ts';

const PANEL = { width: 300, height: 230, left: 46, top: 44, right: 12, bottom: 64 };
const COLUMNS = 4;
const COLOURS = {
  blocks: INK.blue,
  gathered: INK.green,
  dense: INK.grey,
  ideal: INK.pale,
  gater: INK.orange,
  compaction: INK.purple,
  memory: INK.sky,
  uneven: INK.vermilion,
};
const PARTS = ['ideal', 'gater', 'compaction', 'memory', 'uneven'] as const;

/** Time against density for every shape, against the dense path and the ideal, over the parts of the time at one density. */
export function crossoverChart(curves: readonly CrossoverCurve[], falls: readonly Waterfall[]): string {
  const columns = Math.min(COLUMNS, curves.length);
  const size = { width: columns * PANEL.width + 20, height: 70 + Math.ceil(curves.length / columns) * PANEL.height };
  const { rows, inputs } = curves[0];
  const withBlas = curves.some(({ points }) => points.some(({ gathered }) => gathered !== undefined));
  const item = (text: string, colour: string) => ({ text, colour });
  const about = `milliseconds of a gated layer, forward and gradients, ${rows} examples of ${inputs} inputs, against the share of open blocks; `;
  return figure({ title: 'When does skipping closed blocks pay?', ...size }, [
    line(
      14,
      44,
      [
        ...[about, item('open blocks alone', COLOURS.blocks)],
        ...(withBlas ? [' · ', item('the same by BLAS', COLOURS.gathered)] : []),
        ...[' · ', item('all blocks', COLOURS.dense), ' · ', item('ideal', COLOURS.ideal)],
      ],
      { font_size: 11 },
    ),
    ...curves.flatMap((own, i) =>
      panel(own, falls[i], 10 + (i % columns) * PANEL.width, 60 + Math.floor(i / columns) * PANEL.height),
    ),
  ]);
}

function panel(curveOf: CrossoverCurve, fall: Waterfall | undefined, x: number, y: number): Element[] {
  const { units, size, points, crossover } = curveOf;
  const pays = crossover === 1 ? 'pays at every density' : `pays up to ${(100 * crossover).toFixed(0)}% open`;
  return [
    line(x + PANEL.left, y + 26, `${units} units in ${units / size} blocks of ${size}`, {
      font_size: 11,
      font_weight: 600,
    }),
    line(x + PANEL.left, y + 39, pays, { font_size: 11, fill: SOFT }),
    chart(timesOf(points), x, y),
    ...(fall ? bar(fall, x, y + PANEL.height - 38) : []),
  ];
}

function timesOf(points: CrossoverCurve['points']): PlotOptions {
  const dense = points.reduce((sum, point) => sum + point.dense, 0) / points.length;
  const drawn = (y: 'blocks' | 'gathered', stroke: string) =>
    curve(points, { x: 'density', y, stroke, strokeWidth: 2 });
  const straight = (from: number, stroke: string, strokeDasharray: string) =>
    curve(
      [
        [0, from],
        [1, dense],
      ],
      { stroke, strokeWidth: 2, strokeDasharray },
    );
  return {
    ...{ width: PANEL.width, height: PANEL.height },
    ...{ marginLeft: PANEL.left, marginTop: PANEL.top, marginRight: PANEL.right, marginBottom: PANEL.bottom },
    x: { domain: [0, 1], label: null },
    y: { zero: true, label: null },
    marks: [
      gridY({ stroke: GRID, strokeOpacity: 1, ticks: 3 }),
      frame({ anchor: 'left', stroke: '#bbb' }),
      frame({ anchor: 'bottom', stroke: '#bbb' }),
      axisX([0, 0.5, 1], { tickSize: 0, tickFormat: (x: number) => `${100 * x}%`, fill: SOFT }),
      axisY({ tickSize: 0, ticks: 3, fill: SOFT }),
      straight(dense, COLOURS.dense, '2 3'),
      straight(0, COLOURS.ideal, '5 4'),
      drawn('blocks', COLOURS.blocks),
      drawn('gathered', COLOURS.gathered),
    ],
  };
}

/** The parts of the time at one density as one bar, in a frame as long as the dense path's time. */
function bar(fall: Waterfall, x: number, y: number): Element[] {
  const parts = PARTS.map((part) => ({ part, ms: Math.max(0, fall[part]) }));
  const options: PlotOptions = {
    ...{ width: PANEL.width, height: 18 },
    ...{ marginLeft: PANEL.left, marginRight: PANEL.right, marginTop: 4, marginBottom: 4 },
    x: { domain: [0, Math.max(fall.dense, fall.measured)], axis: null },
    marks: [
      barX(parts, {
        ...{ x: 'ms', fill: ({ part }) => COLOURS[part as keyof typeof COLOURS] },
        title: ({ part, ms }) => `${part}: ${ms.toFixed(2)} ms`,
      }),
      barX([fall.dense], { x: (ms: number) => ms, fill: 'none', stroke: SOFT }),
    ],
  };
  const names = PARTS.flatMap((part) => [' ', { text: part, colour: COLOURS[part] }]);
  return [
    chart(options, x, y),
    line(x + PANEL.left, y + 26, [`${(100 * fall.density).toFixed(0)}% open:`, ...names], { font_size: 9 }),
  ];
}
