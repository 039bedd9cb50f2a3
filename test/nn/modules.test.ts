/** Modules of one's own: parameters by name, sites, sharing, and what is refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import { makeDataset } from '../../src/data/dataset.ts';
import { sum } from '../../src/math/statistics.ts';
import { zoo } from '../../src/neurons/index.ts';
import { dense } from '../../src/nn/dense.ts';
import { dropout } from '../../src/nn/dropout.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { type Module, module } from '../../src/nn/module.ts';
import type { Pass } from '../../src/nn/pass.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { classification } from '../../src/tasks/classification.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { add, multiply } from '../../src/tensor/ops/arithmetic.ts';
import { concatenate } from '../../src/tensor/ops/joining.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { train } from '../../src/train/train.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { cornersSplit } from '../train/tiny.ts';

const INPUTS = 3;
const ROWS = 5;
const data = makeDataset({
  name: 'random',
  features: Float32Array.from(drawn(normal(1), ROWS * INPUTS, 60)),
  scale: 1,
  labels: Uint8Array.from({ length: ROWS }, (_, i) => i % 2),
  width: INPUTS,
  classes: 2,
});

function pass(model: Model, mode: Pass['mode'] = 'train') {
  const { engine } = model;
  engine.beginStep();
  const batch = gatherBatch(
    engine,
    data,
    Int32Array.from({ length: ROWS }, (_, i) => i),
  );
  const tape = new Tape(engine);
  tape.watch(model.parameters.map(({ tensor }) => tensor));
  const record: Pass = { tape, mode, source: { key: noiseKey(1), step: 0, draw: 0 }, penalties: [] };
  const outcome = classification.run(model, record, batch);
  return { tape, ...outcome };
}

/** A bilinear block: x ↦ tanh(x·U) ⊙ (x·V) + c. */
const bilinear = module('bilinear', (scope, x) => {
  const n = x.shape[0];
  const hidden = scope.fire('tanh', matmul(x, scope.parameter('u', [n, n])));
  return add(multiply(hidden, matmul(x, scope.parameter('v', [n, n]))), scope.parameter('c', [n], { initialize: 0.5 }));
});

test('gradients of a module of one’s own agree with central differences', () => {
  const model = createModel(reference, { inputs: INPUTS, layers: [bilinear, residual(bilinear), dense(2)], seed: 4 });
  assert.deepEqual(
    model.parameters.map(({ name }) => name),
    [
      ...['u', 'v', 'c'].map((part) => `bilinear0.${part}`),
      ...['u', 'v', 'c'].map((part) => `residual1.bilinear0.${part}`),
      ...['dense2.weights', 'dense2.bias'],
    ],
  );
  const { tape, losses } = pass(model);
  tape.backward([{ tensor: losses, cotangent: 1 }]);
  const gradients = model.parameters.map(({ tensor }) => tape.gradient(tensor)?.values.slice() ?? []);
  model.parameters.forEach(({ name, tensor }, k) => {
    const differences = Array.from({ length: tensor.size }, (_, i) => {
      const before = tensor.values[i];
      const slope = derivative(
        (value) => {
          tensor.values[i] = value;
          return sum(pass(model).losses.values);
        },
        before,
        0.01,
      );
      tensor.values[i] = before;
      return slope;
    });
    assertClose(gradients[k], differences, { relative: 1e-7, absolute: 1e-7 }, name);
  });
});

test('a description has the names of modules of one’s own, and all of the others', () => {
  const mine = { ...zoo.rectifier, name: 'mine' };
  const layers = [
    bilinear,
    residual(sequential(dense(3, mine, 'in'), gated(3, { neuron: { name: 'top-k', k: 1 }, activation: mine }))),
    residual(bilinear),
    dense(2),
  ];
  const { description } = createModel(reference, { inputs: INPUTS, layers, seed: 4 });
  assert.deepEqual(description, JSON.parse(JSON.stringify(description)));
  assert.deepEqual(description, {
    inputs: INPUTS,
    seed: 4,
    layers: [
      { layer: 'own', name: 'bilinear0' },
      {
        layer: 'residual',
        name: 'residual1',
        module: {
          layer: 'sequential',
          modules: [
            { layer: 'dense', units: 3, neuron: { name: 'mine' }, name: 'in' },
            { layer: 'gated', units: 3, neuron: { name: 'top-k', k: 1 }, activation: { name: 'mine' } },
          ],
        },
      },
      { layer: 'own', name: 'residual2' },
      { layer: 'dense', units: 2, neuron: 'linear', name: 'dense3' },
    ],
  });
});

