/** Tasks beside classification: what they minimise and measure, by plain counts, and that the one loop trains and resumes them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { penStrings } from '../../src/data/pen-strings.ts';
import { makeTargets } from '../../src/data/targets.ts';
import { makeTokens } from '../../src/data/tokens.ts';
import { dense } from '../../src/nn/dense.ts';
import { embedding } from '../../src/nn/embedding.ts';
import { gated } from '../../src/nn/gated.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import { adaptiveWeightNoise } from '../../src/nn/weight-noise.ts';
import { adam, sgd } from '../../src/optim/index.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { randomStream } from '../../src/random/stream.ts';
import { ctc } from '../../src/tasks/ctc.ts';
import { tasks } from '../../src/tasks/index.ts';
import { multiLabel } from '../../src/tasks/multi-label.ts';
import { nextToken } from '../../src/tasks/next-token.ts';
import { regression } from '../../src/tasks/regression.ts';
import type { Parts, Task, TaskData } from '../../src/tasks/task.ts';
import { scale } from '../../src/tensor/ops/arithmetic.ts';
import { evaluateTask } from '../../src/train/evaluate.ts';
import { predictTask } from '../../src/train/predict.ts';
import { checkProgress, type Progress, type TrainingState } from '../../src/train/state.ts';
import { train } from '../../src/train/train.ts';
import type { LoopOptions } from '../../src/train/train-options.ts';
import { assertClose } from '../helpers/numbers.ts';

const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
after(() => {
  one.close();
  two.close();
});

const WIDTH = 4;

/** Targets that are a smooth function of the features; as bits, whether they are over 0. */
function targetsOf(count: number, seed: number, bits: boolean) {
  const random = randomStream(seed, 5);
  const features = Float32Array.from({ length: count * WIDTH }, () => random.normal());
  const targets = new Float32Array(count * 2);
  for (let r = 0; r < count; r++) {
    const [a, b, c, d] = features.subarray(r * WIDTH, (r + 1) * WIDTH);
    targets.set(
      [a * b + 0.5 * c, Math.tanh(d) - a].map((value) => (bits ? Number(value > 0) : value)),
      r * 2,
    );
  }
  return makeTargets({ name: 'made', features, targets, width: WIDTH, outputs: 2 });
}

const partsOf = (bits: boolean) => ({
  train: targetsOf(600, 1, bits),
  valid: targetsOf(150, 2, bits),
  test: targetsOf(150, 3, bits),
});
const numbers = partsOf(false);
const labels = partsOf(true);
const strings = {
  train: penStrings({ seed: 2, count: 12, writers: 3 }),
  valid: penStrings({ seed: 2, first: 1000, count: 6, writers: 3 }),
  test: penStrings({ seed: 2, first: 2000, count: 5, writers: 3 }),
};

const net = (engine: Engine): Model =>
  createModel(engine, {
    inputs: WIDTH,
    layers: [dense(24, 'tanh'), gated(32, { blocks: 8, rate: 0.3, activation: 'tanh' }), dense(2)],
    seed: 2,
  });

async function finish<D extends TaskData>(model: Model, data: Parts<D>, options: LoopOptions & { task: Task<D> }) {
  const events: Record<string, unknown>[] = [];
  for await (const event of train(model, data, options)) events.push(event as unknown as Record<string, unknown>);
  return {
    epochs: events.filter(({ event }) => event === 'epoch'),
    result: events.at(-1) as Record<string, { readonly meanField: number }>,
  };
}

