/** Black boxes: gradients and searches for losses that are any JavaScript function of bits. No engine is needed. */
export { adam, type Optimizer, type OptimizerName, sgd } from '../optim/index.ts';
export { type BlackBox, BlackBoxError, type Evaluation } from './black-box.ts';
export { type EstimateOptions, estimateGradient, type GradientEstimate } from './estimate-gradient.ts';
export type { EstimatorState } from './estimator-state.ts';
export { lossReaders } from './loss-readers.ts';
export {
  type BestBits,
  type BitsResult,
  type BitsRun,
  type BitsStepEvent,
  type OptimizeBitsOptions,
  optimizeBits,
} from './optimize-bits.ts';
