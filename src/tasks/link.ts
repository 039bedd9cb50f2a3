export type LinkName = 'classes' | 'labels' | 'numbers';

/** From what a network gives for a row to what is averaged over draws, and back. In place. */
export interface Link {
  /** What the outputs mean, for exports: one of several classes, labels that do not exclude each other, or numbers. Tasks without it are not exported. */
  readonly name?: LinkName;
  to(row: Float64Array): void;
  back(row: Float64Array): void;
}

const LEAST = 1e-300;

/** Probabilities of classes that exclude each other. */
export const softmax: Link = {
  name: 'classes',
  to(row) {
    const largest = row.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += row[i] = Math.exp(row[i] - largest);
    for (let i = 0; i < row.length; i++) row[i] /= sum;
  },
  back(row) {
    for (let i = 0; i < row.length; i++) row[i] = Math.log(Math.max(LEAST, row[i]));
  },
};

/** Probabilities of ones that do not. */
export const sigmoid: Link = {
  name: 'labels',
  to(row) {
    for (let i = 0; i < row.length; i++) row[i] = 1 / (1 + Math.exp(-row[i]));
  },
  back(row) {
    for (let i = 0; i < row.length; i++) row[i] = Math.log(Math.max(LEAST, row[i]) / Math.max(LEAST, 1 - row[i]));
  },
};

/** Numbers as they are. */
export const identity: Link = { name: 'numbers', to() {}, back() {} };

/** The place of the largest number. */
export const largestOf = (row: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
};
