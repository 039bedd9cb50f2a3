import type { NdArray } from '../backend/nd-array.ts';
import type { Dataset } from '../data/dataset.ts';
import { logit } from '../math/special.ts';
import type { NeuronSpec } from '../neurons/resolve.ts';
import { dense } from '../nn/dense.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { LayerSpec, Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { signs } from '../nn/signs.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { sigmoidCrossEntropy } from '../tensor/ops/bernoulli.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { binarize } from './binarize.ts';

/** Hidden layers of the encoder, and of the decoder. */
const HIDDEN_LAYERS = { linear: 0, nonlinear: 2 };

/** Encoder and decoder: an affine map each, or with two hidden layers each. */
export type VaeKind = keyof typeof HIDDEN_LAYERS;

/** The layers whose units are the latents, and whose units are the logits of the pixels. */
const LATENTS = 'latents';
const PIXELS = 'pixels';
/** The decoder sees signs in the place of bits. */
const SIGNS = 'signs';

/** Units of the hidden layers of `nonlinear`. */
const HIDDEN = 200;
const LEAKY = { name: 'leaky-rectifier', slope: 0.3 };

/**
 * The layers of a variational autoencoder with Bernoulli latents: width → latents → width, or with two hidden layers of 200 leaky
 * rectifiers on either side. Source: Dong, Mnih, Tucker 2020 (DisARM), §5, and the authors' code.
 * @param neuron what fires as latents, e.g. `'rloo'`
 */
export function vaeLayers(kind: VaeKind, width: number, neuron: NeuronSpec, latents = 200): LayerSpec[] {
  const hidden = (side: string): LayerSpec[] =>
    Array.from({ length: HIDDEN_LAYERS[kind] }, (_, n) => dense(HIDDEN, LEAKY, `${side}${n + 1}`));
  return [
    ...hidden('encoder'),
    dense(latents, neuron, LATENTS),
    signs(SIGNS),
    ...hidden('decoder'),
    dense(width, 'linear', PIXELS),
  ];
}

/** Where the latents of a variational autoencoder fire. @throws RangeError when the model has no such units, or they are coupled */
export function latentSite(model: Model): FiringSite {
  const site = model.sites.find(({ name }) => name === LATENTS);
  if (site?.neuron.jointNoise)
    throw new RangeError(
      `The latents are independent Bernoulli units; "${site.neuron.name}" couples the units of a row. Expected a neuron that does not.`,
    );
  const after = model.layers.findIndex(({ sites }) => sites.some(({ name }) => name === LATENTS)) + 1;
  if (site && model.layers[after]?.name !== SIGNS)
    throw new RangeError(
      `The layer after the latents is "${model.layers[after]?.name}". Expected "${SIGNS}", as \`vaeLayers\` makes it: models of earlier versions have none.`,
    );
  if (site && model.inputs === model.outputs) return site;
  throw new RangeError(
    site
      ? `A variational autoencoder gives what it takes; this model takes ${model.inputs} numbers and gives ${model.outputs}.`
      : `The model has no units called "${LATENTS}" that fire. Expected the layers of \`vaeLayers\` with a neuron other than "linear".`,
  );
}

/** One pass over a minibatch: what each draw of the latents costs, and what is known of the latents without drawing. */
export interface VaePass {
  /** Logits of the pixels, a row an example and draw. */
  readonly output: Tensor;
  /** Of the latents, a row an example. */
  readonly logits: Tensor;
  /** The latents, a row an example and draw. */
  readonly latents: Tensor;
  /** −log p(x | h) of the binarised pictures x: one number an example and draw, in nats. */
  readonly reconstruction: Tensor;
}

/**
 * Binarises a minibatch (by `pixels`, default the pass's own random source), and sends it through. Source: Dong, Mnih, Tucker 2020 (DisARM), the authors' code.
 */
export function passVae(model: Model, pass: Pass, x: NdArray, pixels: Pass['source'] = pass.source): VaePass {
  const { tape } = pass;
  const site = latentSite(model);
  const bits = tape.input(binarize(tape, x, pixels), tape.plates.examples(x.rows));
  const output = model.apply(pass, bits);
  tape.layer = 'loss';
  const reconstruction = sigmoidCrossEntropy(output, bits);
  const { logits, h: latents } = site.last as NonNullable<typeof site.last>;
  return { output, logits, latents, reconstruction };
}

/** log q(h) − log p(h) of every row of latents (bits): q their Bernoulli units, p fair coins. */
export function latentCost({ logits, latents }: Pick<VaePass, 'logits' | 'latents'>): Tensor {
  return add(scale(sigmoidCrossEntropy(logits, latents), { factor: -1 }), latents.columns * Math.LN2);
}

/**
 * Starts the biases at the data's means: of the pixels at their logits (each mean kept within [0.001, 0.999]), and below the first
 * units so that the mean picture gives logits of 0. Source: Dong, Mnih, Tucker 2020 (DisARM), the authors' code, for the former; there the mean
 * is taken off every input instead of the latter.
 */
export function startAtMeans(model: Model, data: Dataset): void {
  const { width, count, features, scale } = data;
  const means = new Float64Array(width);
  for (let i = 0; i < features.length; i++) means[i % width] += (features[i] * scale) / count;
  const kept = means.map((mean) => logit(Math.min(0.999, Math.max(0.001, mean))));
  model.setWeights(`${PIXELS}.bias`, kept);
  const first = model.layers[0].name;
  const weights = model.weights(`${first}.weights`);
  const units = weights.length / width;
  const bias = new Float64Array(units);
  for (let i = 0; i < weights.length; i++) bias[i % units] -= weights[i] * means[Math.floor(i / units)];
  model.setWeights(`${first}.bias`, bias);
}
