import type { BlockMask } from '../backend/block-mask.ts';
import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { UpdatePlace } from '../kernels/optimizers.ts';
import type { Plate } from './plate.ts';
import type { Portable, PortableValue } from './portable.ts';
import { type Operand, Tensor } from './tensor.ts';

/** Which inputs of an operation have a row of their own for every row of the output. */
export interface Layout {
  /** Of every input: is its first extent that of the rows? Else all rows share it. */
  readonly plated: readonly boolean[];
  /** Rows of the output; undefined where it has no plate. */
  readonly rows: number | undefined;
}

/** What the forward pass of an operation gives. */
export interface Forward {
  readonly output: NdArray;
  /** What the pullback wants to see again. */
  readonly saved?: readonly NdArray[];
  /** The output has count·rows rows, draw after draw. */
  readonly draws?: Draws;
  /** What the pullbacks of operations on the output are to see in its place. */
  readonly shown?: NdArray;
}

/** An operation that evaluates what is above it several times. */
export interface Draws {
  readonly count: number;
  /** Fills the weight of every row's loss (count·rows) and what the losses of each row come to (rows). */
  weigh(loss: NdArray, weights: NdArray, total: NdArray): void;
  /** Does `weigh` look at single rows, so that each needs a loss of its own? */
  readonly byRow: boolean;
  /** Do draws weigh differently? */
  readonly weighed?: boolean;
  /** Is what the losses come to no weighted sum of them, so that what one part of a loss comes to depends on the others? */
  readonly bound?: boolean;
}

/** What the tape keeps of one use of an operation. */
export interface OpRecord<A = unknown> {
  readonly op: OpDefinition<A>;
  /** The layer or module that used it, for messages. */
  readonly layer: string;
  /** Was it used in a part behind a gate? */
  readonly behindGate: boolean;
  readonly tensors: readonly Tensor[];
  /** The arrays of the inputs as its pullback is to see them. */
  readonly inputs: readonly NdArray[];
  readonly attributes: A;
  readonly result: Tensor;
  readonly output: NdArray;
  readonly saved: readonly NdArray[];
  /** Which inputs want a gradient. */
  readonly needs: readonly boolean[];
  readonly layout: Layout;
}

/** What a pullback may know besides its own operation. */
export interface PullbackContext {
  /**
   * The loss of the example of every row of the output, for what reads the loss; where later points alone depend on the output, those at and
   * after its own (`OpDefinition.causal`). @param who reads it, for messages
   * @throws RangeError where no loss was given
   */
  lossOfRows(record: Pick<OpRecord, 'layer' | 'result'>, who: string): NdArray;
  /** Every row of x times its weight among the draws above `depth`; x itself where none are. */
  weighed(x: NdArray, plate: Plate, depth: number): NdArray;
  /**
   * The factor with which this input's gradient is to be added to the input itself, in place of being returned: plain
   * gradient descent without a gradient in memory. Undefined where the gradient is wanted.
   */
  descend(input: NdArray): number | undefined;
  /** How open blocks of this input are to be updated in place of returning its gradient; undefined where the gradient is wanted. */
  updateOf(input: NdArray): BlockUpdate | undefined;
}

/**
 * Updates the blocks of a parameter that have an open pair; the parameter has as many equal blocks, one behind the other, as the mask.
 * @param run does it: computes the gradient of these blocks and applies the rule to it
 */
export type BlockUpdate = (mask: BlockMask, run: (place: UpdatePlace) => void) => void;

/** The plates that an operation wants its inputs on (undefined: as they are), and that of its output. */
export interface OpPlates {
  readonly inputs: readonly (Plate | undefined)[];
  readonly output: Plate | undefined;
}

/**
 * An operation: how it is computed and, beside it, how cotangents come back through it. Arrays with a plate have the rows as
 * their first extent.
 */
