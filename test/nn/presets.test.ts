/** Networks of the literature as layers made of others: what they compute, and what they leave out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dense } from '../../src/nn/dense.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { parseLayers } from '../../src/nn/parse-layers.ts';
import { channelBlocks, earlyExits, experts, skipped } from '../../src/nn/presets.ts';
import { reshape } from '../../src/nn/reshape.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

const [engine] = builds;
const ROWS = 9;
const modelOf = (inputs: number, ...layers: LayerSpec[]): Model => createModel(engine, { inputs, layers, seed: 3 });

function run(model: Model) {
  engine.beginStep();
  const tape = new Tape(engine);
  const rows = engine.tensor(drawn(normal(), ROWS * model.inputs, 4), [ROWS, model.inputs]);
  const x = tape.input(rows, tape.plates.examples(ROWS));
  const { values } = model.apply(
    { tape, mode: 'threshold', source: { key: [1, 2], step: 0, draw: 0 }, penalties: [] },
    x,
  );
  return { x: [...x.values], output: [...values], work: { ...tape.work } };
}

/** Gates that are open, or closed, for every row. */
function setGates(model: Model, bias: number): void {
  for (const { name, tensor } of model.parameters) if (name.endsWith('gater.bias')) tensor.values.fill(bias);
}

test('of the experts every row opens as many as are asked for, and computes no other', () => {
  for (const open of [1, 2]) {
    const model = modelOf(8, experts(8, { experts: 5, hidden: 12, open }));
    const { work } = run(model);
    assert.equal(work.gater, ROWS * 8 * 5);
    assert.equal(work.executed - work.gater, ROWS * open * (8 * 12 + 12 * 8));
    assert.equal(model.cost.dense, 5 * 2 * 96);
  }
});

test('experts are the sum of the two-layer nets that a row opens, each by the softmax of its logit among these', () => {
  const [width, count, hidden] = [6, 4, 3];
  const model = modelOf(width, experts(width, { experts: count, hidden, name: 'part' }));
  const of = (name: string) => model.weights(`part.${name}`);
  model.setWeights('part.dense0.bias', drawn(normal(), width, 5));
  model.setWeights('part.gated0.experts.bias', drawn(normal(), count * hidden, 6));
  const [gater, gaterBias, below, belowBias] = ['gater.weights', 'gater.bias', 'experts.weights', 'experts.bias'].map(
    (name) => of(`gated0.${name}`),
  );
  const [above, aboveBias] = [of('dense0.weights'), of('dense0.bias')];
  const { x, output } = run(model);
  /** One number of a row times a matrix of so many columns. */
  const product = (row: readonly number[], weights: Float32Array, columns: number, column: number) =>
    row.reduce((sum, value, i) => sum + value * weights[i * columns + column], 0);
  const expected = Array.from({ length: ROWS }, (_, r) => {
    const row = x.slice(r * width, (r + 1) * width);
    const logits = Array.from({ length: count }, (_none, k) => gaterBias[k] + product(row, gater, count, k));
    const open = [...logits.keys()].sort((a, b) => logits[b] - logits[a]).slice(0, 2);
    const total = open.reduce((sum, k) => sum + Math.exp(logits[k]), 0);
    const y = [...aboveBias];
    for (const k of open)
      for (let j = k * hidden; j < (k + 1) * hidden; j++) {
        const h = Math.max(0, belowBias[j] + product(row, below, count * hidden, j));
        for (let c = 0; c < width; c++) y[c] += (Math.exp(logits[k]) / total) * h * above[j * width + c];
      }
    return y;
  }).flat();
  assertClose(output, expected, { relative: 1e-5, absolute: 1e-5 }, 'what experts come to');
});

test('a residual layer that is skipped is its input, and costs its gater alone', () => {
  const model = modelOf(6, skipped(dense(6, 'tanh'), { neuron: 'noisy-rectifier', gater: [] }));
  setGates(model, -1e3);
  const closed = run(model);
  assertClose(closed.output, closed.x, {}, 'outputs');
  assert.deepEqual(closed.work, { executed: ROWS * 6, gater: ROWS * 6 });
  setGates(model, 1e3);
  assert.equal(run(model).work.executed, ROWS * (6 + 36));
});

test('blocks of channels: a picture computes those that it opens, the others are zeros', () => {
  const blocks = channelBlocks(6, 3, { blocks: 3, neuron: 'top-k:k=1', gater: [] });
  const model = modelOf(4 * 5 * 2, reshape([4, 5, 2]), blocks);
  const { output, work } = run(model);
  assert.equal(model.outputs, 4 * 5 * 6);
  assert.equal(work.executed, ROWS * (2 * 3 + 20 * 9 * 2 * 2));
  for (let r = 0; r < ROWS; r++) {
    const channels = output.slice(120 * r, 120 * (r + 1));
    const open = [0, 1, 2].filter((block) =>
      channels.some((value, i) => value !== 0 && Math.floor((i % 6) / 2) === block),
    );
    assert.ok(open.length <= 1, `row ${r} has blocks ${open}`);
  }
  assert.throws(() => channelBlocks(7, 3, { blocks: 3 }), {
    name: 'RangeError',
    message: /7 channels cannot be divided into 3/,
  });
});

test('early exits: rows that stop have the logits of the exits that they reached', () => {
  const stages = [dense(5, 'tanh', 'one'), dense(4, 'tanh', 'two'), dense(3, 'tanh', 'three')];
  const model = modelOf(7, earlyExits(stages, 2, { neuron: 'noisy-rectifier', gater: [] }));
  setGates(model, -1e3);
  const stopped = run(model);
  assert.equal(stopped.work.executed - stopped.work.gater, ROWS * (7 * 5 + 5 * 2));
  const first = modelOf(7, dense(5, 'tanh'), dense(2));
  for (const [own, other] of [
    ['dense0.weights', 'sequential0.one.weights'],
    ['dense1.weights', 'sequential0.parallel0.exit.weights'],
  ])
    first.setWeights(own, model.weights(other));
  assertClose(stopped.output, run(first).output, { absolute: 1e-6 }, 'logits of the first exit');
  setGates(model, 1);
  assert.ok(run(model).work.executed > stopped.work.executed + ROWS * (5 * 4 + 4 * 2));
  assert.throws(() => earlyExits([], 2), { name: 'RangeError', message: /there are no stages/ });
});

test('presets are layers like any others: JSON, and a text', () => {
  const layers = [experts(8, { experts: 4 }), skipped(dense(8)), earlyExits([dense(8)], 3)];
  const model = modelOf(8, ...layers);
  const { description } = model;
  assert.deepEqual(createModel(engine, JSON.parse(JSON.stringify(description))).description, description);
  const [text] = parseLayers('sequential(gated 128/4 noisy-top-k:k=2 10% rectifier gater=none, dense 8)');
  const arraysOf = (layer: LayerSpec) => modelOf(8, layer).parameters.map(({ name, tensor }) => [name, tensor.shape]);
  assert.deepEqual(arraysOf(text), arraysOf(experts(8, { experts: 4 })));
});
