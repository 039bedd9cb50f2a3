/** Classes and bits that are masked by a logit of −∞: 0·log 0 is 0 in every loss, and in its gradient. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as t from '../../src/tensor/index.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

const NONE = Number.NEGATIVE_INFINITY;
const LOGITS = [
  [0, NONE, Math.log(3)],
  [NONE, 0.5, NONE],
];
const TARGETS = [
  [0.5, 0, 0.5],
  [0, 1, 0],
];

for (const engine of [reference, ...builds])
  describe(`on ${engine.name}`, () => {
    /** A loss of logits and targets, and its gradients at both. */
    function lossOf(act: (logits: t.Tensor, targets: t.Tensor) => t.Tensor, logits: number[][], targets: number[][]) {
      engine.beginStep();
      const tape = new Tape(engine);
      const arrays = [logits, targets].map((rows) => engine.tensor(rows.flat(), [rows.length, rows[0].length]));
      tape.watch(arrays);
      const [a, b] = arrays.map((array) => tape.parameter(array));
      const losses = act(a, b);
      tape.backward([{ tensor: losses, cotangent: 1 }]);
      return { losses: losses.values, gradients: arrays.map((array) => tape.gradient(array)?.values ?? []) };
    }

    test('cross-entropy with soft targets', () => {
      const { losses, gradients } = lossOf(t.crossEntropy, LOGITS, TARGETS);
      assertClose(losses, [-0.5 * Math.log(0.25) - 0.5 * Math.log(0.75), 0], { absolute: 1e-6 }, 'losses');
      assertClose(gradients[0], [-0.25, 0, 0.25, 0, 0, 0], { absolute: 1e-6 }, 'at the logits');
      assertClose(gradients[1], [Math.log(4), 0, -Math.log(0.75), 0, 0, 0], { absolute: 1e-6 }, 'at the targets');
    });

    test('a target at a masked class costs ∞, and a NaN stays one', () => {
      assert.deepEqual([...lossOf(t.crossEntropy, [[0, NONE]], [[0.5, 0.5]]).losses], [Number.POSITIVE_INFINITY]);
      assert.deepEqual([...lossOf(t.crossEntropy, [[0, Number.NaN]], [[1, 0]]).losses], [Number.NaN]);
      assert.deepEqual([...lossOf(t.crossEntropy, [[NONE, NONE]], [[1, 0]]).losses], [Number.NaN]);
    });

    test('bits', () => {
      const act = (logits: t.Tensor, targets: t.Tensor) =>
        t.sigmoidCrossEntropy(t.asExamples(logits), t.asExamples(targets));
      // Of five bits, so that a kernel of four lanes has a rest.
      const { losses, gradients } = lossOf(act, [[NONE, 0, NONE, 1, NONE]], [[0, 1, 0, 1, 0]]);
      const sigmoid = 1 / (1 + Math.exp(-1));
      assertClose(losses, [Math.LN2 - Math.log(sigmoid)], { absolute: 1e-6 }, 'losses');
      assertClose(gradients[0], [0, -0.5, 0, sigmoid - 1, 0], { absolute: 1e-6 }, 'at the logits');
      assertClose(gradients[1], [0, 0, 0, -1, 0].map(Math.fround), { absolute: 1e-6 }, 'at the targets');
      assert.equal(lossOf(act, [[NONE, 0]], [[0.5, 1]]).losses[0], Number.POSITIVE_INFINITY);
      assert.ok(Number.isNaN(lossOf(act, [[Number.NaN, 0]], [[0, 1]]).losses[0]));
    });

    test('the divergence of units that never or always fire from fair coins is log 2', () => {
      const act = (logits: t.Tensor) => t.bernoulliDivergence(t.asExamples(logits));
      const { losses, gradients } = lossOf(act, [[NONE, 0, -NONE, NONE, NONE]], [[0]]);
      assertClose(losses, [4 * Math.LN2], { absolute: 1e-6 }, 'divergences');
      assertClose(gradients[0], [0, 0, 0, 0, 0], {}, 'at the logits');
      assert.ok(Number.isNaN(lossOf(act, [[Number.NaN]], [[0]]).losses[0]));
    });
  });
