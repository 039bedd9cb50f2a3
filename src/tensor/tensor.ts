import type { NdArray } from '../backend/nd-array.ts';
import type { Numbers } from './numbers.ts';
import type { Plate } from './plate.ts';
import type { Tape } from './tape.ts';

/**
 * A value in a function of tensors: n-dimensional, Float32, recorded on the tape that it knows. `shape` is that of one row;
 * the plate says how many rows there are and what they stand for. Without a plate it is one array that all rows share.
 *
 * A tensor is valid until its engine's next step.
 */
export class Tensor {
  readonly tape: Tape;
  readonly plate: Plate | undefined;
  /** Does a gradient go through it? */
  readonly tracked: boolean;
  private readonly stored: NdArray | undefined;

  /** @param array absent where it is made when it is asked for */
  constructor(tape: Tape, array: NdArray | undefined, plate: Plate | undefined, tracked: boolean) {
    this.tape = tape;
    this.stored = array;
    this.plate = plate;
    this.tracked = tracked;
  }

  /** All rows: [rows, …shape] with a plate, else [...shape]. */
  get array(): NdArray {
    return this.stored as NdArray;
  }

  /** The same tensor with every element in memory; itself unless it is stored by open blocks. */
  get dense(): Tensor {
    return this;
  }

  /** Extents of one row. */
  get shape(): readonly number[] {
    return this.plate ? this.array.shape.slice(1) : this.array.shape;
  }

  /** Rows; 1 without a plate. */
  get rows(): number {
    return this.plate ? this.plate.rows : 1;
  }

  /** Elements of one row. */
  get columns(): number {
    return this.plate ? this.array.columns : this.array.size;
  }

  /** Elements of all rows together. */
  get size(): number {
    return this.array.size;
  }

  /**
   * A live view of all rows, row-major: on engines whose memory the program sees. Valid until the next step.
   * @throws RangeError when the tensor's step is over
   */
  get values(): Float32Array | Float64Array {
    this.tape.checkCurrent('`values`');
    return this.array.values;
  }

  /** A copy of all rows, row-major, that outlives the step. @throws RangeError when the tensor's own step is over */
  async read(): Promise<Float32Array> {
    this.tape.checkCurrent('`read`');
    return this.array.toArray();
  }
}

/** What an operation takes in the place of a tensor: a number, or an array of numbers that all rows share. */
export type Operand = Tensor | number | Numbers;
