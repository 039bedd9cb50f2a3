/** A cell of a map of classes (rows) by blocks (columns), in units of its picture. */
export const CELL = { width: 15, height: 20 } as const;
const GAP = 1;
/** Shares are told apart so finely. */
const LEVELS = 20;

/**
 * The cells of each depth of colour as one path, so that a map of hundreds of cells is a few marks.
 * @param blocks shares by class, of every block
 */
export function classMap(
  blocks: readonly { readonly rates: readonly number[] }[],
): { readonly depth: number; readonly path: string }[] {
  const paths = Array.from({ length: LEVELS + 1 }, () => '');
  for (const [block, { rates }] of blocks.entries())
    for (const [label, share] of rates.entries())
      paths[Math.round(LEVELS * share)] +=
        `M${block * CELL.width},${label * CELL.height}h${CELL.width - GAP}v${CELL.height - GAP}h${GAP - CELL.width}z`;
  return paths.flatMap((path, level) => (path === '' ? [] : [{ depth: level / LEVELS, path }]));
}
