import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import { bernoulliDivergence } from '../tensor/ops/bernoulli.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Batch, gatherBatch } from './examples.ts';
import { sigmoid } from './link.ts';
import type { Outcome, Task } from './task.ts';
import { measureVae } from './vae-bound.ts';
import { latentCost, latentSite, passVae, startAtMeans, vaeLayers } from './vae-pass.ts';

/** What an epoch of an autoencoder tells besides what all epochs do; nats a picture. */
export interface VaeEpoch {
  /** On the validation pictures, the latents drawn from Bernoulli(σ(a)). */
  readonly validElbo: number;
}

/** What the result of an autoencoder tells besides, measured with the weights of the best epoch; nats a picture. */
export interface VaeResult {
  readonly trainElbo: number;
  readonly validElbo: number;
  readonly testElbo: number;
  /** Importance-weighted bound on log p(x) of the test pictures, of so many draws. */
  readonly testBound: number;
  readonly samples: number;
}

/** Options of `vae`. */
export interface VaeOptions {
  /** Draws of the latents for the bound on the test data; default 100. */
  readonly samples?: number;
}

const NAMES: NamesOf<VaeOptions> = { samples: true };

/** The same numbers, through which no gradient goes back. */
const untracked = ({ tape, array, plate }: Tensor): Tensor => tape.input(array, plate);

/**
 * A variational autoencoder with Bernoulli latents on dynamically binarised pictures, of the layers of `vaeLayers`. What is minimised is
 * −ELBO, in nats: the cross-entropy of the pixels, which depends on the draw, and the divergence of the latents from fair coins, in
 * closed form. Neurons that want log-weights, and those that scale their gradients, get −log p(x, h)/q(h) of each draw instead.
 * A new model's biases start at the data's means.
 * @throws RangeError for a number of samples that is not a whole number from 1 up
 */
export function vae(options: VaeOptions = {}): Task<Dataset, Batch, VaeEpoch, VaeResult> {
  checkNames('vae', options, NAMES);
  const { samples = 100 } = options;
  if (!Number.isInteger(samples) || samples < 1)
    throw new RangeError(`\`samples\` is ${samples}. Expected a whole number from 1 up.`);
  return {
    name: 'vae',
    options: { samples },
    loss: { title: '−ELBO', unit: 'nats', digits: 2 },
    figures: {
      elbo: { title: 'ELBO', unit: 'nats', digits: 2, timesLoss: -1 },
      bound: { title: `bound of ${samples} draws`, unit: 'nats', digits: 2, parts: ['test'] },
    },
    data: 'classes',
    outputs: ({ width }) => width,
    layers: ({ width }) => vaeLayers('linear', width, 'disarm'),
    defaults: { optimizer: 'adam', batch: 100 },
    check: checkPictures,
    begin: startAtMeans,
    gather: gatherBatch,
    run(model, pass, { x }): Outcome {
      const drawn = passVae(model, pass, x);
      const { output, logits, reconstruction } = drawn;
      const site = latentSite(model);
      const { neuron } = pass.overrides?.get(site) ?? site;
      const whole = (own: Tensor) => add(reconstruction, latentCost({ ...drawn, logits: own }));
      if (neuron.wantsLogWeights) return { output, losses: whole(logits) };
      // What is divided by a factor has to be the whole gradient: log q then comes in through the loss alone, E[∂log q] being 0.
      if (neuron.claims.scale) return { output, losses: whole(untracked(logits)) };
      return { output, losses: reconstruction, also: [bernoulliDivergence(logits)] };
    },
    measure: () => ({}),
    metrics: () => ({}),
    link: sigmoid,
    tell: (values) => ({ pixels: [...values] }),
    best: { metric: 'elbo', better: 'more' },
    *assess(model, data, part) {
      const measuring = measureVae(model, data, part === 'test' ? { samples } : {});
      for (;;) {
        const { done, value } = measuring.next();
        if (done) return part === 'test' ? { elbo: value.elbo, bound: value.bound } : { elbo: value.elbo };
        yield value;
      }
    },
    facts: { samples },
  };
}

/** @throws RangeError when the model is no autoencoder of the data's width, or features are no probabilities */
function checkPictures(model: Model, { name, width, features, scale }: Dataset): void {
  latentSite(model);
  if (width !== model.inputs)
    throw new RangeError(
      `The data set "${name}" has ${width} features, the model takes ${model.inputs}. Expected \`inputs: ${width}\`.`,
    );
  const outside = features.findIndex((x) => !(x * scale >= 0 && x * scale <= 1));
  if (outside >= 0)
    throw new RangeError(
      `Feature ${outside % width} of example ${Math.floor(outside / width)} of "${name}" is ${features[outside] * scale}; pixels from 0 to 1 are binarised.`,
    );
}
