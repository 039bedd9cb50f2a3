import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../src/index.ts';

const SCALE = '.scale';

/**
 * The tensors of a model with every matrix in whole numbers and one step a column (unit), everything else as it is.
 * @param model as `saveModel` writes it @param steps the largest of a column's weights is this number of its steps, 127 at most
 */
export function packModel(
  model: Uint8Array,
  steps: number,
): { tensors: Map<string, NamedTensor>; metadata: Readonly<Record<string, string>> } {
  const { tensors, metadata } = decodeSafetensors(model, 'the model');
  const packed = new Map<string, NamedTensor>();
  for (const [name, tensor] of tensors) {
    const { shape, values } = tensor;
    if (shape.length !== 2) {
      packed.set(name, tensor);
      continue;
    }
    const columns = shape[1];
    const scale = new Float32Array(columns);
    values.forEach((value, i) => {
      scale[i % columns] = Math.max(scale[i % columns], Math.abs(value) / steps);
    });
    const bytes = Int8Array.from(values, (value, i) => (value === 0 ? 0 : Math.round(value / scale[i % columns])));
    packed.set(name, { shape, values: bytes });
    packed.set(`${name}${SCALE}`, { shape: [columns], values: scale });
  }
  return { tensors: packed, metadata };
}

function scaled(values: ArrayLike<number>, scale: ArrayLike<number>): Float32Array {
  const columns = scale.length;
  const found = new Float32Array(values.length);
  // Row by row: no call and no remainder for each of them.
  for (let first = 0; first < values.length; first += columns)
    for (let i = 0; i < columns; i++) found[first + i] = values[first + i] * scale[i];
  return found;
}

/** What `packModel` gave, as a file that `loadModel` reads. @param others names of tensors that are not the model's */
export function unpackModel(
  { tensors, metadata }: { tensors: ReadonlyMap<string, NamedTensor>; metadata: Readonly<Record<string, string>> },
  others: readonly string[],
): Uint8Array {
  const model = new Map<string, NamedTensor>();
  for (const [name, { shape, values }] of tensors) {
    if (others.includes(name) || name.endsWith(SCALE)) continue;
    const scale = tensors.get(`${name}${SCALE}`)?.values;
    model.set(name, { shape, values: scale ? scaled(values, scale) : values });
  }
  return encodeSafetensors({ tensors: model, metadata });
}
