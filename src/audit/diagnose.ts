import { sigmoid } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type Place, short } from './places.ts';

/** E[ĝ] of one unit at one place of the domain, and whether it is what it has to be. */
export interface Case {
  readonly neuron: Neuron;
  readonly place: Place;
  readonly logit: number;
  readonly unit: number;
  readonly found: number;
  readonly truth: number;
  readonly tolerance: number;
  /** The largest loss or cotangent that it read. */
  readonly magnitude: number;
  readonly wrong: boolean;
}

/** A number of a case that a fault may hang on, and how a stretch of it is called. */
interface Axis {
  readonly value: (one: Case) => number;
  /** Wrong from there on, up to there, or in between. */
  readonly from: (value: number) => string;
  readonly to: (value: number) => string;
}

const axes: readonly Axis[] = [
  {
    value: ({ place }) => (place.arrays === 'Float32' ? 1 : 0),
    from: () => 'with Float32 arrays',
    to: () => 'with Float64 arrays',
  },
  {
    value: ({ place }) => place.updates,
    from: (value) => `after ${value} and more updates of its state`,
    to: () => 'before its state was updated often',
  },
  {
    value: ({ place }) => place.rows,
    from: (value) => `in minibatches of ${value} and more rows: an example depends on how many others there are`,
    to: (value) => `in minibatches of up to ${value} rows: an example depends on how many others there are`,
  },
  {
    value: ({ unit }) => unit,
    from: (value) => `at unit ${value} and later`,
    to: (value) => `at the units 0 to ${value}`,
  },
  {
    value: ({ place }) => place.units,
    from: (value) => `in layers of ${value} and more units`,
    to: (value) => `in layers of up to ${value} units`,
  },
  {
    value: ({ logit }) => Math.abs(logit),
    from: (value) =>
      `for p < ${short(sigmoid(-value))} or p > 1 − ${short(sigmoid(-value))} (logits of size ${short(value)} and more)`,
    to: (value) => `for logits of size up to ${short(value)}`,
  },
  {
    value: ({ logit }) => logit,
    from: (value) => `for p > ${short(sigmoid(value))} (logits from ${short(value)} up)`,
    to: (value) => `for p < ${short(sigmoid(value))} (logits up to ${short(value)})`,
  },
  {
    value: ({ magnitude }) => magnitude,
    from: (value) => `where losses or cotangents reach ${short(value)}`,
    to: (value) => `where losses and cotangents stay under ${short(value)}`,
  },
  {
    value: ({ place }) => (place.offset === 0 ? 0 : 1),
    from: () => 'where a constant is added to the loss',
    to: () => 'where no constant is added to the loss',
  },
];

/** Share of the cases on the wrong side of a rule that may be there by chance: a small error is not seen everywhere. */
const STRAY = 0.04;

/**
 * Says in words how E[ĝ] is wrong: what it is a multiple of, and where, from the shapes of errors in this file's tables.
 * @returns undefined where no shape fits
 */
export function diagnose(cases: readonly Case[]): string | undefined {
  const wrong = cases.filter((one) => one.wrong);
  if (wrong.length === 0) return undefined;
  // An error of the same share of the true gradient is not seen where it is within the tolerance.
  const shares = wrong.map(({ found, truth }) => Math.abs(found - truth) / Math.abs(truth)).sort((a, b) => a - b);
  const share = Math.min(1, shares[shares.length >> 1]);
  const telling = cases.filter((one) => one.wrong || share * Math.abs(one.truth) > 2 * one.tolerance);
  const where = whereOf(telling);
  const how = howOf(wrong);
  if (how === undefined && where === undefined) return undefined;
  return `${how ?? 'E[ĝ] is not ∇'} ${where ?? 'at some places, and not at others'}`;
}

/** As what multiple of the truth. */
function howOf(wrong: readonly Case[]): string | undefined {
  const clear = wrong.filter(({ truth, tolerance }) => Math.abs(truth) > 5 * tolerance);
  if (wrong.every(({ found, tolerance }) => Math.abs(found) <= tolerance)) return 'E[ĝ] = 0';
  if (clear.length === 0) return undefined;
  const ratios = clear.map(({ found, truth }) => found / truth).sort((a, b) => a - b);
  const middle = ratios[ratios.length >> 1];
  const alike = ratios.filter((ratio) => Math.abs(ratio - middle) <= 0.01 * Math.abs(middle)).length;
  if (alike >= 0.9 * ratios.length) return `E[ĝ] = ${middle.toFixed(2).replace('-', '−')}·∇`;
  if (ratios.every((ratio) => ratio < 0)) return 'E[ĝ] points the other way than ∇';
  return undefined;
}

/** On which stretch of which number. */
function whereOf(cases: readonly Case[]): string | undefined {
  const right = cases.filter((one) => !one.wrong);
  const wrong = cases.filter((one) => one.wrong);
  if (right.length <= STRAY * cases.length) return 'in every unit';
  for (const axis of [...axes, ...optionAxes(cases)]) {
    const values = wrong.map(axis.value);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const inside = right.filter((one) => axis.value(one) >= least && axis.value(one) <= most).length;
    // Any few cases lie on a short stretch of some number.
    if (inside > STRAY * right.length || wrong.length < 3) continue;
    const below = right.some((one) => axis.value(one) < least);
    const above = right.some((one) => axis.value(one) > most);
    if (below && above) return `${axis.from(least)}, up to ${short(most)}, and is right elsewhere`;
    return `${below ? axis.from(least) : axis.to(most)}, and is right elsewhere`;
  }
  return undefined;
}

/** The numbers of the options. */
function optionAxes(cases: readonly Case[]): Axis[] {
  return Object.keys(cases[0].neuron.options)
    .filter((option) => typeof cases[0].neuron.options[option] === 'number')
    .map((option) => ({
      value: ({ neuron }) => Number(neuron.options[option]),
      from: (value) => `for the option ${option} from ${short(value)}`,
      to: (value) => `for the option ${option} up to ${short(value)}`,
    }));
}
