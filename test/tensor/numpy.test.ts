/** The meaning of the operations: what NumPy 2.4.6 gives for the same expressions in Float64. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as t from '../../src/tensor/index.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

interface Arrays {
  readonly tape: Tape;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly c: Tensor;
  readonly x: Tensor;
}

/** np.arange(n).reshape(shape) */
function range(tape: Tape, shape: readonly number[]): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return t.reshape(tape.constant(Array.from({ length: size }, (_, i) => i)), shape);
}

/** a = np.arange(6).reshape(2, 3) - 2; b = [[10], [20]]; c = [1, 2, 4]; x = np.arange(24).reshape(2, 3, 4) */
const arrays = (tape: Tape): Arrays => ({
  tape,
  a: t.subtract(range(tape, [2, 3]), 2),
  b: tape.constant([[10], [20]]),
  c: tape.constant([1, 2, 4]),
  x: range(tape, [2, 3, 4]),
});

/** By the NumPy expression: ours, and the shape and values of NumPy's. */
const expressions: Record<string, [(arrays: Arrays) => Tensor, number[], number[]]> = {
  'a + c': [({ a, c }) => t.add(a, c), [2, 3], [-1, 1, 4, 2, 4, 7]],
  'a + b': [({ a, b }) => t.add(a, b), [2, 3], [8, 9, 10, 21, 22, 23]],
  'c - b': [({ b, c }) => t.subtract(c, b), [2, 3], [-9, -8, -6, -19, -18, -16]],
  'a * 3': [({ a }) => t.multiply(a, 3), [2, 3], [-6, -3, 0, 3, 6, 9]],
  'a / c': [({ a, c }) => t.divide(a, c), [2, 3], [-2, -0.5, 0, 1, 1, 0.75]],
  'np.abs(a) ** c': [({ a, c }) => t.power(t.abs(a), c), [2, 3], [2, 1, 0, 1, 4, 81]],
  'np.maximum(a, c - 2)': [({ a, c }) => t.maximum(a, t.subtract(c, 2)), [2, 3], [-1, 0, 2, 1, 2, 3]],
  'np.minimum(a, b - 20)': [({ a, b }) => t.minimum(a, t.subtract(b, 20)), [2, 3], [-10, -10, -10, 0, 0, 0]],
  'x.sum()': [({ x }) => t.sum(x), [], [276]],
  'x.sum(0)': [({ x }) => t.sum(x, 0), [3, 4], [12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34]],
  'x.sum((1, -1))': [({ x }) => t.sum(x, [1, -1]), [2], [66, 210]],
  'x.sum((0, 2), keepdims=True)': [({ x }) => t.sum(x, [0, 2], { keepDims: true }), [1, 3, 1], [60, 92, 124]],
  'x.sum(())': [
    ({ x }) => t.sum(x, []),
    [2, 3, 4],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  ],
  'x.mean(-1)': [({ x }) => t.mean(x, -1), [2, 3], [1.5, 5.5, 9.5, 13.5, 17.5, 21.5]],
  'x.max(1)': [({ x }) => t.max(x, 1), [2, 4], [8, 9, 10, 11, 20, 21, 22, 23]],
  'x.transpose()': [
    ({ x }) => t.transpose(x),
    [4, 3, 2],
    [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23],
  ],
  'x.transpose(2, 0, 1)': [
    ({ x }) => t.transpose(x, [2, 0, 1]),
    [4, 2, 3],
    [0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23],
  ],
  'x.reshape(4, -1)': [
    ({ x }) => t.reshape(x, [4, -1]),
    [4, 6],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  ],
  'x[1:, -2:, :3]': [({ x }) => t.slice(x, [1, -2], [undefined, undefined, 3]), [1, 2, 3], [16, 17, 18, 20, 21, 22]],
  'x[:, 1:9, -9:2]': [({ x }) => t.slice(x, [0, 1, -9], [undefined, 9, 2]), [2, 2, 2], [4, 5, 8, 9, 16, 17, 20, 21]],
  'x[:, 2:1]': [({ x }) => t.slice(x, [0, 2], [undefined, 1]), [2, 0, 4], []],
  'np.concatenate([x[:, :1], x, x[:, 2:]], 1)': [
    ({ x }) => t.concatenate([t.slice(x, [], [undefined, 1]), x, t.slice(x, [0, 2])], 1),
    [2, 5, 4],
    [
      0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15, 16, 17, 18, 19,
      20, 21, 22, 23, 20, 21, 22, 23,
    ],
  ],
  'np.stack([c, c + 1], -1)': [({ c }) => t.stack([c, t.add(c, 1)], -1), [3, 2], [1, 2, 2, 3, 4, 5]],
  'np.broadcast_to(c, (2, 1, 3))': [({ c }) => t.broadcastTo(c, [2, 1, 3]), [2, 1, 3], [1, 2, 4, 1, 2, 4]],
  'np.expand_dims(a, 1)': [({ a }) => t.expandDims(a, 1), [2, 1, 3], [-2, -1, 0, 1, 2, 3]],
  'np.squeeze(b)': [({ b }) => t.squeeze(b), [2], [10, 20]],
  'a.T[[[2, 0], [1, 1]]]': [
    ({ a }) =>
      t.gather(t.transpose(a), [
        [2, 0],
        [1, 1],
      ]),
    [2, 2, 2],
    [0, 3, -2, 1, -1, 2, -1, 2],
  ],
  'x @ x.transpose(0, 2, 1)': [
    ({ x }) => t.matmul(x, t.transpose(x, [0, 2, 1])),
    [2, 3, 3],
    [14, 38, 62, 38, 126, 214, 62, 214, 366, 734, 950, 1166, 950, 1230, 1510, 1166, 1510, 1854],
  ],
  'x @ np.arange(8).reshape(4, 2)': [
    ({ tape, x }) => t.matmul(x, range(tape, [4, 2])),
    [2, 3, 2],
    [28, 34, 76, 98, 124, 162, 172, 226, 220, 290, 268, 354],
  ],
  'x[:, None] @ np.arange(24).reshape(3, 4, 2)': [
    ({ tape, x }) => t.matmul(t.expandDims(x, 1), range(tape, [3, 4, 2])),
    [2, 3, 3, 2],
    [
      28, 34, 76, 98, 124, 162, 76, 82, 252, 274, 428, 466, 124, 130, 428, 450, 732, 770, 172, 226, 220, 290, 268, 354,
      604, 658, 780, 850, 956, 1042, 1036, 1090, 1340, 1410, 1644, 1730,
    ],
  ],
  'c @ a.T': [({ a, c }) => t.matmul(c, t.transpose(a)), [2], [-4, 17]],
  'a @ c': [({ a, c }) => t.matmul(a, c), [2], [-4, 17]],
  'c @ c': [({ c }) => t.matmul(c, c), [], [21]],
  'x @ np.arange(4)': [({ x }) => t.matmul(x, [0, 1, 2, 3]), [2, 3], [14, 38, 62, 86, 110, 134]],
  'c @ x': [({ c, x }) => t.matmul(c, x), [2, 4], [40, 47, 54, 61, 124, 131, 138, 145]],
  'scipy.special.softmax(a, -1)': [
    ({ a }) => t.softmax(a),
    [2, 3],
    [
      0.09003057317038046, 0.24472847105479764, 0.6652409557748218, 0.09003057317038046, 0.24472847105479764,
      0.6652409557748218,
    ],
  ],
  'np.log(np.exp(a).sum(0))': [
    ({ a }) => t.logSumExp(a, 0),
    [3],
    [1.048587351573742, 2.048587351573742, 3.048587351573742],
  ],
  'np.where(a > 0, a, -c)': [({ a, c }) => t.where(t.greater(a, 0), a, t.negate(c)), [2, 3], [-1, -2, -4, 1, 2, 3]],
  'np.clip(a, -1, 2)': [({ a }) => t.clip(a, -1, 2), [2, 3], [-1, -1, 0, 1, 2, 2]],
  'np.zeros((0, 3)).sum(0)': [({ tape }) => t.sum(range(tape, [0, 3]), 0), [3], [0, 0, 0]],
  'np.zeros((0, 3)).sum(1)': [({ tape }) => t.sum(range(tape, [0, 3]), 1), [0], []],
  'np.add.at(zeros (4, 2), [3, 0, 3], np.arange(6).reshape(3, 2))': [
    ({ tape }) => t.scatterAdd(range(tape, [3, 2]), [3, 0, 3], 4),
    [4, 2],
    [2, 3, 0, 0, 0, 0, 4, 6],
  ],
};

for (const engine of [reference, ...builds])
  describe(`NumPy's values on ${engine.name}`, () => {
    for (const [name, [expression, shape, values]] of Object.entries(expressions))
      test(name, () => {
        engine.beginStep();
        const output = expression(arrays(new Tape(engine)));
        assert.deepEqual([...output.shape], shape);
        assertClose(output.values, values, { relative: 1e-6 }, name);
      });
  });
