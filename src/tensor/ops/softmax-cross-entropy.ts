import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, type Layout, like, shapeText } from '../define-op.ts';
import { extentsOf, rowShape, sameShape, sizeOf, withRows } from '../shape.ts';
import { repeated, summedBack } from '../strided.ts';
import type { Tensor } from '../tensor.ts';
import { type Indices, indicesOf } from './gathering.ts';

/** Logits and labels for all rows, one label for every position. @throws RangeError for shapes that do not fit, or a label that is no class */
function positionsOf(engine: Engine, [logits, labels]: readonly NdArray[], layout: Layout) {
  const [shape, of] = [rowShape(logits, layout, 0), rowShape(labels, layout, 1)];
  const positions = shape.slice(0, -1);
  if (shape.length === 0 || !sameShape(positions, of))
    throw new RangeError(
      `softmaxCrossEntropy: labels of the shape ${shapeText(of)} do not fit logits of ${shapeText(shape)}. Expected one label for every position before the last axis.`,
    );
  const classes = shape[shape.length - 1];
  const marks = labels.integers;
  const wrong = marks.findIndex((label) => !(label >= 0 && label < classes));
  if (wrong >= 0)
    throw new RangeError(
      `softmaxCrossEntropy: label ${marks[wrong]} of row ${wrong} is not one of ${classes} classes.`,
    );
  const all = (array: NdArray, i: number, own: readonly number[]) =>
    repeated(engine, { array, extents: extentsOf(array, layout, i, own.length) }, withRows(own, layout));
  return { logits: all(logits, 0, shape), labels: all(labels, 1, of), classes, count: sizeOf(withRows(of, layout)) };
}

const softmaxCrossEntropyOp = defineOp({
  name: 'softmaxCrossEntropy',
  indices: 1,
  causal: () => true,
  forward(engine, inputs, _attributes, layout) {
    const { logits, labels, classes, count } = positionsOf(engine, inputs, layout);
    const losses = engine.allocate(logits.shape.slice(0, -1), 'the example losses');
    const probabilities = like(engine, logits, 'the class probabilities');
    const pointers = [logits.pointer, labels.pointer, losses.pointer, probabilities.pointer] as const;
    engine.backend.run('softmaxCrossEntropy', ...pointers, count, classes);
    return { output: losses, saved: [probabilities, labels] };
  },
  pullback(engine, { inputs: [logits], saved: [probabilities, labels], layout }, dy) {
    const output = like(engine, probabilities, 'the gradient of the logits');
    const pointers = [probabilities.pointer, labels.pointer, dy.pointer, output.pointer] as const;
    const classes = probabilities.shape[probabilities.shape.length - 1];
    engine.backend.run('softmaxCrossEntropyPullback', ...pointers, dy.size, classes);
    return [summedBack(engine, output, logits, layout, 0, rowShape(logits, layout, 0).length), null];
  },
});

/**
 * Cross-entropy of softmax(logits) with whole-number labels, in nats: logits of shape [..., classes] and labels of shape [...] → shape [...].
 * A class that is masked, with a logit of −∞, has the probability 0 and no gradient; a row whose own label is masked has a loss of ∞, and a row of
 * −∞ alone NaN. The labels are a tensor of whole numbers (`NdArray.integers`), or plain numbers that all rows share.
 * @throws RangeError for shapes that do not fit, or a label that is no class
 */
export const softmaxCrossEntropy = (logits: Tensor, labels: Indices): Tensor =>
  softmaxCrossEntropyOp(logits, indicesOf(labels, logits));
softmaxCrossEntropy.definition = softmaxCrossEntropyOp.definition;
