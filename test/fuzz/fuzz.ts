import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Reader } from './readers.ts';

/** A change of a file: what a bad disk, a cut transfer or a bad person does. */
export type Mutation = (file: Uint8Array) => Uint8Array;

const at = (file: Uint8Array, share: number): number => Math.min(file.length - 1, Math.floor(share * file.length));

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Numbers that programs stumble over. */
const NUMBERS = [
  '0',
  '-1',
  '-0',
  '1e308',
  '1e999',
  '9007199254740993',
  '4294967296',
  '2147483648',
  '0.5',
  'null',
  '"x"',
  '[]',
  '{}',
  'true',
  'NaN',
  '1e6',
];

/** A share of the file, evenly: fast-check's own numbers crowd about 0. */
const place = fc.noBias(fc.nat(2 ** 31 - 1)).map((n) => n / 2 ** 31);
/** Damage that knows nothing of the format. */
const blind: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([share, byte]): Mutation =>
      (file) => {
        const out = Uint8Array.from(file);
        if (out.length > 0) out[at(out, share)] = byte;
        return out;
      },
  ),
  fc.tuple(place, fc.nat(7)).map(
    ([share, bit]): Mutation =>
      (file) => {
        const out = Uint8Array.from(file);
        if (out.length > 0) out[at(out, share)] ^= 1 << bit;
        return out;
      },
  ),
  place.map(
    (share): Mutation =>
      (file) =>
        file.slice(0, Math.floor(share * file.length)),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 20 })).map(
    ([share, bytes]): Mutation =>
      (file) => {
        const cut = Math.floor(share * file.length);
        return joined(file.subarray(0, cut), bytes, file.subarray(cut));
      },
  ),
  fc.tuple(place, place).map(
    ([a, b]): Mutation =>
      (file) => {
        const [from, to] = [Math.floor(Math.min(a, b) * file.length), Math.floor(Math.max(a, b) * file.length)];
        return joined(file.subarray(0, from), file.subarray(to));
      },
  ),
  fc.tuple(place, place, place).map(
    ([a, b, c]): Mutation =>
      (file) => {
        const [from, to] = [Math.floor(Math.min(a, b) * file.length), Math.floor(Math.max(a, b) * file.length)];
        const cut = Math.floor(c * file.length);
        return joined(file.subarray(0, cut), file.subarray(from, to), file.subarray(cut));
      },
  ),
  // A whole number of 1, 2, 4 or 8 bytes, in either order: lengths, sizes, offsets.
  fc.tuple(place, fc.constantFrom(1, 2, 4, 8), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean()).map(
    ([share, bytes, value, little]): Mutation =>
      (file) => {
        const out = Uint8Array.from(file);
        const from = at(out, share);
        for (let i = 0; i < bytes && from + i < out.length; i++)
          out[from + i] = Number(BigInt.asUintN(8, value >> BigInt(8 * (little ? i : bytes - 1 - i))));
        return out;
      },
  ),
);

/** Changes that leave a text well formed, so that they reach what stands behind its parser. */
const wellFormed: fc.Arbitrary<Mutation> = fc.oneof(
  // A number in a text becomes another.
  fc.tuple(place, fc.constantFrom(...NUMBERS)).map(
    ([share, number]): Mutation =>
      (file) => {
        const content = Buffer.from(file).toString('latin1');
        const found = [...content.matchAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/g)];
        const one = found[Math.min(found.length - 1, Math.floor(share * found.length))];
        if (!one) return file;
        return new Uint8Array(
          Buffer.from(content.slice(0, one.index) + number + content.slice(one.index + one[0].length), 'latin1'),
        );
      },
  ),
  // A text in quotes becomes another text of the same file.
  fc.tuple(place, place).map(
    ([a, b]): Mutation =>
      (file) => {
        const content = Buffer.from(file).toString('latin1');
        const found = [...content.matchAll(/"[^"\\]*"/g)];
        if (found.length === 0) return file;
        const pick = (share: number) => found[Math.min(found.length - 1, Math.floor(share * found.length))];
        const [one, other] = [pick(a), pick(b)];
        return new Uint8Array(
          Buffer.from(content.slice(0, one.index) + other[0] + content.slice(one.index + one[0].length), 'latin1'),
        );
      },
  ),
);

export const mutation = fc.oneof(blind, { arbitrary: wellFormed, weight: 3 });

/** What became of the damaged files. */
export interface FuzzReport {
  readonly read: number;
  readonly refused: number;
}

/** Gives a reader so many damaged files. @throws AssertionError when it answers with an error that it may not */
export async function fuzz(reader: Reader, count: number, seed?: number): Promise<FuzzReport> {
  let read = 0;
  let refused = 0;
  const property = fc.asyncProperty(
    fc.nat(reader.files.length - 1),
    fc.array(mutation, { minLength: 1, maxLength: 3 }),
    async (index, mutations) => {
      const file = mutations.reduce((bytes, mutate) => mutate(bytes), reader.files[index]);
      try {
        await reader.read(file);
        read++;
      } catch (error) {
        assert.ok(error instanceof Error);
        assert.ok(reader.errors.includes(error.name), `${reader.name} answered with ${error.stack}`);
        // A sentence for people, not a program's internals.
        assert.ok(error.message.length > 10 && error.message.length < 2000, error.message);
        refused++;
      }
    },
  );
  await fc.assert(property, { numRuns: count, ...(seed !== undefined && { seed }) });
  return { read, refused };
}
