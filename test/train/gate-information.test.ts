import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createModel, dense, gated, gateExamples, gateInformation, gateRates, makeDataset } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { digits, gatedModel } from './tiny.ts';

const engine = await createEngine({ threads: 1, simd: 'simd' });
after(() => engine.close());

test('a gate that tells all tells the entropy of what it tells apart, one that does not care 0', () => {
  // Classes of 2, 1 and 1 examples; gates: for class 0 alone, never, always, for half of every class, for class 1 alone.
  const rates = Float64Array.from([1, 0, 1, 0.5, 0, 0, 0, 1, 0.5, 1, 0, 0, 1, 0.5, 0]);
  const found = gateInformation({ site: 'gates', units: 5, rates, examples: Float64Array.from([2, 1, 1]) });
  const entropy = (p: number) => -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
  [1, 0, 0, 0, entropy(0.25)].forEach((bits, unit) => {
    assert.ok(Math.abs(found[unit] - bits) < 1e-12, `unit ${unit}: ${found[unit]}`);
  });
});

test('it is the information in the joint counts of gate and class', () => {
  const model = gatedModel(engine);
  const [site] = gateRates(model, digits.test, { mode: 'sample' });
  const found = gateInformation(site);
  const n = digits.test.count;
  for (let unit = 0; unit < site.units; unit++) {
    // I = Σ p(g, c)·log₂(p(g, c)/(p(g)·p(c))), another form of the same.
    const joint = [0, 1].map((open) =>
      Array.from(site.examples, (count, c) => {
        const rate = site.rates[c * site.units + unit];
        return (count * (open ? rate : 1 - rate)) / n;
      }),
    );
    let bits = 0;
    for (const row of joint)
      row.forEach((p, c) => {
        const ofGate = row.reduce((sum, value) => sum + value, 0);
        if (p > 0) bits += p * Math.log2(p / (ofGate * (site.examples[c] / n)));
      });
    assert.ok(Math.abs(found[unit] - bits) < 1e-12);
  }
});

test('the examples that open a gate most are those with the largest logits, over minibatches of any size', () => {
  // Gater without hidden layers and with unit weights: the logit of gate k is feature k.
  const model = createModel(engine, { inputs: 3, layers: [gated(3, { gater: [], start: 'zero' }), dense(2)] });
  model.setWeights('gated0.gater.weights', [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  const count = 11;
  const features = Float32Array.from({ length: 3 * count }, (_, i) => Math.round(5 * Math.sin(3 * i)) / 5);
  const labels = new Uint8Array(count);
  const data = makeDataset({ name: 'waves', features, scale: 1, labels, width: 3, classes: 2 });
  for (const batch of [2, 250]) {
    const [{ examples, logits, most }] = gateExamples(model, data, { most: 4, batch, mode: 'threshold' });
    assert.equal(most, 4);
    for (let unit = 0; unit < 3; unit++) {
      const column = Array.from({ length: count }, (_, i) => features[3 * i + unit]);
      const order = Array.from(column.keys()).sort((a, b) => column[b] - column[a] || a - b);
      assert.deepEqual([...examples.subarray(4 * unit, 4 * unit + 4)], order.slice(0, 4));
      assert.deepEqual(
        [...logits.subarray(4 * unit, 4 * unit + 4)],
        order.slice(0, 4).map((i) => column[i]),
      );
    }
  }
  assert.equal(gateExamples(model, data, { most: 99 })[0].most, count);
  assert.throws(() => gateExamples(model, data, { most: 0 }), /`most` is 0. Expected a whole number from 1 up/);
});
