import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitNodes } from '../../src/audit/grid.ts';
import { integrate } from '../../src/audit/integrate.ts';
import { linearProblem, problems, toyProblem } from '../../src/audit/problems.ts';
import { derivative, tanhSinh } from '../../src/audit/quadrature.ts';
import { trueGradient } from '../../src/audit/true-gradient.ts';
import { logit, normalQuantile, sigmoid } from '../../src/math/special.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { randomStream } from '../../src/random/stream.ts';
import { assertClose } from '../helpers/numbers.ts';

/** ARM (Yin and Zhou 2019): two coupled draws from one uniform; the pullback depends on u inside a cell, h does not. */
const arm: Neuron = {
  name: 'arm',
  source: 'Yin and Zhou 2019',
  summary: 'a neuron of this test',
  options: {},
  noise: 1,
  draws: 2,
  reads: 'loss',
  range: 'unit-interval',
  claims: { unbiased: true, mean: sigmoid, rate: sigmoid },
  cells: (a) => [sigmoid(a), sigmoid(-a)],
  fire({ rows, units, logits, noise, h }) {
    for (let i = 0; i < rows * units; i++) {
      h[i] = noise[i] > sigmoid(-logits[i]) ? 1 : 0;
      h[rows * units + i] = noise[i] < sigmoid(logits[i]) ? 1 : 0;
    }
  },
  pullback({ rows, units, noise, loss, gradient }) {
    for (let i = 0; i < rows * units; i++) {
      const row = Math.floor(i / units);
      gradient[i] = (loss[row] - loss[rows + row]) * (noise[i] - 0.5);
    }
  },
  expect: sigmoid,
  whenOpen: () => 1,
};

/** A neuron with two noise numbers: it fires by the first and emits a gain that the second gives. */
const twoNoises: Neuron = {
  ...resolveNeuron('straight-through'),
  name: 'two-noises',
  noise: 2,
  claims: { unbiased: false },
  cells: (a, index) => (index === 0 ? [sigmoid(a)] : []),
  fire({ logits, noise, h }) {
    for (let i = 0; i < h.length; i++)
      h[i] = noise[2 * i] < sigmoid(logits[i]) ? 1 + normalQuantile(noise[2 * i + 1]) : 0;
  },
};

test('the double-exponential rule integrates functions that are singular at the ends', () => {
  const on = (f: (u: number) => number, from = 0, to = 1): number => {
    const { nodes, weights } = tanhSinh(from, to);
    return nodes.reduce((sum, u, k) => sum + weights[k] * f(u), 0);
  };
  assertClose(
    [
      on(() => 1),
      on((u) => u ** 7),
      on((u) => normalQuantile(u) ** 2),
      on((u) => logit(u) ** 2),
      on((u) => u ** -0.25),
      on((u) => Math.exp(normalQuantile(u))),
      on((u) => u * u, 0.2, 0.7),
      on((u) => u, 0.3, 0.3 + 1e-9),
    ],
    [1, 1 / 8, 1, Math.PI ** 2 / 3, 4 / 3, Math.exp(0.5), (0.7 ** 3 - 0.2 ** 3) / 3, 0.3e-9],
    { absolute: 1e-11 },
    'integral',
  );
});

test('the stencil of eighth order differentiates', () => {
  assert.ok(Math.abs(derivative(Math.exp, 1, 0.005) - Math.E) < 1e-11);
  assert.equal(
    derivative(() => 3, 1, 0.005),
    0,
  );
});

test('one node where nothing depends on the noise, two for a coin, many for continuous noise, and their weights add up', () => {
  assert.equal(unitNodes(resolveNeuron('tanh'), 0.3).length, 1);
  assert.deepEqual(
    unitNodes(resolveNeuron('straight-through'), 0.3).map(({ weight }) => weight),
    [sigmoid(0.3), 1 - sigmoid(0.3)],
  );
  assert.equal(unitNodes(resolveNeuron('straight-through'), 1e4).length, 1);
  assert.ok(unitNodes(resolveNeuron('noisy-sigmoid'), 0.3).length > 50);
  assert.equal(
    unitNodes(arm, 0.3).length,
    6,
    'the pullback of ARM is straight in the noise within each of three cells',
  );
  for (const neuron of [resolveNeuron('noisy-rectifier'), resolveNeuron('noisy-sigmoid'), arm, twoNoises]) {
    const total = unitNodes(neuron, 0.3).reduce((sum, { weight }) => sum + weight, 0);
    assert.ok(Math.abs(total - 1) < 1e-12, neuron.name);
  }
});

