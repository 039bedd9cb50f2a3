import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { NonFiniteError, Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

const source = { key: [1, 2], step: 3, layer: 4, draw: 5 } as const;

for (const engine of [reference, ...builds])
  describe(`the tape on ${engine.name}`, () => {
    const start = (): Tape => {
      engine.beginStep();
      return new Tape(engine);
    };

    test('a tensor that is used several times gets the sum of its cotangents', () => {
      const tape = start();
      const x = engine.tensor([1, -2, 3]);
      tape.watch([x]);
      const square = tape.apply('multiply', [x, x], {});
      const cubed = tape.apply('multiply', [square, x], {});
      const total = tape.apply('add', [cubed, tape.apply('add', [x, x], {})], {});
      tape.backward([{ tensor: total, cotangent: 1 }]);
      assert.deepEqual([...total.values], [3, -12, 33]);
      assert.deepEqual([...(tape.gradient(x)?.values ?? [])], [5, 14, 29]);
    });

    test('several outputs add up, each with its own cotangent', () => {
      const tape = start();
      const x = engine.tensor([1, 2]);
      tape.watch([x]);
      const [twice, thrice] = [2, 3].map((factor) => tape.apply('scale', [x], { factor }));
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
      ].map((values) => engine.tensor(values));
      tape.watch([watched, unused]);
      const product = tape.apply('multiply', [watched, other], {});
      tape.apply('add', [unused, other], {});
      const apart = tape.apply('multiply', [other, other], {});
      const total = tape.apply('add', [product, other], {});
      tape.backward([
        { tensor: total, cotangent: 1 },
        { tensor: apart, cotangent: 1 },
      ]);
      assert.deepEqual([...(tape.gradient(watched)?.values ?? [])], [3, 4]);
      // Not assert.equal: its report of a difference would print the whole heap.
      assert.ok(tape.gradient(other) === undefined);
      assert.ok(tape.gradient(unused) === undefined);
    });

    test("consumers' pullbacks read shownToPullbacks in place of the values; the forward pass does not", () => {
      const tape = start();
      const h = engine.tensor([1, 0], [1, 2]);
      h.shownToPullbacks = engine.tensor([0.25, 0.75], [1, 2]);
      const weights = engine.tensor([2, 3, 5, 7], [2, 2]);
      const factors = engine.tensor([11, 13], [1, 2]);
      const values = engine.tensor([17, 19, 23, 29], [1, 4]);
      tape.watch([weights, factors, values]);
      const y = tape.apply('matmul', [h, weights], {});
      const z = tape.apply('multiply', [factors, h], {});
      const gated = tape.apply('gate', [h, values], { size: 2 });
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

    test('a neuron that shows its expectation shows σ(a)', () => {
      const tape = start();
      const logits = engine.tensor([-1, 0, 2], [1, 3]);
      const h = tape.apply('fire', [logits], { neuron: resolveNeuron('as-if-deterministic'), mode: 'sample', source });
      assert.ok(h.values.every((x) => x === 0 || x === 1));
      assertClose(
        h.shownToPullbacks.values,
        [-1, 0, 2].map((a) => 1 / (1 + Math.exp(-a))),
        { relative: 2e-7 },
        'E[h]',
      );
    });

    test('a neuron that reads only the loss learns though no cotangent comes back to it', () => {
      const tape = start();
      const logits = engine.tensor([0.5, -0.5], [2, 1]);
      tape.watch([logits]);
      const neuron = resolveNeuron('stochastic-binary:baseline=none');
      const h = tape.apply('fire', [logits], { neuron, mode: 'sample', source });
      const fired = [...h.values];
      assert.throws(() => tape.backward([]), /The neuron "stochastic-binary" reads the loss of every example/);
      tape.backward([], engine.tensor([10, 20]));
      const expected = fired.map((bit, row) => (bit - 1 / (1 + Math.exp(row === 0 ? -0.5 : 0.5))) * 10 * (row + 1));
      assertClose(tape.gradient(logits)?.values ?? [], expected, { relative: 1e-6 }, 'the gradient of the logits');
    });

    test('firing that is not sampled has no gradient, and says so', () => {
      for (const mode of ['mean-field', { threshold: 0 }] as const) {
        const tape = start();
        const logits = engine.tensor([1, 2], [1, 2]);
        tape.watch([logits]);
        const h = tape.apply('fire', [logits], { neuron: resolveNeuron('straight-through'), mode, source });
        assert.throws(() => tape.backward([{ tensor: h, cotangent: 1 }]), /Only sampled firing has a gradient/);
      }
    });

    test('the first operation whose output is not finite is named with its layer', () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const tape = start();
        tape.layer = 'first';
        const fine = tape.apply('scale', [engine.tensor([1, 2])], { factor: 2 });
        assert.equal(tape.firstNonFinite(), undefined);
        tape.layer = 'second';
        const broken = tape.apply('multiply', [fine, engine.tensor([1, bad])], {});
        tape.layer = 'third';
        tape.apply('add', [broken, fine], {});
        assert.deepEqual(tape.firstNonFinite(), { op: 'multiply', layer: 'second' });
      }
      assert.equal(new NonFiniteError('x').name, 'NonFiniteError');
    });
  });