test('neurons of one’s own are known by name in every layer and module', () => {
  const mine = { ...zoo.rectifier, name: 'mine' };
  const own = module('own', (scope, x) => scope.fire('mine', x));
  const nested = residual(sequential(gated(3, { neuron: 'mine', activation: 'mine' }), dense(3, 'mine')));
  const model = createModel(reference, { inputs: INPUTS, layers: [own, nested, dense(2)], neurons: [mine] });
  assert.deepEqual(
    model.sites.map(({ neuron }) => neuron.name),
    ['mine', 'mine', 'mine', 'mine'],
  );
  assert.throws(() => createModel(reference, model.description), /--net FILE|no neuron "mine"/);
});

test('what stands one after another is what its parts are; a residual adds its input', () => {
  const flat = createModel(reference, { inputs: INPUTS, layers: [dense(4, 'tanh'), dense(2)] });
  const nested = createModel(reference, sequential(dense(4, 'tanh'), dense(2)), { inputs: INPUTS });
  flat.parameters.forEach(({ name }) => {
    nested.setWeights(`sequential0.${name}`, flat.weights(name));
  });
  const expected = [...pass(flat).output.values];
  // Weights are set as Float32.
  assertClose(pass(nested).output.values, expected, { absolute: 1e-6 }, 'logits');
  const plus = createModel(reference, { inputs: INPUTS, layers: [residual(dense(INPUTS, 'tanh'))] });
  const { engine } = plus;
  const own = createModel(engine, { inputs: INPUTS, layers: [dense(INPUTS, 'tanh')] });
  for (const part of ['weights', 'bias']) own.setWeights(`dense0.${part}`, plus.weights(`residual0.dense0.${part}`));
  const run = (model: Model) => {
    engine.beginStep();
    const tape = new Tape(engine);
    const x = tape.input(engine.tensor([0.3, -1, 2], [1, 3]), tape.plates.examples(1));
    return [
      ...model.apply({ tape, mode: 'sample', source: { key: [1, 2], step: 0, draw: 0 }, penalties: [] }, x).values,
    ];
  };
  assertClose(
    run(plus),
    run(own).map((h, i) => h + [0.3, -1, 2][i]),
    { absolute: 1e-12 },
    'x + f(x)',
  );
});

test('two calls by one name share their parameters, and both give them gradients', () => {
  const twice = module('twice', (scope, x) => {
    const once = scope.call(dense(INPUTS, 'tanh'), x, 'shared');
    return scope.call(dense(INPUTS, 'tanh'), once, 'shared');
  });
  const model = createModel(reference, { inputs: INPUTS, layers: [twice, dense(2)] });
  assert.deepEqual(
    model.parameters.map(({ name }) => name),
    ['twice0.shared.weights', 'twice0.shared.bias', 'dense1.weights', 'dense1.bias'],
  );
  const { tape, losses } = pass(model);
  tape.backward([{ tensor: losses, cotangent: 1 }]);
  const [{ tensor }] = model.parameters;
  const slope = derivative(
    (value) => {
      tensor.values[1] = value;
      return sum(pass(model).losses.values);
    },
    tensor.values[1],
    0.01,
  );
  assert.ok(Math.abs(slope - Number(tape.gradient(tensor)?.values[1])) < 1e-7);
});

test('a shared layer of bits draws anew each time it is applied, the same in every run', () => {
  const model = createModel(builds[0], {
    inputs: INPUTS,
    layers: [
      module('coins', (scope, x) => {
        const bits = [0, 1].map(() => scope.call(dense(24, 'stochastic-binary'), x, 'coin'));
        return add(bits[0], scope.call(dense(24), bits[1], 'mixed'));
      }),
      dense(2),
    ],
  });
  for (const { tensor } of model.parameters) tensor.values.fill(0);
  const [first, second] = [0, 1].map(() => [...pass(model, 'sample').tape.engine.backend.name, ...firings(model)]);
  assert.deepEqual(first, second);
  const [site] = model.sites;
  assert.equal(model.sites.length, 1);
  const rates = site.countLast();
  assert.equal(rates.length, 24);
  assert.equal(site.health.units, 24);
  const [a, b] = allFirings(model);
  assert.notDeepEqual(a, b);
});

const firings = (model: Model): number[] => allFirings(model).flat();
function allFirings(model: Model): number[][] {
  const seen: number[][] = [];
  const [site] = model.sites;
  const fire = site.fire.bind(site);
  site.fire = (record, logits) => {
    const h = fire(record, logits);
    seen.push([...h.values]);
    return h;
  };
  pass(model, 'sample');
  site.fire = fire;
  return seen;
}

