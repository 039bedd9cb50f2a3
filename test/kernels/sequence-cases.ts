import fc from 'fast-check';
import { type Draw, normal, uniform, wide } from '../helpers/numbers.ts';
import type { ArrayCase, Case } from './cases.ts';

export type SequenceKernelName =
  | 'attention'
  | 'attentionPullback'
  | 'rotatePairs'
  | 'lstm'
  | 'lstmPullback'
  | 'ctc'
  | 'scaleSequences';

/** Points in time of a sequence; some have none. */
const lengthOf = (s: number): number => (5 * s + 3) % 7;
/** Labels of a sequence; some have none. */
export const labelsOf = (s: number): number => (3 * s + 2) % 4;
/** Points enough for the labels, equal neighbours included, and up to five more. */
export const pointsOf = (s: number): number => 2 * labelsOf(s) + 1 + ((5 * s) % 6);

/** Where sequences begin. */
export function offsetsOf(length: (s: number) => number, sequences: number): number[] {
  const offsets = [0];
  for (let s = 0; s < sequences; s++) offsets.push(offsets[s] + length(s));
  return offsets;
}
const totalOf = (length: (s: number) => number, sequences: number): number => offsetsOf(length, sequences)[sequences];

const offsets = (length: (s: number) => number, sequences: number): ArrayCase => {
  const values = offsetsOf(length, sequences);
  return { length: values.length, integers: true, draw: (_random, index) => values[index] };
};
const labels = (columns: number): Draw => {
  return (random) => random.integer(columns - 1);
};

const small = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 9), fc.nat(20));
const units = small.map((n) => n || 1);

const heads = fc.record({
  sequences: fc.nat(5),
  heads: fc.integer({ min: 1, max: 3 }),
  size: fc.constantFrom(1, 2, 3, 4, 8, 10, 16),
  causal: fc.nat(1),
  scale: fc.constantFrom(0.25, 0.5, 1),
});
/** Some longer than a tile of keys. */
const pointsOfHeads = (s: number): number => (11 * s + 5) % 23;

export const sequenceCases = {
  attention: {
    scalars: heads,
    large: { sequences: 7, heads: 3, size: 12, causal: 1, scale: 0.3 },
    arrays: ({ sequences, heads: count, size }) => {
      const rows = totalOf(pointsOfHeads, sequences);
      return {
        'x*': { length: rows * 3 * count * size, draw: normal() },
        'offsets#': offsets(pointsOfHeads, sequences),
        'y*': { length: rows * count * size, written: true },
        'logSums*': { length: rows * count, written: true },
      };
    },
    relative: 5e-6,
    absolute: 5e-6,
  },
  attentionPullback: {
    scalars: heads,
    large: { sequences: 7, heads: 3, size: 12, causal: 0, scale: 0.3 },
    arrays: ({ sequences, heads: count, size }) => {
      const rows = totalOf(pointsOfHeads, sequences);
      return {
        'x*': { length: rows * 3 * count * size, draw: normal() },
        'offsets#': offsets(pointsOfHeads, sequences),
        'y*': { length: rows * count * size, draw: normal() },
        // No probability over 1.
        'logSums*': { length: rows * count, draw: (random) => 20 + random.uniform() },
        'dy*': { length: rows * count * size, draw: normal() },
        'dx*': { length: rows * 3 * count * size, written: true },
      };
    },
    relative: 2e-5,
    absolute: 1e-5,
  },
  rotatePairs: {
    scalars: fc
      .tuple(small, fc.constantFrom(2, 4, 6, 8), fc.nat(3), fc.nat(3), fc.nat(1))
      .map(([rows, size, groups, more, backwards]) => ({
        rows,
        size,
        rotated: groups * size,
        columns: groups * size + more * size,
        backwards,
      })),
    large: { rows: 401, size: 12, rotated: 96, columns: 144, backwards: 1 },
    arrays: ({ rows, size, columns }) => ({
      'x*': { length: rows * columns, draw: normal() },
      'angles*': { length: 5 * 2 * size, draw: normal() },
      'positionOf#': { length: rows, integers: true, draw: (random) => random.integer(5) },
      'out*': { length: rows * columns, written: true },
    }),
    relative: 5e-7,
    absolute: 1e-6,
  },
  lstm: {
    scalars: fc.record({ sequences: small, units, backwards: fc.nat(1) }),
    large: { sequences: 41, units: 22, backwards: 0 },
    arrays: ({ sequences, units: n }) => {
      const rows = totalOf(lengthOf, sequences);
      return {
        'x*': { length: rows * 4 * n, draw: normal(2) },
        'recurrent*': { length: 4 * n * n, draw: normal(0.4) },
        'offsets#': offsets(lengthOf, sequences),
        'gates*': { length: rows * 4 * n, written: true },
        'cells*': { length: rows * n, written: true },
        'h*': { length: rows * n, written: true },
        'previous*': { length: rows * n, written: true },
      };
    },
    // Sums of up to 22 products of numbers about 1, through up to six steps.
    relative: 2e-6,
    absolute: 1e-5,
  },
  lstmPullback: {
    scalars: fc.record({ sequences: small, units, backwards: fc.nat(1) }),
    large: { sequences: 41, units: 22, backwards: 1 },
    arrays: ({ sequences, units: n }) => {
      const rows = totalOf(lengthOf, sequences);
      return {
        'dh*': { length: rows * n, draw: normal() },
        'recurrent*': { length: 4 * n * n, draw: normal(0.4) },
        'offsets#': offsets(lengthOf, sequences),
        'gates*': { length: rows * 4 * n, draw: uniform },
        'cells*': { length: rows * n, draw: normal() },
        'dx*': { length: rows * 4 * n, written: true },
      };
    },
    relative: 2e-6,
    absolute: 1e-5,
  },
  ctc: {
    scalars: fc.record({ sequences: small, columns: fc.integer({ min: 2, max: 12 }) }),
    large: { sequences: 41, columns: 11 },
    arrays: ({ sequences, columns }) => {
      const rows = totalOf(pointsOf, sequences);
      return {
        'logits*': { length: rows * columns, draw: normal(3) },
        'offsets#': offsets(pointsOf, sequences),
        'labels#': { length: totalOf(labelsOf, sequences), draw: labels(columns), integers: true },
        'labelOffsets#': offsets(labelsOf, sequences),
        'losses*': { length: sequences, written: true },
        'gradient*': { length: rows * columns, written: true },
        'room*': { length: 1, draw: uniform },
        'roomAt#': { length: sequences, draw: () => -1, integers: true },
      };
    },
    // Computed in Float64, rounded when stored.
    relative: 6.1e-8,
    absolute: 1e-13,
  },
  scaleSequences: {
    scalars: fc.record({ sequences: small, columns: units }),
    large: { sequences: 41, columns: 3 },
    arrays: ({ sequences, columns }) => {
      const rows = totalOf(lengthOf, sequences);
      return {
        'x*': { length: rows * columns, draw: wide },
        'offsets#': offsets(lengthOf, sequences),
        'factors*': { length: sequences, draw: wide },
        'out*': { length: rows * columns, written: true },
      };
    },
    relative: 6e-8,
    absolute: 1e-37,
  },
} satisfies Record<SequenceKernelName, Case>;
