import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine } from '../../src/backend/engine.ts';
import { createModel, type LayerSpec } from '../../src/nn/model.ts';
import { classification } from '../../src/tasks/classification.ts';
import { evaluateTask } from '../../src/train/evaluate.ts';
import { cornersSplit } from '../train/tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

/** A description as a program without types may write it. */
const loose = (spec: object): LayerSpec => spec as LayerSpec;
const DENSE = { layer: 'dense', units: 4 };

test('words that a layer does not know are refused, with those that it knows', () => {
  const picture = { layer: 'reshape', shape: [4, 4, 1] };
  for (const [layers, message] of [
    [[picture, { layer: 'pool', size: [2, 2], by: 'average' }], /`by` is "average"\. Expected one of max, mean/],
    [[picture, { layer: 'pool', size: 'all', by: 'average' }], /`by` is "average"\. Expected one of max, mean/],
    [[picture, { layer: 'pool', size: 'all', stride: [1, 1] }], /`stride` says nothing where all is pooled/],
    [
      [{ layer: 'parallel', parts: [DENSE, DENSE], join: 'concat' }],
      /`join` is "concat"\. Expected one of sum, concatenate/,
    ],
    [
      [{ layer: 'conditional', parts: [DENSE, DENSE], join: 'concat', gater: [], rate: 0.5 }],
      /`join`.* is "concat"\. Expected one of sum, concatenate/,
    ],
  ] as const)
    assert.throws(() => createModel(engine, { inputs: 16, layers: [...layers.map(loose), loose(DENSE)] }), message);
});

test('two layers of one name in a list are refused: they would share their parameters', () => {
  const twins = [
    { ...DENSE, name: 'twin' },
    { ...DENSE, name: 'twin' },
  ];
  for (const spec of [
    { layer: 'parallel', parts: twins },
    { layer: 'sequential', modules: twins },
    { layer: 'residual', module: { layer: 'sequential', modules: twins } },
  ])
    assert.throws(() => createModel(engine, { inputs: 4, layers: [loose(spec)] }), /two layers are called "twin"/);
});

test('what is added to the losses is part of what evaluation tells', () => {
  const model = createModel(engine, { inputs: 2, layers: [{ layer: 'dense', units: 3 }] });
  const plain = evaluateTask(model, cornersSplit.valid, classification);
  const task: typeof classification = {
    ...classification,
    run(own, pass, batch) {
      const outcome = classification.run(own, pass, batch);
      return { ...outcome, also: [outcome.losses] };
    },
  };
  const more = evaluateTask(model, cornersSplit.valid, task);
  assert.ok(Math.abs(more.loss - 2 * plain.loss) < 1e-6 * plain.loss);
});
