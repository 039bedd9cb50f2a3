/** Neurons that draw sets: against the sums over all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { assertClose, drawn, normal, uniform } from '../helpers/numbers.ts';

const statesOf = (units: number): number[][] =>
  Array.from({ length: 2 ** units }, (_, bits) => Array.from({ length: units }, (_, i) => (bits >> i) & 1));

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
