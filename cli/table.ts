import { plainLine } from './output.ts';

/** Rows of two or more cells as aligned text; the first column to the left, the others to the right unless `left`. */
export function table(cells: readonly (readonly string[])[], { left = false } = {}): string {
  const rows = cells.map((row) => row.map(plainLine));
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 || left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}%`;
export const millions = (count: number): string =>
  count >= 1e6 ? `${(count / 1e6).toFixed(2)} M` : `${(count / 1e3).toFixed(1)} k`;