test('regression: what is measured is what a plain count gives, and it learns', async () => {
  const model = net(one);
  const untrained = evaluateTask(model, numbers.valid, regression());
  const rows = numbers.valid.count;
  one.beginStep();
  const { epochs, result } = await finish(model, numbers, { task: regression() as never, epochs: 25, batch: 30 });
  assert.ok(untrained.metrics.r2 < 0.3);
  assert.ok(result.testR2.meanField > 0.85, JSON.stringify(result.testR2));
  const { metrics, loss } = evaluateTask(model, numbers.valid, regression());
  assert.ok(Math.abs(metrics.rmse ** 2 - loss) < 1e-5, 'the loss is the mean square over the targets');
  assert.ok(metrics.mae > 0 && metrics.mae < metrics.rmse);
  const { targets } = numbers.valid;
  const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
  const spread = targets.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  assertClose([metrics.r2], [1 - (metrics.rmse ** 2 * 2 * rows) / spread], { absolute: 1e-5 }, 'R²');
  const best = epochs.reduce((a, b) => ((b.validRmse as number) < (a.validRmse as number) ? b : a));
  assert.equal(result.bestEpoch, best.epoch);
  assert.equal(result.validRmse, best.validRmse);
});

test('regression minimises what it is asked to: on one example, by hand', () => {
  const data = makeTargets({
    name: 'one',
    features: Float32Array.of(1),
    targets: Float32Array.of(1, -2),
    width: 1,
    outputs: 2,
  });
  const model = createModel(one, { inputs: 1, layers: [dense(2)] });
  model.setWeights('dense0.weights', [3, -1.5]);
  const lossOf = (loss: 'squared' | 'absolute' | 'huber') => evaluateTask(model, data, regression({ loss })).loss;
  assertClose(
    [lossOf('squared'), lossOf('absolute'), lossOf('huber')],
    [(4 + 0.25) / 2, (2 + 0.5) / 2, (1.5 + 0.125) / 2],
    { absolute: 1e-6 },
    'losses',
  );
  assert.throws(() => regression({ loss: 'cubed' as never }), /`loss` is "cubed". Expected squared, absolute, huber/);
});

/** Sequences in which the next token depends on the last two. */
function tokensOf(count: number, seed: number) {
  const random = randomStream(seed, 6);
  const sequences = Array.from({ length: count }, () => {
    const own = [random.integer(4), random.integer(4)];
    for (let at = 2; at < 14; at++) own.push((own[at - 1] + own[at - 2]) % 4);
    return own;
  });
  return makeTokens('sums', 4, sequences);
}
const tokens = { train: tokensOf(120, 1), valid: tokensOf(30, 2), test: tokensOf(30, 3) };
const reader = (engine: Engine): Model =>
  createModel(engine, { inputs: 1, layers: [embedding(4, 8), lstm(16), dense(4)], seed: 1 });

test('next token: bits and errors by a plain count, and a recurrent net learns a rule over two tokens', async () => {
  const fresh = reader(one);
  for (const { tensor } of fresh.parameters) tensor.values.fill(0);
  const { metrics, loss } = evaluateTask(fresh, tokens.valid, nextToken);
  assertClose([metrics.bits, loss], [2, Math.log(4)], { absolute: 1e-6 }, 'four tokens, all alike');
  const { result } = await finish(reader(one), tokens, {
    task: nextToken as never,
    epochs: 30,
    batch: 10,
    optimizer: adam({ learningRate: 0.01 }),
  });
  // The first step of every sequence cannot be known: one of thirteen.
  assert.ok(result.testError.meanField < 0.1, JSON.stringify(result.testError));
});

test('several labels: errors by label and by example, best by the former', async () => {
  const model = net(one);
  const { result } = await finish(model, labels, { task: multiLabel as never, epochs: 20, batch: 30 });
  assert.ok(result.testError.meanField < 0.15, JSON.stringify(result.testError));
  assert.ok(result.testAnyError.meanField >= result.testError.meanField);
  assert.ok(result.testAnyError.meanField <= 2 * result.testError.meanField + 1e-12);
});

test('a task of one’s own is a changed one: another loss, the same measures', async () => {
  const squared = regression();
  const halved = {
    ...squared,
    name: 'halved',
    run: (...args: Parameters<typeof squared.run>) => {
      const outcome = squared.run(...args);
      return { ...outcome, losses: scale(outcome.losses, { factor: 0.5 }) };
    },
  };
  const [whole, half] = [squared, halved].map((task) => evaluateTask(net(one), numbers.valid, task));
  assert.ok(Math.abs(half.loss - whole.loss / 2) < 1e-6);
  assert.deepEqual(half.metrics, whole.metrics);
  const { result } = await finish(net(one), numbers, { task: halved as never, epochs: 2 });
  assert.equal(result.event, 'result');
});

