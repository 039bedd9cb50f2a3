/** Categorical units: against the Bernoulli units with the same rules, against the sum over all states, and in networks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrate, type Loss } from '../../src/audit/integrate.ts';
import { networkProblem, quadraticProblem } from '../../src/audit/problems.ts';
import { trueGradient } from '../../src/audit/true-gradient.ts';
import { createModel, dense, digits, sgd, train } from '../../src/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import { softmax } from '../../src/neurons/parts/one-hot.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

/** Σ_h P(h)·f(h) over the one-hot states of two groups of three. */
function expected(logits: readonly number[], loss: Loss): number {
  const [p, q] = [softmax(Float64Array.from(logits), 0, 3), softmax(Float64Array.from(logits), 3, 3)];
  let total = 0;
  for (let i = 0; i < 3; i++)
    for (let k = 0; k < 3; k++) {
      const h = new Float64Array(6);
      h[i] = 1;
      h[3 + k] = 1;
      total += p[i] * q[k] * loss(h).loss;
    }
  return total;
}

test('the true gradient of two groups is that of the sum over their nine states', () => {
  const logits = [0.4, -0.7, 1.1, 0.2, 0.9, -1.3];
  const { loss } = networkProblem(6);
  const neuron = resolveNeuron('categorical-straight-through:classes=3');
  const shift = 1e-5;
  const numeric = logits.map(
    (logit, i) =>
      (expected(logits.with(i, logit + shift), loss) - expected(logits.with(i, logit - shift), loss)) / (2 * shift),
  );
  assertClose(trueGradient(neuron, logits, loss), numeric, { absolute: 1e-8 }, 'gradient');
  const exact = resolveNeuron('categorical-exact:classes=3');
  const { gradient, variance } = integrate(exact, logits, loss);
  assertClose(gradient, numeric, { absolute: 1e-8 }, 'exact');
  assertClose(variance, new Float64Array(6), { absolute: 1e-12 }, 'variance of exact');
});

for (const [categorical, bernoulli] of [
  ['categorical-straight-through', 'straight-through-derivative'],
  ['categorical-straight-through-gumbel:temperature=0.7', 'straight-through-gumbel:temperature=0.7'],
  ['categorical-gapped:gap=0.8', 'gapped-straight-through:gap=0.8'],
  ['categorical-reinmax:temperature=1.4', 'reinmax:temperature=1.4'],
  ['categorical-concrete:temperature=0.7', 'concrete:temperature=0.7'],
  ['categorical-reinforce:baseline=none', 'stochastic-binary:baseline=none'],
  ['categorical-rloo', 'rloo'],
])
  test(`two classes with logits (a, 0) learn as one Bernoulli unit does: ${categorical}`, () => {
    const { loss } = networkProblem(1);
    const first: Loss = (h) => {
      const answer = loss(h.subarray(0, 1));
      return { loss: answer.loss, dh: [answer.dh[0], 0] };
    };
    const neuron = resolveNeuron(categorical);
    const pair = integrate({ ...neuron, group: 2 }, [0.7, 0], first);
    const one = integrate(resolveNeuron(bernoulli), [0.7], loss);
    assertClose(pair.gradient, [one.gradient[0], -one.gradient[0]], { absolute: 1e-9 }, 'mean');
    assertClose(pair.variance, [one.variance[0], one.variance[0]], { absolute: 1e-8 }, 'variance');
    assertClose(pair.mean, [one.mean[0], 1 - one.mean[0]], { absolute: 1e-9 }, 'E[h]');
  });

test('ReinMax is exact in the mean for quadratic losses of categorical units too', () => {
  const logits = [0.4, -0.7, 1.1, 0.2, 0.9, -1.3];
  const neuron = resolveNeuron('categorical-reinmax:classes=3');
  const { loss } = quadraticProblem(6);
  const { gradient } = integrate(neuron, logits, loss);
  assertClose(gradient, trueGradient(neuron, logits, loss), { absolute: 1e-9 }, 'gradient');
});

test('Gumbel numbers drawn given the class have the distribution of those that decide it', () => {
  // E[max_k(s_k)] and E[s_0] of s = softmax(a + G) with G drawn directly, by sampling: within five standard errors.
  const neuron = resolveNeuron('categorical-concrete:classes=3,temperature=1');
  const logits = [0.4, -0.7, 1.1];
  const [rows, units] = [40_000, 3];
  let seed = 1;
  const uniform = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const h = new Float64Array(rows * units);
  neuron.fire({
    rows,
    units,
    logits: Float64Array.from(h, (_, i) => logits[i % 3]),
    noise: Float64Array.from({ length: 2 * h.length }, uniform),
    h,
    state: {},
  });
  const direct = Array.from({ length: rows }, () =>
    softmax(
      Float64Array.from(logits, (logit) => logit - Math.log(-Math.log(uniform()))),
      0,
      3,
    ),
  );
  const given = Array.from({ length: rows }, (_, row) => h.subarray(3 * row, 3 * row + 3));
  for (const statistic of [
    (s: Float64Array) => Math.max(...s),
    (s: Float64Array) => s[0],
    (s: Float64Array) => s[1] ** 2,
  ]) {
    const [a, b] = [direct, given].map((samples) => {
      const values = samples.map(statistic);
      const mean = values.reduce((sum, x) => sum + x, 0) / rows;
      return { mean, error: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0)) / rows };
    });
    assert.ok(Math.abs(a.mean - b.mean) < 5 * Math.hypot(a.error, b.error), `${a.mean} and ${b.mean}`);
  }
});

test('a layer that is no whole number of groups is refused with a number that is expected', () => {
  const layers = [dense(10, 'categorical-reinmax:classes=4'), dense(10)];
  assert.throws(() => createModel(reference, { inputs: 784, layers }), {
    name: 'RangeError',
    message: /has 10 units, and "categorical-reinmax" has groups of 4 .*\. Expected 12 units/,
  });
});

test('a network of one-hot units trains, by one draw and by several, and is evaluated with the noise off', async () => {
  const part = (seed: number, count: number) => digits({ seed, count });
  const data = { train: part(1, 300), valid: part(2, 100), test: part(3, 100) };
  for (const neuron of ['categorical-straight-through:classes=5', 'categorical-rloo:classes=5']) {
    const model = createModel(builds[0], { inputs: 784, layers: [dense(20, neuron), dense(10)] });
    const losses: number[] = [];
    for await (const event of train(model, data, { epochs: 3, batch: 50, optimizer: sgd({ learningRate: 0.5 }) }))
      if (event.event === 'epoch') losses.push(event.trainLoss);
    assert.ok(losses[2] < losses[0], `${neuron}: ${losses}`);
  }
});

test('P(h = 1) of a pair is that of a Bernoulli unit at the difference of its logits', () => {
  const { mean } = integrate(resolveNeuron('categorical-reinforce:classes=2'), [1.2, 0.4], (h) => ({ loss: 0, dh: h }));
  assertClose(mean, [sigmoid(0.8), sigmoid(-0.8)], { absolute: 1e-12 }, 'E[h]');
});
