import type { BlockMask } from '../../backend/block-mask.ts';
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import type { Plate } from '../plate.ts';
import type { Tensor } from '../tensor.ts';

/** A mask, the units of one of its blocks, and what its rows and pairs stand for. */
export interface BlockShape {
  readonly mask: BlockMask;
  readonly size: number;
  readonly rows: Plate;
  readonly pairs: Plate;
  /** Products of these blocks with dense rows or to them go through BLAS, on gathered rows, where the engine has one and the blocks fit. */
  readonly gathered?: boolean;
}

/** Arguments of kernels that go block after block: where the pairs of a block start, and the row of every pair. */
export const byBlock = ({ blockStart, pairRow }: BlockMask) => [blockStart, pairRow] as const;
/** Arguments of kernels that go row after row: where the pairs of a row start, their numbers, and the block of every pair. */
export const byRow = ({ rowStart, rowPair, pairBlock }: BlockMask) => [rowStart, rowPair, pairBlock] as const;

/** A new array of shape [pairs, units of a block], for the open blocks alone. @param purpose for messages when memory runs out */
export const compact = (engine: Engine, { mask, size }: BlockShape, purpose: string): NdArray =>
  engine.allocate([mask.pairs, size], purpose);

/** What operations on the open blocks of rows are told. @param options.gathered see `BlockShape` */
export function openBlocks(
  { tape, plate }: Pick<Tensor, 'tape' | 'plate'>,
  mask: BlockMask,
  size: number,
  gathered = false,
): BlockShape {
  const rows = plate ?? tape.plates.examples(mask.rows);
  return { mask, size, gathered, rows, pairs: tape.plates.gathered(rows, mask.pairRows()) };
}
