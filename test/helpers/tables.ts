import { writeFileSync } from 'node:fs';
import { digitsSplit } from '../../src/data/digits.ts';

/** Writes a CSV of two classes that hardly overlap, in four features: an epoch of it takes a millisecond. @returns its path */
export function twoClasses(file: string, rows = 200): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const noise = (((i * 7919) % 97) / 97 - 0.5) * 0.8;
    return `${[(i % 2) + noise, 1 - (i % 2) - noise, noise, -noise].map((x) => x.toFixed(3)).join(',')},${i % 2}`;
  });
  writeFileSync(file, `a,b,c,d,label\n${lines.join('\n')}\n`);
  return file;
}

/** Writes a CSV of digits, their labels first: pictures as the data set `digits` has 14,000 of. @returns its path */
export function digitsTable(file: string, rows: number): string {
  const { train } = digitsSplit({ seed: 1, train: rows, valid: 1, test: 1 });
  const header = ['label', ...Array.from({ length: 784 }, (_, i) => `p${i}`)];
  const lines = Array.from({ length: rows }, (_, i) =>
    [train.labels[i], ...train.features.subarray(784 * i, 784 * (i + 1))].join(','),
  );
  writeFileSync(file, `${header.join(',')}\n${lines.join('\n')}\n`);
  return file;
}
