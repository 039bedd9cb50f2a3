import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeDataset } from '../../src/data/dataset.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { createModel } from '../../src/nn/model.ts';
import { module } from '../../src/nn/module.ts';
import { defineOp } from '../../src/tensor/define-op.ts';
import { fire, valueAndGradient } from '../../src/tensor/gradient.ts';
import { NonFiniteError } from '../../src/tensor/non-finite-error.ts';
import { add, multiply, scale } from '../../src/tensor/ops/arithmetic.ts';
import { greater, stopGradient, where } from '../../src/tensor/ops/comparison.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { gate } from '../../src/tensor/ops/gate.ts';
import { concatenate } from '../../src/tensor/ops/joining.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { sum } from '../../src/tensor/ops/reductions.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { train } from '../../src/train/train.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

const source = { key: [1, 2], step: 3, layer: 4, draw: 5 } as const;

for (const engine of [reference, ...builds])
  describe(`the tape on ${engine.name}`, () => {
    const start = (): Tape => {
      engine.beginStep();
      return new Tape(engine);
    };
    const given = (tape: Tape, values: number[], tracked = true) =>
      tape.input(engine.tensor(values), undefined, tracked);

    test('a tensor that is used several times gets the sum of its cotangents', () => {
      const tape = start();
      const x = given(tape, [1, -2, 3]);
      const total = add(multiply(multiply(x, x), x), add(x, x));
      tape.backward([{ tensor: total, cotangent: 1 }]);
      assert.deepEqual([...total.values], [3, -12, 33]);
      assert.deepEqual([...(tape.gradient(x)?.values ?? [])], [5, 14, 29]);
    });

    test('several outputs add up, each with its own cotangent', () => {
      const tape = start();
      const x = given(tape, [1, 2]);
      const [twice, thrice] = [2, 3].map((factor) => scale(x, { factor }));
      tape.backward([
        { tensor: twice, cotangent: 10 },
        { tensor: thrice, cotangent: -1 },
        { tensor: x, cotangent: 0.5 },
      ]);
      assert.deepEqual([...(tape.gradient(x)?.values ?? [])], [17.5, 17.5]);
    });

    test('what is not watched gets no gradient, nor does what nothing depends on', () => {
      const tape = start();
      const [watched, other, unused] = [
        [1, 2],
        [3, 4],
        [5, 6],
      ].map((values, i) => given(tape, values, i !== 1));
      const product = multiply(watched, other);
      add(unused, other);
      const apart = multiply(other, other);
      const total = add(product, other);
      tape.backward([
        { tensor: total, cotangent: 1 },
        { tensor: apart, cotangent: 1 },
      ]);
      assert.deepEqual([...(tape.gradient(watched)?.values ?? [])], [3, 4]);
      // Not assert.equal: its report of a difference would print the whole heap.
      assert.ok(tape.gradient(other) === undefined);
      assert.ok(tape.gradient(unused) === undefined);
    });

    /** h with other values for the pullbacks of its consumers. */
    const showing = defineOp<{ readonly shown: readonly number[] }>({
      name: 'showing',
      forward: (_engine, [x], { shown }) => ({ output: x, shown: engine.tensor(shown, x.shape) }),
      pullback: () => [null],
    });

    test("consumers' pullbacks see what is shown in place of the values; the forward pass does not", () => {
      const tape = start();
      const rows = tape.plates.examples(1);
      const row = (values: number[], tracked = false) =>
        tape.input(engine.tensor(values, [1, values.length]), rows, tracked);
      const h = showing(row([1, 0]), { shown: [0.25, 0.75] });
      const weights = tape.input(engine.tensor([2, 3, 5, 7], [2, 2]), undefined, true);
      const [factors, values] = [row([11, 13], true), row([17, 19, 23, 29], true)];
      const y = matmul(h, weights);
      const z = multiply(factors, h);
      const gated = gate(h, values, { size: 2 });
      tape.backward([y, z, gated].map((tensor) => ({ tensor, cotangent: 1 })));
      assert.deepEqual(
        [y, z, gated].map((tensor) => [...tensor.values]),
        [
          [2, 3],
          [11, 0],
          [17, 19, 0, 0],
        ],
      );
      const gradients = [weights, factors, values].map((tensor) => [...(tape.gradient(tensor)?.values ?? [])]);
      assert.deepEqual(gradients, [
        [0.25, 0.25, 0.75, 0.75],
        [0.25, 0.75],
        [0.25, 0.25, 0.75, 0.75],
      ]);
    });

    test('what is shown goes through what moves, adds or multiplies values, and ends at a product with weights', () => {
      const tape = start();
      const h = showing(tape.input(engine.tensor([1, 0], [1, 2]), tape.plates.examples(1)), { shown: [0.25, 0.75] });
      const moved = add(scale(multiply(h, h), { factor: 2 }), h);
      assert.deepEqual([...tape.shownOf(moved).values], [0.375, 1.875]);
      assert.deepEqual([...tape.shownOf(concatenate([h, moved])).values], [0.25, 0.75, 0.375, 1.875]);
      const y = matmul(moved, [[1], [1]]);
      assert.equal(tape.shownOf(y), y.array);
    });

    test('a neuron that shows its expectation shows σ(a)', () => {
      const tape = start();
      const logits = tape.input(engine.tensor([-1, 0, 2], [1, 3]), tape.plates.examples(1));
      const h = fireTensor(logits, { neuron: resolveNeuron('as-if-deterministic'), mode: 'sample', source });
      assert.ok(h.values.every((x) => x === 0 || x === 1));
      assertClose(
        tape.shownOf(h).values,
        [-1, 0, 2].map((a) => 1 / (1 + Math.exp(-a))),
        { relative: 2e-7 },
        'E[h]',
      );
    });

    test('a neuron that reads only the loss learns though no cotangent comes back to it', () => {
      const tape = start();
      const examples = tape.plates.examples(2);
      const logits = tape.input(engine.tensor([0.5, -0.5], [2, 1]), examples, true);
      const neuron = resolveNeuron('stochastic-binary:baseline=none');
      const h = fireTensor(logits, { neuron, mode: 'sample', source });
      const fired = [...h.values];
      assert.throws(() => tape.backward([]), /The neuron "stochastic-binary" reads the loss of every example/);
      tape.backward([], tape.input(engine.tensor([10, 20]), examples));
      const expected = fired.map((bit, row) => (bit - 1 / (1 + Math.exp(row === 0 ? -0.5 : 0.5))) * 10 * (row + 1));
      assertClose(tape.gradient(logits)?.values ?? [], expected, { relative: 1e-6 }, 'the gradient of the logits');
    });

    test('firing that is not sampled has no gradient, and says so', () => {
      for (const mode of ['mean-field', { threshold: 0 }] as const) {
        const tape = start();
        const logits = tape.input(engine.tensor([1, 2], [1, 2]), tape.plates.examples(1), true);
        const h = fireTensor(logits, { neuron: resolveNeuron('straight-through'), mode, source });
        assert.throws(() => tape.backward([{ tensor: h, cotangent: 1 }]), /Only sampled firing has a gradient/);
      }
    });

    test('the first operation whose output is not finite is named with its layer', () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const tape = start();
        tape.layer = 'first';
        const fine = scale(given(tape, [1, 2]), { factor: 2 });
        assert.equal(tape.firstNonFinite(), undefined);
        tape.layer = 'second';
        const broken = multiply(fine, given(tape, [1, bad]));
        tape.layer = 'third';
        add(broken, fine);
        assert.deepEqual(tape.firstNonFinite(), { op: 'multiply', layer: 'second' });
      }
      assert.equal(new NonFiniteError('x').name, 'NonFiniteError');
    });
  });

