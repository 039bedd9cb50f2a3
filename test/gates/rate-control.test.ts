/** A target rate is a promise: over an epoch, as sampled while training, the share of open gates is within a tenth of it. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { digitsSplit } from '../../src/data/digits.ts';
import { commonShift, type GateCounts, steer } from '../../src/gates/rate-control.ts';
import { logit, normalCdf, sigmoid } from '../../src/math/special.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { type GatedSpec, gated } from '../../src/nn/gated.ts';
import { createModel } from '../../src/nn/model.ts';
import { adam } from '../../src/optim/adam.ts';
import type { Optimizer } from '../../src/optim/index.ts';
import { sgd } from '../../src/optim/sgd.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { randomStream } from '../../src/random/stream.ts';
import { full } from '../helpers/extent.ts';
import { digits, eventsOf } from '../train/tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const TOLERANCE = 0.1;

/** P(open) of a gate as a function of its logit: how steeply gates answer to their biases differs from neuron to neuron. */
const ANSWERS: Readonly<Record<string, (logit: number) => number>> = {
  sigmoid,
  normal: normalCdf,
  steep: (a) => sigmoid(5 * a),
};

interface Plant {
  readonly answer: (logit: number) => number;
  readonly target: number;
  readonly units: number;
  readonly rows: number;
  /** What training does to every logit in a step. */
  readonly drift: number;
}

/** Six epochs of gates with biases of their own, which all examples move together. @returns each epoch's share over the target */
function epochs({ answer, target, units, rows, drift }: Plant): number[] {
  const random = randomStream(7, units, rows);
  const bias = Float64Array.from({ length: units }, () => random.normal() + logit(target));
  return Array.from({ length: 6 }, () => {
    const opened = new Float64Array(units);
    let seen = 0;
    for (let step = 0; step < Math.max(30, 3000 / rows); step++) {
      const rates = new Float64Array(units);
      for (let r = 0; r < rows; r++) {
        const x = 0.5 * random.normal();
        for (let j = 0; j < units; j++) if (random.uniform() < answer(bias[j] + x)) rates[j]++;
      }
      for (let j = 0; j < units; j++) opened[j] += rates[j];
      seen += rows;
      steer(target, { rates: rates.map((count) => count / rows), rows, opened, seen }, bias);
      for (let j = 0; j < units; j++) bias[j] += drift;
    }
    return opened.reduce((sum, count) => sum + count, 0) / (units * seen * target);
  });
}

describe('the controller is stable', () => {
  for (const [name, answer] of Object.entries(ANSWERS))
    for (const units of full ? [8, 64, 512] : [8, 64])
      for (const rows of full ? [16, 128, 512] : [16])
        test(`${name} gates, ${units} of them, minibatches of ${rows}: rates from 1% to 50%, with and against training`, () => {
          for (const target of units * rows > 100_000 ? [0.01] : full ? [0.01, 0.125, 0.5] : [0.01, 0.5])
            for (const drift of units * rows > 10_000 ? [0.03] : [0, 0.03, -0.03]) {
              const shares = epochs({ answer, target, units, rows, drift });
              for (const share of shares.slice(2))
                assert.ok(Math.abs(share - 1) <= TOLERANCE, `${target}, ${drift}: ${shares.map((s) => s.toFixed(3))}`);
            }
        });
});

const evenly = (share: number, { rows = 100, units = 10, seen = 100 } = {}): GateCounts => {
  const rates = new Float64Array(units).fill(share);
  return { rates, rows, opened: rates.map((rate) => rate * seen), seen };
};

test('too few open gates raise all biases, too many lower them, and the target leaves them', () => {
  assert.ok(commonShift(0.2, evenly(0.1)) > 0);
  assert.ok(commonShift(0.2, evenly(0.3)) < 0);
  assert.ok(Math.abs(commonShift(0.2, evenly(0.2))) < 1e-12);
  // What the epoch lacks is made up for.
  assert.ok(commonShift(0.2, { ...evenly(0.2), opened: new Float64Array(10).fill(10) }) > 0);
});

