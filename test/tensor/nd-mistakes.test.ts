/** What the operations of flipgrad/tensor refuse, in a sentence, and what they do at kinks and at the ends of Float32. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as t from '../../src/tensor/index.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

function zeros(tape: Tape, ...shape: number[]): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return t.reshape(tape.constant(new Float32Array(size)), shape);
}

/** What is done, and what is said. */
const mistakes: readonly [(tape: Tape) => unknown, string][] = [
  [
    (tape) => t.add(zeros(tape, 2, 3), zeros(tape, 4)),
    'add: the shapes [2, 3] and [4] do not broadcast. Expected extents that are equal, or 1, counted from the last.',
  ],
  [
    // A row's shape is told, not that of all rows.
    (tape) => t.multiply(t.asExamples(zeros(tape, 7, 2, 3)), zeros(tape, 7, 3)),
    'multiply: the shapes [2, 3] and [7, 3] do not broadcast. Expected extents that are equal, or 1, counted from the last.',
  ],
  [
    (tape) => t.where(zeros(tape, 2), zeros(tape, 3), zeros(tape, 1)),
    'where: the shapes [2], [3] and [1] do not broadcast. Expected extents that are equal, or 1, counted from the last.',
  ],
  [(tape) => t.sum(zeros(tape, 2, 3), 2), 'sum: axis 2 of a shape of [2, 3]. Expected a whole number from -2 to 1.'],
  [
    (tape) => t.sum(t.asExamples(zeros(tape, 2)), 0),
    'sum: axis 0 of a shape of []. Expected no axis: a single number has none.',
  ],
  [(tape) => t.mean(zeros(tape, 2, 3), [1, -1]), 'mean: the axes [1, 1] name one twice. Expected each once.'],
  [
    (tape) => t.max(zeros(tape, 2, 0), 1),
    'max: an axis has no elements, and nothing is the largest of none. Expected at least one.',
  ],
  [(tape) => t.softmax(zeros(tape, 2), 1), 'softmax: axis 1 of a shape of [2]. Expected a whole number from -1 to 0.'],
  [
    (tape) => t.reshape(zeros(tape, 2, 3), [4, -1]),
    'reshape: [2, 3] does not become [4, -1]. Expected a shape of 6 elements, with at most one extent of −1.',
  ],
  [
    (tape) => t.reshape(zeros(tape, 2, 3), [-1, -1, 6]),
    'reshape: [2, 3] does not become [-1, -1, 6]. Expected a shape of 6 elements, with at most one extent of −1.',
  ],
  [
    (tape) => t.reshape(zeros(tape, 0, 3), [0, -1]),
    'reshape: [0, 3] does not become [0, -1]. Expected a shape of 0 elements, with at most one extent of −1.',
  ],
  [
    (tape) => t.transpose(zeros(tape, 2, 3), [0, 0]),
    'transpose: the order [0, 0] for a shape of [2, 3]. Expected each of its 2 axes once.',
  ],
  [
    (tape) => t.expandDims(zeros(tape, 2), 3),
    'expandDims: axis 3 of a shape of [2, 1]. Expected a whole number from -2 to 1.',
  ],
  [(tape) => t.squeeze(zeros(tape, 1, 3), 1), 'squeeze: axis 1 of [1, 3] has 3 elements. Expected 1.'],
  [
    (tape) => t.broadcastTo(zeros(tape, 3), [3, 2]),
    'broadcastTo: the shapes [3] and [3, 2] do not broadcast. Expected extents that are equal, or 1, counted from the last.',
  ],
  [
    (tape) => t.broadcastTo(zeros(tape, 3), [1]),
    'broadcastTo: [3] does not become [1]. Expected extents that are equal, or 1 in the tensor.',
  ],
  [
    (tape) => t.slice(zeros(tape, 3), [0, 1]),
    'slice: starts [0, 1] and ends [] for a shape of [3]. Expected at most 1 whole numbers each.',
  ],
  [
    (tape) => t.slice(zeros(tape, 3), [0.5]),
    'slice: starts [0.5] and ends [] for a shape of [3]. Expected at most 1 whole numbers each.',
  ],
  [
    (tape) => t.concatenate([zeros(tape, 2, 3), zeros(tape, 2, 4)]),
    'concatenate: the shapes [2, 3] and [2, 4] do not fit along axis 0. Expected shapes that differ there alone.',
  ],
  [() => t.concatenate([[1], [2]]), 'concatenate: 2 operands, none of them a tensor. Expected one tensor or more.'],
  [(tape) => t.stack([zeros(tape, 2), zeros(tape, 3)]), 'stack: the shapes [2] and [3] differ. Expected one shape.'],
  [
    (tape) => t.gather(zeros(tape, 4, 2), [0, 4]),
    'gather: index 4 at 1 is not one of 4 rows. Expected whole numbers from 0 up: plain numbers, or a tensor that `wholeNumbers` makes.',
  ],
  [
    (tape) => t.gather(t.asExamples(zeros(tape, 4, 2)), [0]),
    'gather: the table has one value a row of the plate. Expected a table that all rows share, of shape [rows, …].',
  ],
  [(tape) => t.gather(zeros(tape, 4), [1.5]), 'wholeNumbers: 1.5 at 0. Expected whole numbers within 32 bits.'],
  [
    (tape) => t.scatterAdd(zeros(tape, 2, 3), [0, 1, 0], 2),
    'scatterAdd: values of the shape [2, 3] do not fit indices of [3]. Expected the extents of the indices first.',
  ],
  [
    (tape) => t.scatterAdd(zeros(tape, 2), [0, -1], 2),
    'scatterAdd: index -1 at 1 is not one of 2 rows. Expected whole numbers from 0 up: plain numbers, or a tensor that `wholeNumbers` makes.',
  ],
  [
    (tape) => t.matmul(zeros(tape, 2, 3), zeros(tape, 4, 5)),
    'matmul: the shapes [2, 3] and [4, 5] do not fit. Expected one axis or more each, and as many columns of the first as rows of the second.',
  ],
  [
    (tape) => t.matmul(zeros(tape, 3), zeros(tape, 5, 4), undefined, { transposeB: true }),
    'matmul: the shapes [3] and [5, 4] (transposed) do not fit. Expected one axis or more each, and as many columns of the first as rows of the second.',
  ],
  [
    (tape) => t.matmul(zeros(tape, 2, 3), 4),
    'matmul: the shapes [2, 3] and [] do not fit. Expected one axis or more each, and as many columns of the first as rows of the second.',
  ],
  [
    (tape) => t.matmul(zeros(tape, 2, 1, 3), zeros(tape, 3, 3, 1)),
    'matmul: the shapes [2] and [3] do not broadcast. Expected extents that are equal, or 1, counted from the last.',
  ],
  [
    (tape) => t.matmul(zeros(tape, 2, 3), zeros(tape, 3, 4), zeros(tape, 3)),
    'matmul: the bias has 3 elements, the product has 4 columns.',
  ],
  [
    (tape) => t.squaredError(zeros(tape, 3, 1), zeros(tape, 3)),
    'squaredError: predictions of the shape [3, 1] and targets of [3] differ. Expected one shape: nothing is repeated in a loss.',
  ],
  [(tape) => t.huber(zeros(tape, 3), [1, 2, 3], { delta: 0 }), 'huber: delta is 0. Expected a number above 0.'],
  [
    (tape) => t.softmaxCrossEntropy(zeros(tape, 2, 3), [0, 1, 2]),
    'softmaxCrossEntropy: labels of the shape [3] do not fit logits of [2, 3]. Expected one label for every position before the last axis.',
  ],
  [
    (tape) => t.softmaxCrossEntropy(zeros(tape, 2, 3), [0, 3]),
    'softmaxCrossEntropy: label 3 of row 1 is not one of 3 classes.',
  ],
  [
    (tape) => t.clip(zeros(tape, 2), 1, Number.NaN),
    'clip: the bounds are 1 and NaN. Expected two numbers, the lower first, and not NaN; −Infinity or Infinity leaves a side without a bound.',
  ],
  [
    (tape) => t.clip(zeros(tape, 2), null as never, 2),
    'clip: the bounds are null and 2. Expected two numbers, the lower first, and not NaN; −Infinity or Infinity leaves a side without a bound.',
  ],
  [
    (tape) => t.crossEntropy(zeros(tape, 2, 3), [0, 1, 0]),
    'crossEntropy: predictions of the shape [2, 3] and targets of [3] differ. Expected one shape: nothing is repeated in a loss.',
  ],
  [
    (tape) => t.scatterAdd(zeros(tape, 2), [0, 0], 1.5),
    'scatterAdd: `rows` is 1.5. Expected a whole number from 0 up.',
  ],
  [
    (tape) => t.broadcastTo(zeros(tape, 3), [1.5, 3]),
    'broadcastTo: the shape is [1.5, 3]. Expected whole numbers from 0 up.',
  ],
  [(tape) => t.reshape(zeros(tape, 3), 3 as never), 'reshape: the shape is 3. Expected a list.'],
  [(tape) => t.slice(zeros(tape, 3), 1 as never), 'slice: where it starts is 1. Expected a list.'],
  [(tape) => t.sum(zeros(tape, 3), '0' as never), 'sum: what names the axes is "0". Expected a list.'],
  ...(
    [
      [['a'], '"a"'],
      [[true], 'true'],
      [[1, undefined], 'undefined'],
      // An array with a hole.
      [Object.assign([1], { 2: 3 }), 'undefined'],
      [[2n], 'the bigint 2'],
      [new BigInt64Array(2), 'the bigint 0'],
      [new Set([1]), 'an object'],
      [null, 'null'],
    ] as [unknown, string][]
  ).map(([numbers, told]): [(tape: Tape) => unknown, string] => [
    (tape) => t.add(zeros(tape, 2), tape.constant(numbers as never)),
    `Nested numbers hold ${told}. Expected numbers, or lists of them as deep as they have dimensions.`,
  ]),
  [
    (tape) => tape.constant([1, [2]] as never),
    'Nested numbers have the shape [] at 0 and [1] at 1. Expected one shape.',
  ],
  ...(
    [
      ['add', (x, labels) => t.add(x, labels)],
      ['matmul', (x, labels) => t.matmul(x, labels)],
      ['concatenate', (x, labels) => t.concatenate([x, labels])],
      // What moves whole numbers gives whole numbers.
      ['multiply', (x, labels) => t.multiply(x, t.slice(t.concatenate([labels, t.transpose(labels)]), [1], [3]))],
    ] as [string, (x: Tensor, labels: Tensor) => Tensor][]
  ).map(([name, act]): [(tape: Tape) => unknown, string] => [
    (tape) => act(zeros(tape, 2), t.wholeNumbers(tape, [3, 4])),
    `${name}: operand 1 holds whole numbers, which are indices and labels. Expected floats; plain numbers are floats.`,
  ]),
];

