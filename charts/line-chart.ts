/** Lines over a common axis, as SVG, each named at its end. */
import { axisX, axisY, frame, gridY, type PlotOptions, scale } from '@observablehq/plot';
import { chart, figure, GRID, INK, line, SOFT } from './figure.ts';
import { type CurvePoint, curveMarks } from './panels.ts';

export interface Series {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Logarithmic axes. */
  readonly log?: { readonly x?: true; readonly y?: true };
  /** The least y that is shown; lines under it leave the picture at the bottom. */
  readonly least?: number;
  /** The greatest y that is shown; lines above it leave the picture at the top. */
  readonly most?: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

const BOX = { width: 920, height: 480, left: 64, right: 310, top: 52, bottom: 46 };
/** The second round is dashed. */
const COLOURS = [INK.blue, INK.vermilion, INK.green, INK.purple, INK.sky, INK.orange, INK.grey, INK.black];
/** Vertical distance of names, so that they can be read. */
const LINE = 15;

export function lineChart({ title, xLabel, yLabel, series, log = {}, least, most, xTicks, yTicks }: LineChart): string {
  const points = series.flatMap(({ points: own }) => own);
  const heights = [...points.flatMap(({ y, low = y, high = y }) => [low, high]), ...yTicks].map((value) =>
    Math.min(Math.max(value, least ?? value), most ?? Number.POSITIVE_INFINITY),
  );
  const y = { type: log.y ? 'log' : 'linear', domain: spanOf(heights), label: null } as const;
  const bottom = BOX.height - BOX.bottom;
  const place = scale({ y: { ...y, range: [bottom, BOX.top] } });
  const names = placed(
    series.map(({ points: own }) => Math.max(BOX.top, Math.min(bottom, place.apply(own.at(-1)?.y ?? heights[0])))),
  );
  const colourOf = (i: number): string => COLOURS[i % COLOURS.length];
  const options: PlotOptions = {
    ...{ width: BOX.width, height: BOX.height },
    ...{ marginLeft: BOX.left, marginRight: BOX.right, marginTop: BOX.top, marginBottom: BOX.bottom },
    x: { type: log.x ? 'log' : 'linear', domain: spanOf([...points.map((point) => point.x), ...xTicks]) },
    y,
    clip: true,
    marks: [
      gridY(yTicks, { stroke: GRID, strokeOpacity: 1 }),
      frame({ anchor: 'left', stroke: '#bbb' }),
      frame({ anchor: 'bottom', stroke: '#bbb' }),
      axisY(yTicks, { tickSize: 0, tickFormat: String, fill: SOFT, clip: false }),
      axisX(xTicks, { tickSize: 0, tickFormat: String, fill: SOFT, label: xLabel, ...CENTRED, clip: false }),
      ...series.flatMap((own, i) =>
        curveMarks({ ...own, colour: colourOf(i), ...(i >= COLOURS.length && { dash: '5 3' }) }),
      ),
    ],
  };
  return figure({ title, width: BOX.width, height: BOX.height }, [
    line(14, 42, yLabel, { fill: SOFT }),
    chart(options),
    ...series.map(({ name }, i) =>
      line(BOX.width - BOX.right + 8, names[i] + 4, name, { fill: colourOf(i), font_weight: 600 }),
    ),
  ]);
}

/** Of the label under an axis. */
export const CENTRED = { labelAnchor: 'center', labelArrow: 'none' } as const;

/** @returns the least and the greatest, apart from each other */
export function spanOf(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low, low === 0 ? 1 : low + Math.abs(low)] : [low, high];
}

/** Heights moved apart, in their order, where they are nearer than a line of text. */
function placed(heights: readonly number[]): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
  const result = [...heights];
  for (let k = 1; k < order.length; k++) result[order[k]] = Math.max(result[order[k]], result[order[k - 1]] + LINE);
  // Names that ran over the bottom go up again.
  let limit = BOX.height - BOX.bottom;
  for (const i of order.toReversed()) {
    result[i] = Math.min(result[i], limit);
    limit = result[i] - LINE;
  }
  return result;
}
