/** What the paper and the lecture say of single neurons, beyond what the conformance suite checks of all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrate } from '../../src/audit/integrate.ts';
import { linearProblem, quadraticProblem } from '../../src/audit/problems.ts';
import { trueGradient } from '../../src/audit/true-gradient.ts';
import { logit, sigmoid, softplus } from '../../src/math/special.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

/** f with f(0) = 1, f'(0) = 0.7, f''(0) = −0.9. */
const smooth = (h: Float64Array) => ({
  loss: 1 + 0.7 * h[0] - 0.45 * h[0] ** 2 + 0.3 * h[0] ** 3,
  dh: Float64Array.of(0.7 - 0.9 * h[0] + 0.9 * h[0] ** 2),
});

test('STS: E[f(h)] = f(p) + ½f″(0)·p^{3/2} + O(p²), so the remainder is o(p), smaller than the printed o(√p)', () => {
  const neuron = resolveNeuron('stochastic-times-smooth');
  for (const p of [1e-2, 1e-3, 1e-4, 1e-5]) {
    const remainder = integrate(neuron, [logit(p)], smooth).loss - smooth(Float64Array.of(p)).loss;
    const predicted = 0.5 * -0.9 * p ** 1.5;
    // The next term is (f‴(0)/6 − f″(0)/2)·p² = 0.75·p²: relative to the prediction 1.67·√p.
    assert.ok(Math.abs(remainder / predicted - 1) < 1.8 * Math.sqrt(p), `p = ${p}: ${remainder} and ${predicted}`);
    assert.ok(Math.abs(remainder / predicted - 1 + (0.75 / 0.45) * Math.sqrt(p)) < 4 * p + 1e-4, 'the next term');
  }
});

test('STS of the paper has mean p, that of the code p^{3/2}', () => {
  for (const a of [-2, 0.3, 1.5]) {
    const p = sigmoid(a);
    const meanOf = (variant: string): Float64Array =>
      integrate(resolveNeuron(`stochastic-times-smooth:variant=${variant}`), [a], smooth).mean;
    assertClose(meanOf('paper'), [p], { absolute: 1e-12 }, 'paper');
    assertClose(meanOf('code'), [p ** 1.5], { absolute: 1e-12 }, 'code');
  }
});

test('STS: for a linear loss the back-propagated gradient is half the true one', () => {
  const { loss } = linearProblem(3);
  const logits = [0.4, -1.1, 2];
  const neuron = resolveNeuron('stochastic-times-smooth');
  const half = trueGradient(neuron, logits, loss).map((g) => g / 2);
  assertClose(integrate(neuron, logits, loss).gradient, half, { absolute: 1e-10 }, 'E[ĝ]');
});

test('straight-through: the right sign for one layer and a linear loss; with the derivative it is exact there', () => {
  const { loss } = linearProblem(4);
  const logits = [0.4, -1.1, 2, -3];
  const truth = trueGradient(resolveNeuron('straight-through'), logits, loss);
  const plain = integrate(resolveNeuron('straight-through'), logits, loss);
  truth.forEach((g, unit) => {
    assert.equal(Math.sign(plain.gradient[unit]), Math.sign(g));
  });
  const derived = integrate(resolveNeuron('straight-through-derivative'), logits, loss);
  assertClose(derived.gradient, truth, { absolute: 1e-12 }, 'E[ĝ]');
});

test('straight-through with the derivative: on a quadratic loss the bias is σ′·Q_ii·(p_i − ½)', () => {
  const units = 5;
  const { loss } = quadraticProblem(units);
  const logits = [0.4, -1.1, 2, -3, 0];
  const neuron = resolveNeuron('straight-through-derivative');
  const truth = trueGradient(neuron, logits, loss);
  const { gradient } = integrate(neuron, logits, loss);
  const zero = loss(new Float64Array(units)).dh;
  logits.forEach((a, unit) => {
    const basis = Float64Array.from({ length: units }, (_, i) => (i === unit ? 1 : 0));
    const curvature = loss(basis).dh[unit] - zero[unit];
    const p = sigmoid(a);
    const bias = p * (1 - p) * curvature * (p - 0.5);
    assert.ok(Math.abs(gradient[unit] - truth[unit] - bias) < 1e-12, `unit ${unit}`);
  });
});

test('noisy rectifier with logistic noise: P(h > 0) = σ(a) and E[h] = softplus(a), as printed', () => {
  const neuron = resolveNeuron('noisy-rectifier:noise=logistic');
  for (const a of [-3, -0.5, 0, 2]) {
    const { mean, rate } = integrate(neuron, [a], smooth);
    assertClose([...mean, ...rate], [softplus(a), sigmoid(a)], { absolute: 1e-11 }, `a = ${a}`);
  }
});

test('as-if-deterministic: the weights above see p = σ(a) in the backward pass, the units below the sampled pass', () => {
  const logits = [0.4, -1.1, 2, -0.2, 0.9, -2];
  const above = [0.5, -0.7, 1.1, 0.3, -0.9, 0.2];
  const source = { key: [5, 6], step: 0, layer: 0, draw: 0 } as const;
  for (const engine of [reference, ...builds])
    for (const name of ['as-if-deterministic', 'straight-through-derivative']) {
      engine.beginStep();
      const tape = new Tape(engine);
      const a = tape.input(engine.tensor(logits, [2, 3]), tape.plates.examples(2), true);
      const w = tape.input(engine.tensor(above, [3, 2]), undefined, true);
      const neuron = resolveNeuron(name);
      const h = fireTensor(a, { neuron, mode: 'sample', source });
      const y = matmul(h, w);
      tape.backward([{ tensor: y, cotangent: 1 }]);
      const seen = name === 'as-if-deterministic' ? logits.map(sigmoid) : Array.from(h.values);
      // With cotangents of 1, ∂/∂w_ij is the sum of what the pullback sees of unit i.
      const expected = [0, 0, 1, 1, 2, 2].map((unit) => seen[unit] + seen[3 + unit]);
      const at = `${name} on ${engine.name}`;
      assertClose(tape.gradient(w)?.values ?? [], expected, { absolute: 1e-6 }, at);
      const below = logits.map((x, i) => {
        const p = sigmoid(x);
        return p * (1 - p) * (above[2 * (i % 3)] + above[2 * (i % 3) + 1]);
      });
      assertClose(tape.gradient(a)?.values ?? [], below, { absolute: 1e-6 }, at);
      assert.ok(h.values.every((value) => value === 0 || value === 1));
    }
});