for (const engine of [reference, builds[0]])
  describe(`refused in a sentence on ${engine.name}`, () => {
    for (const [act, message] of mistakes)
      test(message, () => {
        engine.beginStep();
        const tape = new Tape(engine);
        assert.throws(() => act(tape), { name: 'RangeError', message });
      });

    test('a float tensor in the place of indices', () => {
      engine.beginStep();
      const tape = new Tape(engine);
      // The reference engine keeps whole numbers as floats: there only broken ones show.
      const indices = tape.constant(engine === reference ? [0.5] : [1]);
      assert.throws(() => t.gather(zeros(tape, 4, 2), indices), /^RangeError: gather: index .* is not one of 4 rows\./);
    });
  });

describe('a function under `gradient` that gives no tensor of its own', () => {
  const values = { x: [1, 2] };
  const refused = (fn: (values: { x: Tensor }) => unknown, message: string) =>
    assert.throws(() => t.gradient(reference, fn as never, values), { name: 'RangeError', message });

  test('a number, nothing, or a promise', () => {
    refused(() => 3, 'The function gives 3. Expected a tensor, and no promise of one.');
    refused(() => undefined, 'The function gives undefined. Expected a tensor, and no promise of one.');
    refused(async ({ x }) => t.sum(x), 'The function gives a promise. Expected a tensor, and no promise of one.');
    assert.throws(() => t.checkGradient((() => 3) as never, [1]), {
      name: 'RangeError',
      message: 'The function gives 3. Expected a tensor, and no promise of one.',
    });
  });

  test('a tensor of another call, which would have no gradient', () => {
    let kept: Tensor | undefined;
    const fn = ({ x }: { x: Tensor }) => (kept ??= t.sum(x));
    t.gradient(reference, fn, values);
    refused(
      fn,
      'The function gives a tensor of another pass, whose memory is used again. Expected one that is computed in this pass.',
    );
    // Its memory holds other numbers by now.
    assert.throws(() => kept?.values, /^RangeError: `values`: the step of its tensors is over/);
  });

  test('options that are none', () => {
    const options = { step: 1.5 };
    assert.throws(
      () => t.gradient(reference, ({ x }) => t.sum(x), values, options),
      /`step` is 1.5\. Expected a whole/,
    );
    const states = { states: {} as t.FiringStates };
    assert.throws(() => t.gradient(reference, ({ x }) => t.sum(x), values, states), /`states` is an object\. Expected/);
  });
});