describe('a neuron that reads the slope of the loss says so where the loss depends on it and gives none', () => {
  const [engine] = builds;
  const values = { logits: [0.5, -1, 2, 0.1] };
  type Loss = (h: Tensor) => Tensor;
  const told = (neuron: string, loss: Loss) =>
    valueAndGradient(engine, ({ logits }) => loss(fire(neuron, logits)), values);
  /** A user's own, whose author forgot the way back. */
  const oneWay = defineOp({ name: 'oneWay', forward: (_engine, [x]) => ({ output: x }), pullback: () => [null] });
  const ends: readonly (readonly [what: string, end: string, Loss])[] = [
    ['a step function', 'greater', (h) => sum(greater(h, 0.3))],
    ['the choice between two numbers', 'where', (h) => sum(where(h, 2, 1))],
    ['an operation without a way back', 'oneWay', (h) => sum(oneWay(h))],
    ['a step that a neuron above reads', 'greater', (h) => sum(fire('rloo', multiply(greater(h, 0.3), 2)))],
    ['a step beside what is stopped', 'greater', (h) => sum(add(stopGradient(h), greater(h, 0.3)))],
  ];
  const neurons = Object.keys(zoo).map((name) => resolveNeuron(name));
  for (const [what, end, loss] of ends)
    test(`${what}: those with noise or losses say so; of functions of the logits the slope is 0`, () => {
      for (const { name, reads, noise } of neurons) {
        const ask = () => told(name, loss);
        // What was stopped comes first for those that read the loss too.
        const named = reads === 'both' && what.includes('stopped') ? 'stopGradient|greater' : end;
        if (reads === 'both' || (reads !== 'loss' && noise > 0))
          assert.throws(ask, {
            name: 'RangeError',
            message: new RegExp(
              `^The neuron "${name}" reads the slope of the loss at its output, .* ends at "(${named})", which has none\\. Expected`,
            ),
          });
        else if (reads !== 'loss') assert.deepEqual(ask().gradient.logits, new Float32Array(4), name);
        else assert.ok(ask().gradient.logits.every(Number.isFinite), name);
      }
    });

  test('nothing is said where a slope comes, where it is held back on purpose, and where the loss does not depend on h', () => {
    for (const neuron of ['straight-through', 'rebar'])
      for (const loss of [
        (h: Tensor) => sum(add(h, greater(h, 0.3))),
        (h: Tensor) => {
          // Beside the loss: something that is watched.
          greater(h, 0.3);
          return sum(multiply(h, h));
        },
      ])
        assert.ok(told(neuron, loss).gradient.logits.every(Number.isFinite));
    assert.deepEqual(told('straight-through', (h) => sum(stopGradient(h))).gradient.logits, new Float32Array(4));
    const { gradient } = valueAndGradient(
      engine,
      ({ logits }) => {
        greater(fire('straight-through', logits), 0.3);
        return sum(multiply(logits, logits));
      },
      values,
    );
    gradient.logits.forEach((g, i) => {
      assert.ok(Math.abs(g - 2 * values.logits[i]) < 1e-6);
    });
  });

  test('a net that trains names the layer', async () => {
    const layers = [dense(4, 'straight-through', 'bits'), module('cut', (_scope, x) => greater(x, 0.5)), dense(2)];
    const model = createModel(engine, { inputs: 2, layers });
    const rows = makeDataset({
      name: 'r',
      features: new Float32Array(8).fill(1),
      labels: Uint8Array.of(0, 1, 0, 1),
      scale: 1,
      width: 2,
      classes: 2,
    });
    const training = train(model, { train: rows, valid: rows, test: rows }, { epochs: 1 });
    await assert.rejects(
      training.next(),
      /^RangeError: The neuron "straight-through" in "bits\.?\w*" reads the slope .* ends at "greater"/,
    );
  });
});
