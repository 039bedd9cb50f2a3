import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import { type PenaltyName, penalties, resolveSparsity } from '../../src/gates/index.ts';
import type { SparsityPenalty } from '../../src/gates/penalty.ts';
import { sigmoid } from '../../src/math/special.ts';
import { randomStream } from '../../src/random/stream.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose, drawn } from '../helpers/numbers.ts';

/** Three examples, two gates; the means of the gates are 0.4 and 0.6, those of the examples 0.35, 0.5 and 0.65. */
const EXAMPLE = Float64Array.of(0.2, 0.5, 0.3, 0.7, 0.7, 0.6);
const TARGET = 0.1;

/** Each formula of SCIENCE.md, written out for the example. */
const BY_HAND: Record<PenaltyName, number> = {
  kl: -(0.1 * Math.log(0.4) + 0.9 * Math.log(0.6)) - (0.1 * Math.log(0.6) + 0.9 * Math.log(0.4)),
  'kl-opening': -(0.1 * Math.log(0.4) + 0.9 * Math.log(0.6)) - (0.1 * Math.log(0.6) + 0.9 * Math.log(0.4)),
  l1: (0.2 + 0.5 + 0.3 + 0.7 + 0.7 + 0.6) / 3,
  'batch-rate': 0.3 + 0.5,
  'example-rate': (0.25 + 0.4 + 0.55) / 3,
  variance: -(0.2 ** 2 + 0.1 ** 2 + 0.3 ** 2) / 3 - (0.1 ** 2 + 0.1 ** 2 + 0) / 3,
  'expected-l0': 0.4 + 0.6,
  // One block costs three times the other: the share of the multiply-adds is (3·0.4 + 1·0.6)/4 = 0.45.
  'expected-flops': 0.45 - 0.1,
  // The sums are 1.2 and 1.8: mean 1.5, standard deviation 0.3.
  importance: (0.3 / 1.5) ** 2,
  load: (0.3 / 1.5) ** 2,
  // Of five openings, three are the second gate's.
  switch: 2 * [-0.3, -0.4, 0.1].reduce((sum, a) => sum + (0.4 * sigmoid(a) + 0.6 * sigmoid(-a)) / 3, 0),
};
const COSTS = [3, 1];
const OUTPUTS = Float64Array.of(0.4, 0.6, 0, 1, 1, 1e-30);

function evaluate(penalty: SparsityPenalty, values: Float64Array, rows: number, target = TARGET) {
  const gradient = new Float64Array(values.length).fill(Number.NaN);
  const outputs = values.map((_, i) => OUTPUTS[i % OUTPUTS.length]);
  const units = values.length / rows;
  const seen = { outputs, costs: Array.from({ length: units }, (_, j) => COSTS[j % 2]) };
  return { value: penalty.evaluate(values, rows, units, target, gradient, seen), gradient };
}

