import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import { type Dataset, makeDataset } from '../../src/data/dataset.ts';
import { countNonZero } from '../../src/math/statistics.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import { classification } from '../../src/tasks/classification.ts';
import { epochOrder } from '../../src/tasks/examples.ts';
import { calibrate } from '../../src/train/calibrate.ts';
import { evaluate, forEachBatch } from '../../src/train/evaluate.ts';
import { corners, cornersSplit, digits, gatedModel } from './tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const GATES = ['straight-through', 'stochastic-binary', 'stochastic-times-smooth', 'noisy-rectifier', 'sigmoid'];

/** Share of the gates of the first layer whose logits are over their threshold. */
function shareOver(model: Model, data: Dataset): number {
  let over = 0;
  const [site] = model.sites;
  forEachBatch(model, data, classification, { mode: 'threshold' }, () => {
    over += site.last?.logits.values.filter((logit) => logit > site.threshold).length ?? 0;
  });
  return over / (data.count * site.units);
}

test('thresholds give the target share of open gates on held-out data, to one gate in all', () => {
  for (const neuron of GATES)
    for (const rate of [0.05, 0.3, 0.77]) {
      const model = gatedModel(engine, { neuron, rate });
      calibrate(model, digits.valid);
      const all = digits.valid.count * 8;
      const over = shareOver(model, digits.valid);
      assert.ok(Math.abs(over - rate) <= 1 / all, `${neuron}: ${over} for ${rate}`);
      assert.ok(Math.abs(shareOver(model, digits.test) - rate) < 0.15, `${neuron} on other data`);
      // A rectifier over a negative threshold emits 0 all the same; others are open there.
      const { density } = evaluate(model, digits.valid, { mode: 'threshold' });
      const { neuron: gate, threshold } = model.sites[0];
      if (gate.whenOpen(threshold) > 0) assert.ok(Math.abs(density - over) < 1e-12, `${neuron}: ${density}, ${over}`);
      else assert.ok(density <= over, `${neuron}: ${density}, ${over}`);
    }
});

test('calibration cuts between two logits that differ, whatever is tied', () => {
  // 40 examples, of which so many have the logit 1 and the others 0.
  for (const [high, target, expected] of [
    [19, 0.25, 19 / 40],
    [21, 0.25, 21 / 40],
    [10, 0.3, 10 / 40],
    [30, 0.3, 30 / 40],
    [40, 0.25, 1],
  ] as const) {
    const features = Float32Array.from({ length: 40 }, (_, i) => (i < high ? 1 : 0));
    const held = makeDataset({ name: 'tied', features, scale: 1, labels: new Uint8Array(40), width: 1, classes: 2 });
    const gate = gated(4, { blocks: 1, gater: [], rate: target, neuron: 'straight-through', activation: 'rectifier' });
    const model = createModel(engine, { inputs: 1, layers: [gate, dense(2)] });
    model.setWeights('gated0.gater.weights', Float32Array.of(1));
    model.setWeights('gated0.gater.bias', Float32Array.of(0));
    calibrate(model, held);
    const { density } = evaluate(model, held, { mode: 'threshold' });
    assert.equal(density, expected, `${high} of 40 tied, target ${target}`);
  }
});

test('calibration leaves a site that the data do not reach as it is, and wants an example', () => {
  const inner = gated(4, { blocks: 2, gater: [], rate: 0.5, neuron: 'straight-through', activation: 'rectifier' });
  const model = createModel(engine, {
    inputs: 784,
    layers: [conditional({ gater: [], neuron: 'top-k:k=1', name: 'parts' }, [inner, inner]), dense(10)],
  });
  // The first part is never chosen.
  model.setWeights('parts.gater.weights', new Float32Array(784 * 2));
  model.setWeights('parts.gater.bias', Float32Array.of(-9, 9));
  const [closed, open] = model.stochasticSites.filter(({ name }) => name !== 'parts.gates');
  const before = closed.threshold;
  calibrate(model, digits.valid);
  assert.equal(closed.threshold, before);
  assert.ok(Number.isFinite(open.threshold));
  assert.throws(() => calibrate(model, digits.valid, 0), /calibrate was given 0 examples\. Expected a whole number/);
});

test('calibration uses at most so many examples, and sites below are set first', () => {
  const layers = [gated(16, { blocks: 8, rate: 0.4 }), gated(12, { blocks: 6, rate: 0.25 }), dense(10)];
  const model = createModel(engine, { inputs: 784, layers, seed: 2 });
  calibrate(model, digits.train, 60);
  const [first, second] = model.sites;
  const counts = [0, 0];
  let rows = 0;
  forEachBatch(model, digits.train, classification, { mode: 'threshold', batch: 60 }, () => {
    if (rows++ > 0) return;
    [first, second].forEach((site, i) => {
      counts[i] = countNonZero(site.last?.h.values ?? []);
    });
  });
  assert.deepEqual(counts, [Math.round(0.4 * 60 * 8), Math.round(0.25 * 60 * 6)]);
});

