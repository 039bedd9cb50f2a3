import { sigmoid } from '../math/special.ts';
import { sum } from '../math/statistics.ts';
import type { Neuron } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import { Layer } from './layer.ts';
import { otherNumbers } from './other-numbers.ts';
import type { Measure, UnitMeasure } from './place-measure.ts';
import type { Place } from './places.ts';
import type { Truth } from './truth.ts';
import { unitOf } from './unit-of.ts';

/** Where very many rows are drawn, not a few at a time. */
export const withRows = (place: Place): Place => ({ ...place, rows: Math.max(64, place.rows) });

/** What a gradient is held against. */
export interface Against {
  /** The factor that the neuron declares. */
  readonly scale: number;
  readonly truth: Truth;
}

/** Measures E[ĝ] at a place by sampling. @param sampling numbers of the arrays that are worked on */
export function sampled(neuron: Neuron, place: Place, { scale, truth }: Against, sampling: number): Measure {
  const { units } = place;
  const perRow = units * (drawsOf(neuron, units) + 1 + neuron.noise);
  const samples = Math.max(200, Math.min(40_000, Math.floor(sampling / perRow)));
  const random = otherNumbers(place.seed, place.number, 1);
  const moments = place.active.map(() => ({ values: new Float64Array(samples), at: 0 }));
  const unseen = unseenShare(neuron, place, samples);
  const layer = new Layer(neuron, withRows(place), random);
  while (moments[0].at < samples) {
    const broken = layer.run(Math.min(layer.slots, samples - moments[0].at), undefined, (_slot, gradients) => {
      gradients.forEach((g, i) => {
        moments[i].values[moments[i].at++] = g;
      });
    });
    if (broken !== undefined)
      return { place, method: 'sampling', samples: 0, units: [], magnitude: 0, broken: broken.text };
  }
  return {
    place,
    method: 'sampling',
    samples,
    magnitude: layer.magnitude,
    units: place.active.map((unit, i): UnitMeasure => {
      const values = moments[i].values.subarray(0, moments[i].at);
      const error = truth.error[i] / scale + unseen * layer.magnitude;
      const { mean, typical, zOf } = scoreOf(values, error);
      const facts = { unit, logit: place.logits[unit], truth: truth.gradient[i], typical: scale * typical };
      const wanted = truth.gradient[i] / scale;
      const scores = { z: zOf(mean - wanted), zOfNothing: zOf(wanted) };
      return { ...facts, ...scores, found: scale * mean, tolerance: truth.error[i], drawnShift: 0 };
    }),
  };
}

/** An event that so many draws do not show may have that probability over their number: e^−20 is under the false alarm. */
export const UNSEEN = 20;
/** A state that is seen so often has its share in the standard error. */
const OFTEN = 50;
/** Logits of units of their own kind whose unlikely outputs are seen often. */
const LIKELY = 2;

/** What states that are not seen often enough may weigh, as a share of the largest loss. */
function unseenShare(neuron: Neuron, { active, logits }: Place, samples: number): number {
  const own = active.map((unit) => logits[unit]);
  // In a group, or of units in an order, the least likely state hangs on how far logits are apart.
  const apart = neuron.jointNoise ? [Math.max(...own) - Math.min(...own)] : own.map(Math.abs);
  const isBits = unitOf(neuron) === 'bits';
  if (!isBits && neuron.group === undefined) return apart.every((distance) => distance < LIKELY) ? 0 : UNSEEN / samples;
  const states = isBits ? probabilitiesOf(own) : apart.map((distance) => Math.exp(-distance));
  return Math.min(UNSEEN / samples, 2 * sum(states.filter((q) => q * samples < OFTEN)));
}

/** P of every state of bits: two that are unlikely may be likely enough each, and hardly ever come together. */
const probabilitiesOf = (logits: readonly number[]): number[] =>
  logits.reduce((states, logit) => states.flatMap((p) => [p * sigmoid(logit), p * sigmoid(-logit)]), [1]);

/** The mean of samples, their mean size, and how many standard errors a difference from the mean is. */
interface Score {
  readonly mean: number;
  readonly typical: number;
  readonly zOf: (difference: number) => number;
}

/**
 * With few effective samples (Σd²)²/Σd⁴ a normal law is not to be relied on, and z is bounded by their root: what a roulette of 1 in
 * 100,000 makes in some thousands of draws refutes nothing.
 * @param error what a difference may be without any
 */
function scoreOf(values: Float64Array, error: number): Score {
  let [total, size] = [0, 0];
  for (const value of values) {
    total += value;
    size += Math.abs(value);
  }
  const count = values.length;
  const mean = total / count;
  let [square, fourth] = [0, 0];
  for (const value of values) {
    const d = (value - mean) ** 2;
    square += d;
    fourth += d * d;
  }
  const typical = size / count;
  const zOf = (difference: number): number => {
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    const off = Math.max(0, Math.abs(difference) - error - 1e-6 * typical);
    if (off === 0 || fourth === 0) return 0;
    const z = off / Math.sqrt(square / count / count);
    return 1 / (1 / z + 1 / Math.sqrt((square * square) / fourth));
  };
  return { mean, typical, zOf };
}
