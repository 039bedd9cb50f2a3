import type { BlockMask } from './block-mask.ts';
import type { Heap } from './heap.ts';

/** What knows that some blocks of an array are behind, and brings them up to date before they are read. */
export interface Behind {
  settle(): void;
  /** The blocks with an open pair alone. */
  settleBlocks(mask: BlockMask): void;
}

/**
 * A dense row-major array of Float32 on the engine's heap (Float64 in the reference engine). One of the arena is valid
 * until the engine's next `beginStep`; a persistent one as long as the engine.
 */
export class NdArray {
  readonly shape: readonly number[];
  /** Count of elements. */
  readonly size: number;
  /** Does its memory hold whole numbers? See `wholeNumbers` of flipgrad/tensor. */
  whole = false;
  /** Set while blocks of it may be behind (optim/block-updates.ts). Asking for its memory brings them up to date. */
  behind: Behind | undefined;
  private readonly heap: Heap;
  private readonly address: number;

  constructor(heap: Heap, pointer: number, shape: readonly number[]) {
    this.heap = heap;
    this.address = pointer;
    this.shape = shape;
    this.size = shape.reduce((product, n) => product * n, 1);
  }

  /** Byte offset in the heap. */
  get pointer(): number {
    this.behind?.settle();
    return this.address;
  }

  /** The same for who reads and writes the blocks with an open pair, and no others. */
  pointerOfBlocks(mask: BlockMask): number {
    this.behind?.settleBlocks(mask);
    return this.address;
  }

  /** The live values; a view, not a copy. Take it anew after every step: a heap that grows replaces its buffer. */
  get values(): Float32Array | Float64Array {
    return this.heap.memory.floats(this.pointer, this.size);
  }

  /** Rows of a matrix: the first extent. */
  get rows(): number {
    return this.shape[0] ?? 1;
  }

  /** Elements in a row: the product of all extents but the first. */
  get columns(): number {
    return this.rows === 0 ? this.shape.slice(1).reduce((product, n) => product * n, 1) : this.size / this.rows;
  }

  /** The same memory as whole numbers: of arrays that hold labels or places. */
  get integers(): Int32Array | Float64Array {
    return this.heap.memory.integers(this.pointer, this.size);
  }

  /** The same memory in another shape of as many elements. */
  reshaped(shape: readonly number[]): NdArray {
    const array = new NdArray(this.heap, this.pointer, shape);
    array.whole = this.whole;
    return array;
  }

  /** A copy of the values that outlives the step. */
  toArray(): Float32Array {
    return Float32Array.from(this.values);
  }
}
