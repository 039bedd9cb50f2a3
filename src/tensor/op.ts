import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';

/** An operation that evaluates what is above it several times: its output has count·rows rows, draw after draw. */
export interface Draws {
  readonly count: number;
  /** Fills the weight of every row's loss (count·rows) and what the losses of each example come to (rows). */
  weigh(loss: NdArray, weights: NdArray, total: NdArray): void;
}

/** What the tape keeps of one operation. */
export interface OpRecord<A = unknown> {
  readonly name: string;
  readonly layer: string;
  readonly inputs: readonly NdArray[];
  readonly attributes: A;
  readonly output: NdArray;
  /** Tensors that forward keeps for the pullback. */
  readonly saved: readonly NdArray[];
  /** Which inputs want a gradient. */
  readonly needs: readonly boolean[];
  /** How many operations with several draws stand below its output. */
  readonly depth: number;
}

/** What a pullback may know besides its own operation. */
export interface PullbackContext {
  /** One loss a row of the operation's output, for neurons that read the loss. */
  readonly exampleLoss: NdArray | undefined;
  /** What each row of the output weighs in the row of the input that it repeats; undefined where nothing weighs them. */
  weightsOver(input: NdArray): NdArray | undefined;
  /**
   * The factor with which this input's gradient is to be added to the input itself, in place of being returned: plain
   * gradient descent without a gradient in memory. Undefined where the gradient is wanted.
   */
  descend(input: NdArray): number | undefined;
}

/** One row of the table: an operation and, beside it, how cotangents come back through it. */
export interface Op<A> {
  forward(
    engine: Engine,
    inputs: readonly NdArray[],
    attributes: A,
  ): { output: NdArray; saved?: readonly NdArray[]; draws?: Draws };
  /** One gradient an input, or null. `dy` is undefined only in operations that say `withoutCotangent`. */
  pullback(engine: Engine, record: OpRecord<A>, dy: NdArray, context: PullbackContext): readonly (NdArray | null)[];
  /** Is there a gradient even when no cotangent arrives? */
  readonly withoutCotangent?: boolean;
  /** Weighs the rows of a cotangent of the output (one weight an example and draw); default: its rows are those. */
  weigh?(engine: Engine, dy: NdArray, weights: NdArray, attributes: A): NdArray;
  /** Does the pullback leave the output's cotangent unread? Then nothing above computes it for this operation. */
  ignoresCotangent?(attributes: A): boolean;
}

/** Declares a row; keeps the type of its attributes. */
export const op = <A>(row: Op<A>): Op<A> => row;
