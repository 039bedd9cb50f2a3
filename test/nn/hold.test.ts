/** Units held open or closed: every neuron, in every mode, as hidden units, gates and experts, on every path. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { compile, createModel, dense, evaluate, gateRates, type Hold, type Model } from '../../src/index.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { digits, gatedModel } from '../train/tiny.ts';

const ROWS = 6;
const INPUTS = 5;
const MODES = ['sample', 'mean-field', 'threshold'] as const;
const engine = await createEngine({ threads: 1, simd: 'simd' });
after(() => engine.close());
const inputs = Float32Array.from(drawn(normal(), ROWS * INPUTS, 3, 1));

/** h of a site in the last pass, rows × units. */
function outputsOf(model: Model, name: string): number[] {
  const site = model.sites.find((candidate) => candidate.name === name);
  return Array.from(site?.last?.h.values ?? []);
}
/** h with and without what is held. */
function beside(model: Model, name: string, mode: (typeof MODES)[number], hold: readonly Hold[]): [number[], number[]] {
  // One compiled network would draw anew.
  compile(model, { mode }).predict(inputs);
  const free = outputsOf(model, name);
  compile(model, { mode }).predict(inputs, { hold });
  return [free, outputsOf(model, name)];
}
const columnOf = (h: readonly number[], units: number, unit: number) => h.filter((_, i) => i % units === unit);

describe('held hidden units', () => {
  const hold: readonly Hold[] = [
    { site: 'hidden', unit: 1, open: false },
    { site: 'hidden', unit: 6, open: true },
  ];
  for (const name of Object.keys(zoo)) {
    const neuron = resolveNeuron(name);
    // Firing that is the identity is left out, and then there is no site.
    if (neuron.identity) continue;
    const units = neuron.mostUnits === undefined ? 8 : Math.min(8, neuron.mostUnits);
    test(`${name}: closed is 0, open is not, and others fire as they do beside them`, () => {
      const model = createModel(engine, { inputs: INPUTS, layers: [dense(units, name, 'hidden'), dense(3)] });
      for (const mode of MODES) {
        const [free, held] = beside(model, 'hidden', mode, hold);
        assert.equal(held.length, ROWS * units);
        assert.deepEqual(columnOf(held, units, 1), new Array(ROWS).fill(0), mode);
        assert.ok(
          columnOf(held, units, 6).every((h) => h !== 0 && Number.isFinite(h)),
          mode,
        );
        // Coupled units that are not held may change; they still are what the rule gives.
        if (neuron.jointNoise === undefined)
          for (let unit = 0; unit < units; unit++)
            if (unit !== 1 && unit !== 6)
              assert.deepEqual(columnOf(held, units, unit), columnOf(free, units, unit), `${mode}, unit ${unit}`);
      }
    });
  }

  test('a rule that keeps k of K keeps as many, the held one among them, and weighs them together', () => {
    for (const name of ['top-k:k=3', 'noisy-top-k:k=3']) {
      const model = createModel(engine, { inputs: INPUTS, layers: [dense(8, name, 'hidden'), dense(3)] });
      for (const mode of MODES) {
        const [, held] = beside(model, 'hidden', mode, hold);
        for (let row = 0; row < ROWS; row++) {
          const h = held.slice(row * 8, row * 8 + 8);
          assert.equal(h.filter((value) => value !== 0).length, 3, `${name}, ${mode}`);
          assert.ok(Math.abs(h.reduce((sum, value) => sum + value, 0) - 1) < 1e-6, `${name}, ${mode}`);
        }
      }
    }
  });

  test('a group of categorical units is one-hot, or in mean-field sums to 1, without the closed one and with the open one', () => {
    const layers = [dense(8, 'categorical-reinforce:classes=4', 'hidden'), dense(3)];
    const model = createModel(engine, { inputs: INPUTS, layers });
    for (const mode of MODES) {
      const [free, held] = beside(model, 'hidden', mode, hold);
      for (let row = 0; row < ROWS; row++) {
        const [first, second] = [0, 4].map((from) => held.slice(row * 8 + from, row * 8 + from + 4));
        assert.equal(first[1], 0);
        assert.ok(Math.abs(first.reduce((sum, value) => sum + value, 0) - 1) < 1e-6);
        assert.deepEqual(second, [0, 0, 1, 0]);
        if (mode !== 'mean-field') continue;
        // What is left shares what the closed one had, in the same proportions.
        const own = free.slice(row * 8, row * 8 + 4);
        const others = 1 - own[1];
        for (const k of [0, 2, 3]) assert.ok(Math.abs(first[k] - own[k] / others) < 1e-5);
      }
    }
  });
});

