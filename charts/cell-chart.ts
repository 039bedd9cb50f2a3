/** Shares in rows and columns as SVG: the darker a cell, the nearer its share is to 1. */
import { axisY, cell } from '@observablehq/plot';
import { chart, figure, INK, line, SOFT } from './figure.ts';

export interface CellChart {
  readonly title: string;
  /** What rows and columns are. */
  readonly subtitle: string;
  /** Names of the rows. */
  readonly rows: readonly string[];
  /** A number from 0 to 1 for each cell, row by row. */
  readonly shares: ArrayLike<number>;
  /** Lines of text below the cells. */
  readonly notes: readonly string[];
}

const [SIDE, LEFT, RIGHT, TOP, NOTE] = [22, 70, 20, 58, 20];
/** How dark a cell of share 0 is, so that it is seen to be there. */
const PALE = 0.04;

/** @throws RangeError for a number of shares that is no multiple of the rows */
export function cellChart({ title, subtitle, rows, shares, notes }: CellChart): string {
  const columns = shares.length / rows.length;
  if (!Number.isInteger(columns))
    throw new RangeError(`There are ${shares.length} shares for ${rows.length} rows. Expected as many in each row.`);
  const cells = Array.from(shares, (share, i) => ({
    ...{ row: rows[Math.floor(i / columns)], column: i % columns },
    dark: PALE + (1 - PALE) * share,
  }));
  const [width, foot] = [LEFT + columns * SIDE + RIGHT, TOP + rows.length * SIDE];
  const drawn = chart({
    ...{ width, height: foot, marginLeft: LEFT, marginRight: RIGHT, marginTop: TOP, marginBottom: 0 },
    x: { type: 'band', domain: Array.from({ length: columns }, (_, i) => i), axis: null, padding: 0 },
    y: { type: 'band', domain: rows, padding: 0 },
    marks: [
      axisY({ label: null, tickSize: 0, fontSize: 14 }),
      cell(cells, { x: 'column', y: 'row', fill: INK.blue, fillOpacity: 'dark', inset: 1, rx: 3 }),
    ],
    opacity: { type: 'identity' },
  });
  const height = foot + NOTE * notes.length + 22;
  return figure({ title, width, height }, [
    line(14, 46, subtitle, { fill: SOFT }),
    drawn,
    ...notes.map((note, i) => line(LEFT, foot + 26 + NOTE * i, note, { fill: SOFT })),
  ]);
}
