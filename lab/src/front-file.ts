import { decodeSafetensors, encodeSafetensors, FormatError } from '../../src/index.ts';
import { packModel, unpackModel } from './packed-model.ts';

/** The network that the lab begins with, and digits that it has not been trained on. */
export interface FrontFile {
  /** As `saveModel` writes it. */
  readonly model: Uint8Array;
  /** 28 × 28 bytes a digit. */
  readonly digits: Uint8Array;
  readonly labels: Uint8Array;
}

const [DIGITS, LABELS] = ['digits', 'labels'];
/** Compressed, a weight takes about half a byte. */
const STEPS = 15;
const SIDE = 28;

/** A file of it: every matrix in whole numbers from −15 to 15. @param model as `saveModel` writes it */
export function packFront({ model, digits, labels }: FrontFile): Uint8Array<ArrayBuffer> {
  const { tensors, metadata } = packModel(model, STEPS);
  tensors.set(DIGITS, { shape: [labels.length, SIDE * SIDE], values: digits });
  tensors.set(LABELS, { shape: [labels.length], values: labels });
  return encodeSafetensors({ tensors, metadata });
}

/** What `packFront` wrote. @throws FormatError for another file */
export function unpackFront(bytes: Uint8Array): FrontFile {
  const where = 'the file of the first network';
  const file = decodeSafetensors(bytes, where);
  const take = (name: string): Uint8Array => {
    const found = file.tensors.get(name)?.values;
    if (!(found instanceof Uint8Array)) throw new FormatError(`${where} has no ${name}.`);
    return found;
  };
  return { model: unpackModel(file, [DIGITS, LABELS]), digits: take(DIGITS), labels: take(LABELS) };
}
