import { axisX, axisY, line as curve, frame, gridY, type PlotOptions, scale } from '@observablehq/plot';
import { chart, element, figure, GRID, INK, line, SOFT } from '../charts/figure.ts';
import type { SiteAudit } from '../src/index.ts';
import type { AuditRow } from './audit-row.ts';

const SIZE = { width: 940, height: 560, left: 76, top: 74, right: 300, bottom: 58 };
/** Of a point, and of a line of the legend. */
const RADIUS = 7;
const LINE = 17;
const COLOURS = { unbiased: INK.blue, biased: INK.vermilion };
/** Variances under this, relative to the most, are drawn on the floor. */
const FLOOR = 1e-6;

/** A neuron as the picture shows it. */
export interface ChartPoint {
  readonly neuron: string;
  readonly evaluations: number;
  /** Over |∇|². */
  readonly variance: number;
  readonly biased: boolean;
}

/** What was measured on a small problem, of the units that are bits. */
export function problemPoints(rows: readonly AuditRow[]): ChartPoint[] {
  const bits = rows.filter(({ unit }) => unit === 'bits');
  return (bits.length > 0 ? bits : rows).map(({ neuron, evaluations, totalVariance, truth, verdicts }) => {
    const size = Math.hypot(...truth);
    return {
      neuron,
      evaluations,
      variance: totalVariance / size ** 2,
      biased: verdicts.some(({ claim, verdict }) => claim === 'biased' && verdict !== 'refuted'),
    };
  });
}

/** What was measured on a network. */
export function sitePoints(rows: readonly SiteAudit[]): ChartPoint[] {
  return rows.map(({ neuron, evaluations, variance, verdict }) => {
    return { neuron, evaluations, variance, biased: verdict.claim === 'biased' };
  });
}

/** Variance of one gradient against the evaluations of the loss that it takes, on logarithmic axes. @param where it was measured */
export function varianceChart(drawn: readonly ChartPoint[], where: string): string {
  const finite = drawn.filter(({ variance }) => Number.isFinite(variance));
  const most = Math.max(1e-9, ...finite.map(({ variance }) => variance));
  const positive = finite.map(({ variance }) => variance).filter((variance) => variance > FLOOR * most);
  const least = Math.min(most, ...positive) / 4;
  const widest = Math.max(2, ...finite.map(({ evaluations }) => evaluations));
  const height = Math.max(SIZE.height, SIZE.top + LINE * finite.length + 10);
  const right = SIZE.width - SIZE.right;
  const x = { type: 'log', base: 2, domain: [1, widest], range: [SIZE.left + 14, right - 14] } as const;
  const y = { type: 'log', domain: [least, 2 * most], range: [height - SIZE.bottom, SIZE.top], label: null } as const;
  const [across, up] = [scale({ x }), scale({ y })];
  const places: { x: number; y: number }[] = [];
  const points = finite
    .toSorted((a, b) => a.variance - b.variance || a.evaluations - b.evaluations)
    .map((point, i) => {
      const at = { x: across.apply(point.evaluations), y: up.apply(Math.max(least, point.variance)) };
      // Points that would hide another stand beside it.
      while (places.some((place) => Math.hypot(place.x - at.x, place.y - at.y) < 2 * RADIUS)) at.x += 2;
      places.push(at);
      return pointOf(point, i, at, { x: right + 40, y: SIZE.top + 4 + LINE * i }, point.variance < least);
    });
  const options: PlotOptions = {
    ...{ width: SIZE.width, height },
    ...{ marginLeft: SIZE.left, marginRight: SIZE.right, marginTop: SIZE.top, marginBottom: SIZE.bottom },
    x,
    y,
    marks: [
      gridY({ stroke: GRID, strokeOpacity: 1, ticks: 6 }),
      frame({ anchor: 'left', stroke: '#bbb' }),
      frame({ anchor: 'bottom', stroke: '#bbb' }),
      axisY({ tickSize: 0, ticks: 6, tickFormat: '~g', fill: SOFT }),
      axisX({
        ...{ ticks: 8, tickFormat: String, fill: SOFT },
        ...{ label: 'evaluations of the loss for one gradient', labelAnchor: 'center', labelArrow: 'none' },
      }),
      // Averaging over as many evaluations as it saves is worth as much: lines of equal compute fall by 1 for 1.
      curve(
        [
          [1, most],
          [widest, most / widest],
        ],
        { stroke: INK.pale, strokeDasharray: '4 4', clip: true },
      ),
    ],
  };
  const legend = [
    `variance of one gradient over |∇|² (${where}); `,
    { text: '● unbiased', colour: COLOURS.unbiased },
    ' · ',
    { text: '○ biased', colour: COLOURS.biased },
    ' · dashes: the same at equal compute',
  ];
  return figure({ title: 'What does a gradient cost, and how noisy is it?', width: SIZE.width, height }, [
    line(14, 46, legend, { font_size: 11 }),
    chart(options),
    ...points,
  ]);
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** A numbered disc in the picture, and the same one in the legend with the neuron's name. */
function pointOf(
  { neuron, evaluations, variance, biased }: ChartPoint,
  i: number,
  at: Place,
  key: Place,
  none: boolean,
): Element {
  const colour = biased ? COLOURS.biased : COLOURS.unbiased;
  const disc = ({ x: cx, y: cy }: Place): Element[] => [
    element('circle', { cx, cy, r: RADIUS, stroke: colour, stroke_width: 1.6, fill: biased ? '#fff' : colour }),
    line(cx, cy + 3, String(i + 1), { font_size: 8.5, text_anchor: 'middle', fill: biased ? colour : '#fff' }),
  ];
  const facts = `${neuron}: variance ${variance.toPrecision(3)}·|∇|², ${evaluations} evaluation${evaluations === 1 ? '' : 's'}`;
  const name = `${neuron}${none ? ' (variance 0)' : ''}`;
  return element(
    'g',
    {},
    element('title', {}, facts),
    ...disc(at),
    ...disc(key),
    line(key.x + 14, key.y + 3.5, name, { font_size: 10 }),
  );
}