test('modules have several inputs', () => {
  const mix = module('mix', (scope, a: Tensor, b: Tensor) => add(scope.call(dense(2), a), scope.call(dense(2), b)));
  const model = createModel(
    reference,
    module('net', (scope, x) => scope.call(mix, [x, scope.call(dense(4, 'tanh'), x)])),
    { inputs: INPUTS },
  );
  assert.equal(model.outputs, 2);
  assert.deepEqual(
    model.parameters.map(({ name }) => name).filter((name) => name.endsWith('weights')),
    ['net0.dense0.weights', 'net0.mix0.dense0.weights', 'net0.mix0.dense1.weights'],
  );
});

test('a network of modules trains, with gates inside a residual branch, and its snapshot restores it', async () => {
  const model = createModel(builds[0], {
    inputs: 2,
    layers: [dense(8, 'tanh'), residual(sequential(gated(16, { blocks: 4, neuron: 'rloo' }), dense(8))), dense(3)],
  });
  const events = [];
  for await (const event of train(model, cornersSplit, { epochs: 15, batch: 10 })) events.push(event);
  const result = events.at(-1);
  assert.ok(result?.event === 'result' && result.testError.meanField < 0.2, JSON.stringify(result));
  assert.ok(model.stochasticSites.some(({ name }) => name === 'residual1.sequential0.gated0.gates'));
  const before = model.snapshot();
  model.setWeights('dense0.bias', new Float32Array(8));
  model.restore(before);
  assert.deepEqual(model.snapshot(), before);
});

describe('what does not fit is refused in a sentence', () => {
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'a residual of another shape',
      () => createModel(reference, { inputs: 3, layers: [residual(dense(2))] }),
      /"residual0" adds what its module gives, of the shape \[2\], to its input of the shape \[3\]/,
    ],
    ['no modules', () => sequential(), /sequential: there are no modules/],
    [
      'another shape by the same name',
      () =>
        createModel(reference, {
          inputs: 3,
          layers: [
            module('bad', (scope, x) => matmul(matmul(x, scope.parameter('w', [3, 3])), scope.parameter('w', [3, 2]))),
          ],
        }),
      /The parameter "bad0.w" has the shape \[3, 3\], and \[3, 2\] was asked for/,
    ],
    [
      'a parameter that was not made',
      () => {
        let count = 0;
        const model = createModel(reference, {
          inputs: 3,
          layers: [module('new', (scope, x) => matmul(x, scope.parameter(`w${count++}`, [3, 2])))],
        });
        pass(model);
      },
      /asks for the parameter "new0.w1", which it did not ask for when the model was built/,
    ],
    [
      'shapes that do not fit, within another module',
      () => createModel(reference, { inputs: 3, layers: [residual(module('narrow', (_scope, x) => add(x, [1, 2])))] }),
      /^add in "residual0\.narrow0": the shapes \[3\] and \[2\] do not broadcast\./,
    ],
    [
      'a module that gives no tensor',
      () =>
        createModel(
          reference,
          module('silent', () => undefined as never),
          { inputs: 3 },
        ),
      /^The module "silent0" gives undefined\. Expected a tensor/,
    ],
    [
      'an asynchronous module',
      () => createModel(reference, module('slow', (async (_scope: unknown, x: Tensor) => x) as never), { inputs: 3 }),
      /^The module "slow0" gives a promise\./,
    ],
    [
      'a module that gives what another pass computed',
      () => {
        let kept: Tensor | undefined;
        pass(
          createModel(
            reference,
            module('stale', (_scope, x) => (kept ??= multiply(x, 2))),
            { inputs: 3 },
          ),
        );
      },
      /^The module "stale0" gives a tensor of another pass/,
    ],
    [
      'a site that fires another neuron',
      () => {
        const neurons = ['rloo', 'straight-through'];
        pass(
          createModel(
            reference,
            module('m', (scope, x) => scope.fire(neurons.shift() ?? '', x)),
            { inputs: 3 },
          ),
        );
      },
      /^"m0" fires "straight-through", and fired "rloo" when the model was built\./,
    ],
    [
      'a rate that is no share',
      () =>
        createModel(
          reference,
          module('m', (scope, x) => scope.fire('rloo', x, { rate: 2 })),
          { inputs: 3 },
        ),
      /^`fire` of "m0": the rate is 2\. Expected a number between 0 and 1/,
    ],
    [
      'a parameter of no shape',
      () =>
        createModel(
          reference,
          module('m', (scope, x) => add(x, scope.parameter('a', [-1]))),
          { inputs: 3 },
        ),
      /^The parameter "m0\.a": its shape is \[-1\]\. Expected whole numbers from 0 up\./,
    ],
    [
      'a parameter that starts in no known way',
      () =>
        createModel(
          reference,
          module('m', (scope, x) => add(x, scope.parameter('a', [3], { initialize: 'xavier' as 'glorot' }))),
          { inputs: 3 },
        ),
      /^The parameter "m0\.a" of the shape \[3\]: `initialize` is "xavier"\. Expected a number, a function/,
    ],
    [
      'weights of one extent that start as a matrix',
      () =>
        createModel(
          reference,
          module('m', (scope, x) => add(x, scope.parameter('a', [3], { initialize: 'glorot' }))),
          { inputs: 3 },
        ),
      /'glorot' for two extents and more/,
    ],
    [
      'a module alone',
      () => createModel(reference, bilinear as never, undefined as never),
      /Expected `\{ inputs \}` after it/,
    ],
    [
      'a model of a description that lacks one’s own module',
      () => createModel(reference, createModel(reference, bilinear, { inputs: 3 }).description),
      /"bilinear0" is a module of your own: a function, which files .* Expected the file that exports the network: --net FILE/,
    ],
    [
      'a neuron that is not known by name',
      () => createModel(reference, { inputs: 3, layers: [module('m', (scope, x) => scope.fire('mine', x))] }),
      /There is no neuron "mine"/,
    ],
    [
      'a tensor of a step that is over',
      () => {
        reference.beginStep();
        const tape = new Tape(reference);
        const x = tape.constant([1, 2]);
        reference.beginStep();
        add(x, x);
      },
      /add: the step of its tensors is over/,
    ],
    [
      'tensors of two passes',
      () => {
        reference.beginStep();
        add(new Tape(reference).constant([1]), new Tape(reference).constant([1]));
      },
      /two of its tensors belong to different passes/,
    ],
    [
      'a loss that is not one number an example',
      () => {
        const model = createModel(reference, { inputs: 3, layers: [dense(2, 'rloo')] });
        const { tape, output } = pass(model);
        tape.weigh(output);
      },
      /The loss has the shape \[2\] for each of the rows of 5 examples with 2 draws. Expected one number an example/,
    ],
  ];
  for (const [title, act, message] of refusals)
    test(title, () => {
      assert.throws(act, { name: 'RangeError', message });
    });
});