describe('held gates and experts', () => {
  for (const neuron of ['straight-through', 'stochastic-times-smooth', 'noisy-rectifier', 'top-k', 'hard-concrete'])
    for (const mode of MODES)
      test(`${neuron}, ${mode}: the block path gives what the dense path gives, with less work`, () => {
        const hold: readonly Hold[] = [
          { site: 'gated0.gates', unit: 2, open: true },
          { site: 'gated0.gates', unit: 5, open: false },
          { site: 'gated0.gates', unit: 7, open: false },
        ];
        const of = (compute: 'dense' | 'blocks', kept: readonly Hold[]) => {
          const model = gatedModel(engine, { neuron, compute });
          const features = Float32Array.from(digits.test.features.slice(0, 784 * 5), (x) => x / 255);
          return compile(model, { mode }).predict(features, { hold: kept });
        };
        const [all, open] = [of('dense', hold), of('blocks', hold)];
        assertClose(open.probabilities, all.probabilities, { relative: 1e-6 }, 'probabilities');
        assert.notDeepEqual(open.probabilities, of('blocks', []).probabilities);
        for (let row = 0; row < 5; row++) {
          const gates = open.open[0].gates.subarray(row * 8, row * 8 + 8);
          assert.deepEqual([gates[2], gates[5], gates[7]], [1, 0, 0]);
        }
        assert.deepEqual(open.open, all.open);
        assert.ok(open.multiplyAdds < all.multiplyAdds);
      });

  test('experts that are held are closed on both paths alike', () => {
    const hold: readonly Hold[] = [{ site: 'gated0.experts', unit: 4, open: false }];
    const [all, open] = (['dense', 'blocks'] as const).map((compute) => {
      const model = gatedModel(engine, { compute });
      return gatedHold(model, hold);
    });
    assert.deepEqual(open, all);
    assert.notDeepEqual(open, gatedHold(gatedModel(engine, { compute: 'blocks' }), []));
  });
  const gatedHold = (model: Model, hold: readonly Hold[]): Float32Array => {
    const features = Float32Array.from(digits.test.features.slice(0, 784 * 20), (x) => x / 255);
    return compile(model, { mode: 'threshold' }).predict(features, { hold }).probabilities;
  };

  test('with every gate closed only the last bias speaks', () => {
    const model = gatedModel(engine);
    const hold = Array.from({ length: 8 }, (_, unit): Hold => ({ site: 'gated0.gates', unit, open: false }));
    const { density } = evaluate(model, digits.test, { mode: 'sample', hold });
    assert.equal(density, 0);
    const [{ rates }] = gateRates(model, digits.test, { mode: 'sample', hold });
    assert.ok(rates.every((rate) => rate === 0));
    const { probabilities } = compile(model, { mode: 'sample' }).predict(new Float32Array(784).fill(0.5), { hold });
    const bias = Array.from(model.weights('dense1.bias'), Math.exp);
    const total = bias.reduce((sum, value) => sum + value, 0);
    probabilities.forEach((p, c) => {
      assert.ok(Math.abs(p - bias[c] / total) < 1e-6);
    });
  });

  test('holding gates changes nothing of a later pass', () => {
    const model = gatedModel(engine);
    const plain = evaluate(model, digits.test, { mode: 'sample' });
    evaluate(model, digits.test, { mode: 'sample', hold: [{ site: 'gated0.gates', unit: 0, open: true }] });
    assert.deepEqual(evaluate(model, digits.test, { mode: 'sample' }), plain);
  });

  test('what does not exist, or is held twice, is a sentence', () => {
    const model = gatedModel(engine);
    const wrong = (hold: readonly Hold[]) => () => evaluate(model, digits.test, { hold });
    assert.throws(
      wrong([{ site: 'gates', unit: 0, open: true }]),
      /The model has no site "gates", of which a unit is to be held\. Expected gated0\.gates, gated0\.experts/,
    );
    assert.throws(
      wrong([{ site: 'gated0.gates', unit: 8, open: true }]),
      /The unit to be held in "gated0\.gates" is 8\. Expected a whole number from 0 to 7/,
    );
    assert.throws(
      wrong([0, 1].map((open) => ({ site: 'gated0.gates', unit: 3, open: open === 1 }))),
      /Unit 3 of "gated0\.gates" is to be held twice/,
    );
  });
});
