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

export const byBlock = ({ blockStart, pairRow }: BlockMask) => [blockStart, pairRow] as const;
export const byRow = ({ rowStart, rowPair, pairBlock }: BlockMask) => [rowStart, rowPair, pairBlock] as const;

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
