import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  adam,
  createModel,
  dense,
  digitsSplit,
  type EstimatorProbeOptions,
  type EstimatorProbeRow,
  gated,
  type ModelSpec,
  train,
} from '../../src/index.ts';
import { repeatsOf } from '../../src/math/repeats.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { randomStream } from '../../src/random/stream.ts';
import { SiteGradients } from '../../src/train/site-gradients.ts';
import { assertClose } from '../helpers/numbers.ts';

const data = digitsSplit({ seed: 3, train: 300, valid: 60, test: 60 });
const gatedLayers: ModelSpec['layers'] = [
  gated(48, { blocks: 12, gater: [8], rate: 0.25, activation: 'rectifier', neuron: 'stochastic-binary' }),
  dense(10),
];
const hiddenLayers: ModelSpec['layers'] = [
  dense(7, 'rloo', 'hidden'),
  dense(6, 'straight-through', 'above'),
  dense(10),
];

describe('a probe of estimators', async () => {
  const engine = await createEngine({ threads: 1 });
  after(() => engine.close());

  const trained = async (
    layers: ModelSpec['layers'],
    estimatorProbe?: { neurons: string[]; every: number; site?: string },
  ) => {
    const model = createModel(engine, { inputs: 784, layers, seed: 5 });
    const rows: (readonly EstimatorProbeRow[])[] = [];
    const training = train(model, data, {
      epochs: 2,
      batch: 50,
      optimizer: adam(),
      ...(estimatorProbe && { estimatorProbe }),
    });
    for await (const event of training) if (event.event === 'epoch') rows.push(event.estimatorProbe ?? []);
    return { snapshot: training.state().model, rows };
  };

  it('of a site in a part behind gates it measures the steps in which a row opened the part, and changes nothing', async () => {
    const layers = [
      conditional({ name: 'c', gater: [], neuron: 'top-k:k=1', copies: 40 }, [dense(6, 'straight-through', 'a')]),
      dense(10),
    ];
    const trained = async (estimatorProbe?: EstimatorProbeOptions) => {
      const model = createModel(engine, { inputs: 784, layers, seed: 5 });
      let measured = 0;
      const training = train(model, data, { epochs: 1, batch: 1, ...(estimatorProbe && { estimatorProbe }) });
      for await (const event of training)
        if (event.event === 'epoch') {
          measured = event.estimatorProbe?.[1]?.steps ?? 0;
          assert.ok((event.estimatorProbe ?? []).every(({ variance }) => Number.isFinite(variance.value)));
        }
      return { snapshot: training.state().model, measured };
    };
    const without = await trained();
    const given = await trained({ neurons: ['rloo'], every: 1, repeats: 3, site: 'c.a0' });
    assert.ok(given.measured > 0 && given.measured < data.train.count, `${given.measured} steps measured`);
    assert.deepEqual(given.snapshot, without.snapshot);
  });

  for (const [title, layers, site] of [
    ['gates of blocks', gatedLayers, undefined],
    ['two layers, of which one makes two draws', hiddenLayers, undefined],
    ['the upper of two layers', hiddenLayers, 'above'],
  ] as const)
    it(`changes not a bit of the training: ${title}`, async () => {
      const neurons = ['straight-through', 'rloo:K=3', 'stochastic-binary:baseline=none', 'muprop'];
      const without = await trained(layers);
      const given = { neurons, every: 2, ...(site && { site }) };
      const { snapshot, rows } = await trained(layers, given);
      assert.deepEqual(snapshot, without.snapshot);
      assert.deepEqual(without.rows, [[], []]);
      for (const epoch of rows) {
        assert.equal(epoch.length, neurons.length + 1);
        for (const row of epoch) {
          assert.equal(row.steps, 3);
          assert.equal(row.trains, row === epoch[0]);
          assert.ok(row.variance.value > 0 && row.ratio.value > 0 && row.seconds > 0, row.neuron);
        }
        assert.equal(epoch[0].ratio.value, 1);
        assert.equal(epoch[0].distance.value, 0);
        assert.deepEqual(
          epoch.slice(1).map(({ evaluations }) => evaluations),
          [1, 3, 1, 2],
        );
      }
    });

  it('refuses what it cannot measure', async () => {
    await assert.rejects(trained(gatedLayers, { neurons: ['nobody'], every: 1 }), /no neuron "nobody"/);
    await assert.rejects(trained(gatedLayers, { neurons: [], every: 0 }), /`estimatorProbe\.every` of train is 0/);
    await assert.rejects(
      trained([dense(5, 'tanh'), dense(10)], { neurons: [], every: 1 }),
      /no firing site with noise/,
    );
    await assert.rejects(trained(gatedLayers, { neurons: [], every: 1, site: 'x' }), /Those with noise: gated0.gates/);
  });

  it('gradients at a site: draws differ, the same draw is the same, and logits stay', () => {
    const model = createModel(engine, { inputs: 784, layers: hiddenLayers, seed: 5 });
    const [lower, upper] = model.sites;
    const before = model.snapshot();
    for (const site of [lower, upper]) {
      const gradients = new SiteGradients(model, site);
      const measured = gradients.measured(site.neuron);
      const logits: Float32Array[] = [];
      const draw = (number: number) => {
        const { gradient } = gradients.draw(measured, data.train, [0, 1, 2], 4, number);
        logits.push(site.last?.logits.array.toArray() as Float32Array);
        return gradient;
      };
      const [first, second, again] = [draw(0), draw(1), draw(0)];
      assert.equal(first.length, 3 * site.units);
      assert.notDeepEqual(first, second);
      assert.deepEqual(first, again);
      for (const one of logits) assert.deepEqual(one, logits[0]);
    }
    assert.deepEqual(model.snapshot(), before);
  });
});

describe('repeats of a vector', () => {
  it('give |E x|² and the variance without bias, and errors that fit', () => {
    const random = randomStream(8);
    const mean = [0.3, -0.2, 0, 0.1];
    const scale = [1, 0.5, 2, 0];
    const found = Array.from({ length: 400 }, () =>
      repeatsOf(Array.from({ length: 12 }, () => mean.map((m, i) => m + scale[i] * random.normal()))),
    );
    for (const [field, truth] of [
      ['squaredMean', 0.14],
      ['variance', 5.25],
    ] as const) {
      const values = found.map((one) => one[field].value);
      const average = values.reduce((sum, value) => sum + value, 0) / values.length;
      const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1));
      assert.ok(Math.abs(average - truth) < (5 * spread) / 20, `${field}: ${average}`);
      const error = found.reduce((sum, one) => sum + one[field].error, 0) / found.length;
      assertClose([error / spread], [1], { absolute: 0.35 }, `the error of ${field}`);
    }
    assert.throws(() => repeatsOf([[1], [2]]), /2 repeats/);
  });
});
