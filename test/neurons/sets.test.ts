/** Neurons that draw sets, against the sums over all of them; neurons that project on the simplex, against bisection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problems } from '../../src/audit/problems.ts';
import { derivative } from '../../src/audit/quadrature.ts';
import { sigmoid } from '../../src/math/special.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { assertClose, drawn, normal, uniform } from '../helpers/numbers.ts';

const statesOf = (units: number): number[][] =>
  Array.from({ length: 2 ** units }, (_, bits) => Array.from({ length: units }, (_, i) => (bits >> i) & 1));

const probability = (state: readonly number[], logits: ArrayLike<number>): number =>
  state.reduce((product, bit, i) => product * sigmoid(bit ? logits[i] : -logits[i]), 1);

/** All orders in which states are drawn without replacement, with their probabilities. */
function* sequences(
  p: readonly number[],
  length: number,
  before: number[] = [],
  weight = 1,
): Generator<[number[], number]> {
  if (before.length === length) {
    yield [before, weight];
    return;
  }
  const left = p.reduce((sum, one, s) => (before.includes(s) ? sum : sum + one), 0);
  for (let s = 0; s < p.length; s++)
    if (!before.includes(s)) yield* sequences(p, length, [...before, s], (weight * p[s]) / left);
}

test('unordered-set is E[loss] and its gradient, summed over all orders of all sets', () => {
  for (const K of [2, 3, 4, 5])
    for (const logits of [Float64Array.of(0.7, -1.3), Float64Array.of(0.4, 2.1, -0.6), Float64Array.of(9, -8)]) {
      const neuron = resolveNeuron(`unordered-set:K=${K}`);
      const units = logits.length;
      const states = statesOf(units);
      const p = states.map((state) => probability(state, logits));
      const { loss } = problems(units)[2];
      const losses = states.map((state) => loss(Float64Array.from(state)).loss);
      const expected = (at: Float64Array): number =>
        states.reduce((sum, state, s) => sum + probability(state, at) * losses[s], 0);
      const truth = logits.map((value, i) => derivative((x) => expected(logits.with(i, x)), value, 1e-3));
      const [mean, gradient] = [new Float64Array(units), new Float64Array(units)];
      let total = 0;
      const count = Math.min(K, states.length);
      for (const [order, weight] of sequences(p, count)) {
        // As `fire` does where there are fewer states than draws.
        const all = Array.from({ length: K }, (_, k) => order[k] ?? order[0]);
        const h = Float64Array.from(all.flatMap((s) => states[s]));
        const pass = { rows: 1, units, logits, noise: new Float64Array(units * K), h, state: {} };
        const [own, weights, sum] = [
          Float64Array.from(all, (s) => losses[s]),
          new Float64Array(K),
          new Float64Array(1),
        ];
        neuron.weigh?.({ ...pass, loss: own, weights, total: sum });
        neuron.pullback({ ...pass, loss: own, dh: new Float64Array(0), gradient });
        total += weight * sum[0];
        gradient.forEach((g, i) => {
          mean[i] += weight * g;
        });
      }
      assertClose([total], [expected(logits)], { absolute: 1e-9 }, `E[total], K = ${K}`);
      assertClose(mean, truth, { absolute: 1e-8 }, `E[ĝ], K = ${K}`);
    }
});

test('unordered-set draws states that differ, as often as without replacement', () => {
  const [units, K, rows] = [2, 3, 40_000];
  const logits = Float64Array.of(0.9, -1.4);
  const neuron = resolveNeuron(`unordered-set:K=${K}`);
  const h = new Float64Array(K * rows * units);
  const all = Float64Array.from({ length: rows * units }, (_, i) => logits[i % units]);
  const noise = drawn(uniform, rows * units * K, 81);
  neuron.fire({ rows, units, logits: all, noise, h, state: {} });
  const p = statesOf(units).map((state) => probability(state, logits));
  const counts = new Map<string, number>();
  for (let row = 0; row < rows; row++) {
    const order = Array.from(
      { length: K },
      (_, k) => h[(k * rows + row) * units] + 2 * h[(k * rows + row) * units + 1],
    );
    assert.equal(new Set(order).size, K);
    counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
  }
  for (const [order, weight] of sequences(p, K)) {
    const z = ((counts.get(order.join()) ?? 0) - rows * weight) / Math.sqrt(rows * weight * (1 - weight));
    assert.ok(Math.abs(z) < 5, `${order}: ${z} standard errors`);
  }
});

