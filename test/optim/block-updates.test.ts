/** Updates of open blocks alone, the others caught up later, have the bits of an update of everything in every step. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Engine } from '../../src/backend/engine.ts';
import { dense } from '../../src/nn/dense.ts';
import { type GatedSpec, gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { adam } from '../../src/optim/adam.ts';
import type { Optimizer } from '../../src/optim/index.ts';
import { sgd } from '../../src/optim/sgd.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { randomStream } from '../../src/random/stream.ts';
import { compile } from '../../src/train/compile.ts';
import { Stepper } from '../../src/train/step.ts';
import { train } from '../../src/train/train.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';
import { reference } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { cornersSplit } from '../train/tiny.ts';

const engines = [await createEngine({ threads: 1, simd: 'simd' }), await createEngine({ threads: 3, simd: 'simd' })];
after(() => {
  for (const engine of engines) engine.close();
});

const INPUTS = 7;
const CLASSES = 3;

const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  sgd: sgd({ learningRate: 0.05 }),
  momentum: sgd({ learningRate: 0.05, momentum: 0.9 }),
  adam: adam({ learningRate: 0.01 }),
  'adam that forgets soon': adam({ learningRate: 0.01, beta1: 0.3, beta2: 0.6, epsilon: 1e-4 }),
};

/** The same update, of everything in every step. */
const plainly = ({ rule: _, ...optimizer }: Optimizer): Optimizer => optimizer;

const NETWORKS: Readonly<Record<string, LayerSpec[]>> = {
  'blocks to dense': [gates({ units: 40, blocks: 10 }), dense(CLASSES)],
  'blocks to blocks': [gates({ units: 24, blocks: 8 }), gates({ units: 30, blocks: 6, rate: 0.2 }), dense(CLASSES)],
  'one unit a block, noise': [gates({ units: 30, neuron: 'noisy-rectifier' }), dense(70, 'tanh'), dense(CLASSES)],
  // Some steps compute all blocks, and update everything.
  'the path changes': [
    gates({ units: 40, blocks: 10, neuron: 'noisy-rectifier', rate: 0.3, compute: 'auto' }),
    dense(CLASSES),
  ],
};

function gates({ units, ...options }: Omit<GatedSpec, 'layer'>): LayerSpec {
  return gated(units, {
    neuron: 'noisy-top-k',
    rate: 0.1,
    gater: [],
    activation: 'tanh',
    compute: 'blocks',
    sparsity: 'none',
    ...options,
  });
}

/** What is there after a step: parameters, and what the optimizer keeps. */
const everything = (model: Model, stepper: Stepper): (readonly [string, Float32Array])[] => [
  ...model.parameters.map(({ name, tensor }) => [name, tensor.toArray()] as const),
  ...stepper.arrays().map(([name, values]) => [name, Float32Array.from(values)] as const),
];

interface Course {
  readonly seed: number;
  readonly steps: number;
  readonly rows: number;
  readonly maxNorm?: number | undefined;
  /** After which steps everything is looked at. */
  readonly looks: readonly number[];
  /** After which steps the model is used for inference. */
  readonly uses: readonly number[];
}

/** Takes steps on random examples, the rate falling. @returns what is there at the looks and at the end */
function course(engine: Engine, layers: LayerSpec[], optimizer: Optimizer, how: Course) {
  const model = createModel(engine, { inputs: INPUTS, layers, seed: how.seed });
  const stepper = new Stepper(model, optimizer);
  const random = randomStream(how.seed, 71);
  const seen: (readonly [string, Float32Array])[][] = [];
  for (let step = 1; step <= how.steps; step++) {
    engine.beginStep();
    const features = Float32Array.from({ length: how.rows * INPUTS }, () => random.normal());
    const x = engine.tensor(features, [how.rows, INPUTS]);
    const labels = engine.allocate([how.rows], 'labels');
    labels.integers.set(Int32Array.from({ length: how.rows }, () => Math.floor(CLASSES * random.uniform())));
    const learningRate = optimizer.learningRate * 0.99 ** step;
    stepper.run({ x, labels, rows: how.rows } as never, { optimizer, learningRate, maxNorm: how.maxNorm });
    if (how.uses.includes(step)) {
      compile(model, { mode: 'mean-field' }).predict(features);
      seen.push(everything(model, stepper));
    }
    if (how.looks.includes(step)) seen.push(everything(model, stepper));
  }
  return [...seen, everything(model, stepper)];
}