describe('random streams', () => {
  const drawnBy = (layers: readonly (Module | LayerSpec)[]) => {
    const model = createModel(reference, { inputs: 40, layers });
    const runs = [0, 1, 0].map((step) => {
      reference.beginStep();
      const tape = new Tape(reference);
      const x = tape.input(reference.tensor(new Float32Array(40).fill(1), [1, 40]), tape.plates.examples(1));
      const record: Pass = { tape, mode: 'train', source: { key: noiseKey(1), step, draw: 0 }, penalties: [] };
      return [...model.apply(record, x).values];
    });
    return runs;
  };

  test('dropout in a module that is applied twice draws a mask each time, the same in every pass of a step', () => {
    const twice = module('twice', (scope, x) =>
      concatenate([scope.call(dropout(0.5), x, 'd'), scope.call(dropout(0.5), x, 'd')], -1),
    );
    const [first, next, again] = drawnBy([twice]);
    const halves = [first.slice(0, 40), first.slice(40)];
    assert.notDeepEqual(halves[0], halves[1]);
    assert.notDeepEqual(first, next);
    assert.deepEqual(first, again);
    const [once] = drawnBy([module('twice', (scope, x) => scope.call(dropout(0.5), x, 'd'))]);
    assert.deepEqual(once, halves[0]);
  });

  test('a model with more modules than there are streams is refused', () => {
    const many = module('many', (scope, x) => {
      let y = x;
      for (let i = 0; i < 7300; i++) y = scope.call(dropout(0.5), x);
      return y;
    });
    assert.throws(() => createModel(reference, { inputs: 2, layers: [many] }), {
      name: 'RangeError',
      message: /The model has more than 7168 modules within modules, or uses of them\. Expected at most so many/,
    });
    const layers = Array.from({ length: 1025 }, () => dropout(0.5));
    assert.throws(() => createModel(reference, { inputs: 2, layers }), {
      name: 'RangeError',
      message: /The model has 1025 layers\. Expected at most 1024/,
    });
  });
});
