import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { averaged } from '../../experiments/why-slow/averaged.ts';
import {
  createEngine,
  createModel,
  dense,
  digitsSplit,
  evaluate,
  type Neuron,
  resolveNeuron,
  sgd,
  train,
} from '../../src/index.ts';
import { drawn, normal, uniform } from '../helpers/numbers.ts';

const ROWS = 3;
const UNITS = 4;
const PASSES = 5;
const logits = drawn(normal(1), ROWS * UNITS, 1);
/** Every noise number of a unit, pass after pass. */
const noiseOf = ({ noise }: Neuron) => drawn(uniform, ROWS * UNITS * noise, 2);

/** Fires and pulls back with a loss and cotangent that are functions of h. */
function gradientOf(neuron: Neuron, noise: Float64Array): Float64Array {
  const draws = typeof neuron.draws === 'function' ? neuron.draws(UNITS) : (neuron.draws ?? 1);
  const h = new Float64Array(draws * ROWS * UNITS);
  const firing = { rows: ROWS, units: UNITS, logits, noise, h, state: {} };
  neuron.fire(firing);
  // The square of a weighted sum: what a unit is worth depends on the others.
  const sums = Float64Array.from({ length: draws * ROWS }, (_, row) =>
    h.subarray(row * UNITS, (row + 1) * UNITS).reduce((sum, x, i) => sum + (i + 1) * (x - 0.3), 0),
  );
  const loss = sums.map((sum) => sum ** 2);
  const dh = h.map((_, i) => 2 * sums[Math.floor(i / UNITS)] * ((i % UNITS) + 1));
  const gradient = new Float64Array(ROWS * UNITS);
  neuron.pullback({ ...firing, loss, dh, gradient });
  return gradient;
}

describe('averaged', () => {
  for (const spec of ['straight-through-derivative', 'local-expectation', 'disarm', 'gaussian-matched'])
    it(`has the mean gradient of ${spec} over the passes`, () => {
      const several = averaged(spec, PASSES);
      const base = resolveNeuron(spec);
      const noise = noiseOf(several);
      const each = Array.from({ length: PASSES }, (_, pass) => {
        const own = noise.filter((_, i) => Math.floor(i / base.noise) % PASSES === pass);
        return gradientOf(base, own);
      });
      const mean = each[0].map((_, i) => each.reduce((sum, gradient) => sum + gradient[i], 0) / PASSES);
      gradientOf(several, noise).forEach((g, i) => {
        assert.ok(Math.abs(g - mean[i]) < 1e-12, `${i}: ${g}, ${mean[i]}`);
      });
      assert.ok(each.some((gradient) => gradient.some((g, i) => Math.abs(g - mean[i]) > 1e-3)));
    });

  it('of one pass trains to the same bits as the neuron itself', async () => {
    const engine = await createEngine({ threads: 1 });
    const data = digitsSplit({ seed: 3, train: 60, valid: 20, test: 20 });
    const weights = [];
    for (const neuron of [averaged('local-expectation', 1), 'local-expectation']) {
      const model = createModel(engine, { inputs: 784, seed: 2, layers: [dense(5, neuron), dense(10)] });
      const training = train(model, data, { epochs: 2, batch: 20, optimizer: sgd() });
      while (!(await training.next()).done);
      assert.ok(evaluate(model, data.test, { mode: 'sample' }).loss > 0);
      weights.push(model.weights('dense0.weights'));
    }
    engine.close();
    assert.deepEqual(weights[0], weights[1]);
  });

  it('refuses neurons with a state, and less than a pass', () => {
    assert.throws(() => averaged('stochastic-binary', 2), /has a state/);
    assert.throws(() => averaged('straight-through', 0), /whole number/);
  });
});
