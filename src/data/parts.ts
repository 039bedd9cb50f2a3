import { randomStream } from '../random/stream.ts';
import { DataError } from './dataset.ts';

/** Validation and test are one part in so many. */
const PARTS = 10;
/** The word "seqs" in ASCII. */
const SPLIT_STREAM = 0x73657173;

/**
 * The places of so many examples in three parts, drawn by the seed, each in order: a tenth for validation and for test.
 * @throws DataError for fewer than three
 */
export function threeParts(name: string, count: number, seed: number): Record<'train' | 'valid' | 'test', number[]> {
  if (count < 3) throw new DataError(`${name} holds ${count} examples. Expected 3 or more: its parts need one each.`);
  const order: number[] = randomStream(seed, SPLIT_STREAM).shuffle(Array.from({ length: count }, (_, i) => i));
  const held = Math.max(1, Math.round(count / PARTS));
  const sorted = (part: number[]) => part.sort((a, b) => a - b);
  return {
    test: sorted(order.slice(0, held)),
    valid: sorted(order.slice(held, 2 * held)),
    train: sorted(order.slice(2 * held)),
  };
}