describe('every task resumes to the same bits, stopped anywhere, on any number of threads', () => {
  const recurrent = (engine: Engine): Model =>
    createModel(engine, {
      inputs: strings.train.width,
      seed: 3,
      layers: [lstm(6), gated(16, { blocks: 4, neuron: 'stochastic-binary', gater: [] }), dense(11)],
    });
  const cases: readonly [string, Task, Parts, (engine: Engine) => Model, LoopOptions][] = [
    ['regression', regression() as never, numbers, net, { epochs: 3, batch: 100, decay: 0.9 }],
    ['multi-label', multiLabel as never, labels, net, { epochs: 3, batch: 100, patience: 1 }],
    ['next token', nextToken as never, tokens, reader, { epochs: 2, batch: 30 }],
    ['ctc, with gates', ctc as never, strings, recurrent, { epochs: 3, batch: 4 }],
    [
      'ctc, with learnt noise on the weights',
      ctc as never,
      strings,
      recurrent,
      { epochs: 2, batch: 4, weightNoise: adaptiveWeightNoise(0.05) },
    ],
  ];
  for (const [name, task, data, modelOf, options] of cases)
    test(name, async () => {
      const whole = modelOf(one);
      const { result } = await finish(whole, data, { ...options, task });
      let resume: TrainingState<Progress> | undefined;
      for (let session = 0; session < 60; session++) {
        const model = modelOf(session % 2 ? two : one);
        const training = train(model, data, { ...options, task, ...(resume && { resume }) });
        let left = 2;
        let last: Record<string, unknown> | undefined;
        for await (const event of training) {
          if (event.event === 'result') last = event as never;
          if (--left === 0) break;
        }
        if (last) {
          const same = (event: object) => ({ ...event, seconds: 0, threads: 0 });
          assert.deepEqual(same(last), same(result));
          assert.deepEqual(model.snapshot(), whole.snapshot());
          return;
        }
        const state = training.state();
        resume = { ...state, progress: checkProgress(JSON.parse(JSON.stringify(state.progress)), task) };
      }
      assert.fail('it did not end in 60 sessions');
    });
});

test('sequences have penalties, adaptive weights and gate health as everything has', async () => {
  const model = createModel(one, {
    inputs: strings.train.width,
    seed: 3,
    layers: [
      lstm(6),
      gated(16, { blocks: 4, neuron: 'noisy-rectifier', rate: 0.25, nudge: true, steer: false }),
      dense(11),
    ],
  });
  const before = model.snapshot().get('gated1.penaltyWeights')?.[0];
  const { epochs } = await finish(model, strings, { task: ctc as never, epochs: 2, batch: 4 });
  const [{ health }] = epochs as { health: { site: string; units: number; rate: number }[] }[];
  assert.deepEqual(
    health.map(({ site, units }) => [site, units]),
    [['gated1.gates', 4]],
  );
  assert.ok(health[0].rate > 0);
  assert.notEqual(
    model.snapshot().get('gated1.penaltyWeights')?.[0],
    before,
    'the weight of l1 follows the open share',
  );
  assert.ok(epochs.every(({ density }) => typeof density === 'number'));
});

test('a network for numbers starts at their means', async () => {
  const far = {
    ...numbers,
    train: makeTargets({ ...numbers.train, targets: numbers.train.targets.map((t) => t + 500) }),
  };
  const model = net(one);
  const still = sgd({ learningRate: 1e-30 });
  await finish(model, far, { task: regression() as never, epochs: 1, optimizer: still });
  const { metrics } = evaluateTask(model, far.train, regression());
  assert.ok(metrics.r2 > -3, `R² ${metrics.r2}`);
});