test('k-subset draws subsets by their weights, and pulls back the derivative of their marginals', () => {
  for (const [k, logits] of [
    [1, Float64Array.of(0.4, -1.2, 2.3)],
    [2, Float64Array.of(0.4, -1.2, 2.3, 0.1)],
    [3, Float64Array.of(30, -40, 25, 24, 26)],
  ] as const) {
    const neuron = resolveNeuron(`k-subset:k=${k}`);
    const units = logits.length;
    const subsets = statesOf(units).filter((state) => state.reduce((sum, bit) => sum + bit, 0) === k);
    const weightsAt = (at: Float64Array): number[] => {
      const logs = subsets.map((state) => state.reduce((sum, bit, i) => sum + bit * at[i], 0));
      const exps = logs.map((log) => Math.exp(log - Math.max(...logs)));
      return exps.map((one) => one / exps.reduce((sum, other) => sum + other, 0));
    };
    const dh = drawn(normal(1), units, 91);
    const along = (at: Float64Array): number =>
      weightsAt(at).reduce((sum, w, s) => sum + w * subsets[s].reduce((inner, bit, i) => inner + bit * dh[i], 0), 0);
    const truth = logits.map((value, i) => derivative((x) => along(logits.with(i, x)), value, 1e-3));
    const gradient = new Float64Array(units);
    const one = { rows: 1, units, logits, noise: new Float64Array(units), h: new Float64Array(units), state: {} };
    neuron.pullback({ ...one, loss: new Float64Array(1), dh, gradient });
    assertClose(gradient, truth, { absolute: 1e-9 }, `k = ${k}`);
    const rows = 20_000;
    const h = new Float64Array(rows * units);
    const all = Float64Array.from({ length: rows * units }, (_, i) => logits[i % units]);
    neuron.fire({ rows, units, logits: all, noise: drawn(uniform, rows * units, 92), h, state: {} });
    weightsAt(logits).forEach((weight, s) => {
      let count = 0;
      for (let row = 0; row < rows; row++) if (subsets[s].every((bit, i) => bit === h[row * units + i])) count++;
      const z = (count - rows * weight) / Math.sqrt(rows * weight * (1 - weight) + 1e-9);
      assert.ok(Math.abs(z) < 5, `k = ${k}, ${subsets[s]}: ${z} standard errors`);
    });
  }
});

/** α-entmax by its definition: [(α − 1)·a − τ]₊^{1/(α − 1)}, τ by bisection such that the sum is 1. */
function entmax(a: ArrayLike<number>, alpha: number): Float64Array {
  const z = Float64Array.from(a, (value) => (alpha - 1) * value);
  const at = (threshold: number): Float64Array => z.map((value) => Math.max(0, value - threshold) ** (1 / (alpha - 1)));
  const most = Math.max(...z);
  let [low, high] = [most - 1, most];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (at(middle).reduce((sum, p) => sum + p, 0) > 1) low = middle;
    else high = middle;
  }
  return at(low);
}

test('sparsemax and 1.5-entmax are the projections of their definition, and pull back its derivative', () => {
  const [rows, units, classes] = [40, 7, 4];
  for (const alpha of [2, 1.5])
    for (const size of [0.3, 1, 4]) {
      const neuron = resolveNeuron(`sparsemax:classes=${classes},alpha=${alpha}`);
      const logits = drawn(normal(size), rows * units, 101, 10 * size);
      const dh = drawn(normal(1), rows * units, 102, 10 * size);
      const [h, gradient] = [new Float64Array(rows * units), new Float64Array(rows * units)];
      const pass = { rows, units, logits, noise: new Float64Array(0), h, state: {} };
      neuron.fire(pass);
      neuron.pullback({ ...pass, loss: new Float64Array(rows), dh, gradient });
      let closed = 0;
      for (let row = 0; row < rows; row++)
        // The last group of a row has 3 units.
        for (let unit = 0; unit < units; unit += classes) {
          const [from, to] = [row * units + unit, row * units + Math.min(units, unit + classes)];
          const own = logits.subarray(from, to);
          const expected = entmax(own, alpha);
          const what = `α = ${alpha}, logits of size ${size}, row ${row}, unit ${unit}`;
          assertClose(h.subarray(from, to), expected, { absolute: 1e-12 }, `${what}: h`);
          closed += expected.filter((p) => p === 0).length;
          const along = (at: Float64Array): number =>
            entmax(at, alpha).reduce((sum, p, i) => sum + p * dh[from + i], 0);
          // A difference across a change of the support is no derivative; there one side of it is.
          const sides = own.map((value, i) => {
            const step = 1e-6;
            const [left, middle, right] = [-step, 0, step].map((off) => along(own.with(i, value + off)));
            const [before, after] = [(middle - left) / step, (right - middle) / step];
            const found = gradient[from + i];
            return Math.min(Math.abs(found - before), Math.abs(found - after));
          });
          assertClose(sides, new Float64Array(to - from), { absolute: 2e-4 }, `${what}: error of ĝ`);
        }
      if (size > 1) assert.ok(closed > 0, 'no unit is closed');
    }
});
