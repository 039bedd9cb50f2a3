export * from './scratch';
export * from './elementwise';
export * from './rows';
export * from './bernoulli-losses';
export * from './random';
export * from './sampling';
export * from './gates';
export { adamUpdate, catchUp, momentumUpdate, updateBlocks } from './optimizers';
export { maxNorm } from './max-norm';
export * from './neurons';
export * from './neurons-pullback';
export * from './neurons-score';
export * from './neurons-open';
export * from './neurons-baseline';
export * from './neurons-rao-blackwell';
export {
  fireLargest,
  openLargest,
  pullbackLargest,
  pullbackOpenLargest,
} from './neurons-selecting';
export * from './neurons-threshold';
export * from './switch-balance';
export { matmulPacked, packLeft } from './matmul';
export { matmulFewRows, matmulFewRowsTransposed, matmulFewSteps } from './matmul-few';
export * from './blocks-mask';
export * from './blocks-from-dense';
export * from './blocks-to-dense';
export * from './blocks-to-blocks';
export * from './blocks-values';
export * from './blocks-random';
export * from './gathering';
export * from './parts';
export * from './normalization';
export * from './pooling';
export * from './convolution';
export { attention, attentionPullback, rotatePairs } from './attention';
export * from './lstm';
export * from './ctc';
export * from './weight-noise';
export { mapElements, mapSlopes } from './maps';
export { combine, combineThree, copyStrided } from './strided';
export { reduceAxis, scatterAddRows, softmaxAxis } from './axes';
