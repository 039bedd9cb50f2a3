import type { Parameter } from './parameter.ts';

type BlockLayout = NonNullable<Parameter['blocks']>;

/** Visits every weight of a block-wise array with its place there and its place in inputs × units. */
function eachWeight({ count, inputs, size }: BlockLayout, visit: (inBlocks: number, inColumns: number) => void): void {
  for (let k = 0, at = 0; k < count; k++)
    for (let i = 0; i < inputs; i++) for (let j = 0; j < size; j++) visit(at++, (i * count + k) * size + j);
}

/** Weights stored block by block as a copy in inputs × units. */
export function unitsInColumns(values: ArrayLike<number>, layout: BlockLayout): Float32Array {
  const out = new Float32Array(values.length);
  eachWeight(layout, (inBlocks, inColumns) => {
    out[inColumns] = values[inBlocks];
  });
  return out;
}

/** Weights in inputs × units as a copy stored block by block. */
export function unitsInBlocks(values: ArrayLike<number>, layout: BlockLayout): Float32Array {
  const out = new Float32Array(values.length);
  eachWeight(layout, (inBlocks, inColumns) => {
    out[inBlocks] = values[inColumns];
  });
  return out;
}
