/** Options that nobody's types checked: an unknown one is refused with the nearest that is known, and so is a value that cannot be. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { estimateGradient, optimizeBits } from '../../src/estimate/index.ts';
import {
  adam,
  adaptiveWeightNoise,
  advise,
  alternate,
  alternateAwaited,
  attention,
  auditModel,
  auditNeuron,
  auditProgram,
  certify,
  channelBlocks,
  classification,
  compile,
  convolution,
  createModel,
  dense,
  digits,
  digitsSplit,
  dropout,
  evaluate,
  experts,
  exportOneFile,
  exportOnnx,
  gated,
  gateExamples,
  gateRates,
  generate,
  loadModel,
  lookAtUnit,
  type Model,
  makeDataset,
  makeTargets,
  measureVae,
  module,
  penStrings,
  pool,
  predictTask,
  regression,
  resolveNeuron,
  resolveOptimizer,
  SiteAuditor,
  saveModel,
  sgd,
  skipped,
  timePredictions,
  train,
  trainRun,
  vae,
  watchRace,
} from '../../src/index.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { parallel } from '../../src/nn/parallel.ts';
import { createEngine, loadDataset, loadTaskData, textFiles } from '../../src/platform/node/index.ts';
import { checkSweep } from '../../src/runs/sweep/definition.ts';
import { closed, list, number, oneOf, open, optional, problemOf, text, whole } from '../../src/schema/schema.ts';
import * as T from '../../src/tensor/index.ts';

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

const NUMBERS = {
  ...{ name: 'n', features: Float32Array.of(1), targets: Float32Array.of(1), width: 1, outputs: 1 },
};
const built = (layer: Anything) => createModel(engine, { inputs: 2, layers: [layer, dense(2)] });
const value = (f: (x: T.Tensor) => T.Tensor) =>
  T.valueAndGradient(engine, ({ x }: Anything) => f(x), { x: [1] } as Anything);

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
  ['makeDataset', (options) => makeDataset({ ...part, ...options }), { imag: {} }, 'imag', 'image'],
  ['makeTargets', (options) => makeTargets({ ...NUMBERS, ...options }), { scal: 2 }, 'scal', 'scale'],
  ['digits', digits, { seed: 1, count: 1, frist: 2 }, 'frist', 'first'],
  ['digitsSplit', digitsSplit, { seed: 1, trian: 2 }, 'trian', 'train'],
  ['penStrings', penStrings, { seed: 1, count: 1, writer: 2 }, 'writer', 'writers'],
  ['gateRates', (options) => gateRates(model(), part, options), { mod: 'sample' }, 'mod', 'mode'],
  ['gateExamples', (options) => gateExamples(model(), part, options), { example: 2 }, 'example', 'examples'],
  [
    'predictTask',
    (options) => predictTask(model(), part, classification, options).next(),
    { modes: 1 },
    'modes',
    'mode',
  ],
  ['predict', (options) => compile(model()).predict([0, 1], options), { holds: [] }, 'holds', 'hold'],
  ['generate', (options) => generate(model(), options).next(), { temprature: 1 }, 'temprature', 'temperature'],
  ['measureVae', (options) => measureVae(model(), part, options).next(), { sample: 1 }, 'sample', 'samples'],
  ['alternate', (options) => alternate([() => {}], options), { rounds: 1, warmup: 0 }, 'warmup', 'warmUp'],
  [
    'timePredictions',
    (options) => timePredictions([], part, options),
    { rows: 1, rounds: 1, turns: 2 },
    'turns',
    'turn',
  ],
  ['loadModel', (options) => loadModel(engine, saveModel(model()), options), { neuron: [] }, 'neuron', 'neurons'],
  ['auditNeuron', (options) => auditNeuron(resolveNeuron('rloo'), options), { sample: 9 }, 'sample', 'samples'],
  ['certify', (options) => certify(resolveNeuron('rloo'), options), { seeds: 1 }, 'seeds', 'seed'],
  [
    'SiteAuditor',
    (options) => new SiteAuditor(model(), model().sites[0], part, options),
    { indices: [0], repeat: 9 },
    'repeat',
    'repeats',
  ],
  ['lookAtUnit', (options) => lookAtUnit(resolveNeuron('rloo'), options), { logit: 0, unit: 1 }, 'unit', 'units'],
  ['optimizeBits', optimizeBits, { neuron: 'rloo', units: 2, loss: () => 0, steps: 1, bach: 4 }, 'bach', 'batch'],
  ['`nudge` of gated0', (nudge) => built(gated(4, { blocks: 2, nudge })), { belw: 0.2 }, 'belw', 'below'],
  [
    '`balance` of gated0',
    (balance) => built(gated(4, { blocks: 2, neuron: 'top-k', balance })),
    { stp: 1 },
    'stp',
    'step',
  ],
  [
    'Weight noise',
    (noise) => train(model(), data, { weightNoise: { ...adaptiveWeightNoise(), ...noise } }),
    { deviatoin: 1 },
    'deviatoin',
    'deviation',
  ],
  ['experts', (options) => experts(2, options), { experts: 2, hiden: 3 }, 'hiden', 'hidden'],
  ['conditional', (options) => skipped(dense(2), options), { rat: 0.5 }, 'rat', 'rate'],
  ['channelBlocks', (options) => channelBlocks(4, 3, options), { blocks: 2, paddin: 1 }, 'paddin', 'padding'],
  [
    'The layer "attention"',
    (options) => built(attention(1, options)),
    { bidirectionl: true },
    'bidirectionl',
    'bidirectional',
  ],
  ['The layer "convolution"', (options) => built(convolution(2, 1, 'tanh', options)), { strid: 1 }, 'strid', 'stride'],
  ['The layer "pool"', (options) => built(pool(1, options)), { bye: 'max' }, 'bye', 'by'],
  ['The layer "dropout"', (options) => built({ ...dropout(0.5), ...options }), { dropp: 1 }, 'dropp', 'drop'],
  [
    'The parameter "own0.w"',
    (options) => built(module('own', (scope) => scope.parameter('w', [2], options))),
    { initialise: 1 },
    'initialise',
    'initialize',
  ],
  [
    '`fire` of own0',
    (options) => built(module('own', (scope, x) => scope.fire('rloo', x, options))),
    { rates: 0.5 },
    'rates',
    'rate',
  ],
  ['sum', (options) => value((x) => T.sum(x, 0, options)), { keepdims: true }, 'keepdims', 'keepDims'],
  [
    'matmul',
    (options) => value((x) => T.matmul(x, x, undefined, options)),
    { transpseB: true },
    'transpseB',
    'transposeB',
  ],
  ['huber', (options) => value((x) => T.huber(x, x, options)), { delt: 2 }, 'delt', 'delta'],
  ['pool', (options) => value((x) => T.pool(x, options)), { size: 1, strides: 1 }, 'strides', 'stride'],
  ['convolution', (options) => value((x) => T.convolution(x, x, x, options)), { strides: 1 }, 'strides', 'stride'],
  ['attention', (options) => value((x) => T.attention(x, options)), { heads: 1, casual: true }, 'casual', 'causal'],
  [
    'valueAndGradient',
    (options) => T.gradient(engine, (t: Anything) => T.sum(t.x), { x: [1] } as Anything, options),
    { sed: 1 },
    'sed',
    'seed',
  ],
  ['checkGradient', (options) => T.checkGradient((x) => x, [[1]] as Anything, options), { steps: 1 }, 'steps', 'step'],
];

const SWEEP = { name: 's', train: { epochs: 9 }, space: { lr: [0.1] } };
const SWEEPS: readonly (readonly [string, object, string, string])[] = [
  ['`space.lr`', { space: { lr: { from: 1e-4, to: 1, scle: 'log' } } }, 'scle', 'scale'],
  ['`space.lr`', { search: 'grid', space: { lr: { from: 1e-4, to: 1, stesp: 3 } } }, 'stesp', 'steps'],
  ['`pruning`', { pruning: { by: 'halving', epochs: 1, keeps: 0.5 } }, 'keeps', 'keep'],
  ['`pruning`', { seeds: 9, pruning: { by: 'wilcoxon', epochs: 1 } }, 'epochs', ''],
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

  test('what answers later: estimates, audits, races, advice and data', async () => {
    const track = { data, layersOf: () => [dense(2)], makeEngine: async () => engine, batch: 2, makeOptimizer: adam };
    const calls: readonly (readonly [string, () => Promise<unknown>, string, string])[] = [
      [
        'estimateGradient',
        () => estimateGradient({ neuron: 'rloo', logits: [0], loss: () => 0, sead: 1 } as Anything),
        'sead',
        'seed',
      ],
      [
        'auditProgram',
        () => auditProgram((v: Anything) => v.x, { x: [1] }, { sample: 20 } as Anything),
        'sample',
        'samples',
      ],
      ['auditModel', () => auditModel(() => model(), {} as Anything, { sample: 20 } as Anything), 'sample', 'samples'],
      [
        'advise',
        () => advise({ ...track, candidates: ['rloo'], carrier: 'rloo', second: 1 } as Anything).next(),
        'second',
        'seconds',
      ],
      [
        'watchRace',
        () => watchRace({ ...track, arms: ['rloo', 'arm'], by: 'steps', budget: 1, point: 1 } as Anything).next(),
        'point',
        'points',
      ],
      ['alternateAwaited', () => alternateAwaited([], { rounds: 1, warmup: 1 } as Anything), 'warmup', 'warmUp'],
      ['loadDataset', () => loadDataset('digits', { sed: 1 } as Anything), 'sed', 'seed'],
      ['loadTaskData', () => loadTaskData(classification, 'digits', { contxt: 1 } as Anything), 'contxt', 'context'],
      [
        '`table` of loadDataset',
        () => loadDataset('x.csv', { table: { target: ['a'] } } as Anything),
        'target',
        'targets',
      ],
      ['textFiles', () => textFiles('.', { extension: ['.txt'] } as Anything), 'extension', 'extensions'],
    ];
    for (const [what, call, name, nearest] of calls)
      await assert.rejects(call, (error: Error) => {
        assert.equal(error.name, 'RangeError', what);
        assert.ok(
          error.message.startsWith(`${what} has no option "${name}". Did you mean "${nearest}"?`),
          error.message,
        );
        return true;
      });
  });

  for (const [what, given, name, nearest] of SWEEPS)
    test(`${what} of a sweep: ${name}`, () =>
      assert.throws(
        () => checkSweep({ ...SWEEP, ...given }, 's'),
        (error: Error) =>
          error.message.startsWith(`${what} has no option "${name}".`) &&
          error.message.includes(nearest === '' ? 'Known: ' : `Did you mean "${nearest}"?`),
      ));

  test('is looked for in all options that are public', () => {
    const root = join(import.meta.dirname, '../../src');
    const read = (file: string) => readFileSync(join(root, file), 'utf8');
    const indices = ['index.ts', 'tensor/index.ts', 'estimate/index.ts', 'platform/node/index.ts'];
    const named = new Set(indices.flatMap((file) => read(file).match(/\b[A-Z]\w*Options\b/g) ?? []));
    const sources = globSync('**/*.ts', { cwd: root }).map(read);
    const tables = sources.flatMap((own) =>
      [...own.matchAll(/(export )?const (\w+): NamesOf<([^=;]*)> =([^;]*);/g)].map(
        ([, exported, name, types, body]) => ({
          ...{ name, body, types: types.match(/\w+/g) ?? [] },
          seenIn: exported ? sources : [own],
        }),
      ),
    );
    type Table = (typeof tables)[number];
    // A table is given to `checkNames`, or is a part of one that is.
    const isChecked = ({ name, seenIn }: Table): boolean =>
      seenIn.some((source) => new RegExp(`\\bcheckNames\\([^;]*\\b${name}\\b`).test(source)) ||
      tables.some((other) => new RegExp(`\\.\\.\\.${name}\\b`).test(other.body) && isChecked(other));
    assert.deepEqual(
      tables.filter((table) => !isChecked(table)).map(({ types }) => types.join()),
      [],
    );
    const known = new Set(tables.flatMap(({ types }) => types));
    // By a schema of their own, or as a part of others.
    const others = [
      'EvaluateOptions',
      'EstimatorProbeOptions',
      'LoopOptions',
      'TaskOptions',
      'TrainOptions',
      'WindowOptions',
    ];
    const parts = { TableOptions: 'TableLoadOptions', TestOptions: 'CertifyOptions' };
    assert.deepEqual(
      [...named].filter(
        (name) => !known.has(name) && !others.includes(name) && !known.has(parts[name as keyof typeof parts]),
      ),
      [],
    );
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
