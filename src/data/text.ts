import { sha256 } from '../math/sha256.ts';
import { DataError, type Dataset, makeDataset } from './dataset.ts';
import type { TokenDataset } from './tokens.ts';

/** Values of a byte. */
const BYTES = 256;
const NEWLINE = 10;

/**
 * Every byte of a text but the first ones as the class to tell from the `length` bytes before it: examples for an n-gram model, whose
 * first layer is an embedding of 256 classes. The text is shared; contexts overlap and are never expanded.
 * @throws DataError for a length that is no whole number from 1 up, or a text that is not longer
 */
export function contexts(name: string, text: Uint8Array, length: number): Dataset {
  if (!Number.isInteger(length) || length < 1)
    throw new DataError(`Contexts of ${length} bytes were asked for. Expected a whole number of 1 or more.`);
  if (text.length <= length)
    throw new DataError(`${name} has ${text.length} bytes. Expected more than the ${length} of a context.`);
  return makeDataset({
    name,
    features: text.subarray(0, text.length - 1),
    labels: text.subarray(length),
    stride: 1,
    width: length,
    scale: 1,
    classes: BYTES,
  });
}

/** The last bytes of a text; where there are fewer, newlines before them. */
export function lastContext(text: Uint8Array, length: number): Uint8Array {
  const last = text.subarray(-length);
  const context = new Uint8Array(length).fill(NEWLINE);
  context.set(last, length - last.length);
  return context;
}

/**
 * A text cut into sequences of `length` bytes, which do not overlap; the last may be shorter, and a single last byte is left out. The text
 * is shared.
 * @throws DataError for a length under 2, or fewer than two bytes
 */
export function windows(name: string, text: Uint8Array, length: number): TokenDataset {
  if (!Number.isInteger(length) || length < 2)
    throw new DataError(`Windows of ${length} bytes were asked for. Expected a whole number of 2 or more.`);
  if (text.length < 2) throw new DataError(`${name} has ${text.length} bytes. Expected 2 or more.`);
  const count = Math.floor(text.length / length) + (text.length % length >= 2 ? 1 : 0);
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => Math.min(text.length, i * length));
  const tokens = text.subarray(0, offsets[count]);
  let checksum: string | undefined;
  return {
    ...{ name, count, tokens, offsets, classes: BYTES },
    get checksum() {
      return (checksum ??= sha256(tokens, new Uint8Array(offsets.buffer)));
    },
  };
}

/** Shares of a text that are held out. */
const HELD = 0.05;

/**
 * A text in three parts by position: 90% to train with, the next 5% for validation and the last 5% for test. The bytes are shared.
 * @param shortest bytes that each part needs @throws DataError for a text that is too short
 */
export function textParts(
  name: string,
  text: Uint8Array,
  shortest: number,
): Record<'train' | 'valid' | 'test', Uint8Array> {
  const held = Math.max(shortest, Math.round(HELD * text.length));
  const [valid, test] = [text.length - 2 * held, text.length - held];
  if (valid < shortest)
    throw new DataError(
      `${name} has ${text.length} bytes. Expected ${3 * shortest} or more: its three parts need ${shortest} each.`,
    );
  return { train: text.subarray(0, valid), valid: text.subarray(valid, test), test: text.subarray(test) };
}
