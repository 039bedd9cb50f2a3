import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSingleUnit, lookAtUnit, resolveNeuron, unitLosses, zoo } from '../../src/index.ts';
import { full } from '../helpers/extent.ts';

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const near = (a: number, b: number, tolerance = 1e-9): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} ${b}`);

test('REINFORCE without a baseline: mean, variance and sign as worked out by hand', () => {
  const [logit, t] = [0.7, 0.45];
  const p = sigmoid(logit);
  const [one, zero] = [(1 - t) ** 2, t ** 2];
  const view = lookAtUnit(resolveNeuron('stochastic-binary:baseline=none'), { logit, loss: unitLosses.square(t) });
  const truth = p * (1 - p) * (one - zero);
  const square = p * ((1 - p) * one) ** 2 + (1 - p) * (p * zero) ** 2;
  near(view.mean, p);
  near(view.rate, p);
  near(view.truth, truth);
  near(view.bias, 0);
  near(view.variance, square - truth ** 2);
  near(view.squaredError, view.variance);
  near(view.positive, p, 0.03);
  assert.equal(view.method, 'integration');
  assert.equal(view.drawsForSign, Math.ceil((1.6448536269514722 ** 2 * view.variance) / truth ** 2));
});

test('a unit beside others: the exact gradient stays, REINFORCE hears the luck of all, straight-through does not', () => {
  const [logit, t, units] = [0.7, 0.45, 4];
  const p = sigmoid(logit);
  const look = (name: string, count: number) =>
    lookAtUnit(resolveNeuron(name), { logit, loss: unitLosses.square(t), units: count });
  const alone = look('stochastic-binary:baseline=none', 1);
  const beside = look('stochastic-binary:baseline=none', units);
  // By hand: ĝ = (h − p)(L + M), M the loss of the others, which is independent of h.
  const [one, zero] = [(1 - t) ** 2, t ** 2];
  const [mean, spread] = [p * one + (1 - p) * zero, p * (1 - p) * (one - zero) ** 2];
  const [m, m2] = [(units - 1) * mean, (units - 1) * spread + ((units - 1) * mean) ** 2];
  const square = (own: number): number => own * own + 2 * own * m + m2;
  const second = p * (1 - p) ** 2 * square(one) + (1 - p) * p ** 2 * square(zero);
  near(beside.truth, alone.truth);
  near(beside.bias, 0);
  near(beside.variance, second - beside.truth ** 2);
  assert.equal(beside.method, 'integration');
  near(look('straight-through', units).variance, look('straight-through', 1).variance);
  near(look('straight-through', units).bias, look('straight-through', 1).bias);
  assert.equal(look('local-expectation', units).evaluations, units + 1);
  const drawn = look('stochastic-binary:baseline=none', 16);
  assert.deepEqual([drawn.method, drawn.samples], ['sampling', 10_000]);
  near(drawn.bias, 0, 5 * Math.sqrt(drawn.variance / drawn.samples));
});

test('an estimator that leans the wrong way never finds the sign; a steady one finds it at once', () => {
  // At t = 0.5 the loss is the same for both outputs, but its slope is not: the straight-through gradient has its own opinion.
  const flat = lookAtUnit(resolveNeuron('straight-through'), { logit: 1, loss: unitLosses.square(0.5) });
  assert.ok(Number.isNaN(flat.drawsForSign));
  const wrong = lookAtUnit(resolveNeuron('straight-through'), { logit: -2, loss: unitLosses.square(0.45) });
  assert.ok(wrong.truth > 0 && wrong.gradient < 0);
  assert.equal(wrong.drawsForSign, Number.POSITIVE_INFINITY);
  assert.equal(lookAtUnit(resolveNeuron('sigmoid'), { logit: 0, loss: unitLosses.linear(2) }).drawsForSign, 1);
});

test('every neuron that stands alone can be looked at, with all three losses', () => {
  const names = Object.keys(zoo).filter((name) => isSingleUnit(resolveNeuron(name)));
  assert.ok(names.length > 25);
  const losses = Object.values(unitLosses);
  for (const [i, name] of names.entries())
    for (const loss of full ? losses : [losses[i % losses.length]]) {
      const neuron = resolveNeuron(name);
      const view = lookAtUnit(neuron, { logit: -0.6, loss: loss(0.4), seed: 3 });
      for (const bars of [view.outputs, view.gradients])
        near(
          bars.reduce((sum, { share }) => sum + share, 0),
          1,
        );
      // Four standard errors where it was sampled.
      if (neuron.claims.unbiased && !neuron.claims.unbiasedRelaxation && neuron.claims.scale === undefined)
        near(view.bias, 0, view.method === 'sampling' ? 4 * Math.sqrt(view.variance / 40_000) + 1e-9 : 1e-6);
    }
});

test('what does not do is refused in a sentence', () => {
  const loss = unitLosses.square(0);
  assert.throws(
    () => lookAtUnit(resolveNeuron('top-k:k=1'), { logit: 0, loss }),
    /coupled\. Expected a neuron whose units fire independently/,
  );
  assert.throws(() => lookAtUnit(resolveNeuron('rloo'), { logit: Number.NaN, loss }), /logit is NaN/);
  for (const units of [0, 1.5, 65])
    assert.throws(
      () => lookAtUnit(resolveNeuron('rloo'), { logit: 0, loss, units }),
      new RegExp(`\`units\` is ${units}\\. Expected a whole number from 1 to 64`),
    );
  assert.throws(
    () => lookAtUnit(resolveNeuron('exact'), { logit: 0, loss, units: 13 }),
    /Expected a whole number from 1 to 12, the most of "exact"/,
  );
});
