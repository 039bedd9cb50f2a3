import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { betaNoise } from '../../experiments/table-1/beta-noise.ts';
import { stochasticTimesSmooth2013 } from '../../experiments/table-1/stochastic-times-smooth-2013.ts';
import { certify, instantiate } from '../../src/index.ts';
import { slow } from '../helpers/extent.ts';

test('Beta noise has the mode, the mean and the deviation of its distribution', () => {
  const [rate, beta] = [0.1, 40.1];
  const alpha = (rate * (beta - 2) + 1) / (1 - rate);
  assert.ok(Math.abs((alpha - 1) / (alpha + beta - 2) - rate) < 1e-12);
  const { quantile, mean } = betaNoise(rate, beta);
  const values = Array.from({ length: 20_000 }, (_, i) => quantile((i + 0.5) / 20_000));
  assert.ok(values.every((value, i) => i === 0 || value >= values[i - 1]));
  const average = values.reduce((sum, x) => sum + x, 0) / values.length;
  assert.ok(Math.abs(average - mean) < 1e-4, `${average} ${mean}`);
  const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length;
  const exact = (Math.log(99) ** 2 * alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1));
  assert.ok(Math.abs(variance / exact - 1) < 5e-3, `${variance} ${exact}`);
});

for (const variant of ['paper', 'code'])
  describe(`the ${variant}'s gate`, () => {
    const neuron = instantiate(stochasticTimesSmooth2013, { variant });

    test('has no claim that exact integration refutes', { skip: slow }, () => {
      const verdicts = certify(neuron);
      assert.ok(verdicts.length > 0);
      assert.deepEqual(
        verdicts.filter(({ verdict }) => verdict === 'refuted'),
        [],
      );
    });

    test('opens as often as its opening says, and its gradient is that of what an open gate emits', () => {
      const units = 2000;
      const logits = Float64Array.from({ length: units }, (_, i) => i / 400 - 2.5);
      const noise = Float64Array.from({ length: 2 * units }, (_, i) => (((i + 1) * 0.61803398875) % 1) * 0.999 + 5e-4);
      const [p, h, gradient] = [new Float64Array(units), new Float64Array(units), new Float64Array(units)];
      const firing = { rows: 1, units, logits, noise, h, state: {} };
      neuron.opening?.probability(firing, p);
      neuron.fire(firing);
      const dh = new Float64Array(units).fill(1);
      neuron.pullback({ ...firing, loss: Float64Array.of(1), dh, gradient });
      const total = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0);
      const open = h.filter((x) => x > 0);
      assert.ok(Math.abs(total(p) - open.length) < 4 * Math.sqrt(units / 4), `${total(p)} ${open.length}`);
      const step = 1e-5;
      const moved = new Float64Array(units);
      neuron.fire({ ...firing, logits: logits.map((a) => a + step), h: moved });
      h.forEach((value, i) => {
        if (value > 0) assert.ok(Math.abs((moved[i] - value) / step - gradient[i]) < 1e-4, `unit ${i}`);
        else assert.equal(gradient[i], 0);
      });
    });
  });
