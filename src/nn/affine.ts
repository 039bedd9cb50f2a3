import type { NdArray } from '../backend/nd-array.ts';
import { BlockTensor } from '../tensor/ops/block-tensor.ts';
import { blocksToDense } from '../tensor/ops/blocks.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import { reshape } from '../tensor/ops/reshaping.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Axis, Parameter } from './parameter.ts';
import type { Scope } from './scope.ts';

export interface AffineOptions {
  readonly units: number;
  /** Prefix of the parameters' names; default none. */
  readonly name?: string;
  readonly group?: Parameter['group'];
  /** What inputs and units stand for; default inputs and units of the layer. */
  readonly axes?: readonly [Axis, Axis];
  /** Number of the random stream of the weights. */
  readonly stream: number;
  readonly learningRateScale?: number;
  /** Fills the weights (inputs × units); default Glorot uniform. */
  readonly initialize?: (weights: NdArray, seed: number, stream: number) => void;
}

/**
 * x·W + b with parameters `weights` and `bias`: shape [..., inputs] → [units]. Only the open blocks of a block-sparse input are read.
 */
export function affine(scope: Scope, given: Tensor, options: AffineOptions): Tensor {
  const x = given instanceof BlockTensor || given.shape.length === 1 ? given : reshape(given, [given.columns]);
  const {
    units,
    name: prefix,
    group = 'main',
    axes = ['inputs', 'units'],
    learningRateScale = 1,
    ...weights
  } = options;
  const name = (part: string): string => (prefix ? `${prefix}.${part}` : part);
  const common = { group, learningRateScale };
  const shape = [x.columns, units];
  const w = scope.parameter(name('weights'), shape, { ...common, ...weights, kind: 'weights', axes });
  const b = scope.parameter(name('bias'), [units], { ...common, kind: 'bias', axes: [axes[1]] });
  const { tape } = scope.pass;
  tape.inGater = group === 'gater';
  const logits = x instanceof BlockTensor ? blocksToDense(x.open, w, b, x.blocks) : matmul(x, w, b);
  tape.inGater = false;
  return logits;
}
