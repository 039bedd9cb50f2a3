import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { adam, maxNorm, type Optimizer, optimizers, resolveOptimizer, sgd } from '../../src/optim/index.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

const STEPS = 7;
const engines = [reference, ...builds];

/** The rules as their papers print them, in plain Float64: weights after every step. */
type Rule = (weights: Float64Array, gradientAt: (step: number) => Float64Array) => void;

const plainSgd =
  (rate: number, momentum: number): Rule =>
  (weights, gradientAt) => {
    const velocity = new Float64Array(weights.length);
    for (let step = 1; step <= STEPS; step++) {
      const gradient = gradientAt(step);
      for (let i = 0; i < weights.length; i++) {
        velocity[i] = momentum * velocity[i] - rate * gradient[i];
        weights[i] += velocity[i];
      }
    }
  };

const plainAdam =
  (rate: number, beta1: number, beta2: number, epsilon: number): Rule =>
  (weights, gradientAt) => {
    const first = new Float64Array(weights.length);
    const second = new Float64Array(weights.length);
    for (let step = 1; step <= STEPS; step++) {
      const gradient = gradientAt(step);
      for (let i = 0; i < weights.length; i++) {
        first[i] = beta1 * first[i] + (1 - beta1) * gradient[i];
        second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] ** 2;
        const unbiasedFirst = first[i] / (1 - beta1 ** step);
        const unbiasedSecond = second[i] / (1 - beta2 ** step);
        weights[i] -= (rate * unbiasedFirst) / (Math.sqrt(unbiasedSecond) + epsilon);
      }
    }
  };

/** Gradients of a step: some are 0, so that epsilon and the averages matter. */
const gradientOf = (size: number, step: number): Float64Array =>
  drawn((random, i) => (i % 5 === 0 ? 0 : normal(1)(random, i)), size, 40 + step);

function run(engine: Engine, optimizer: Optimizer, size: number, scale: number): Float32Array {
  const parameter = engine.parameter([size], 'a parameter');
  parameter.values.set(drawn(normal(1), size, 40));
  const slots = optimizer.init(engine, parameter);
  for (let step = 1; step <= STEPS; step++) {
    engine.beginStep();
    const gradient = engine.tensor(gradientOf(size, step));
    const context = { learningRate: optimizer.learningRate, gradientScale: scale, step };
    optimizer.update(engine, parameter, gradient, slots, context);
  }
  return parameter.toArray();
}

const CASES: [string, Optimizer, Rule, slots: number][] = [
  ['sgd', sgd({ learningRate: 0.3 }), plainSgd(0.3, 0), 0],
  ['momentum', sgd({ learningRate: 0.3, momentum: 0.9 }), plainSgd(0.3, 0.9), 1],
  ['adam', adam(), plainAdam(0.001, 0.9, 0.999, 1e-8), 2],
  [
    'adam with its own settings',
    adam({ learningRate: 0.05, beta1: 0.7, beta2: 0.95, epsilon: 0.01 }),
    plainAdam(0.05, 0.7, 0.95, 0.01),
    2,
  ],
];

for (const [name, optimizer, rule, slots] of CASES)
  describe(name, () => {
    test(`takes ${STEPS} steps as the formula does, on every engine`, () => {
      for (const engine of engines)
        for (const size of [1, 6, 64, 1001]) {
          const weights = drawn(normal(1), size, 40);
          const scale = 0.02;
          rule(weights, (step) => gradientOf(size, step).map((g) => Math.fround(g) * scale));
          const actual = run(engine, optimizer, size, scale);
          assertClose(actual, weights, { relative: 2e-6, absolute: 2e-6 }, `${engine.name}, ${size}`);
          const before = drawn(normal(1), size, 40);
          assert.ok(size === 1 || actual.some((w, i) => w !== before[i]), 'nothing moved');
        }
    });

    test('keeps zeroed arrays of the parameter’s shape, and says what it is', () => {
      const kept = optimizer.init(reference, reference.parameter([3, 2], 'a parameter'));
      assert.equal(kept.length, slots);
      for (const slot of kept) assert.deepEqual([...slot.shape, ...slot.values], [3, 2, 0, 0, 0, 0, 0, 0]);
      assert.equal(optimizer.options.learningRate, optimizer.learningRate);
      assert.match(optimizer.source, /\d{4}/);
    });
  });

