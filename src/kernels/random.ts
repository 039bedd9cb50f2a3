import { philox, wordToUniform } from '../random/philox.ts';
import { kernel } from './kernel.ts';
import { rowGrain } from './rows.ts';

/**
 * out[r, c] uniform in (0, 1): a pure function of (key, step, stream, r, c). Element (r, c) is word (c >> 2) & 3 of the
 * Philox block with counter ((c >> 4)·4 + (c & 3), r, step, stream). Source: Salmon et al., SC 2011.
 */
export const uniforms = kernel({
  parameters: ['out*', 'rows', 'columns', 'key0', 'key1', 'step', 'stream'],
  items: (_out, rows) => rows,
  grain: (_out, _rows, columns) => rowGrain(2 * columns),
  define(memory, out, rows, columns, key0, key1, step, stream) {
    for (let r = 0; r < rows; r++) drawRow(memory, r, out + r * columns, columns, [key0, key1, step, stream]);
  },
});

/** out[r, c] = what `uniforms` gives at (rowOf[r], c): rows that a gate opened have the numbers of the rows that they are of. */
export const uniformsOfRows = kernel({
  parameters: ['rowOf#', 'out*', 'rows', 'columns', 'key0', 'key1', 'step', 'stream'],
  items: (_rowOf, _out, rows) => rows,
  grain: (_rowOf, _out, _rows, columns) => rowGrain(2 * columns),
  define(memory, rowOf, out, rows, columns, key0, key1, step, stream) {
    for (let r = 0; r < rows; r++)
      drawRow(memory, memory[rowOf + r], out + r * columns, columns, [key0, key1, step, stream]);
  },
});

function drawRow(
  memory: Float64Array,
  row: number,
  out: number,
  columns: number,
  [key0, key1, step, stream]: readonly [number, number, number, number],
): void {
  const words = new Uint32Array(4);
  for (let c = 0; c < columns; c++) {
    philox([(c >> 4) * 4 + (c & 3), row, step, stream], key0, key1, words);
    memory[out + c] = wordToUniform(words[(c >> 2) & 3]);
  }
}