test('a coupled neuron: ARM is unbiased, and each of its draws has the claimed mean', () => {
  const logits = [0.4, -1.2];
  for (const { name, loss } of problems(2)) {
    const { gradient, mean, rate, variance } = integrate(arm, logits, loss);
    assertClose(gradient, trueGradient(arm, logits, loss), { absolute: 1e-9 }, name);
    assertClose(mean, logits.map(sigmoid), { absolute: 1e-12 }, 'E[h]');
    assertClose(rate, logits.map(sigmoid), { absolute: 1e-12 }, 'P(h ≠ 0)');
    assert.ok(variance.every((v) => v > 0));
  }
});

test('ARM of one unit: mean and variance as worked out by hand', () => {
  // f(1) − f(0) = d; the draws differ for u < σ(−|a|) and u > σ(|a|): ĝ = d·|u − ½| there, else 0.
  const a = 0.8;
  const { loss } = linearProblem(1);
  const d = loss(Float64Array.of(1)).loss - loss(Float64Array.of(0)).loss;
  const tail = (power: number): number => (2 * (0.5 ** (power + 1) - (sigmoid(a) - 0.5) ** (power + 1))) / (power + 1);
  const { gradient, variance } = integrate(arm, [a], loss);
  assertClose(gradient, [d * tail(1)], { absolute: 1e-12 }, 'E[ĝ]');
  assertClose(variance, [d * d * tail(2) - (d * tail(1)) ** 2], { absolute: 1e-12 }, 'Var[ĝ]');
});

test('several noise numbers a unit: mean, rate and moments', () => {
  const logits = [0.4];
  const { mean, rate, loss } = integrate(twoNoises, logits, (h) => ({ loss: h[0] ** 2, dh: [0] }));
  assertClose([mean[0], rate[0], loss], [sigmoid(0.4), sigmoid(0.4), 2 * sigmoid(0.4)], { absolute: 1e-10 }, 'moments');
});

test('exact integration agrees with sampling', () => {
  for (const name of ['stochastic-binary', 'noisy-rectifier', 'stochastic-times-smooth', 'noisy-sigmoid']) {
    const neuron = resolveNeuron(name);
    const [logits, rows] = [Float64Array.of(0.7, -0.8), 40_000];
    const random = randomStream(7, 1);
    const noise = Float64Array.from({ length: 2 * rows }, () => random.uniform());
    const h = new Float64Array(2 * rows);
    const firing = {
      rows,
      units: 2,
      logits: Float64Array.from({ length: 2 * rows }, (_, i) => logits[i % 2]),
      noise,
      h,
      state: {},
    };
    neuron.fire(firing);
    const { loss } = toyProblem(2);
    const answers = Array.from({ length: rows }, (_, row) => loss(h.subarray(2 * row, 2 * row + 2)));
    const gradient = new Float64Array(2 * rows);
    const state = Object.fromEntries(Object.keys(neuron.state ?? {}).map((key) => [key, Float64Array.of(1, 1)]));
    neuron.pullback({
      ...firing,
      loss: Float64Array.from(answers, (answer) => answer.loss),
      dh: Float64Array.from(answers.flatMap(({ dh }) => Array.from(dh))),
      gradient,
      state,
    });
    const exact = integrate(neuron, logits, loss, state);
    for (const unit of [0, 1]) {
      const column = gradient.filter((_, i) => i % 2 === unit);
      const mean = column.reduce((sum, g) => sum + g, 0) / rows;
      const variance = column.reduce((sum, g) => sum + (g - mean) ** 2, 0) / rows;
      // Five standard errors: one false alarm in two million; the seed is fixed anyway.
      assert.ok(Math.abs(mean - exact.gradient[unit]) < 5 * Math.sqrt(exact.variance[unit] / rows), `${name} mean`);
      assert.ok(Math.abs(variance / exact.variance[unit] - 1) < 0.05, `${name} variance`);
    }
  }
});

test('both ways to the true gradient agree on binary units', () => {
  const neuron = resolveNeuron('straight-through');
  const undeclared: Neuron = { ...neuron, claims: { unbiased: false } };
  const logits = [0.4, -1.2, 2];
  for (const { name, loss } of problems(3))
    assertClose(trueGradient(undeclared, logits, loss), trueGradient(neuron, logits, loss), { absolute: 1e-11 }, name);
});

test('the problems’ cotangents are their gradients', () => {
  for (const { name, loss, units } of problems(3)) {
    const h = Float64Array.of(0.3, 1.2, -0.4);
    const numeric = Float64Array.from({ length: units }, (_, i) => {
      return derivative((x) => loss(h.map((value, k) => (k === i ? x : value))).loss, h[i], 0.005);
    });
    assertClose(loss(h).dh, numeric, { absolute: 1e-10 }, name);
  }
});

test('a grid that is too large is refused', () => {
  const { loss } = linearProblem(5);
  assert.throws(() => integrate(resolveNeuron('noisy-sigmoid'), [1, 2, 3, 4, 5], loss), {
    name: 'RangeError',
    message: /5 units of "noisy-sigmoid" takes \d+ points\. Expected fewer units/,
  });
});