test('max-norm scales only the columns that are over the limit, onto it', () => {
  for (const engine of engines)
    for (const [rows, columns] of [
      [3, 1],
      [5, 4],
      [4, 19],
      [40, 33],
    ] as const) {
      const before = drawn((random, i) => random.normal() * (i % columns < 2 ? 0.1 : 2), rows * columns, 50);
      const weights = engine.parameter([rows, columns], 'weights');
      weights.values.set(before);
      maxNorm(engine, weights, 1.5);
      const norms = Array.from({ length: columns }, (_, c) =>
        Math.hypot(...before.filter((_, i) => i % columns === c)),
      );
      const expected = before.map((w, i) => w * Math.min(1, 1.5 / norms[i % columns]));
      assertClose(weights.toArray(), expected, { relative: 1e-6, absolute: 1e-7 }, `${engine.name} ${rows}×${columns}`);
      const untouched = before.filter((_, i) => norms[i % columns] < 1.5);
      assert.deepEqual([...weights.toArray().filter((_, i) => norms[i % columns] < 1.5)], [...untouched]);
      assert.ok(columns === 1 || norms.some((norm) => norm > 1.5));
    }
});

test('max-norm of weights stored block by block is that of the same columns', () => {
  for (const engine of engines)
    for (const [blocks, inputs, units] of [
      [1, 5, 4],
      [3, 4, 1],
      [4, 7, 3],
      [2, 40, 33],
    ] as const) {
      const before = drawn((random, i) => random.normal() * (i % units < 1 ? 0.1 : 2), blocks * inputs * units, 52);
      const weights = engine.parameter([blocks, inputs, units], 'weights');
      weights.values.set(before);
      maxNorm(engine, weights, 1.5);
      for (let k = 0, at = 0; k < blocks; k++, at += inputs * units) {
        const block = engine.parameter([inputs, units], 'weights');
        block.values.set(before.subarray(at, at + inputs * units));
        maxNorm(engine, block, 1.5);
        assert.deepEqual([...weights.values.slice(at, at + inputs * units)], [...block.values]);
      }
    }
});

test('settings out of bounds and unknown names are refused', () => {
  assert.deepEqual(
    Object.keys(optimizers).map((name) => resolveOptimizer(name).name),
    Object.keys(optimizers),
  );
  assert.equal(resolveOptimizer('sgd', { learningRate: 0.2, momentum: 0.5 }).options.momentum, 0.5);
  const refusals: [() => unknown, RegExp][] = [
    [() => sgd({ learningRate: -0.1 }), /sgd: `learningRate` is -0\.1\. Expected a number from 0 to below Infinity/],
    [() => sgd({ learningRate: Number.NaN }), /`learningRate` is NaN/],
    [() => sgd({ momentum: 1 }), /`momentum` is 1\. Expected a number from 0 to below 1/],
    [() => adam({ beta1: 1 }), /`beta1`/],
    [() => adam({ beta2: -0.1 }), /`beta2`/],
    [() => adam({ epsilon: Number.POSITIVE_INFINITY }), /`epsilon`/],
    [() => resolveOptimizer('adm'), /no optimizer "adm". Did you mean "adam"\? Known: sgd, adam/],
    [() => resolveOptimizer('toString'), /no optimizer "toString"/],
    [() => resolveOptimizer('sgd', { momentm: 0.9 }), /sgd has no option "momentm". Did you mean "momentum"/],
  ];
  for (const [act, message] of refusals) assert.throws(act, { name: 'RangeError', message });
});
