import { sha256 } from '../math/sha256.ts';
import { DataError } from './dataset.ts';

/** Sequences of tokens in memory, each a whole number below `classes`. */
export interface TokenDataset {
  readonly name: string;
  /** Sequences. */
  readonly count: number;
  /** All tokens, sequence after sequence. */
  readonly tokens: Int32Array | Uint8Array;
  /** count + 1 numbers: the tokens of sequence i are offsets[i] up to, not including, offsets[i + 1]. */
  readonly offsets: Int32Array;
  readonly classes: number;
  /** Hexadecimal SHA-256 over tokens and offsets. */
  readonly checksum: string;
}

/**
 * Sequences of tokens as a data set, copied.
 * @throws DataError for no sequence, one of fewer than two tokens (there is none to tell), or a token that is no whole number below `classes`
 */
export function makeTokens(name: string, classes: number, sequences: readonly ArrayLike<number>[]): TokenDataset {
  if (sequences.length === 0) throw new DataError(`${name} holds no sequences. Expected one or more.`);
  const offsets = new Int32Array(sequences.length + 1);
  sequences.forEach((sequence, i) => {
    if (sequence.length < 2)
      throw new DataError(`Sequence ${i} of ${name} has ${sequence.length} tokens. Expected two or more.`);
    for (let at = 0; at < sequence.length; at++)
      if (!Number.isInteger(sequence[at]) || sequence[at] < 0 || sequence[at] >= classes)
        throw new DataError(
          `Token ${at} of sequence ${i} of ${name} is ${sequence[at]}. Expected a whole number from 0 to ${classes - 1}.`,
        );
    offsets[i + 1] = offsets[i] + sequence.length;
  });
  const tokens = new Int32Array(offsets[sequences.length]);
  sequences.forEach((sequence, i) => {
    tokens.set(Int32Array.from(sequence), offsets[i]);
  });
  const checksum = sha256(new Uint8Array(tokens.buffer), new Uint8Array(offsets.buffer));
  return { name, count: sequences.length, tokens, offsets, classes, checksum };
}