test('the gates of sequences are held at their rate', async () => {
  const model = createModel(one, {
    inputs: strings.train.width,
    seed: 3,
    layers: [lstm(6), gated(16, { blocks: 4, neuron: 'noisy-rectifier', rate: 0.25 }), dense(11)],
  });
  // Nothing but the controller moves the biases.
  const still = sgd({ learningRate: 1e-30 });
  const before = model.weights('gated1.gater.bias');
  await finish(model, strings, { task: ctc as never, epochs: 1, batch: 4, optimizer: still });
  assert.notDeepEqual(model.weights('gated1.gater.bias'), before);
});

test('what is no task is refused in a sentence', () => {
  const model = createModel(one, { inputs: WIDTH, layers: [dense(2)] });
  const part = targetsOf(4, 1, false);
  for (const [given, said] of [
    [tasks.ctc, 'an object without gather and run'],
    ['ctc', '"ctc"'],
    [regression, 'a function'],
  ] as const) {
    const task = given as unknown as Task;
    const expected = new RegExp(`The task is ${said}. Expected a task, such as .*resolveTask\\('ctc'\\)`);
    assert.throws(() => train(model, { train: part, valid: part, test: part }, { task }), expected);
    assert.throws(() => evaluateTask(model, part, task), expected);
    assert.throws(() => [...predictTask(model, part, task)], expected);
  }
});

test('predictions need no more of a task than how it puts examples on the heap and runs the model', () => {
  const model = net(one);
  const part = targetsOf(6, 1, false);
  const { gather, run } = regression();
  const [given, whole] = [{ gather, run }, regression()].map((task) =>
    [...predictTask(model, part, task)].map(({ values }) => [...values]),
  );
  assert.equal(given.length, 6);
  assert.deepEqual(given, whole);
});

