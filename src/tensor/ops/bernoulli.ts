/** What the bits of Bernoulli units cost, as functions of their logits, and how far the units are from fair coins. */
import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, type Layout, like } from '../define-op.ts';
import { rowShape, sizeOf, withRows } from '../shape.ts';
import { combineThree, repeated, scaled, summedBack, whole } from '../strided.ts';
import { besideRows, sidesOf } from './losses.ts';

/** Rows of the plate (one where there is none), and the elements of each. */
function matrixOf(x: NdArray, layout: Layout): readonly [rows: number, columns: number] {
  return [layout.rows ?? 1, sizeOf(rowShape(x, layout, 0))];
}

/**
 * −log of the probability of every row of targets (bits, or numbers in [0, 1]) under σ(logits), in nats: the SUM over the row's elements, one
 * number a row. A logit of −∞ with a target of 0 adds nothing to it, and no gradient. @throws RangeError where the shapes of a row differ
 */
export const sigmoidCrossEntropy = defineOp({
  name: 'sigmoidCrossEntropy',
  causal: () => true,
  forward(engine, inputs, _attributes, layout) {
    const { logits, targets } = bothWhole(engine, inputs, layout);
    const losses = engine.allocate(withRows([], layout), 'the example losses');
    const pointers = [logits.pointer, targets.pointer, losses.pointer] as const;
    engine.backend.run('sigmoidCrossEntropy', ...pointers, ...matrixOf(inputs[0], layout));
    return { output: losses };
  },
  pullback(engine, { inputs, layout, needs }, dy) {
    const { logits, targets, shape, to } = bothWhole(engine, inputs, layout);
    const back = (i: number, gradient: () => NdArray) =>
      needs[i] ? summedBack(engine, gradient(), inputs[i], layout, i, shape.length) : null;
    const [rows, columns] = matrixOf(inputs[0], layout);
    return [
      // (σ(logits) − targets) times each row's cotangent
      back(0, () => {
        const output = like(engine, logits, 'the gradient of the logits');
        const pointers = [logits.pointer, targets.pointer, dy.pointer, output.pointer] as const;
        engine.backend.run('sigmoidCrossEntropyPullback', ...pointers, rows, columns);
        return output;
      }),
      // −logits times each row's cotangent
      back(1, () => {
        const weights = besideRows(dy, shape, layout);
        return scaled(engine, combineThree(engine, 'weighedSlope', [whole(targets), whole(logits), weights], to), -1);
      }),
    ];
  },
});

/** Both inputs with all rows. */
function bothWhole(engine: Engine, inputs: readonly NdArray[], layout: Layout) {
  const { predictions, targets, shape, to } = sidesOf('sigmoidCrossEntropy', inputs, layout);
  return { logits: repeated(engine, predictions, to), targets: repeated(engine, targets, to), shape, to };
}

/** The Kullback-Leibler divergence of every row of Bernoulli(σ(logits)) units from fair coins: the sum over a row, one number each, in nats: log 2 for a logit of ±∞. */
export const bernoulliDivergence = defineOp({
  name: 'bernoulliDivergence',
  causal: () => true,
  forward(engine, [logits], _attributes, layout) {
    const output = engine.allocate(withRows([], layout), 'divergences');
    engine.backend.run('bernoulliDivergence', logits.pointer, output.pointer, ...matrixOf(logits, layout));
    return { output };
  },
  pullback(engine, { inputs: [logits], layout }, dy) {
    const output = like(engine, logits, 'the gradient of divergences');
    const pointers = [logits.pointer, dy.pointer, output.pointer] as const;
    engine.backend.run('bernoulliDivergencePullback', ...pointers, ...matrixOf(logits, layout));
    return [output];
  },
});
