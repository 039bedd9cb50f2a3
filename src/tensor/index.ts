/**
 * `flipgrad/tensor`: n-dimensional tensors, their operations, and `defineOp` for one's own.
 *
 * A tensor's `shape` is that of one row; its plate says what its rows are (examples, draws, points of sequences) and how many. Operations work within
 * rows: axes, broadcasting and reductions are as in NumPy for each of them. What has no plate is one array that all rows share.
 */
export { type Formula, f } from '../neurons/formula.ts';
export {
  checkGradient,
  type Derivative,
  type GradientCheckOptions,
  GradientError,
  type GradientReport,
} from './check-gradient.ts';
export {
  type Draws,
  defineOp,
  type Forward,
  type Layout,
  type Op,
  type OpDefinition,
  type OpPlates,
  type OpRecord,
  type PullbackContext,
} from './define-op.ts';
export { ExportError } from './export-error.ts';
export {
  FiringStates,
  fire,
  type GradientOptions,
  type GradientsOf,
  gradient,
  type TensorsOf,
  type Values,
  valueAndGradient,
} from './gradient.ts';
export { NonFiniteError } from './non-finite-error.ts';
export type { Numbers } from './numbers.ts';
export {
  add,
  type BinaryOp,
  divide,
  maximum,
  minimum,
  multiply,
  negate,
  power,
  scale,
  subtract,
} from './ops/arithmetic.ts';
export { type AttentionOptions, attention, rotary } from './ops/attention.ts';
export { bernoulliDivergence, sigmoidCrossEntropy } from './ops/bernoulli.ts';
export {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
  stopGradient,
  where,
} from './ops/comparison.ts';
export { type ConvolutionOptions, convolution, depthwise } from './ops/convolution.ts';
export {
  abs,
  clip,
  exp,
  log,
  sigmoid,
  softplus,
  sqrt,
  square,
  tanh,
  type UnaryOp,
} from './ops/functions.ts';
export { gather, type Indices, scatterAdd, wholeNumbers } from './ops/gathering.ts';
export { concatenate, stack } from './ops/joining.ts';
export { layerNorm } from './ops/layer-norm.ts';
export { absoluteError, crossEntropy, type HuberOptions, huber, type LossOp, squaredError } from './ops/losses.ts';
export { type MatmulOptions, matmul } from './ops/matmul.ts';
export { asExamples, asProgram, meanRows, sumRows } from './ops/plates.ts';
export { type PoolOptions, pool } from './ops/pooling.ts';
export { logSumExp, max, mean, type ReductionOp, type ReductionOptions, sum } from './ops/reductions.ts';
export { broadcastTo, expandDims, reshape, slice, squeeze, transpose } from './ops/reshaping.ts';
export { ctc, type LabelStrings, lstm } from './ops/sequences.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { softmaxCrossEntropy } from './ops/softmax-cross-entropy.ts';
export type { Plate, RowKind, RowStructure } from './plate.ts';
export type { Portable, PortableValue } from './portable.ts';
export type { Seed } from './reverse-pass.ts';
export { Tape, type Work } from './tape.ts';
export { type Operand, Tensor } from './tensor.ts';
