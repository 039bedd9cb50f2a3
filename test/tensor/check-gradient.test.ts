/** `checkGradient`, with operations of one's own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import * as t from '../../src/tensor/index.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

/** x³, with a pullback that is what `slope` says. */
function cube(slope: (x: number) => number) {
  const each = (engine: Engine, x: NdArray, f: (value: number, i: number) => number): NdArray => {
    const output = engine.allocate(x.shape, 'cubes');
    output.values.set(Array.from(x.values, f));
    return output;
  };
  return t.defineOp({
    name: 'cube',
    forward: (engine, [x]) => ({ output: each(engine, x, (value) => value ** 3) }),
    pullback: (engine, { inputs: [x] }, dy) => [each(engine, x, (value, i) => slope(value) * dy.values[i])],
  });
}
const right = cube((x) => 3 * x * x);

describe('checkGradient', () => {
  test('takes an operation of one’s own whose pullback is right, and reports what it compared', () => {
    const report = t.checkGradient(
      (x, y) => t.sum(t.multiply(right(x), y), -1),
      [
        [
          [1, -2, 0.5],
          [3, 4, 5],
        ],
        [2, 3, 4],
      ],
    );
    assert.equal(report.count, 9);
    assert.ok(report.worst && Math.abs(report.worst.gradient - report.worst.difference) < 1e-6);
  });

  test('names the input, the element and both numbers of the worst one', () => {
    // Wrong for negative numbers alone.
    const wrong = cube((x) => (x < 0 ? 2 : 3) * x * x);
    const values = [
      [1, 2],
      [
        [1, 2],
        [3, -2],
      ],
    ];
    let caught: unknown;
    try {
      t.checkGradient((x, y) => t.add(t.sum(x), t.sum(wrong(y))), values);
    } catch (error) {
      caught = error;
    }
    assert.ok(caught instanceof t.GradientError);
    const { input, index, gradient, difference } = caught.derivative;
    assert.deepEqual([input, index], [1, [1, 1]]);
    // By the same weight of the output, 8 in the place of 12.
    assert.ok(Math.abs(gradient / difference - 8 / 12) < 1e-6);
    assert.match(
      caught.message,
      /^checkGradient: at \[1, 1\] of input 1 the gradient is .*, and the central difference .*\. Expected/,
    );
  });

  test('a gradient that is missing, and one that is not a number, are found', () => {
    assert.throws(() => t.checkGradient((x) => t.multiply(t.stopGradient(x), x), [[1, 2]]), t.GradientError);
    const broken = cube(() => Number.NaN);
    assert.throws(() => t.checkGradient(broken, [[1, 2]]), /the gradient is NaN/);
  });

  test('one element of an output in which others are right', () => {
    const wrong = cube((x) => (x === 2 ? 0 : 3 * x * x));
    assert.throws(() => t.checkGradient(wrong, [[1, 2, 3]]), /at \[1\] of input 0 the gradient is 0,/);
  });

  test('the tolerances are those that were asked for', () => {
    const near = cube((x) => 3.003 * x * x);
    assert.throws(() => t.checkGradient(near, [[1]]), t.GradientError);
    assert.equal(t.checkGradient(near, [[1]], { relative: 2e-3 }).count, 1);
    assert.equal(t.checkGradient(near, [[1]], { absolute: 1 }).count, 1);
  });

  test('functions of nothing, of numbers and of empty arrays', () => {
    assert.deepEqual(
      t.checkGradient((x) => t.square(x), [[]]),
      { count: 0, worst: undefined },
    );
    assert.equal(t.checkGradient((x) => t.square(x), [3]).count, 1);
  });

  test('a layer of neurons on examples', () => {
    const source = { key: [1, 2], step: 3, layer: 4, draw: 5 } as const;
    const neuron = resolveNeuron('tanh');
    const fired = (x: Tensor, w: Tensor) =>
      t.sum(fireTensor(t.matmul(t.asExamples(x), w), { neuron, mode: 'train', source, state: undefined }));
    assert.equal(
      t.checkGradient(fired, [
        [
          [1, 2],
          [3, -1],
        ],
        [
          [0.5, 0.1, 0.3],
          [-0.2, 0.4, 0.7],
        ],
      ]).count,
      10,
    );
  });
});