export interface OpDefinition<A = undefined> {
  readonly name: string;
  /** @throws RangeError that names the operation and the shapes when they do not fit */
  forward(engine: Engine, inputs: readonly NdArray[], attributes: A, layout: Layout): Forward;
  /**
   * One gradient an input (of its shape), or null where none is wanted or there is none. `dy` has the output's shape; it is undefined
   * only for operations that say `withoutCotangent`.
   */
  pullback(engine: Engine, record: OpRecord<A>, dy: NdArray, context: PullbackContext): readonly (NdArray | null)[];
  /** Does it only place elements elsewhere, bit by bit? Then it takes whole numbers (`wholeNumbers`) too, and its output holds them. */
  readonly moves?: true;
  /** Which operand holds whole numbers, as indices and labels do; absent: none. They are refused in the place of any other. */
  readonly indices?: number;
  /** Multiply-adds of a forward pass; absent: none that count. */
  cost?(inputs: readonly NdArray[], attributes: A, layout: Layout): number;
  /** Default: all inputs that have rows are repeated for the finest rows among them, and the output has these rows. */
  plates?(inputs: readonly Tensor[], attributes: A): OpPlates;
  /**
   * The operation in the primitives that exports know, with what the inputs were lowered to: shapes of one row, as `record.result` has them.
   * Absent: functions that use it on what depends on a model's input cannot be exported.
   */
  lower?(to: Portable, inputs: readonly PortableValue[], record: OpRecord<A>): PortableValue;
  /**
   * Is the operation of E[h] what pullbacks above are to see, where those of h's own consumers see E[h] in its place? So for what
   * moves, adds or multiplies values; a product with weights ends it. Source: Hinton 2012, lecture 9c, read literally.
   */
  readonly showsThrough?: true;
  /**
   * Does every row of the output depend on rows of the inputs that belong to the same point alone, and in its sequence to points before it? Then
   * neurons that read losses are given those at and after their own point. Absent: it may depend on any row.
   */
  causal?(attributes: A): boolean;
  /** Of an operation whose output is a sum over rows of its first input: what every row was multiplied by. */
  terms?(record: OpRecord<A>): Float64Array;
  /** Is there a gradient even when no cotangent arrives? */
  readonly withoutCotangent?: true;
  /** Does the pullback leave the output's cotangent unread? Then operations above do not compute it for this one. */
  ignoresCotangent?(attributes: A): boolean;
  /** Does the pullback need the output's cotangent? Then a loss is refused where every way from the output ends at an operation without a slope. */
  needsCotangent?(attributes: A): boolean;
  /** Does it keep the cotangent from its inputs on purpose? Then operations below that need one are not refused for it. */
  readonly withholds?: true;
  /** Does its pullback read the losses of rows, so that all that depends on its output and is minimised has to stand in them? */
  readsLosses?(attributes: A): boolean;
}

/** An operation as a function of its inputs and, where it has any, of its attributes at the end. */
export interface Op<A = undefined> {
  (...operands: OpArguments<A>): Tensor;
  readonly definition: OpDefinition<A>;
}
type OpArguments<A> = undefined extends A
  ? (Operand | undefined)[]
  : [...operands: (Operand | undefined)[], attributes: A];

/**
 * Declares an operation. The result is a function: `const square = defineOp({ name: 'square', forward, pullback }); square(x)`.
 * Ours are made with it; `checkGradient` holds its pullback against central differences.
 * @returns a function that throws RangeError when no argument is a tensor, when tensors are of different tapes or of a step that is
 * over, and what `forward` throws
 */
export function defineOp<A = undefined>(definition: OpDefinition<A>): Op<A> {
  const apply = (...args: OpArguments<A>): Tensor => {
    const last = args[args.length - 1];
    const hasAttributes = args.length > 0 && last !== undefined && !isOperand(last);
    const operands = (hasAttributes ? args.slice(0, -1) : args).filter((operand) => operand !== undefined);
    const attributes = (hasAttributes ? last : undefined) as A;
    return applyOp(definition, operands as Operand[], attributes);
  };
  return Object.assign(apply, { definition });
}

/** Uses an operation on the tape of its first tensor. */
export function applyOp<A>(definition: OpDefinition<A>, operands: readonly Operand[], attributes: A): Tensor {
  const first = operands.find((operand) => operand instanceof Tensor);
  if (!first)
    throw new RangeError(
      `${definition.name}: no argument is a tensor, so there is no engine to compute on. Expected one tensor or more.`,
    );
  const { tape } = first;
  return tape.apply(
    definition,
    operands.map((operand) => (operand instanceof Tensor ? operand : tape.constant(operand))),
    attributes,
  );
}

/**
 * Does the output hold whole numbers? So where the operation only moves elements and all operands but the indices are whole.
 * @throws RangeError where the operation would read whole numbers as floats
 */
export function movesWhole(
  { name, moves, indices }: Pick<OpDefinition<unknown>, 'name' | 'moves' | 'indices'>,
  arrays: readonly NdArray[],
): boolean {
  let first = -1;
  let floats = 0;
  for (let i = 0; i < arrays.length; i++) {
    if (i === indices) continue;
    if (!arrays[i].whole) floats++;
    else if (first < 0) first = i;
  }
  if (first < 0) return false;
  if (moves && floats === 0) return true;
  throw new RangeError(
    `${name}: operand ${first} holds whole numbers, which are indices and labels. Expected floats; plain numbers are floats.`,
  );
}

function isOperand(value: unknown): boolean {
  return (
    typeof value === 'number' ||
    value instanceof Tensor ||
    Array.isArray(value) ||
    (ArrayBuffer.isView(value) && !(value instanceof DataView))
  );
}

/** A new array of this step with the shape of another. */
export const like = (engine: Engine, { shape }: NdArray, purpose: string): NdArray => engine.allocate(shape, purpose);

/** A shape in words: `[2, 3]`. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
