import type { Dataset } from '../data/dataset.ts';
import { sum } from '../math/statistics.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { noiseKey } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { bernoulliDivergence } from '../tensor/ops/bernoulli.ts';
import { Tape } from '../tensor/tape.ts';
import { gatherBatch } from './examples.ts';
import { latentCost, latentSite, passVae } from './vae-pass.ts';

/** How likely a variational autoencoder holds pictures to be: means over the pictures, in nats. */
export interface VaeBound {
  /** E[log p(x|h)] − KL(q(h|x) ‖ p(h)), the expectation over the draws. */
  readonly elbo: number;
  /** log of the mean of p(x, h)/q(h|x) over the draws: nearer to log p(x) the more there are. */
  readonly bound: number;
  /** Draws of the latents for every picture. */
  readonly samples: number;
}

/** Options of `measureVae`. */
export interface VaeBoundOptions {
  /** Default 1, with which the bound is a draw of the ELBO. */
  readonly samples?: number;
  /** Pictures at a time; default 250. */
  readonly batch?: number;
  /** Of the binarisation and the draws; default 0: the same pictures for every model. */
  readonly seed?: number;
}

const NAMES: NamesOf<VaeBoundOptions> = { samples: true, batch: true, seed: true };

/** The draw that binarises; those of the latents count from 1 too, on streams of their own. */
const PIXELS = 1;

/**
 * ELBO and importance-weighted bound on binarised pictures, the latents drawn from Bernoulli(σ(a)), whatever neuron trained. Source: Burda,
 * Grosse, Salakhutdinov 2016, "Importance weighted autoencoders", Eq. 8.
 * @yields the number of pictures done, after every minibatch; the bound is what the generator returns
 * @throws NonFiniteError when a loss is NaN or infinite
 */
export function* measureVae(model: Model, data: Dataset, options: VaeBoundOptions = {}): Generator<number, VaeBound> {
  checkNames('measureVae', options, NAMES);
  const { samples = 1, batch = 250, seed = 0 } = options;
  const key = noiseKey(seed);
  const overrides = new Map([[latentSite(model), { neuron: resolveNeuron('stochastic-binary'), state: undefined }]]);
  let [elbo, bound] = [0, 0];
  for (let from = 0, step = 0; from < data.count; from += batch, step++) {
    const indices = Int32Array.from({ length: Math.min(batch, data.count - from) }, (_, i) => from + i);
    const rows = indices.length;
    const largest = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
    const weights = new Float64Array(rows);
    for (let draw = 1; draw <= samples; draw++) {
      model.engine.beginStep();
      const tape = new Tape(model.engine);
      const source = { key, step, draw };
      const pass: Pass = { tape, mode: 'sample', source, penalties: [], overrides };
      const drawn = passVae(model, pass, gatherBatch(model.engine, data, indices).x, { key, step, draw: PIXELS });
      const costs = add(drawn.reconstruction, latentCost(drawn)).values;
      const divergence = bernoulliDivergence(drawn.logits);
      elbo -= (sum(drawn.reconstruction.values) + sum(divergence.values)) / samples;
      for (let r = 0; r < rows; r++) {
        const most = Math.max(largest[r], -costs[r]);
        weights[r] = weights[r] * Math.exp(largest[r] - most) + Math.exp(-costs[r] - most);
        largest[r] = most;
      }
    }
    for (let r = 0; r < rows; r++) bound += largest[r] + Math.log(weights[r] / samples);
    if (!Number.isFinite(elbo + bound))
      throw new NonFiniteError(
        `The bound on "${data.name}" is NaN or infinite among pictures ${from} to ${from + rows - 1}. Expected weights and data without NaN.`,
      );
    yield from + rows;
  }
  return { elbo: elbo / data.count, bound: bound / data.count, samples };
}
