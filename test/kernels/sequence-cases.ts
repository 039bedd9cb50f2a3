import fc from 'fast-check';
import { type Draw, normal, uniform, wide } from '../helpers/numbers.ts';
import type { ArrayCase, Case } from './cases.ts';

export type SequenceKernelName = 'lstm' | 'lstmPullback' | 'ctc' | 'scaleSequences';

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

export const sequenceCases = {
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
