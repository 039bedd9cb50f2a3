import type { Neuron, NeuronState, Pullback } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf, weighDraws } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import type { GradientObserver, Integral, Loss } from './integrate.ts';

/** Examples that are fired together. */
const ROWS = 64;
/** First word of the path of the streams that noise comes from: the word "smpl" in ASCII. */
const NOISE = 0x736d706c;

/** What sampling says of a layer of neurons: estimates of the same expectations as exact integration's. */
export interface Sampled extends Integral {
  /** Independent gradients behind it. */
  readonly samples: number;
  /** E[h²] of every unit. */
  readonly meanSquare: Float64Array;
}

/** Fires and pulls back so many rows of the same logits with noise of a stream. */
function* passes(
  neuron: Neuron,
  logits: ArrayLike<number>,
  loss: Loss,
  { samples, seed, state }: { samples: number; seed: number; state: NeuronState },
): Generator<{ pullback: Pullback; weights: Float64Array; total: Float64Array }> {
  const units = logits.length;
  const draws = drawsOf(neuron, units);
  const random = randomStream(seed, NOISE);
  const draw = (): number => random.uniform();
  const fill = (array: Float64Array, value: (i: number) => number): Float64Array => {
    for (let i = 0; i < array.length; i++) array[i] = value(i);
    return array;
  };
  for (let done = 0; done < samples; done += ROWS) {
    const rows = Math.min(ROWS, samples - done);
    const all = fill(new Float64Array(rows * units), (i) => logits[i % units]);
    const noise = fill(new Float64Array(rows * units * neuron.noise), draw);
    const h = new Float64Array(draws * rows * units);
    const firing = { rows, units, logits: all, noise, h, state };
    neuron.fire(firing);
    const losses = new Float64Array(draws * rows);
    const dh = new Float64Array(h.length);
    for (let row = 0, at = 0; row < draws * rows; row++, at += units) {
      const answer = loss(h.subarray(at, at + units));
      losses[row] = answer.loss;
      dh.set(answer.dh, at);
    }
    const weights = new Float64Array(draws * rows);
    const total = new Float64Array(rows);
    weighDraws(neuron, { ...firing, loss: losses, weights, total });
    yield {
      pullback: { ...firing, loss: losses, dh, gradient: new Float64Array(rows * units) },
      weights,
      total,
    };
  }
}

/**
 * The same as `integrate` by sampling, where the grid would be too large.
 * @param options.samples independent gradients
 * @param options.state stays as it is
 */
export function sampleNeuron(
  neuron: Neuron,
  logits: ArrayLike<number>,
  loss: Loss,
  options: { samples: number; seed: number; state?: NeuronState; observe?: GradientObserver },
): Sampled {
  const units = logits.length;
  const { samples, seed, observe } = options;
  const state = options.state ?? startingState(neuron, units);
  const [gradient, square, mean, rate, meanSquare] = Array.from({ length: 5 }, () => new Float64Array(units));
  let expected = 0;
  for (const { pullback, weights, total } of passes(neuron, logits, loss, { samples, seed, state })) {
    neuron.pullback(pullback);
    const { rows, h } = pullback;
    for (let row = 0; row < rows; row++) {
      expected += total[row] / samples;
      const one = pullback.gradient.subarray(row * units, (row + 1) * units) as Float64Array;
      observe?.(1 / samples, one);
      for (let unit = 0; unit < units; unit++) {
        gradient[unit] += one[unit] / samples;
        square[unit] += one[unit] ** 2 / samples;
      }
    }
    for (let i = 0; i < h.length; i++) {
      const weight = weights[Math.floor(i / units)] / samples;
      mean[i % units] += weight * h[i];
      meanSquare[i % units] += weight * h[i] * h[i];
      if (h[i] !== 0) rate[i % units] += weight;
    }
  }
  const variance = square.map((value, unit) => Math.max(0, value - gradient[unit] ** 2));
  return { loss: expected, gradient, variance, mean, rate, samples, meanSquare };
}

/** The state of a layer after so many minibatches of 64 copies of the same example, each with a pullback and an update. */
export function warmState(
  neuron: Neuron,
  logits: ArrayLike<number>,
  loss: Loss,
  { minibatches, seed }: { minibatches: number; seed: number },
): NeuronState {
  const state = startingState(neuron, logits.length);
  if (!neuron.update) return state;
  for (const { pullback } of passes(neuron, logits, loss, { samples: minibatches * ROWS, seed, state })) {
    neuron.pullback(pullback);
    neuron.update(pullback);
  }
  return state;
}