for (const [name, optimizer] of Object.entries(OPTIMIZERS))
  for (const [network, layers] of Object.entries(NETWORKS))
    describe(`${name}, ${network}`, () => {
      test('the same bits after any course of steps, with any looks between', {
        skip: network !== Object.keys(NETWORKS)[0] && slow,
      }, () => {
        const steps = fc.integer({ min: 1, max: full ? 700 : 60 });
        const moments = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 });
        fc.assert(
          fc.property(
            fc.record({
              seed: fc.integer({ min: 1, max: 1000 }),
              steps,
              rows: fc.constantFrom(1, 1, 2, 5),
              maxNorm: fc.constantFrom(undefined, undefined, 0.5),
              looks: moments,
              uses: moments,
            }),
            (how) => {
              for (const engine of engines)
                assert.deepEqual(
                  course(engine, layers, optimizer, how),
                  course(engine, layers, plainly(optimizer), how),
                );
            },
          ),
          { numRuns: full ? 25 : 4 },
        );
      });

      // Plain descent has nothing to catch up with.
      if (!optimizer.rule) return;

      test('blocks are behind between looks: the test above has something to find', () => {
        const engine = engines[0];
        const model = createModel(engine, { inputs: INPUTS, layers, seed: 3 });
        let caught = 0;
        const { backend } = engine;
        const run = backend.run;
        backend.run = ((kernel: string, ...args: number[]) => {
          if (kernel === 'catchUp') caught++;
          return (run as (kernel: string, ...args: number[]) => void)(kernel, ...args);
        }) as typeof run;
        try {
          const stepper = new Stepper(model, optimizer);
          for (let step = 0; step < 30; step++) {
            engine.beginStep();
            const x = engine.tensor(
              Float32Array.from({ length: INPUTS }, (_, i) => Math.sin(step + i)),
              [1, INPUTS],
            );
            const labels = engine.allocate([1], 'labels');
            labels.integers.set([step % CLASSES]);
            stepper.run({ x, labels, rows: 1 } as never, { optimizer, learningRate: 0.01 });
          }
        } finally {
          backend.run = run;
        }
        assert.ok(caught > 5, `${caught} times`);
      });
    });

test('more steps than a block may be behind', () => {
  const how = { seed: 5, steps: 600, rows: 1, looks: [], uses: [] };
  for (const name of ['momentum', 'adam'])
    assert.deepEqual(
      course(engines[0], NETWORKS['blocks to dense'], OPTIMIZERS[name], how),
      course(engines[0], NETWORKS['blocks to dense'], plainly(OPTIMIZERS[name]), how),
    );
});

test('the reference engine agrees with its own plain form', () => {
  const how = { seed: 5, steps: 12, rows: 2, looks: [4], uses: [] };
  for (const [name, optimizer] of Object.entries(OPTIMIZERS))
    assert.deepEqual(
      course(reference, NETWORKS['blocks to blocks'], optimizer, how),
      course(reference, NETWORKS['blocks to blocks'], plainly(optimizer), how),
      name,
    );
});

describe('training', () => {
  const layers = [gates({ units: 24, blocks: 12, neuron: 'noisy-rectifier', sparsity: 'l1' }), dense(CLASSES)];
  const modelOf = (engine: Engine) => createModel(engine, { inputs: 2, layers, seed: 2 });
  const bits = ({ parameters }: Model) => parameters.map(({ tensor }) => tensor.toArray());

  for (const [name, optimizer] of Object.entries(OPTIMIZERS))
    for (const maxNorm of [undefined, 0.7])
      test(`${name}${maxNorm ? ', max-norm' : ''}: with evaluations and decay, taken up again in the middle of an epoch, as the plain form in one go`, {
        skip: maxNorm === undefined && slow,
      }, async () => {
        const options: TrainOptions = {
          epochs: 3,
          batch: 4,
          decay: 0.8,
          optimizer,
          ...(maxNorm !== undefined && { maxNorm }),
        };
        const straight = modelOf(engines[0]);
        const expected: unknown[] = [];
        for await (const event of train(straight, cornersSplit, { ...options, optimizer: plainly(optimizer) }))
          if (event.event === 'epoch') expected.push([event.trainLoss, event.validLoss, event.health]);
        const found: unknown[] = [];
        let model = modelOf(engines[1]);
        let training = train(model, cornersSplit, options);
        for (let count = 0; ; count++) {
          const { value: event, done } = await training.next();
          if (done || !event) break;
          if (event.event === 'epoch') found.push([event.trainLoss, event.validLoss, event.health]);
          if (count % 11 !== 10) continue;
          const resume = training.state();
          await training.return();
          model = modelOf(engines[count % 2]);
          training = train(model, cornersSplit, { ...options, resume });
        }
        assert.deepEqual(found, expected);
        assert.deepEqual(bits(model), bits(straight));
      });
});
