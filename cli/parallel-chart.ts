import { line as curve, type PlotOptions, ruleX, text as texts } from '@observablehq/plot';
import { chart, figure, line, SOFT } from '../charts/figure.ts';
import type { Dimension, Range, RankedConfiguration, Space, SweepReport } from '../src/index.ts';
import { shown } from './shown.ts';

const BOX = { axis: 150, left: 90, right: 90, top: 76, height: 320, bottom: 40 };
/** Lines that are drawn; of more, the best. */
const MOST_LINES = 500;
/** The part of the scale of colours from dark violet on that can be read on white. */
const READABLE = 0.92;

interface Axis {
  readonly title: string;
  /** Height of a configuration's value, 0 at the foot and 1 at the top. */
  readonly at: (configuration: RankedConfiguration) => number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** A line a configuration through an axis a setting, to the metric at the right: dark ones are the best, dashed ones were left early. */
export function parallelChart(report: SweepReport, space: Space): string {
  const configurations = report.configurations.filter(({ loss }) => !Number.isNaN(loss)).slice(0, MOST_LINES);
  const settings = Object.keys(space).map((name) => settingAxis(name, space[name], report));
  const axes = [...settings, metricAxis(report, configurations)];
  const width = BOX.left + (axes.length - 1) * BOX.axis + BOX.right;
  const height = BOX.top + BOX.height + BOX.bottom;
  const title = `${report.name}: ${configurations.length} configurations`;
  const about = `a line each; dark: best ${report.metric} (${report.goal}); dashed: left early`;
  return figure({ title, width, height }, [
    line(14, 42, about, { fill: SOFT }),
    chart({ ...optionsOf(axes, configurations), width, height }),
  ]);
}

function optionsOf(axes: readonly Axis[], configurations: readonly RankedConfiguration[]): PlotOptions {
  const lines = configurations.map((own, rank) => {
    const settings = Object.entries(own.settings).map(([name, value]) => `${name} ${shown(value)}`);
    return {
      points: axes.map((axis, i) => ({ i, at: axis.at(own), rank })),
      title: `configuration ${own.number}: ${settings.join(', ')}; ${own.metric.mean.toPrecision(4)}`,
      strokeWidth: rank === 0 ? 3 : 1.4,
      ...(own.pruned !== undefined && { strokeDasharray: '4 3' }),
    };
  });
  const ticks = axes.flatMap((axis, i) => axis.ticks.map((tick) => ({ i, ...tick })));
  return {
    ...{ marginLeft: BOX.left, marginRight: BOX.right, marginTop: BOX.top, marginBottom: BOX.bottom },
    x: { type: 'linear', domain: [0, Math.max(1, axes.length - 1)], axis: null },
    y: { type: 'linear', domain: [0, 1], axis: null },
    color: { type: 'linear', scheme: 'viridis', domain: [0, Math.max(1, lines.length - 1) / READABLE] },
    marks: [
      // The best last, so that it lies on top.
      ...lines
        .toReversed()
        .map(({ points, title, ...own }) =>
          curve(points, { x: 'i', y: 'at', z: null, stroke: 'rank', strokeOpacity: 0.85, title: () => title, ...own }),
        ),
      ruleX(axes, { x: (_, i) => i, stroke: SOFT }),
      texts(ticks, { x: 'i', y: 'at', text: 'text', dx: 6, textAnchor: 'start', stroke: '#fff', fill: '#222' }),
      texts(axes, { x: (_, i) => i, y: () => 1, text: 'title', dy: -14, fontWeight: 600 }),
    ],
  };
}

function settingAxis(name: string, dimension: Dimension, { importances }: SweepReport): Axis {
  const share = importances[name];
  const title = Number.isNaN(share) || share === undefined ? name : `${name} (${(100 * share).toFixed(0)}%)`;
  if (!isRange(dimension)) {
    const values = dimension.map((value) => JSON.stringify(value));
    const place = (i: number): number => (values.length === 1 ? 0.5 : i / (values.length - 1));
    return {
      title,
      at: ({ settings }) => place(values.indexOf(JSON.stringify(settings[name]))),
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

function metricAxis({ metric }: SweepReport, configurations: readonly RankedConfiguration[]): Axis {
  const values = configurations.map((own) => own.metric.mean);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const place = (value: number): number => (high === low ? 0.5 : (value - low) / (high - low));
  const ticks = configurations.length === 0 ? [] : [...new Set([low, (low + high) / 2, high])];
  return {
    title: metric,
    at: (own) => place(own.metric.mean),
    ticks: ticks.map((value) => ({ at: place(value), text: value.toPrecision(3) })),
  };
}

const isRange = (dimension: Dimension): dimension is Range => !Array.isArray(dimension);