for (const [name, penalty] of Object.entries(penalties))
  describe(name, () => {
    test('stands in the registry under its own name, with a source and a formula', () => {
      assert.equal(penalty.name, name);
      assert.match(penalty.source, /\w{5,}.* 20\d\d/);
      assert.ok(penalty.summary.length > 20 && penalty.defaultWeight(10) > 0);
    });

    test('has the value of its formula on three examples of two gates', () => {
      const { value } = evaluate(penalty, EXAMPLE, 3);
      assert.ok(Math.abs(value - BY_HAND[name as PenaltyName]) < 1e-12, `${value}`);
    });

    test('has the gradient of central differences, on batches of every shape', () => {
      const random = randomStream(3, 5);
      for (const [rows, units] of [
        [1, 1],
        [1, 4],
        [5, 1],
        [7, 6],
      ] as const)
        for (const target of [0.1, 0.45]) {
          const values = Float64Array.from({ length: rows * units }, () => 0.02 + 0.96 * random.uniform());
          const { gradient } = evaluate(penalty, values, rows, target);
          const numeric = values.map((x, at) =>
            derivative((moved) => evaluate(penalty, values.with(at, moved), rows, target).value, x, 1e-4),
          );
          assertClose(gradient, numeric, { absolute: 1e-8, relative: 1e-8 }, `${rows}×${units}`);
        }
    });

    test('is the same by kernels, on every engine', () => {
      for (const engine of [reference, ...builds])
        for (const [rows, units] of [
          [1, 1],
          [3, 2],
          [7, 6],
          [150, 130],
        ] as const) {
          if (!penalty.run) continue;
          const numbers = drawn((random) => 0.02 + 0.96 * random.uniform(), rows * units, 61);
          const expected = evaluate(penalty, numbers, rows);
          engine.beginStep();
          const place = (values: Float64Array) => engine.tensor(values, [rows, units]);
          const gradient = place(new Float64Array(rows * units).fill(Number.NaN));
          const outputs = place(numbers.map((_, i) => OUTPUTS[i % OUTPUTS.length]));
          const costs = Array.from({ length: units }, (_, j) => COSTS[j % 2]);
          const value = penalty.run(engine, place(numbers), TARGET, gradient, { outputs, costs });
          const tolerance = { relative: 1e-5, absolute: 1e-6 };
          assertClose([value], [expected.value], tolerance, `value of ${rows}×${units} on ${engine.name}`);
          // A slope is a difference of numbers of the size 1/mean.
          assertClose(
            gradient.toArray(),
            expected.gradient,
            { relative: 1e-5, absolute: 3e-6 / rows },
            `${rows}×${units}`,
          );
        }
    });

    test('is a mean over the examples: the same batch twice has the same value and half the gradient', () => {
      const once = evaluate(penalty, EXAMPLE, 3);
      const twice = evaluate(penalty, Float64Array.of(...EXAMPLE, ...EXAMPLE), 6);
      assert.ok(Math.abs(once.value - twice.value) < 1e-12);
      assertClose(
        twice.gradient,
        [...once.gradient, ...once.gradient].map((g) => g / 2),
        { absolute: 1e-12 },
        'half',
      );
    });

    test('stays finite for gates at 0 and 1', () => {
      for (const values of [Float64Array.of(0, 1, 0, 1), new Float64Array(4), new Float64Array(4).fill(1)]) {
        const { value, gradient } = evaluate(penalty, values, 2);
        assert.ok(Number.isFinite(value) && gradient.every(Number.isFinite), `${value} ${gradient}`);
      }
    });
  });

test('penalties on a rate are least at the target', () => {
  for (const name of ['kl', 'kl-opening', 'batch-rate', 'example-rate', 'expected-flops'] as const) {
    const at = (p: number): number => evaluate(penalties[name], new Float64Array(6).fill(p), 2).value;
    for (let p = 0.01; p < 1; p += 0.01) assert.ok(at(p) >= at(TARGET) - 1e-12, `${name} at ${p}`);
    assert.ok(at(0.3) > at(TARGET) + 1e-3);
  }
});

test('the variance penalty is least when gates differ most, and 0 when they do not differ', () => {
  assert.ok(Math.abs(evaluate(penalties.variance, Float64Array.of(0.3, 0.3), 2).value) < 1e-15);
  assert.equal(evaluate(penalties.variance, Float64Array.of(0, 1), 2).value, -0.25);
});

test('the weight of l1 follows the open share: up over s + 0.01, down under s − 0.01, within [1e-13, 1]', () => {
  const adapt = penalties.l1.adapt as NonNullable<SparsityPenalty['adapt']>;
  assert.equal(adapt(0.5, 0.2, 0.1), 0.55);
  assert.equal(adapt(0.5, 0.05, 0.1), 0.45);
  for (const share of [0.0901, 0.1, 0.1099]) assert.equal(adapt(0.5, share, 0.1), 0.5);
  assert.equal(adapt(0.5, 0.1101, 0.1), 0.55);
  assert.equal(adapt(0.5, 0.0899, 0.1), 0.45);
  assert.equal(adapt(0.99, 0.5, 0.1), 1);
  assert.equal(adapt(1.05e-13, 0, 0.1), 1e-13);
  assert.equal(penalties.l1.defaultWeight(10), 1e-5);
  const adaptive = Object.values<SparsityPenalty>(penalties).filter((penalty) => penalty.adapt);
  assert.deepEqual(
    adaptive.map(({ name }) => name),
    ['l1', 'expected-l0'],
  );
});

