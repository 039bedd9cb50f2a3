/** Gates of a part that stands behind gates: tables, predictions and texts give them for the rows that they are of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeDataset } from '../../src/data/dataset.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { dense } from '../../src/nn/dense.ts';
import { embedding } from '../../src/nn/embedding.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec } from '../../src/nn/model.ts';
import { classification } from '../../src/tasks/classification.ts';
import { compile } from '../../src/train/compile.ts';
import { gateExamples } from '../../src/train/gate-examples.ts';
import { gateRates } from '../../src/train/gate-rates.ts';
import { generate } from '../../src/train/generate.ts';
import { predictTask } from '../../src/train/predict.ts';
import { builds } from '../helpers/engines.ts';

const [engine] = builds;
const behind = (width: number): LayerSpec =>
  conditional({ name: 'c', gater: [], rate: 0.5 }, [
    gated(width, { name: 'g', blocks: 2, gater: [], rate: 0.5 }),
    dense(width, 'linear', 'd'),
  ]);

/** Two numbers each: below 0 in the first of class 0, over 0 of class 1; the second alternates. */
const ROWS = 8;
const features = Float32Array.from({ length: 2 * ROWS }, (_, i) => {
  const row = i >> 1;
  return i % 2 === 0 ? (row < 4 ? -1 : 1) : row % 2 === 0 ? -1 : 1;
});
const labels = Uint8Array.from({ length: ROWS }, (_, i) => Number(i >= 4));
const data = makeDataset({ name: 'corners', features, scale: 1, labels, width: 2, classes: 2 });

/** The part opens for rows 4 to 7; of the gates in it the first for odd rows, the second for none. */
function model() {
  const made = createModel(engine, { inputs: 2, layers: [behind(4), dense(2)] });
  made.setWeights('c.gater.weights', [10, 0, 0, 0]);
  made.setWeights('c.gater.bias', [0, 5]);
  made.setWeights('c.g.gater.weights', [0, 0, 10, 0]);
  made.setWeights('c.g.gater.bias', [0, -20]);
  for (const site of made.sites) site.threshold = 0;
  return made;
}
const NESTED = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((row) => [Number(row >= 4 && row % 2 === 1), 0]);

describe('gates behind gates', () => {
  test('the share of a class counts the examples that did not reach them as closed', () => {
    for (const batch of [1, 3, ROWS]) {
      const table = gateRates(model(), data, { mode: 'threshold', batch }).find(({ site }) => site === 'c.g.gates');
      assert.deepEqual([...(table?.rates ?? [])], [0, 0, 0.5, 0]);
    }
  });

  test('the examples that open them most are those that reach them', () => {
    for (const batch of [1, 3, ROWS]) {
      const table = gateExamples(model(), data, { mode: 'threshold', batch, most: 5 }).find(
        ({ site }) => site === 'c.g.gates',
      );
      assert.deepEqual([...(table?.examples ?? [])], [5, 7, 4, 6, -1, 4, 5, 6, 7, -1]);
    }
  });

  test('a compiled network and the predictions of a task tell of every row', () => {
    const compiled = compile(model())
      .predict(features)
      .open.find(({ site }) => site === 'c.g.gates');
    assert.deepEqual([...(compiled?.gates ?? [])], NESTED);
    for (const batch of [1, 3, ROWS])
      for (const samples of [1, 4]) {
        const mode = samples === 1 ? 'threshold' : 'ensemble';
        const shares = [...predictTask(model(), data, classification, { mode, samples, batch })].flatMap(({ open }) => [
          ...(open.find(({ site }) => site === 'c.g.gates')?.shares ?? []),
        ]);
        assert.equal(shares.length, 2 * ROWS);
        if (mode === 'threshold') assert.deepEqual(shares, NESTED);
        assert.ok(shares.every((share) => share >= 0 && share <= 1));
      }
  });

  test('the shares of an ensemble are those of its draws, one by one', () => {
    const layers = [
      conditional({ name: 'c', gater: [], rate: 0.5, neuron: 'stochastic-binary' }, [
        gated(4, { name: 'g', blocks: 2, gater: [], rate: 0.5, neuron: 'stochastic-binary' }),
        dense(4),
      ]),
      dense(2),
    ];
    const random = createModel(engine, { inputs: 2, layers, seed: 4 });
    for (const batch of [1, ROWS])
      for (const { open } of predictTask(random, data, classification, { mode: 'ensemble', samples: 12, batch })) {
        const [outer, inner] = ['c.gates', 'c.g.gates'].map((name) => open.find(({ site }) => site === name)?.shares);
        for (let row = 0; row < batch; row++)
          for (let gate = 0; gate < 2; gate++)
            assert.ok((inner?.[2 * row + gate] ?? 2) <= (outer?.[2 * row] ?? 0), `row ${row}`);
        assert.ok([...(inner ?? [])].every((share) => Number.isInteger(Math.round(share * 12 * 1e9) / 1e9)));
      }
  });

  test('a byte that is written has none of them where it did not open their part', () => {
    const writer = createModel(engine, { inputs: 1, layers: [embedding(256, 4), behind(4), dense(256)], seed: 2 });
    const seen = new Set<boolean>();
    for (const { gates } of generate(writer, { prompt: new TextEncoder().encode('hello'), bytes: 40 })) {
      const [outer, inner] = ['c.gates', 'c.g.gates'].map((name) => gates.find(({ site }) => site === name)?.fired);
      const reached = outer?.includes(0) ?? false;
      seen.add(reached);
      if (!reached) assert.deepEqual(inner, []);
    }
    assert.equal(seen.size, 2, 'the part is open for some bytes and closed for others');
  });
});
