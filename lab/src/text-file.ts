import { decodeSafetensors, encodeSafetensors, FormatError } from '../../src/index.ts';
import { packModel, unpackModel } from './packed-model.ts';

/** A network that reads text, byte by byte, and a text that it has not been trained on. */
export interface TextFile {
  /** As `saveModel` writes it. */
  readonly model: Uint8Array;
  readonly excerpt: Uint8Array;
}

const EXCERPT = 'excerpt';
const STEPS = 127;

/** A file of it: every matrix in whole numbers from −127 to 127. */
export function packText({ model, excerpt }: TextFile): Uint8Array<ArrayBuffer> {
  const { tensors, metadata } = packModel(model, STEPS);
  tensors.set(EXCERPT, { shape: [excerpt.length], values: excerpt });
  return encodeSafetensors({ tensors, metadata });
}

/** What `packText` wrote. @throws FormatError for another file */
export function unpackText(bytes: Uint8Array): TextFile {
  const where = 'the file of the text network';
  const file = decodeSafetensors(bytes, where);
  const excerpt = file.tensors.get(EXCERPT)?.values;
  if (!(excerpt instanceof Uint8Array)) throw new FormatError(`${where} has no ${EXCERPT}.`);
  return { model: unpackModel(file, [EXCERPT]), excerpt };
}