describe('a task of one’s own that lacks something, or gives something else, is refused in a sentence', () => {
  const whole = regression();
  const model = () => net(one);
  const part = targetsOf(8, 2, false);
  const cases: readonly [string, object, RegExp][] = [
    ['no best', { best: undefined }, /^The task "regression" has no `best`\. Expected \{ metric: 'name'/],
    ['a best that is neither', { best: { metric: 'rmse', better: 'lower' } }, /has no `best`\. .*'less' or 'more'/],
    ['no measure', { measure: undefined }, /^The task "regression" has no `measure`\. Expected a function\./],
    [
      'a best metric that is not told',
      { best: { metric: 'rsme', better: 'less' } },
      /chooses the best epoch by "rsme", and an epoch has validRmse, .*\. Expected `metrics` to give "rsme", which makes validRsme\.$/,
    ],
    ['no outcome', { run: () => undefined }, /^The task, as `output`, gives undefined\. Expected a tensor/],
    [
      'losses that are a number',
      { run: (...args: Parameters<typeof whole.run>) => ({ ...whole.run(...args), losses: 3 }) },
      /^The task, as `losses`, gives 3\./,
    ],
    [
      'measures that are texts',
      { measure: () => ({ squares: '1' }) },
      /`measure` gives "1" as "squares"\. Expected numbers/,
    ],
    [
      'a promise of measures',
      { measure: async () => ({ squares: 1 }) },
      /`measure` gives a promise\. Expected numbers by name\./,
    ],
    [
      'no measure that is counted while training',
      { counted: ['wrong'] },
      /^The task "regression": `measure` gives no "wrong" while training\. Expected a finite number, since `counted` names it\.$/,
    ],
    [
      'a measure of NaN that is counted while training',
      { counted: ['wrong'], measure: () => ({ wrong: Number.NaN }) },
      /`measure` gives NaN as "wrong" while training\./,
    ],
    [
      'a text that is counted while training',
      { counted: ['wrong'], measure: () => ({ wrong: '1' }) },
      /`measure` gives "1" as "wrong"\. Expected numbers by name\./,
    ],
    [
      'metrics of training that are texts',
      { counted: [], metrics: () => ({ rmse: '1' }) },
      /`metrics` gives "1" as "rmse"\. Expected numbers by name\./,
    ],
    ['no metrics', { metrics: () => undefined }, /`metrics` gives undefined\. Expected numbers by name\./],
  ];
  for (const [title, change, message] of cases)
    test(title, async () => {
      const task = { ...whole, ...change } as never;
      const ended = finish(model(), { train: part, valid: part, test: part }, { task, epochs: 2 });
      await assert.rejects(ended, { name: 'RangeError', message });
    });

  test('the counted measures are checked while training, before any validation', async () => {
    const task = { ...whole, counted: ['wrong'] } as never;
    const run = train(model(), { train: part, valid: part, test: part }, { task, epochs: 1, batch: 4 });
    await assert.rejects(run.next(), /gives no "wrong" while training/);
  });

  test('sums while training that are no whole numbers go on where a checkpoint was', () => {
    const progress = {
      ...{ step: 3, epochs: 0, batches: 3, examples: 12 },
      ...{ lossSum: 1, executed: 1, trainingWork: 0, seconds: 1 },
    };
    const task = { ...whole, counted: ['squares'] } as never;
    assert.equal((checkProgress({ ...progress, squares: 1.5 }, task) as unknown as { squares: number }).squares, 1.5);
    for (const squares of [null, '1', undefined])
      assert.throws(() => checkProgress({ ...progress, squares }, task), /has `squares` .*\. Expected a number\./);
  });

  test('an epoch whose metric is no number is never the best one, if another has one', async () => {
    let validations = 0;
    const metrics = (...args: Parameters<typeof whole.metrics>) => ({
      ...whole.metrics(...args),
      // Of the second epoch alone.
      ...(validations++ === 1 ? {} : { rmse: Number.NaN }),
    });
    const task = { ...whole, metrics } as never;
    const { result } = await finish(model(), { train: part, valid: part, test: part }, { task, epochs: 3 });
    assert.equal((result as unknown as { bestEpoch: number }).bestEpoch, 2);
  });
});

describe('data that do not fit are refused in a sentence', () => {
  const model = net(one);
  for (const [title, act, message] of [
    [
      'another width',
      () => regression().check(createModel(one, { inputs: 3, layers: [dense(2)] }), numbers.train),
      /has 4 features, the model takes 3\. Expected `inputs: 4`/,
    ],
    [
      'another number of targets',
      () => regression().check(createModel(one, { inputs: 4, layers: [dense(3)] }), numbers.train),
      /has 2 targets an example, the model gives 3 numbers\. Expected a last layer of 2 units/,
    ],
    [
      'targets that are no bits',
      () => multiLabel.check(model, numbers.train),
      /The target 0 of example 0 of "made" is .*\. Expected 0 or 1/,
    ],
    [
      'a token that is none',
      () =>
        makeTokens('x', 3, [
          [0, 1],
          [2, 3],
        ]),
      /Token 1 of sequence 1 of x is 3\. Expected a whole number from 0 to 2/,
    ],
    ['one token', () => makeTokens('x', 3, [[1]]), /Sequence 0 of x has 1 tokens\. Expected two or more/],
    [
      'tokens of other classes',
      () => nextToken.check(createModel(one, { inputs: 1, layers: [embedding(4, 2), dense(3)] }), tokens.train),
      /have 4 classes, the model gives 3 logits/,
    ],
    [
      'a target that is not finite',
      () =>
        makeTargets({
          name: 'x',
          features: new Float32Array(2),
          targets: Float32Array.of(Number.NaN),
          width: 2,
          outputs: 1,
        }),
      /The target 0 of example 0 of x is NaN\. Expected a finite number/,
    ],
    [
      'sizes that disagree',
      () =>
        makeTargets({ name: 'x', features: new Float32Array(3), targets: new Float32Array(1), width: 2, outputs: 1 }),
      /x holds 3 features and 1 targets\. Expected 2 features and 1 targets an example/,
    ],
  ] as const)
    test(title, () => {
      assert.throws(act, message);
    });
});
