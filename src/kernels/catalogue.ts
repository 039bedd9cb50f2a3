import * as attention from './attention.ts';
import * as axes from './axes.ts';
import * as bernoulliLosses from './bernoulli-losses.ts';
import * as blocksFromDense from './blocks-from-dense.ts';
import * as blocksMask from './blocks-mask.ts';
import * as blocksToBlocks from './blocks-to-blocks.ts';
import * as blocksToDense from './blocks-to-dense.ts';
import * as blocksUpdate from './blocks-update.ts';
import * as blocksValues from './blocks-values.ts';
import * as convolution from './convolution.ts';
import * as ctc from './ctc.ts';
import * as elementwise from './elementwise.ts';
import * as gates from './gates.ts';
import * as gathering from './gathering.ts';
import type { Kernel, Numbers } from './kernel.ts';
import * as lstm from './lstm.ts';
import * as maps from './maps.ts';
import * as matmul from './matmul.ts';
import * as matmulFew from './matmul-few.ts';
import { neuronKernels } from './neurons.ts';
import * as normalization from './normalization.ts';
import * as optimizers from './optimizers.ts';
import * as parts from './parts.ts';
import * as pooling from './pooling.ts';
import * as random from './random.ts';
import * as rows from './rows.ts';
import * as sampling from './sampling.ts';
import * as strided from './strided.ts';
import * as weightNoise from './weight-noise.ts';

/** Every kernel with a definition of its own. The names are the exports of the WebAssembly modules. */
export const catalogue = {
  add: elementwise.add,
  multiply: elementwise.multiply,
  scale: elementwise.scale,
  addScaled: elementwise.addScaled,
  fill: elementwise.fill,
  addBias: rows.addBias,
  columnSums: rows.columnSums,
  countNonzero: rows.countNonzero,
  fillRows: rows.fillRows,
  softmaxCrossEntropy: rows.softmaxCrossEntropy,
  softmaxCrossEntropyPullback: rows.softmaxCrossEntropyPullback,
  sigmoidCrossEntropy: bernoulliLosses.sigmoidCrossEntropy,
  sigmoidCrossEntropyPullback: bernoulliLosses.sigmoidCrossEntropyPullback,
  bernoulliDivergence: bernoulliLosses.bernoulliDivergence,
  bernoulliDivergencePullback: bernoulliLosses.bernoulliDivergencePullback,
  uniforms: random.uniforms,
  uniformsOfRows: random.uniformsOfRows,
  bernoulli: sampling.bernoulli,
  logistic: sampling.logistic,
  normal: sampling.normal,
  gateMultiply: gates.gateMultiply,
  blockDot: gates.blockDot,
  switchBalance: gates.switchBalance,
  momentumUpdate: optimizers.momentumUpdate,
  adamUpdate: optimizers.adamUpdate,
  updateBlocks: optimizers.updateBlocks,
  catchUp: optimizers.catchUp,
  maxNorm: optimizers.maxNorm,
  packLeft: matmul.packLeft,
  matmulPacked: matmul.matmulPacked,
  matmulFewRows: matmulFew.matmulFewRows,
  matmulFewRowsTransposed: matmulFew.matmulFewRowsTransposed,
  matmulFewSteps: matmulFew.matmulFewSteps,
  countOpen: blocksMask.countOpen,
  buildMask: blocksMask.buildMask,
  probeGates: blocksMask.probeGates,
  denseToBlocks: blocksFromDense.denseToBlocks,
  denseToBlocksInputs: blocksFromDense.denseToBlocksInputs,
  denseToBlocksWeights: blocksFromDense.denseToBlocksWeights,
  denseToBlocksUpdate: blocksUpdate.denseToBlocksUpdate,
  blocksToDenseUpdate: blocksUpdate.blocksToDenseUpdate,
  blocksToDense: blocksToDense.blocksToDense,
  blocksToDenseValues: blocksToDense.blocksToDenseValues,
  blocksToDenseWeights: blocksToDense.blocksToDenseWeights,
  blocksToBlocks: blocksToBlocks.blocksToBlocks,
  blocksToBlocksValues: blocksToBlocks.blocksToBlocksValues,
  blocksToBlocksWeights: blocksToBlocks.blocksToBlocksWeights,
  blockBiasGradient: blocksValues.blockBiasGradient,
  gateBlocks: blocksValues.gateBlocks,
  blockGateGradient: blocksValues.blockGateGradient,
  scatterBlocks: blocksValues.scatterBlocks,
  gatherBlocks: blocksValues.gatherBlocks,
  blockUniforms: blocksValues.blockUniforms,
  gatherRows: gathering.gatherRows,
  transposeRows: gathering.transposeRows,
  addTransposedRows: gathering.addTransposedRows,
  addGatedRows: parts.addGatedRows,
  gatedRowsValues: parts.gatedRowsValues,
  gatedRowsGates: parts.gatedRowsGates,
  layerNorm: normalization.layerNorm,
  layerNormInputs: normalization.layerNormInputs,
  layerNormGain: normalization.layerNormGain,
  dropElements: normalization.dropElements,
  pool: pooling.pool,
  poolPullback: pooling.poolPullback,
  patches: convolution.patches,
  patchesPullback: convolution.patchesPullback,
  depthwise: convolution.depthwise,
  depthwiseInputs: convolution.depthwiseInputs,
  depthwiseWeights: convolution.depthwiseWeights,
  attention: attention.attention,
  attentionPullback: attention.attentionPullback,
  rotatePairs: attention.rotatePairs,
  lstm: lstm.lstm,
  lstmPullback: lstm.lstmPullback,
  ctc: ctc.ctc,
  scaleSequences: ctc.scaleSequences,
  perturb: weightNoise.perturb,
  addMoments: weightNoise.addMoments,
  spread: weightNoise.spread,
  descriptionLength: weightNoise.descriptionLength,
  mapElements: maps.mapElements,
  mapSlopes: maps.mapSlopes,
  combine: strided.combine,
  combineThree: strided.combineThree,
  copyStrided: strided.copyStrided,
  reduceAxis: axes.reduceAxis,
  softmaxAxis: axes.softmaxAxis,
  scatterAddRows: axes.scatterAddRows,
} as const;

export type KernelName = keyof typeof catalogue;
type ArgumentsOf<K> = K extends Kernel<infer P> ? Numbers<P> : never;
/** The arguments of a kernel, one number each. */
export type KernelArguments<N extends KernelName> = Extract<ArgumentsOf<(typeof catalogue)[N]>, readonly number[]>;

/** Names of all exports that a thread can be asked for, in the order of their job numbers. */
export const kernelNames: readonly string[] = [...Object.keys(catalogue), ...Object.keys(neuronKernels)];
