/**
 * Losses of predictions with float targets. Each gives one number a row of the plate: the SUM over the row's elements. Divide by their
 * number for a mean: `scale(squaredError(y, t), { factor: 1 / n })`.
 */

import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import type { ThreeCombination } from '../../kernels/strided.ts';
import { f } from '../../neurons/formula.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { defineOp, type Layout, type OpDefinition, shapeText } from '../define-op.ts';
import { extentsOf, rowShape, type Shape, sameShape, withRows } from '../shape.ts';
import { type Broadcast, combine, combineThree, reducedOver, summedBack, whole } from '../strided.ts';
import type { Operand, Tensor } from '../tensor.ts';
import { negate } from './arithmetic.ts';
import { sum } from './reductions.ts';
import { logSoftmax } from './softmax.ts';

/** A loss of predictions and targets of one shape: one number a row. */
export interface LossOp<A = undefined> {
  (predictions: Operand, targets: Operand): Tensor;
  readonly definition: OpDefinition<A>;
}

/** Predictions and targets beside each other. @throws RangeError where a row of them has two shapes */
export function sidesOf(name: string, inputs: readonly NdArray[], layout: Layout) {
  const [shape, other] = [rowShape(inputs[0], layout, 0), rowShape(inputs[1], layout, 1)];
  if (!sameShape(shape, other))
    throw new RangeError(
      `${name}: predictions of the shape ${shapeText(shape)} and targets of ${shapeText(other)} differ. Expected one shape: nothing is repeated in a loss.`,
    );
  const [predictions, targets] = inputs.map((array, i) => ({
    array,
    extents: extentsOf(array, layout, i, shape.length),
  }));
  return { predictions, targets, shape, to: withRows(shape, layout) };
}

/** The sum over every row. */
function rowSums(engine: Engine, x: NdArray, layout: Layout): NdArray {
  const axes = x.shape.flatMap((_, d) => (d === 0 && layout.rows !== undefined ? [] : [d]));
  return reducedOver(engine, 'sum', x, axes).reshaped(withRows([], layout));
}

/** One number a row, beside the elements of rows. */
export const besideRows = (array: NdArray, shape: Shape, layout: Layout): Broadcast => ({
  array,
  extents: withRows(
    shape.map(() => 1),
    layout,
  ),
});

type Elements<A> = (engine: Engine, predictions: Broadcast, targets: Broadcast, to: Shape, attributes: A) => NdArray;

/** Declares a loss f(prediction − target), even in the difference: the gradient at the targets is that at the predictions with both exchanged. */
function loss<A>(name: string, elements: Elements<A>, slope: ThreeCombination, parameter: (attributes: A) => number) {
  return defineOp<A>({
    name,
    causal: () => true,
    forward(engine, inputs, attributes, layout) {
      const { predictions, targets, to } = sidesOf(name, inputs, layout);
      return { output: rowSums(engine, elements(engine, predictions, targets, to, attributes), layout) };
    },
    pullback(engine, { inputs, attributes, layout, needs }, dy) {
      const { predictions, targets, shape, to } = sidesOf(name, inputs, layout);
      const weights = besideRows(dy, shape, layout);
      const gradient = (i: number, own: Broadcast, other: Broadcast) => {
        if (!needs[i]) return null;
        const whole = combineThree(engine, slope, [own, other, weights], to, parameter(attributes));
        return summedBack(engine, whole, inputs[i], layout, i, shape.length);
      };
      return [gradient(0, predictions, targets), gradient(1, targets, predictions)];
    },
  });
}

/** Σ (prediction − target)² over a row's elements: one number a row. @throws RangeError where the shapes of a row differ */
export const squaredError: LossOp = loss<undefined>(
  'squaredError',
  (engine, a, b, to) => combine(engine, 'squaredDifference', a, b, to),
  'squaredSlope',
  () => 0,
);

/** Σ |prediction − target| over a row's elements: one number a row; the slope at 0 is 0. @throws RangeError where the shapes of a row differ */
export const absoluteError: LossOp = loss<undefined>(
  'absoluteError',
  (engine, a, b, to) => combine(engine, 'absoluteDifference', a, b, to),
  'absoluteSlope',
  () => 0,
);

/** Where Huber's loss turns from a parabola into a line. */
export interface HuberOptions {
  /** Default 1. */
  readonly delta?: number;
}

const HUBER_NAMES: NamesOf<HuberOptions> = { delta: true };

const huberOp = loss<{ readonly delta: number }>(
  'huber',
  (engine, a, b, to, { delta }) => {
    const one = { array: engine.tensor([1], []), extents: to.map(() => 1) };
    return combineThree(engine, 'huber', [a, b, one], to, delta);
  },
  'huberSlope',
  ({ delta }) => delta,
);

/**
 * Σ ½d² where |d| ≤ delta, else delta·(|d| − ½delta), for differences d over a row's elements: one number a row. Source: Huber 1964.
 * @throws RangeError where the shapes of a row differ, or delta is not above 0
 */
export function huber(predictions: Operand, targets: Operand, options: HuberOptions = {}): Tensor {
  checkNames('huber', options, HUBER_NAMES);
  const { delta = 1 } = options;
  if (!(delta > 0)) throw new RangeError(`huber: delta is ${delta}. Expected a number above 0.`);
  return huberOp(predictions, targets, { delta });
}
huber.definition = huberOp.definition;

/** target·log softmax, in which a target of 0 takes off a class of probability 0: 0·log 0 = 0. */
const weighedLogs = defineOp({
  name: 'crossEntropy',
  causal: () => true,
  forward(engine, inputs, _attributes, layout) {
    const { predictions, targets, to } = sidesOf('crossEntropy', inputs, layout);
    return { output: combine(engine, 'weighed', targets, predictions, to) };
  },
  pullback(engine, { inputs, layout, needs }, dy) {
    const { predictions, targets, shape, to } = sidesOf('crossEntropy', inputs, layout);
    const back = (i: number, gradient: () => NdArray) =>
      needs[i] ? summedBack(engine, gradient(), inputs[i], layout, i, shape.length) : null;
    return [
      back(0, () => combine(engine, 'multiply', whole(dy), targets, to)),
      back(1, () => combineThree(engine, 'weighedSlope', [targets, predictions, whole(dy)], to)),
    ];
  },
  // No target is below 0: where it is not above, nothing is added.
  lower: (to, [logs, targets]) =>
    to.elementwise(f.pick(f.operand(1), 0, f.multiply(f.logit, f.operand(1)), 0), logs, targets),
});

/**
 * −Σ target·log softmax(logits) along the last axis, in nats: logits and targets (probabilities) of shape [..., classes] → shape [...]. A class
 * that is masked, with a logit of −∞, adds nothing to it and no gradient where its target is 0; else the loss is ∞. A row of −∞ alone gives NaN.
 * Whole-number labels have `softmaxCrossEntropy`.
 * @throws RangeError where the shapes do not fit
 */
export const crossEntropy = (logits: Tensor, targets: Operand): Tensor =>
  negate(sum(weighedLogs(logSoftmax(logits), targets), -1));
