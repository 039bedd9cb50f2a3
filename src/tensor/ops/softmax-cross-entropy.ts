import { defineOp, like } from '../define-op.ts';

/**
 * Cross-entropy of softmax(logits) with whole-number labels, in nats: logits of shape [classes] and a label of shape [] → shape [].
 * The labels are whole numbers on the heap (`NdArray.integers`). @throws RangeError for shapes that do not fit, or a label that is no class
 */
export const softmaxCrossEntropy = defineOp({
  name: 'softmaxCrossEntropy',
  forward(engine, [logits, labels]) {
    const classes = logits.shape[logits.shape.length - 1] ?? 0;
    const rows = logits.size / Math.max(1, classes);
    if (labels.size !== rows)
      throw new RangeError(`softmaxCrossEntropy: ${labels.size} labels do not fit ${rows} rows of logits.`);
    const marks = labels.integers;
    const wrong = marks.findIndex((label) => !(label >= 0 && label < classes));
    if (wrong >= 0)
      throw new RangeError(
        `softmaxCrossEntropy: label ${marks[wrong]} of row ${wrong} is not one of ${classes} classes.`,
      );
    const losses = engine.allocate(logits.shape.slice(0, -1), 'the example losses');
    const probabilities = like(engine, logits, 'the class probabilities');
    const pointers = [logits.pointer, labels.pointer, losses.pointer, probabilities.pointer] as const;
    engine.backend.run('softmaxCrossEntropy', ...pointers, rows, classes);
    return { output: losses, saved: [probabilities] };
  },
  pullback(engine, { inputs: [logits, labels], saved: [probabilities] }, dy) {
    const output = like(engine, logits, 'the gradient of the logits');
    const pointers = [probabilities.pointer, labels.pointer, dy.pointer, output.pointer] as const;
    engine.backend.run('softmaxCrossEntropyPullback', ...pointers, dy.size, logits.size / Math.max(1, dy.size));
    return [output, null];
  },
});