/** The gradient of a function's sum at one array. */
function gradientAt(engine: (typeof builds)[number], values: readonly number[], fn: (x: Tensor) => Tensor): number[] {
  engine.beginStep();
  const tape = new Tape(engine);
  const x = engine.tensor(values);
  tape.watch([x]);
  tape.backward([{ tensor: fn(tape.parameter(x)), cotangent: 1 }]);
  return [...(tape.gradient(x)?.values ?? [])];
}

for (const engine of [reference, ...builds])
  describe(`kinks and ends on ${engine.name}`, () => {
    const evaluate = (values: readonly number[], fn: (x: Tensor) => Tensor): number[] => {
      engine.beginStep();
      return [...fn(new Tape(engine).constant(values)).values];
    };

    test('ties share the gradient', () => {
      assert.deepEqual(
        gradientAt(engine, [1, 2, 3], (x) => t.maximum(x, 2)),
        [0, 0.5, 1],
      );
      assert.deepEqual(
        gradientAt(engine, [1, 2, 3], (x) => t.minimum(2, x)),
        [1, 0.5, 0],
      );
      assert.deepEqual(
        gradientAt(engine, [5, 1, 5, 5, 0], (x) => t.scale(t.max(x), { factor: 3 })),
        [1, 0, 1, 1, 0],
      );
    });

    test('clip has slope 1 at its bounds, |x| 0 at 0', () => {
      assert.deepEqual(
        gradientAt(engine, [-2, -1, 0, 1, 2], (x) => t.clip(x, -1, 1)),
        [0, 1, 1, 1, 0],
      );
      assert.deepEqual(gradientAt(engine, [-2, 0, 2], t.abs), [-1, 0, 1]);
    });

    test('the gradients of a power are finite at 0', () => {
      assert.deepEqual(
        gradientAt(engine, [0, 0, 2], (x) => t.power(x, [2, 1, 3])),
        [0, 1, 12],
      );
      assert.deepEqual(
        gradientAt(engine, [0, 3], (x) => t.power(x, 0)),
        [0, 0],
      );
      assert.deepEqual(
        gradientAt(engine, [2, 0], (b) => t.power(0, b)),
        [0, 0],
      );
    });

    test('powers as in NumPy: whole exponents of negative numbers, NaN for broken ones', () => {
      assert.deepEqual(
        evaluate([-2, -2, -2, 0, 0], (x) => t.power(x, [3, 2, -1, 0, 2])),
        [-8, 4, -0.5, 1, 0],
      );
      assert.deepEqual(
        evaluate([-2], (x) => t.power(x, 0.5)),
        [Number.NaN],
      );
    });

    test('NaN stays NaN in maximum, minimum, max and sums', () => {
      const values = [1, Number.NaN, 3];
      for (const fn of [t.max, t.sum, t.mean, t.logSumExp]) assert.deepEqual(evaluate(values, fn), [Number.NaN]);
      assert.deepEqual(
        evaluate(values, (x) => t.maximum(x, 2)),
        [2, Number.NaN, 3],
      );
      assert.deepEqual(
        evaluate(values, (x) => t.minimum(x, 2)),
        [1, Number.NaN, 2],
      );
    });

    test('log-sum-exp and softmax do not overflow, and take −∞ for what is masked', () => {
      const none = Number.NEGATIVE_INFINITY;
      const close = (fn: (x: Tensor) => Tensor, values: readonly number[], expected: readonly number[]) =>
        assertClose(evaluate(values, fn), expected, { relative: 1e-6 }, 'values');
      close(t.logSumExp, [1000, 1000], [1000 + Math.LN2]);
      close(t.logSumExp, [none, none], [none]);
      close(t.logSumExp, [none, 1], [1]);
      close(t.logSumExp, [], [none]);
      close(t.softmax, [1000, none, 1000], [0.5, 0, 0.5]);
      close(t.logSoftmax, [-1000, none, -1000], [-Math.LN2, none, -Math.LN2]);
    });

    test('a class of −∞ is masked in a cross-entropy, and never the label', () => {
      const none = Number.NEGATIVE_INFINITY;
      const loss = (label: number) => (x: Tensor) => t.softmaxCrossEntropy(x, label);
      assertClose(evaluate([1, none, 2], loss(0)), [1 + Math.log1p(Math.exp(-1))], { relative: 1e-6 }, 'loss');
      assert.deepEqual(evaluate([1, none, 2], loss(1)), [Number.POSITIVE_INFINITY]);
      const slopes = gradientAt(engine, [1, none, 2], loss(2));
      assert.equal(slopes[1], 0);
      assertClose([slopes[0], slopes[2]], [1 / (1 + Math.E), -1 / (1 + Math.E)], { relative: 1e-6 }, 'slopes');
      for (const broken of [
        [none, none],
        [Number.POSITIVE_INFINITY, 1],
        [Number.NaN, 1],
      ])
        assert.deepEqual(evaluate(broken, loss(1)), [Number.NaN]);
    });

    test('the sum of a hundred thousand tenths', () => {
      const values = new Array(100_000).fill(Math.fround(0.1));
      assertClose(evaluate(values, t.sum), [100_000 * Math.fround(0.1)], { relative: 1e-6 }, 'sum');
    });

    test('whole numbers stay what they are wherever they are moved', () => {
      engine.beginStep();
      const tape = new Tape(engine);
      // 2³¹ − 1 and −2³¹ are no Float32 numbers; as bits, the first is a NaN.
      const x = t.wholeNumbers(tape, [
        [2 ** 31 - 1, 2, 3],
        [4, -(2 ** 31) + 1, 6],
      ]);
      const rows = t.asExamples(t.stopGradient(t.transpose(x)));
      const moved = t.concatenate([t.slice(rows, [0], [1]), t.stack([t.reshape(t.slice(rows, [1]), [])])]);
      assert.deepEqual([...moved.array.integers], [2 ** 31 - 1, 4, 2, -(2 ** 31) + 1, 3, 6]);
    });

    test('an embedding that two rows of a plate read is moved by both', () => {
      engine.beginStep();
      const tape = new Tape(engine);
      const table = engine.tensor([1, 2, 3, 4, 5, 6], [3, 2]);
      tape.watch([table]);
      const words = t.asExamples(
        t.wholeNumbers(tape, [
          [2, 0],
          [2, 2],
        ]),
      );
      const read = t.gather(tape.parameter(table), words);
      assert.deepEqual([read.rows, ...read.shape], [2, 2, 2]);
      assert.deepEqual([...read.values], [5, 6, 1, 2, 5, 6, 5, 6]);
      tape.backward([{ tensor: read, cotangent: 1 }]);
      assert.deepEqual([...(tape.gradient(table)?.values ?? [])], [1, 1, 0, 0, 3, 3]);
    });
  });