test('a site without a target keeps the share that it has when sampled; smooth ones stay open on all data', () => {
  const model = createModel(engine, {
    inputs: 2,
    layers: [dense(30, 'straight-through'), dense(20, 'noisy-sigmoid'), dense(3)],
  });
  const biases = model.parameters.find(({ name }) => name === 'dense0.bias')?.tensor.values as Float32Array;
  biases.fill(-1.5);
  calibrate(model, cornersSplit.valid);
  const share = (mode: 'sample' | 'threshold', site: number, data = cornersSplit.valid): number => {
    let open = 0;
    forEachBatch(model, data, classification, { mode }, () => {
      open += countNonZero(model.sites[site].last?.h.values ?? []);
    });
    return open / (data.count * model.sites[site].units);
  };
  assert.ok(Math.abs(share('sample', 0) - share('threshold', 0)) < 1 / 900 + 1e-9);
  assert.ok(share('threshold', 0) > 0.1 && share('threshold', 0) < 0.6);
  const far = corners(30, (features) => features.set(features.map((value) => -50 * value)));
  assert.equal(share('threshold', 1, far), 1);
});

test('error, loss and density are those of a plain count', () => {
  const model = gatedModel(engine, { neuron: 'stochastic-times-smooth' });
  calibrate(model, digits.valid);
  for (const mode of ['sample', 'mean-field', 'threshold'] as const) {
    let [wrong, loss, open, gates] = [0, 0, 0, 0];
    forEachBatch(model, digits.test, classification, { mode, batch: 33 }, (_pass, batch, { output }) => {
      const values = Array.from(output.values);
      const labels = Array.from(engine.backend.heap.memory.integers(batch.labels.pointer, batch.rows));
      labels.forEach((label, row) => {
        const scores = values.slice(row * 10, row * 10 + 10);
        if (scores.indexOf(Math.max(...scores)) !== label) wrong++;
        loss += Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[label];
      });
      open += countNonZero(model.sites[0].last?.h.values ?? []);
      gates += batch.rows * 8;
    });
    const measured = evaluate(model, digits.test, { mode, batch: 33 });
    assert.equal(measured.error, wrong / 100, mode);
    assert.equal(measured.density, open / gates, mode);
    assert.ok(Math.abs(measured.loss - loss / 100) < 1e-5, mode);
  }
});

test('the three modes differ as they should', () => {
  const model = gatedModel(engine, { neuron: 'straight-through' });
  calibrate(model, digits.valid);
  const at = (mode: 'sample' | 'mean-field' | 'threshold', draw = 1) => evaluate(model, digits.test, { mode, draw });
  assert.deepEqual(at('sample'), at('sample'));
  assert.notEqual(at('sample', 2).loss, at('sample').loss, 'another draw, other samples');
  assert.deepEqual(at('mean-field', 2), at('mean-field'));
  assert.equal(at('mean-field').density, 1, 'probabilities are never 0');
  assert.deepEqual(at('threshold', 2), at('threshold'));
  assert.equal(new Set([at('sample').loss, at('mean-field').loss, at('threshold').loss]).size, 3);
  assert.deepEqual(evaluate(model, digits.test), at('mean-field'), 'the default');
  const plain = createModel(engine, { inputs: 784, layers: [dense(8, 'tanh'), dense(10)] });
  const modes = (['sample', 'mean-field', 'threshold'] as const).map((mode) => evaluate(plain, digits.test, { mode }));
  assert.deepEqual(modes[1], modes[0]);
  assert.deepEqual(modes[2], modes[0]);
  assert.equal(modes[0].density, 1);
});

test('the average of many samples of a linear network is the mean-field network', () => {
  const model = createModel(engine, { inputs: 784, layers: [dense(12, 'straight-through'), dense(10)], seed: 6 });
  const logitsOf = (mode: 'sample' | 'mean-field', draw: number): number[] => {
    const all: number[] = [];
    forEachBatch(model, digits.test, classification, { mode, draw }, (_pass, _batch, { output }) =>
      all.push(...output.values),
    );
    return all;
  };
  const meanField = logitsOf('mean-field', 0);
  const sums = new Float64Array(meanField.length);
  const draws = 400;
  for (let draw = 1; draw <= draws; draw++)
    logitsOf('sample', draw).forEach((value, i) => {
      sums[i] += value;
    });
  const errors = sums.map((sum, i) => sum / draws - meanField[i]);
  // Each logit's variance is at most ¼·Σ w²; the mean of 1,000 squared errors is well within twice its expectation.
  const weights = model.weights('dense1.weights');
  const bound = (0.25 * weights.reduce((sum, w) => sum + w * w, 0)) / 10 / draws;
  const square = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
  assert.ok(square < 2 * bound && square > 0.05 * bound, `${square} and ${bound}`);
});

test('work is counted in multiply-adds an example, the gater’s beside it', () => {
  const { flops } = evaluate(gatedModel(engine), digits.test);
  assert.equal(flops.gater, 784 * 6 + 6 * 8);
  assert.equal(flops.dense, 784 * 24 + 24 * 10);
  assert.ok(flops.executed >= flops.gater && flops.executed <= flops.dense + flops.gater);
});

test('the order of an epoch is a permutation that depends on the seed and the epoch', () => {
  const order = epochOrder(500, 3, 1);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, i) => i),
  );
  assert.deepEqual(epochOrder(500, 3, 1), order);
  assert.notDeepEqual(epochOrder(500, 3, 2), order);
  assert.notDeepEqual(epochOrder(500, 4, 1), order);
});
