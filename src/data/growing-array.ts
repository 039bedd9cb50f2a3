import { DataError } from './dataset.ts';

/** The most numbers of a table: as Float32, one gibibyte. */
export const MOST_NUMBERS = 2 ** 28;

/** An array of a typed kind that grows by doubling. */
export interface GrowingArray<A> {
  readonly length: number;
  /** @throws DataError when it is one of too many */
  push(value: number): void;
  /** What was pushed, copied. */
  end(): A;
}

/** @param where what the numbers are of, for messages */
export function growingArray<A extends Uint8Array | Float32Array>(
  kind: new (length: number) => A,
  where: string,
): GrowingArray<A> {
  let array = new kind(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === MOST_NUMBERS)
        throw new DataError(`${where} holds more than ${MOST_NUMBERS} numbers. Expected as many or fewer.`);
      if (length === array.length) {
        const larger = new kind(2 * length);
        larger.set(array);
        array = larger;
      }
      array[length++] = value;
    },
    end: () => array.slice(0, length) as A,
  };
}
