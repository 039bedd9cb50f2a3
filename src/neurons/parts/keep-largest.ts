/** Shared by the neurons that keep the largest logits of every row: options, selection, weights. */
import { sigmoid } from '../../math/special.ts';
import {
  type Firing,
  type KernelTwin,
  LEAST_OPEN,
  type Numbers,
  type OptionSpecs,
  type Pullback,
} from '../contract.ts';
import { type Formulas, f } from '../formula.ts';

export const keepOptions = {
  k: {
    minimum: 0,
    maximum: 1e6,
    default: 0,
    whole: true,
    meaning: 'units kept in every row; 0: `share` says how many',
  },
  share: {
    minimum: 1e-6,
    maximum: 1,
    default: 0.125,
    follows: 'rate',
    meaning: 'share of the units that are kept, rounded, at least one; as a gate, the target rate unless given',
  },
  value: {
    choices: ['softmax', 'sigmoid'],
    default: 'softmax',
    meaning: 'what kept units emit: softmax over the kept (with one kept it is 1 and has no gradient), or σ(a)',
  },
} as const satisfies OptionSpecs;

export type GateValue = (typeof keepOptions.value.choices)[number];

/** How many units of a row are kept: k of them, or a share, and never more than there are. */
export function keptOf({ k, share }: { k: number; share: number }): (units: number) => number {
  return (units) => Math.min(units, k > 0 ? k : Math.max(1, Math.round(share * units)));
}

/** Which scores of a row are among the largest, and the two at the border. */
export interface Selection {
  /** 1 where a unit is kept, else 0. */
  readonly marks: Uint8Array;
  /** The kept unit with the least score; −1 if none is kept. */
  readonly lastKept: number;
  /** The closed unit with the largest score; −1 if all are kept. */
  readonly firstClosed: number;
}

/** The `kept` largest scores; of equal ones those with the lower index. */
export function largest(scores: Float64Array, kept: number): Selection {
  const marks = new Uint8Array(scores.length);
  const cut = scores.toSorted()[scores.length - kept];
  let room = kept;
  for (let i = 0; i < marks.length; i++) if (scores[i] > cut) room -= marks[i] = 1;
  for (let i = 0; i < marks.length && room > 0; i++) if (scores[i] === cut) room -= marks[i] = 1;
  let lastKept = -1;
  let firstClosed = -1;
  for (let i = 0; i < marks.length; i++)
    if (marks[i] === 1) lastKept = lastKept < 0 || scores[i] <= scores[lastKept] ? i : lastKept;
    else firstClosed = firstClosed < 0 || scores[i] > scores[firstClosed] ? i : firstClosed;
  return { marks, lastKept, firstClosed };
}

/** The rows one after another, each with the scores that select its units; a row with a number that is not finite has no scores. */
export function forEachRow(
  { rows, units, logits, selectionBias }: Omit<Firing, 'h' | 'state'>,
  noise: (at: number) => number,
  visit: (from: number, values: Float64Array, scores: Float64Array | undefined) => void,
): void {
  const values = new Float64Array(units);
  const scores = new Float64Array(units);
  for (let row = 0, from = 0; row < rows; row++, from += units) {
    for (let j = 0; j < units; j++) {
      values[j] = logits[from + j] + noise(from + j);
      scores[j] = values[j] + (selectionBias?.[j] ?? 0);
    }
    visit(from, values, scores.every(Number.isFinite) ? scores : undefined);
  }
}

/** Fires: h of the kept units is their softmax or their sigmoid, that of the others 0; a NaN or infinite one breaks its whole row. */
export function fireLargest(
  firing: Firing,
  opens: (units: number) => number,
  value: GateValue,
  noise: (at: number) => number = () => 0,
): void {
  const { units, h } = firing;
  forEachRow(firing, noise, (from, values, scores) => {
    const row = h.subarray(from, from + units);
    if (scores) weigh(values, largest(scores, opens(units)).marks, value, row);
    else row.fill(Number.NaN);
  });
}

function weigh(values: Float64Array, marks: Uint8Array, value: GateValue, h: Numbers): void {
  if (value === 'sigmoid') {
    for (let i = 0; i < h.length; i++) h[i] = marks[i] ? Math.max(LEAST_OPEN, sigmoid(values[i])) : 0;
    return;
  }
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < h.length; i++) if (marks[i]) top = Math.max(top, values[i]);
  let total = 0;
  for (let i = 0; i < h.length; i++) if (marks[i]) total += Math.exp(values[i] - top);
  for (let i = 0; i < h.length; i++) h[i] = marks[i] ? Math.max(LEAST_OPEN, Math.exp(values[i] - top) / total) : 0;
}

/** The kernels. @param scale width of the normal noise; 0 is none */
export const largestTwin = (opens: (units: number) => number, value: GateValue, scale: number): KernelTwin => ({
  fire: 'fireLargest',
  settle: 'fireLargest',
  pullback: 'pullbackLargest',
  numbers: (units) => [opens(units), value === 'sigmoid' ? 1 : 0, scale],
});

/** The deterministic forms for exports: alone, a unit is kept, and its softmax is 1. */
export function largestFormulas(value: GateValue): Formulas {
  const one = f.sigmoid(f.logit);
  return value === 'softmax'
    ? { expect: 1, settle: { keep: 'largest', value: { softmax: f.logit } } }
    : { whenOpen: one, settle: { keep: 'largest', value: f.max(LEAST_OPEN, one) } };
}

/** The derivative of what the kept units emit: h_i(δ_i − Σ_j h_j·δ_j) for the softmax, δ·h(1 − h) for the sigmoid. */
export function pullLargest({ rows, units, h, dh, gradient }: Pullback, value: GateValue): void {
  for (let row = 0, from = 0; row < rows; row++, from += units) {
    let mean = 0;
    if (value === 'softmax') for (let i = from; i < from + units; i++) mean += h[i] === 0 ? 0 : h[i] * dh[i];
    for (let i = from; i < from + units; i++) {
      const inner = value === 'softmax' ? dh[i] - mean : dh[i] * (1 - h[i]);
      gradient[i] = h[i] === 0 ? 0 : h[i] * inner;
    }
  }
}
