import type { Engine } from '../backend/engine.ts';
import { allFinite } from '../math/statistics.ts';
import type { LayerSpec, Model, ModelDescription } from '../nn/model.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { buildModel, type OwnCode } from './build-model.ts';
import { FormatError } from './format-error.ts';
import { asObject, parseJson, shorten } from './json.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './safetensors.ts';

const FORMAT = 'flipgrad model 1';
export interface LoadModelOptions extends OwnCode {
  /** What the file is, for messages. */
  readonly where?: string;
}

const NAMES: NamesOf<LoadModelOptions> = { where: true, neurons: true, layers: true };

/**
 * A model as a safetensors file: every parameter (weights: inputs × units, row-major, F32), thresholds and selection biases of
 * its firing sites (F64), and its layers in the metadata. For use, not for more training: see checkpoints for that.
 */
export function saveModel(model: Model): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, NamedTensor>();
  for (const { name, tensor, blocks } of model.parameters) {
    const shape = blocks ? [blocks.inputs, blocks.count * blocks.size] : tensor.shape;
    tensors.set(name, { shape, values: model.weights(name) });
  }
  for (const { name, threshold, selectionBias, stochastic } of model.sites) {
    if (stochastic) tensors.set(`${name}.threshold`, { shape: [1], values: Float64Array.of(threshold) });
    if (selectionBias) tensors.set(`${name}.selectionBias`, { shape: [selectionBias.length], values: selectionBias });
  }
  return encodeSafetensors({ tensors, metadata: { format: FORMAT, spec: JSON.stringify(model.description) } });
}

/**
 * Builds the model of a file by `saveModel`, of whatever origin, on an engine. Nothing is allocated for a network that is larger
 * than the file.
 * @throws FormatError when the file is damaged, its layers cannot be built, or arrays are missing, misshapen or not finite
 */
export function loadModel(engine: Engine, bytes: Uint8Array, options: LoadModelOptions = {}): Model {
  checkNames('loadModel', options, NAMES);
  const { where = 'the model file', ...own } = options;
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  if (metadata.format !== FORMAT || metadata.spec === undefined)
    throw new FormatError(
      `${where} has the format ${shorten(metadata.format)}. Expected a model saved by flipgrad ("${FORMAT}").`,
    );
  const spec = checkSpec(parseJson(metadata.spec, `The layers of ${where}`), where);
  const model = buildModel(engine, spec, { weights: bytes.length, where, own });
  fill(model, tensors, where);
  return model;
}

function checkSpec(value: unknown, where: string): ModelDescription {
  const spec = asObject(value, `The network of ${where}`);
  if (!Array.isArray(spec.layers)) throw new FormatError(`The network of ${where} has no list of layers.`);
  for (const layer of spec.layers as unknown[]) {
    const fields = asObject(layer, `A layer of ${where}`);
    if (typeof fields.layer !== 'string') throw new FormatError(`A layer of ${where} does not say which it is.`);
    if (fields.name !== undefined && typeof fields.name !== 'string')
      throw new FormatError(`A layer of ${where} is called ${shorten(fields.name)}. Expected a text.`);
  }
  if (typeof spec.inputs !== 'number' || !Number.isSafeInteger(spec.seed ?? 1))
    throw new FormatError(`The network of ${where} lacks the number of its inputs, or its seed is no whole number.`);
  return { inputs: spec.inputs, layers: spec.layers as LayerSpec[], seed: (spec.seed as number | undefined) ?? 1 };
}

function fill(model: Model, tensors: ReadonlyMap<string, NamedTensor>, where: string): void {
  const left = new Set(tensors.keys());
  const take = (name: string, size: number): NamedTensor['values'] => {
    const found = tensors.get(name);
    if (found?.values.length !== size)
      throw new FormatError(
        `${where} has ${found ? `${found.values.length} values` : 'nothing'} for ${shorten(name)}; its layers ask for ${size}.`,
      );
    left.delete(name);
    return found.values;
  };
  for (const { name, tensor } of model.parameters) {
    const values = take(name, tensor.size);
    if (!allFinite(values)) throw new FormatError(`${where} has NaN or infinity in ${shorten(name)}.`);
    model.setWeights(name, values);
  }
  for (const site of model.sites) {
    if (site.stochastic) [site.threshold] = take(`${site.name}.threshold`, 1);
    if (Number.isNaN(site.threshold)) throw new FormatError(`${where} has NaN for the threshold of ${site.name}.`);
    const { selectionBias } = site;
    if (!selectionBias) continue;
    selectionBias.set(take(`${site.name}.selectionBias`, selectionBias.length));
    if (!allFinite(selectionBias)) throw new FormatError(`${where} has NaN or infinity in the biases of ${site.name}.`);
  }
  const [foreign] = left;
  if (foreign !== undefined) throw new FormatError(`${where} holds ${shorten(foreign)}, which its layers do not have.`);
}