test('dead gates rise, though all others are held down; gates that are always open fall', () => {
  const counts = evenly(0.5, { seen: 1000 });
  const rates = Float64Array.from(counts.rates);
  const opened = Float64Array.from(counts.opened);
  [rates[3], opened[3], rates[4], opened[4]] = [0, 0, 1, 1000];
  const bias = new Float64Array(10);
  steer(0.2, { ...counts, rates, opened }, bias);
  assert.ok(bias[0] < 0 && bias[3] > 0 && bias[4] < bias[0], `${bias}`);
  // One that opens again is as the others.
  const back = new Float64Array(10);
  steer(0.2, { ...counts, rates: rates.with(3, 0.01), opened }, back);
  assert.equal(back[3], back[0]);
});

/** Gates of the layer that is trained. */
const BLOCKS = 64;

/** Do more of its gates open as logits rise? */
const opensMore = ({ claims: { rate }, opens, jointNoise, mostUnits = BLOCKS }: Neuron): boolean =>
  !opens && !jointNoise && mostUnits >= BLOCKS && rate !== undefined && rate(-30) < 0.01 && rate(30) > 0.5;

const layer = (options: Omit<GatedSpec, 'layer' | 'units'>) =>
  gated(256, { blocks: BLOCKS, gater: [32], activation: 'rectifier', ...options });

const data = digitsSplit({ seed: 5, train: 1000, valid: 50, test: 50 });
const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  adam: adam({ learningRate: 0.003 }),
  sgd: sgd({ learningRate: 0.1 }),
};
const EPOCHS = 6;
const ALL = [
  ['adam', 0.125],
  ['adam', 1 / 32],
  ['sgd', 0.4],
] as const;
const QUICK = ['straight-through', 'noisy-rectifier', 'threshold'];

describe('training holds the rate in its last epoch', () => {
  const names = Object.keys(zoo).filter((name) => opensMore(resolveNeuron(name)));
  test('there is something to test', () => {
    assert.ok(names.length > 15 && QUICK.every((name) => names.includes(name)), `${names}`);
  });
  for (const name of full ? names : QUICK)
    for (const [optimizer, rate] of full ? ALL : ALL.slice(0, 1))
      test(`${name}, ${optimizer}, ${rate}`, async () => {
        const model = createModel(engine, {
          inputs: 784,
          layers: [layer({ neuron: name, rate }), dense(10)],
          seed: 1,
        });
        const events = await eventsOf(model, data, { epochs: EPOCHS, batch: 50, optimizer: OPTIMIZERS[optimizer] });
        const { health } = events.filter((event) => event.event === 'epoch')[EPOCHS - 1];
        const [{ rate: share, dead, alwaysOn, units }] = health;
        assert.ok(Math.abs(share / rate - 1) <= TOLERANCE, `${share / rate} times the rate`);
        // Without noise a closed gate may never open again in so short a training; at 1/32 one may be on its way back.
        if (resolveNeuron(name).noise > 0)
          assert.ok(dead + alwaysOn <= (rate < 0.1 ? 1 : 0), `${dead} dead, ${alwaysOn} always on of ${units}`);
      });
});

test('gates whose rule says how many open, or that are never closed, are left alone, and so are others with `steer: false`', async () => {
  for (const options of [
    { neuron: 'top-k' },
    { neuron: 'sigmoid', sparsity: 'none' },
    { neuron: 'straight-through', sparsity: 'none', steer: false },
  ]) {
    const spec = { ...options, rate: 0.25, blocks: 8, gater: [4] };
    const model = createModel(engine, { inputs: 784, layers: [gated(16, spec), dense(10)], seed: 1 });
    const bias = () => model.parameters.find(({ name }) => name === 'gated0.gater.bias')?.tensor.toArray();
    const before = bias();
    await eventsOf(model, digits, { epochs: 1, batch: 50, optimizer: sgd({ learningRate: 1e-30 }) });
    bias()?.forEach((value, j) => {
      assert.ok(Math.abs(value - (before?.[j] ?? Number.NaN)) < 1e-20, options.neuron);
    });
    assert.equal(before?.length, 8);
  }
});
