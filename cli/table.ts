import { plainLine } from './output.ts';

/**
 * Rows of two or more cells as aligned text; the first column to the left, the others to the right unless `left`. Where that is wider than
 * the terminal, each cell stands in a line of its own under the first one, after its name in the header (of three columns or more, the
 * first row is one).
 * @param options.columns of the terminal; default: standard output's, and any number where it is none
 */
export function table(
  cells: readonly (readonly string[])[],
  { left = false, columns = (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY } = {},
): string {
  const rows = cells.map((row) => row.map(plainLine));
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 || left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
  return (lines.every(({ length }) => length <= columns) ? lines : listed(rows)).join('\n');
}

/** Rows one below the other, a cell a line. */
function listed(rows: readonly (readonly string[])[]): string[] {
  if (rows.every(({ length }) => length <= 2)) return rows.flatMap(([name, value = '']) => [name, `  ${value.trim()}`]);
  const [header, ...others] = rows;
  return others.flatMap(([first, ...rest]) => [
    `${header[0]} ${first}`.trim(),
    ...rest.map((cell, i) => `  ${[header[i + 1], cell.trim()].filter((text) => text !== '').join(': ')}`),
  ]);
}

export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}%`;
export const millions = (count: number): string =>
  count >= 1e6 ? `${(count / 1e6).toFixed(2)} M` : `${(count / 1e3).toFixed(1)} k`;