test('penalties are asked for by name, with weights, together, or not at all', () => {
  const asked = (spec: Parameters<typeof resolveSparsity>[0]) =>
    resolveSparsity(spec, 10).map(({ penalty, weight }) => [penalty.name, weight]);
  assert.deepEqual(asked('none'), []);
  assert.deepEqual(asked('kl'), [['kl', penalties.kl.defaultWeight(10)]]);
  assert.deepEqual(asked('kl=0.5+example-rate=2'), [
    ['kl', 0.5],
    ['example-rate', 2],
  ]);
  assert.deepEqual(asked({ l1: 0, variance: 3 }), [
    ['l1', 0],
    ['variance', 3],
  ]);
  assert.throws(() => asked('kll'), {
    name: 'RangeError',
    message: /no sparsity penalty "kll". Did you mean "kl"\?.*none/,
  });
  assert.throws(() => asked('kl+'), /no sparsity penalty ""/);
  assert.throws(() => asked('toString'), /no sparsity penalty "toString"/);
  for (const weight of ['-1', 'x', 'Infinity'])
    assert.throws(() => asked(`kl=${weight}`), { name: 'RangeError', message: /weight of the penalty "kl" is/ });
});

/** One-hot rows: which gate every example takes. */
const choosing = (units: number, gates: readonly number[]): Float64Array =>
  Float64Array.from({ length: gates.length * units }, (_, i) => (gates[Math.floor(i / units)] === i % units ? 1 : 0));

describe('balance is over the examples of the minibatch', () => {
  const each = [0, 1, 2, 3, 3, 2, 1, 0];
  const one = each.map(() => 2);

  test('importance and load: 0 when every gate takes as many examples, though each example takes one; N − 1 at collapse', () => {
    for (const { evaluate } of [penalties.importance, penalties.load]) {
      const of = (values: Float64Array): number =>
        evaluate(values, 8, 4, 0.25, new Float64Array(32), { outputs: values });
      assert.ok(Math.abs(of(choosing(4, each))) < 1e-15);
      assert.ok(Math.abs(of(choosing(4, one)) - 3) < 1e-12);
      // Within an example gates may differ as they like, so long as the sums over examples agree.
      assert.ok(Math.abs(of(new Float64Array(32).fill(0.3))) < 1e-15);
    }
  });

  test('switch: 1 when balanced, N at collapse, for one and for two gates an example', () => {
    const of = (outputs: Float64Array): number =>
      penalties.switch.evaluate(
        outputs.map((h) => 40 * h),
        8,
        4,
        0.25,
        new Float64Array(32),
        { outputs },
      );
    assert.ok(Math.abs(of(choosing(4, each)) - 1) < 1e-9);
    assert.ok(Math.abs(of(choosing(4, one)) - 4) < 1e-9);
    const pairs = choosing(4, each).map(
      (h, i) =>
        h +
        choosing(
          4,
          each.map((gate) => (gate + 1) % 4),
        )[i],
    );
    assert.ok(Math.abs(of(pairs) - 1) < 1e-9);
    assert.ok(
      Math.abs(
        of(
          choosing(4, one).map(
            (h, i) =>
              h +
              choosing(
                4,
                each.map(() => 1),
              )[i],
          ),
        ) - 2,
      ) < 1e-9,
    );
  });

  test('a closed minibatch is no division by 0', () => {
    for (const name of ['importance', 'load', 'switch'] as const) {
      const gradient = new Float64Array(4).fill(Number.NaN);
      const outputs = new Float64Array(4);
      assert.equal(penalties[name].evaluate(outputs, 2, 2, 0.1, gradient, { outputs }), 0);
      assert.deepEqual([...gradient], [0, 0, 0, 0]);
    }
  });
});

test('expected-flops: with equal blocks it is |mean rate − target|; a dearer block is pulled harder', () => {
  const gradient = new Float64Array(6);
  const value = penalties['expected-flops'].evaluate(EXAMPLE, 3, 2, 0.1, gradient, { outputs: EXAMPLE });
  assert.ok(Math.abs(value - 0.4) < 1e-15);
  assert.ok(gradient.every((g) => Math.abs(g - 1 / 6) < 1e-15));
  penalties['expected-flops'].evaluate(EXAMPLE, 3, 2, 0.1, gradient, { outputs: EXAMPLE, costs: [3, 1] });
  assertClose(gradient, [1 / 4, 1 / 12, 1 / 4, 1 / 12, 1 / 4, 1 / 12], { absolute: 1e-15 }, 'by cost');
});
