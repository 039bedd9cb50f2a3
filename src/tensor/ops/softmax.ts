/** Softmax and its logarithm along one axis of a row. */
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import type { ThreeCombination } from '../../kernels/strided.ts';
import { f } from '../../neurons/formula.ts';
import { defineOp, type Layout, like } from '../define-op.ts';
import { seenOutput } from '../seen-output.ts';
import { axisOf, rowShape, sizeOf } from '../shape.ts';
import { combine, combineThree, reducedOver, whole } from '../strided.ts';
import type { Tensor } from '../tensor.ts';
import { lowerLogSumExp } from './reductions.ts';

interface Attributes {
  readonly axis: number;
}

function softmaxOp(name: string, logarithm: 0 | 1, slope: ThreeCombination) {
  const axisIn = (x: NdArray, axis: number, layout: Layout): number =>
    axisOf(name, axis, rowShape(x, layout, 0)) + Number(layout.plated[0]);
  return defineOp<Attributes>({
    name,
    causal: () => true,
    forward(engine, [x], { axis }, layout) {
      const at = axisIn(x, axis, layout);
      return { output: alongAxis(engine, x, at, logarithm) };
    },
    pullback(engine, record, dy) {
      const { inputs, attributes, layout } = record;
      const at = axisIn(inputs[0], attributes.axis, layout);
      const y = whole(seenOutput(engine, record));
      const terms = logarithm ? dy : combine(engine, 'multiply', y, whole(dy), dy.shape);
      const sums = whole(reducedOver(engine, 'sum', terms, [at]));
      return [combineThree(engine, slope, [y, whole(dy), sums], dy.shape)];
    },
    lower(to, [x], { attributes }) {
      const sums = lowerLogSumExp(to, x, [axisOf(name, attributes.axis, x.shape)]);
      const difference = f.subtract(f.logit, f.operand(1));
      return to.elementwise(logarithm ? difference : f.exp(difference), x, sums);
    },
  });
}

function alongAxis(engine: Engine, x: NdArray, axis: number, logarithm: 0 | 1): NdArray {
  const output = like(engine, x, 'a softmax');
  const { shape } = x;
  const sizes = [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))] as const;
  engine.backend.run('softmaxAxis', x.pointer, output.pointer, ...sizes, logarithm);
  return output;
}

const plain = softmaxOp('softmax', 0, 'softmaxSlope');
const logarithmic = softmaxOp('logSoftmax', 1, 'logSoftmaxSlope');

/** e^x / Σ e^x along an axis; what is under 1e-26 is 0. @throws RangeError for an axis that is not there */
export const softmax = (x: Tensor, axis = -1): Tensor => plain(x, { axis });
softmax.definition = plain.definition;

/** The logarithm of the softmax along an axis, without overflow. @throws RangeError for an axis that is not there */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => logarithmic(x, { axis });
logSoftmax.definition = logarithmic.definition;
