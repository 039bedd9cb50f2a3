import { LEAST_OPEN } from '../neurons/contract.ts';
import type { Model } from '../nn/model.ts';
import { encodeBase64 } from './base64.ts';
import {
  type FrozenAffine,
  type FrozenFiring,
  type FrozenGated,
  type FrozenLstm,
  type FrozenMode,
  type FrozenNetwork,
  freeze,
  readsSequences,
} from './frozen-network.ts';
import { javascriptFormula } from './javascript-formula.ts';
import { createPredictor } from './one-file-predictor.ts';

export interface OneFileOptions {
  /** Default `threshold`. */
  readonly mode?: FrozenMode;
  /** A byte times this is an input of the network; default 1/255. Numbers other than bytes are taken as they are. */
  readonly byteScale?: number;
}

/**
 * A model as one JavaScript file, an ES module that imports nothing: `predict(pixels)` gives the class, the probabilities, the
 * open gates and the multiply-adds of one example; closed blocks are not computed. Of a network with LSTM layers it has `read(points)` in
 * its place, which takes the points of one sequence. It runs in a page and in Node.
 * @throws ExportError for layers and neurons that cannot be told
 * @throws RangeError for another mode, or a scale that is not a number over 0
 */
export function exportOneFile(model: Model, options: OneFileOptions = {}): string {
  const { mode = 'threshold', byteScale = 1 / 255 } = options;
  if (!(byteScale > 0 && byteScale < Number.POSITIVE_INFINITY))
    throw new RangeError(`\`byteScale\` is ${byteScale}; a number over 0 would do.`);
  const network = freeze(model, mode);
  const parameters = new Parameters();
  const described = networkText(network, byteScale, parameters);
  return `${header(network, byteScale)}
const network = ${described};

${tidy(createPredictor.toString())}

// Weights and biases: Float32, little-endian, base64.
const bytes = Uint8Array.from(atob('${encodeBase64(parameters.toBytes())}'), (c) => c.charCodeAt(0));
const words = new DataView(bytes.buffer);
const parameters = Float32Array.from({ length: bytes.length / 4 }, (_, i) => words.getFloat32(4 * i, true));

/** The deterministic form of the network that this file holds. */
export const mode = '${mode}';
export const inputs = ${network.inputs};
export const classes = ${network.outputs};
export const { ${readsSequences(network) ? 'read' : 'predict'} } = createPredictor(network, parameters);
`;
}

function header(network: FrozenNetwork, byteScale: number): string {
  const { mode, inputs, outputs, layers } = network;
  const middle = layers.map((layer) => {
    if (layer.kind === 'gated') return `${layer.blocks} gated blocks of ${layer.size}`;
    return layer.kind === 'lstm' ? `${layer.directions.length} × ${layer.units} LSTM units` : `${layer.units}`;
  });
  if (readsSequences(network))
    return `// A network trained with flipgrad, in ${mode} mode: ${[inputs, ...middle].join(' → ')}. It imports nothing.
//
//   import { read } from './this-file.js';
//   const { labels, points, multiplyAdds } = read(numbers);
//
// numbers: ${inputs} for every point of one sequence, one point after another, as the network was trained on.
// labels: the most probable of ${outputs} classes at every point, repeats merged, class ${outputs - 1} (blank) left out. points: label,
// probabilities, logits and open gates of every point.
`;
  return `// A network trained with flipgrad, in ${mode} mode: ${[inputs, ...middle].join(' → ')}. It imports nothing.
//
//   import { predict } from './this-file.js';
//   const { label, probabilities, gates, multiplyAdds } = predict(pixels);
//
// pixels: ${inputs} numbers as the network was trained on, or bytes (Uint8Array, Uint8ClampedArray), which it multiplies by ${byteScale}.
// label: the most probable of ${outputs} classes. gates: the gates that were open; closed blocks were not computed.
`;
}

/** All numbers of the file, one after another. */
class Parameters {
  private readonly arrays: Float32Array[] = [];
  private length = 0;

  /** @returns the place of the first number */
  add(values: Float32Array): number {
    const at = this.length;
    this.arrays.push(values);
    this.length += values.length;
    return at;
  }

  /** Little-endian. */
  toBytes(): Uint8Array {
    const view = new DataView(new ArrayBuffer(4 * this.length));
    let at = 0;
    for (const values of this.arrays)
      for (const value of values) {
        view.setFloat32(at, value, true);
        at += 4;
      }
    return new Uint8Array(view.buffer);
  }
}

function networkText({ inputs, layers }: FrozenNetwork, byteScale: number, parameters: Parameters): string {
  const texts = layers.map((layer) => {
    if (layer.kind === 'lstm') return lstmText(layer, parameters);
    return layer.kind === 'gated' ? gatedText(layer, parameters) : affineText(layer, layer.weights, parameters);
  });
  return `{
  inputs: ${inputs},
  byteScale: ${byteScale},
  leastOpen: ${LEAST_OPEN},
  layers: [
    ${texts.join(',\n    ')},
  ],
}`;
}

function affineText(layer: FrozenAffine, weights: Float32Array, parameters: Parameters): string {
  const [at, biases] = [parameters.add(weights), parameters.add(layer.bias)];
  return `{ inputs: ${layer.inputs}, units: ${layer.units}, weights: ${at}, biases: ${biases}, ${firingText(layer.firing)} }`;
}

function gatedText({ name, blocks, size, gater, experts, blockWeights }: FrozenGated, parameters: Parameters): string {
  const stages = gater.map((stage) => affineText(stage, stage.weights, parameters));
  return `{
      layer: ${JSON.stringify(name)}, blocks: ${blocks}, size: ${size},
      gater: [${stages.join(', ')}],
      experts: ${affineText(experts, blockWeights, parameters)},
    }`;
}

function lstmText({ units, directions }: FrozenLstm, parameters: Parameters): string {
  const texts = directions.map(({ backwards, weights, bias, recurrent }) => {
    const [at, biases, again] = [weights, bias, recurrent].map((values) => parameters.add(values));
    return `{ backwards: ${backwards}, weights: ${at}, biases: ${biases}, recurrent: ${again} }`;
  });
  return `{ units: ${units}, directions: [${texts.join(', ')}] }`;
}

function firingText({ keep, bias, value }: FrozenFiring): string {
  const kept = keep === 'all' ? `'all'` : 'over' in keep ? `{ over: ${keep.over} }` : `{ largest: ${keep.largest} }`;
  const softmax = typeof value === 'object' && 'softmax' in value;
  return [
    `keep: ${kept}`,
    ...(bias ? [`bias: [${Array.from(bias).join(', ')}]`] : []),
    `value: ${javascriptFormula(softmax ? value.softmax : value)}`,
    ...(softmax ? ['softmax: true'] : []),
  ].join(', ');
}

/** A function's text without the blanks that types leave behind when Node strips them. */
function tidy(text: string): string {
  return text
    .replace(/(\S) {2,}(?=\S)/g, '$1 ')
    .replace(/ +([,;)])/g, '$1')
    .replace(/ +$/gm, '');
}
