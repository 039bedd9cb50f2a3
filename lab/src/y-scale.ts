import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';

export interface YScale {
  readonly scale: ScaleContinuousNumeric<number, number>;
  /** Numbers that have room at the axis. */
  readonly ticks: readonly number[];
}

/** Where no number is known yet. */
const EMPTY = [0.01, 1] as const;
const TICKS = 4;

/** An axis upwards for numbers: the logarithmic one ends at the least and the greatest; the other one begins at 0, unless some are below it. */
export function yScale(values: readonly number[], log: boolean): YScale {
  const [least, most] = values.length === 0 ? EMPTY : [Math.min(...values), Math.max(...values)];
  if (!log) {
    const scale = scaleLinear()
      .domain([least < 0 ? least : 0, most])
      .nice(TICKS);
    return { scale, ticks: scale.ticks(TICKS) };
  }
  const scale = scaleLog().domain([least, most]);
  const written = scale.tickFormat(TICKS);
  return { scale, ticks: scale.ticks(TICKS).filter((tick) => written(tick) !== '') };
}

/** Of the greatest and the least: from here on, lines over an axis that begins at 0 lie on each other. */
const WIDE = 200;

/** Do numbers, all above 0, differ so much that only a logarithmic axis tells them apart? */
export const wantsLog = (values: readonly number[]): boolean =>
  values.length > 0 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= WIDE;
