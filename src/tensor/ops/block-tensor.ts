import type { NdArray } from '../../backend/nd-array.ts';
import { Tensor } from '../tensor.ts';
import { scatterBlocks } from './block-gates.ts';
import type { BlockShape } from './block-shape.ts';

/** A tensor of shape [blocks·size] of which only the values of open blocks are stored; the others are 0. */
export class BlockTensor extends Tensor {
  /** Shape [size], one row an open block of a row. */
  readonly open: Tensor;
  readonly blocks: BlockShape;
  private scattered: Tensor | undefined;

  constructor(values: Tensor, blocks: BlockShape) {
    super(values.tape, undefined, blocks.rows, values.tracked);
    this.open = values;
    this.blocks = blocks;
  }

  override get dense(): Tensor {
    this.scattered ??= scatterBlocks(this.open, this.blocks);
    return this.scattered;
  }

  override get array(): NdArray {
    return this.dense.array;
  }

  override get shape(): readonly number[] {
    return [this.columns];
  }

  override get columns(): number {
    return this.blocks.mask.blocks * this.blocks.size;
  }

  override get size(): number {
    return this.blocks.mask.rows * this.columns;
  }
}
