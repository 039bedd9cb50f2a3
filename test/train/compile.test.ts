import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  adam,
  compile,
  contexts,
  createModel,
  type Dataset,
  dense,
  digitsSplit,
  evaluate,
  gated,
  type Model,
  measureInference,
  train,
} from '../../src/index.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { embedding } from '../../src/nn/embedding.ts';
import { module } from '../../src/nn/module.ts';
import { norm } from '../../src/nn/norm.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { denseTwin } from '../../src/train/measure-inference.ts';

const data = digitsSplit({ seed: 3, train: 1200, valid: 200, test: 200 });
const inputsOf = ({ features, scale }: Dataset): Float32Array => Float32Array.from(features, (x) => x * scale);

describe('compile', async () => {
  const engine = await createEngine({ threads: 1 });
  let model: Model;
  before(async () => {
    model = createModel(engine, {
      inputs: 784,
      layers: [
        gated(96, { blocks: 12, gater: [16], rate: 0.25, activation: 'rectifier', compute: 'blocks', name: 'below' }),
        gated(60, { blocks: 20, gater: [], rate: 0.25, activation: 'rectifier', compute: 'blocks', name: 'above' }),
        dense(10),
      ],
    });
    for await (const _ of train(model, data, { epochs: 4, batch: 50, optimizer: adam({ learningRate: 0.003 }) }));
  });
  after(() => engine.close());

  for (const mode of ['threshold', 'mean-field'] as const)
    it(`decides as evaluate does, in mode ${mode}`, () => {
      const { error, flops } = evaluate(model, data.test, { mode });
      const compiled = compile(model, { mode }).evaluate(data.test);
      assert.equal(compiled.error, error);
      assert.ok(Math.abs(compiled.multiplyAdds - flops.executed) < 1e-6);
      assert.ok(error < 0.5, 'the network has learnt something');
    });

  it('one example at a time gives what the batch gives, and reads open blocks only', () => {
    const compiled = compile(model, { mode: 'threshold' });
    const inputs = inputsOf(data.test);
    const batch = compiled.predict(inputs);
    for (let r = 0; r < 20; r++) {
      const one = compiled.predict(inputs.subarray(r * 784, (r + 1) * 784));
      assert.equal(one.classes[0], batch.classes[r]);
      const open = one.open.map(({ gates }) => gates.reduce((sum, g) => sum + g, 0));
      // Gaters: 784·16 + 16·12 below; the upper one reads the open units below. Experts: open blocks alone.
      const below = open[0] * 8;
      const expected = 784 * 16 + 16 * 12 + 784 * below + below * 20 + below * open[1] * 3 + open[1] * 3 * 10;
      assert.equal(one.multiplyAdds, expected);
    }
  });

  it('removes blocks that never open, and decides the same without them', () => {
    // Gates that no example opens: push two logits far down.
    const { parameters } = model;
    const bias = parameters.find(({ name }) => name === 'below.gater.bias');
    assert.ok(bias);
    const before = model.weights('below.gater.bias');
    model.setWeights(
      'below.gater.bias',
      before.map((b, k) => (k === 3 || k === 7 ? -1e3 : b)),
    );
    const whole = compile(model, { mode: 'threshold' }).predict(inputsOf(data.test));
    const compiled = compile(model, { mode: 'threshold', prune: data.test });
    const pruned = compiled.predict(inputsOf(data.test));
    model.setWeights('below.gater.bias', before);
    assert.ok(compiled.blocksRemoved >= 2);
    assert.ok(compiled.model.layers[0].outputs <= 96 - 2 * 8);
    assert.deepEqual([...pruned.classes], [...whole.classes]);
    pruned.probabilities.forEach((p, i) => {
      assert.ok(Math.abs(p - whole.probabilities[i]) < 1e-5);
    });
    assert.ok(pruned.multiplyAdds < whole.multiplyAdds);
  });

  for (const [title, layers, removed] of [
    ['at the end', [gated(12, { blocks: 4, gater: [], name: 'gates' })], 0],
    [
      'under a residual branch',
      [gated(12, { blocks: 4, gater: [], name: 'gates' }), residual(dense(12, 'tanh')), dense(10)],
      0,
    ],
    [
      'within a module',
      [residual(sequential(dense(8), gated(784, { blocks: 4, gater: [], name: 'gates' }))), dense(10)],
      0,
    ],
    ['under a dense layer', [gated(12, { blocks: 4, gater: [], name: 'gates' }), dense(10)], 1],
  ] as const)
    it(`decides the same with blocks that never open, of a gated layer ${title}`, () => {
      const own = createModel(engine, { inputs: 784, layers, seed: 5 });
      const bias = own.parameters.find(({ name }) => name.endsWith('gates.gater.bias'))?.name ?? '';
      own.setWeights(bias, [-1e3, 5, 5, 5]);
      const inputs = inputsOf(data.test);
      const whole = compile(own).predict(inputs);
      const pruned = compile(own, { prune: data.test });
      assert.equal(pruned.blocksRemoved, removed);
      pruned.predict(inputs).probabilities.forEach((p, i) => {
        assert.ok(Math.abs(p - whole.probabilities[i]) < 1e-5);
      });
    });

  for (const [title, below] of [
    ['an embedding', [embedding(256, 4)]],
    ['a residual module', [dense(6), residual(sequential(dense(9, 'tanh'), dense(6)))]],
    [
      'parts behind gates',
      [
        conditional({ gater: [5], neuron: 'top-k:k=1', balance: true }, [
          sequential(dense(9, 'tanh'), norm(), dense(6)),
          gated(6, { blocks: 3, gater: [], neuron: 'top-k:k=1', balance: true }),
        ]),
      ],
    ],
    ['a norm', [dense(6), norm()]],
    [
      'a parameter of a module of one’s own',
      [module('mine', (scope, x) => multiply(x, scope.parameter('w', [3], { initialize: 2 }))), dense(6, 'tanh')],
    ],
  ] as const)
    it(`takes blocks from a net with ${title}`, () => {
      const bytes = contexts(
        'bytes',
        Uint8Array.from({ length: 120 }, (_, i) => (i * 37) % 256),
        3,
      );
      const layers = [...below, gated(16, { name: 'g', blocks: 8, gater: [], rate: 0.5 }), dense(256)];
      const own = createModel(engine, { inputs: 3, layers, seed: 3 });
      own.parameters.forEach(({ tensor }, p) => {
        const { values } = tensor;
        for (let i = 0; i < values.length; i++) values[i] += 0.3 * Math.sin(1 + 7 * i + p);
      });
      own.setWeights('g.gater.bias', [-1e6, -1e6, 5, 5, -1e6, 5, 5, 5]);
      own.sites.forEach((site, s) => {
        site.threshold = 0.01 * s;
        site.selectionBias?.forEach((_, k, bias) => void (bias[k] = 0.02 * k));
      });
      const wanted = compile(own);
      const pruned = compile(own, { prune: bytes });
      assert.equal(pruned.blocksRemoved, 3);
      for (let r = 0; r < 20; r++) {
        const row = Float32Array.from(bytes.features.subarray(r, r + 3));
        const [a, b] = [wanted.predict(row).probabilities, pruned.predict(row).probabilities];
        a.forEach((p, i) => void assert.ok(Math.abs(p - b[i]) < 1e-6, `${p} and ${b[i]}`));
      }
    });

  it('an ensemble is the mean of its samples, and does better than one of them', () => {
    const inputs = inputsOf(data.test);
    const three = compile(model, { mode: 'ensemble', samples: 3 }).predict(inputs);
    for (let r = 0; r < 200; r++) {
      const sum = three.probabilities.subarray(r * 10, (r + 1) * 10).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-5);
    }
    const errorOf = (mode: 'sample' | 'ensemble') => compile(model, { mode, samples: 20 }).evaluate(data.test).error;
    assert.ok(errorOf('ensemble') <= errorOf('sample'));
    const again = compile(model, { mode: 'ensemble', samples: 3 }).predict(inputs);
    assert.deepEqual(again.probabilities, three.probabilities);
  });

  it('says how often each gate was open over the draws of an ensemble', () => {
    const inputs = inputsOf(data.test).subarray(0, 784 * 10);
    const { open } = compile(model, { mode: 'ensemble', samples: 8 }).predict(inputs);
    const [once] = compile(model, { mode: 'sample' }).predict(inputs).open;
    assert.deepEqual([...once.shares], [...once.gates]);
    for (const { shares, gates } of open) {
      assert.equal(shares.length, gates.length);
      shares.forEach((share, i) => {
        assert.ok(Number.isInteger(8 * share) && share <= 1);
        // The last draw is one of them.
        assert.ok(gates[i] === 1 ? share > 0 : share < 1);
      });
    }
    assert.ok(open[0].shares.some((share) => share > 0 && share < 1));
  });

  it('measures itself beside the dense network', () => {
    const report = measureInference(compile(model), model, data.test);
    assert.equal(report.error, compile(model).evaluate(data.test).error);
    assert.equal(report.multiplyAdds.dense, 784 * 96 + 96 * 60 + 60 * 10);
    for (const { compiled, dense: all } of [report.milliseconds.one, report.milliseconds.hundred])
      assert.ok(compiled > 0 && all > 0);
  });

  it('the dense network beside it has no gates within others either', () => {
    const gates = gated(12, { blocks: 4, gater: [6], activation: 'tanh' });
    const layers = [residual(sequential(dense(8), gates, dense(784))), gates, dense(10)];
    const own = createModel(engine, { inputs: 784, layers });
    const twin = denseTwin(own).model;
    assert.deepEqual(twin.cost, { dense: own.cost.dense, gater: 0 });
    assert.deepEqual(
      twin.sites.filter(({ rate }) => rate !== undefined),
      [],
    );
  });

  it('refuses what does not fit', () => {
    assert.throws(
      () => compile(model, { mode: 'thresh' as 'threshold' }),
      /^RangeError: compile: `mode` is "thresh"\. Expected one of sample, mean-field, .*; did you mean "threshold"\?$/,
    );
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const features = new Float32Array(2 * 784).fill(0.5);
      features[784 + 3] = wrong;
      assert.throws(() => compile(model).predict(features), {
        name: 'RangeError',
        message: `Feature 3 of row 1 is ${wrong}. Expected a finite number.`,
      });
    }
    assert.throws(() => compile(model, { samples: 0 }), /`samples` is 0/);
    assert.throws(
      () => compile(model).predict(new Float32Array(785)),
      /785 features are no whole number of rows of 784/,
    );
  });
  it('a network whose weights are not finite answers with an error, not with a class', () => {
    const broken = createModel(engine, { inputs: 4, layers: [dense(3)] });
    broken.setWeights('dense0.bias', Float32Array.of(0, Number.NaN, 0));
    for (const mode of ['threshold', 'ensemble'] as const)
      assert.throws(() => compile(broken, { mode }).predict([1, 2, 3, 4]), {
        name: 'NonFiniteError',
        message: /What the network gives for row 0 is not finite/,
      });
  });

  it('every prediction of the modes that draw is drawn anew, and the first is the same again', () => {
    const model = createModel(engine, {
      inputs: 4,
      layers: [
        gated(64, { blocks: 64, gater: [], rate: 0.5, neuron: 'straight-through', activation: 'rectifier' }),
        dense(3),
      ],
    });
    const draws = () => {
      const compiled = compile(model, { mode: 'sample' });
      return [1, 2, 3].map(() => compiled.predict([1, 2, 3, 4]).open[0].gates.join(''));
    };
    const [first, second, third] = draws();
    assert.equal(new Set([first, second, third]).size, 3);
    assert.deepEqual(draws(), [first, second, third]);
  });

  it('nothing of a prediction is left after the next small collection of garbage', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
    const compiled = compile(model, { mode: 'threshold' });
    const inputs = inputsOf(data.test);
    const held = (predictions: number): number => {
      for (let i = 0; i < predictions; i++) compiled.predict(inputs.subarray(0, 784));
      // What survives one is moved on by the next.
      collect({ type: 'minor' });
      collect({ type: 'minor' });
      return process.memoryUsage().heapUsed;
    };
    const before = held(1500);
    const kilobytes = (held(1000) - before) / 1024;
    assert.ok(kilobytes < 2000, `1,000 predictions keep ${kilobytes.toFixed(0)} kB`);
  });

  it('a network of 200,000 outputs answers', () => {
    const wide = createModel(engine, { inputs: 1, layers: [dense(200_000)] });
    const bias = new Float32Array(200_000);
    bias[123_456] = 9;
    wide.setWeights('dense0.bias', bias);
    assert.deepEqual([...compile(wide).predict([0]).classes], [123_456]);
  });
});
