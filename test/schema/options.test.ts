/** Options that nobody's types checked: an unknown one is refused with the nearest that is known, and so is a value that cannot be. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  adam,
  compile,
  createModel,
  dense,
  evaluate,
  exportOneFile,
  exportOnnx,
  gated,
  type Model,
  makeDataset,
  regression,
  resolveOptimizer,
  sgd,
  train,
  trainRun,
  vae,
} from '../../src/index.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { parallel } from '../../src/nn/parallel.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { closed, list, number, oneOf, open, optional, problemOf, text, whole } from '../../src/schema/schema.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());
const part = makeDataset({
  name: 'four',
  features: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1),
  labels: Uint8Array.of(0, 1, 1, 0),
  width: 2,
  classes: 2,
  scale: 1,
});
const data = { train: part, valid: part, test: part };
const model = (): Model => createModel(engine, { inputs: 2, layers: [dense(3, 'tanh'), dense(2)] });

/** As from JavaScript, where nothing is checked before. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
type Anything = any;

const CASES: readonly (readonly [string, (options: Anything) => unknown, object, string, string])[] = [
  ['adam', adam, { lr: 0.01 }, 'lr', ''],
  ['adam', adam, { beta: 0.5 }, 'beta', 'beta1'],
  ['sgd', sgd, { momentun: 0.9 }, 'momentun', 'momentum'],
  ['sgd', (options) => resolveOptimizer('sgd', options), { learningrate: 1 }, 'learningrate', 'learningRate'],
  ['train', (options) => train(model(), data, options), { epoch: 2 }, 'epoch', 'epochs'],
  [
    'train',
    (options) => train(model(), data, options),
    { estimatorProbe: { neuron: ['disarm'] } },
    'neuron',
    'neurons',
  ],
  ['gated', (options) => gated(64, options), { bloks: 4 }, 'bloks', 'blocks'],
  ['lstm', (options) => lstm(4, options), { bidirectionl: true }, 'bidirectionl', 'bidirectional'],
  ['conditional', (options) => conditional(options, [dense(2)]), { rat: 0.5 }, 'rat', 'rate'],
  ['parallel', (options) => parallel([dense(2)], options), { joins: 'sum' }, 'joins', 'join'],
  ['evaluate', (options) => evaluate(model(), part, options), { modes: 'sample' }, 'modes', 'mode'],
  ['compile', (options) => compile(model(), options), { sample: 3 }, 'sample', 'samples'],
  [
    'createModel',
    (options) => createModel(engine, options),
    { inputs: 2, layers: [dense(2)], seeds: 1 },
    'seeds',
    'seed',
  ],
  ['exportOnnx', (options) => exportOnnx(model(), options), { gate: 'skip' }, 'gate', 'gates'],
  ['exportOneFile', (options) => exportOneFile(model(), options), { bytescale: 1 }, 'bytescale', 'byteScale'],
  ['regression', regression, { los: 'huber' }, 'los', 'loss'],
  ['vae', vae, { sample: 3 }, 'sample', 'samples'],
];

describe('an option that there is not', () => {
  for (const [what, call, options, name, nearest] of CASES)
    test(`${what}: ${name}`, () =>
      assert.throws(
        () => call(options),
        (error: Error) =>
          error instanceof RangeError &&
          error.message.includes(`${what} has no option "${name}".`) &&
          error.message.includes(nearest === '' ? 'Known: ' : `Did you mean "${nearest}"?`),
      ));

  test('createEngine and trainRun, which answer later', async () => {
    await assert.rejects(
      createEngine({ thread: 1 } as Anything),
      /createEngine has no option "thread"\. Did you mean "threads"\?/,
    );
    const run = trainRun({} as Anything, { engine, data, anyEngin: true } as Anything);
    await assert.rejects(run.next(), /trainRun has no option "anyEngin"\. Did you mean "anyEngine"\?/);
  });

  test('in plain JSON of a layer, inside others too', () => {
    const layers = [{ layer: 'residual', module: { layer: 'dense', units: 2, nuron: 'tanh' } }] as Anything;
    assert.throws(
      () => createModel(engine, { inputs: 2, layers }),
      /The layer ".*" has no option "nuron"\. Did you mean "neuron"\?/,
    );
  });
});

test('values that options cannot have are refused with what was expected', () => {
  const start = (options: Anything) => () => train(model(), data, options);
  assert.throws(
    start({ epochs: 1.5 }),
    /^RangeError: `epochs` of train is 1\.5\. Expected a whole number from 1 up\.$/,
  );
  assert.throws(start({ decay: 0 }), /`decay` of train is 0\. Expected a number over 0\./);
  assert.throws(
    start({ validation: 'threshhold' }),
    /Expected one of threshold, mean-field, sample; did you mean "threshold"\?$/,
  );
  assert.throws(
    () => evaluate(model(), part, { mode: 'meanfield' } as Anything),
    /`mode` of evaluate is "meanfield"\. Expected one of .*; did you mean "mean-field"\?/,
  );
});

test('the sentence names the field, what it is and what it should be', () => {
  const inner = open({ a: whole(1, 3), names: optional(list(text, 'names', 2)) });
  const schema = closed({ inner, word: optional(oneOf(['left', 'right'])), x: optional(number) });
  const said = (value: unknown) => problemOf(schema, value, 'it');
  assert.equal(said({ inner: { a: 2 } }), undefined);
  assert.equal(said(7), 'it is 7. Expected an object.');
  assert.equal(said({}), '`inner` of it is not there. Expected an object.');
  assert.equal(said({ inner: {} }), '`inner.a` of it is not there. Expected a whole number from 1 to 3.');
  assert.equal(said({ inner: { a: 4 } }), '`inner.a` of it is 4. Expected a whole number from 1 to 3.');
  assert.equal(said({ inner: { a: 1, names: ['x', 3] } }), '`inner.names[1]` of it is 3. Expected a text.');
  assert.equal(
    said({ inner: { a: 1, names: ['', '', ''] } }),
    '`inner.names` of it has 3 entries. Expected 2 at most.',
  );
  assert.equal(
    said({ inner: { a: 1 }, wrd: 1 }),
    'it has no option "wrd". Did you mean "word"? Known: inner, word, x.',
  );
  assert.equal(
    said({ inner: { a: 1 }, word: 'rigth' }),
    '`word` of it is "rigth". Expected one of left, right; did you mean "right"?',
  );
  assert.equal(said({ inner: { a: 1 }, x: Number.NaN }), '`x` of it is NaN. Expected a number.');
});
