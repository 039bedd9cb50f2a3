import { decodeSafetensors, encodeSafetensors, FormatError, type NamedTensor } from '../../src/index.ts';

/** The network that the lab begins with, and digits that it has not been trained on. */
export interface FrontFile {
  /** As `saveModel` writes it. */
  readonly model: Uint8Array;
  /** 28 × 28 bytes a digit. */
  readonly digits: Uint8Array;
  readonly labels: Uint8Array;
}

const [SCALE, DIGITS, LABELS] = ['.scale', 'digits', 'labels'];
/** The largest of a column's weights is this number of its steps. */
const STEPS = 15;
const SIDE = 28;

/**
 * A file of it: every matrix in whole numbers from −15 to 15 and one step a column (unit), everything else as it is.
 * Compressed, a weight takes about half a byte.
 * @param model as `saveModel` writes it
 */
export function packFront({ model, digits, labels }: FrontFile): Uint8Array<ArrayBuffer> {
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
      scale[i % columns] = Math.max(scale[i % columns], Math.abs(value) / STEPS);
    });
    const bytes = Int8Array.from(values, (value, i) => (value === 0 ? 0 : Math.round(value / scale[i % columns])));
    packed.set(name, { shape, values: bytes });
    packed.set(`${name}${SCALE}`, { shape: [columns], values: scale });
  }
  packed.set(DIGITS, { shape: [labels.length, SIDE * SIDE], values: digits });
  packed.set(LABELS, { shape: [labels.length], values: labels });
  return encodeSafetensors({ tensors: packed, metadata });
}

/** What `packFront` wrote. @throws FormatError for another file */
export function unpackFront(bytes: Uint8Array): FrontFile {
  const where = 'the file of the first network';
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const take = (name: string): Uint8Array => {
    const found = tensors.get(name)?.values;
    if (!(found instanceof Uint8Array)) throw new FormatError(`${where} has no ${name}.`);
    return found;
  };
  const [digits, labels] = [take(DIGITS), take(LABELS)];
  const model = new Map<string, NamedTensor>();
  for (const [name, { shape, values }] of tensors) {
    if (name === DIGITS || name === LABELS || name.endsWith(SCALE)) continue;
    const scale = tensors.get(`${name}${SCALE}`)?.values;
    const whole = scale ? Float32Array.from(values, (value, i) => value * scale[i % scale.length]) : values;
    model.set(name, { shape, values: whole });
  }
  return { model: encodeSafetensors({ tensors: model, metadata }), digits, labels };
}
