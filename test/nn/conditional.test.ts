/** Modules behind gates: against a loop over rows and parts, on every path, with every neuron. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { loadModel, saveModel } from '../../src/io/model-file.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { type ConditionalOptions, conditional } from '../../src/nn/conditional.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { type Module, module } from '../../src/nn/module.ts';
import { parallel } from '../../src/nn/parallel.ts';
import type { Mode, Pass } from '../../src/nn/pass.ts';
import { type Compute, skipsInTraining } from '../../src/nn/paths.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { adam, sgd } from '../../src/optim/index.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { classification } from '../../src/tasks/classification.ts';
import { multiply, scale } from '../../src/tensor/ops/arithmetic.ts';
import { sum } from '../../src/tensor/ops/reductions.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { calibrate } from '../../src/train/calibrate.ts';
import { compile } from '../../src/train/compile.ts';
import { gateRates } from '../../src/train/gate-rates.ts';
import { denseTwin } from '../../src/train/measure-inference.ts';
import { Stepper } from '../../src/train/step.ts';
import { train } from '../../src/train/train.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertClose, assertSameBits, drawn, normal } from '../helpers/numbers.ts';
import { cornersSplit, digits } from '../train/tiny.ts';

const INPUTS = 4;
const several = await Promise.all([2, 3].map((threads) => createEngine({ threads, simd: 'simd' })));
after(() => {
  for (const engine of several) engine.close();
});

interface PassOptions {
  readonly mode?: Mode;
  readonly step?: number;
  readonly offsets?: readonly number[];
}

/** A pass over rows of numbers; what it gave, and its gradients for fixed cotangents. */
function passOf(model: Model, rows: Float64Array, { mode = 'train', step = 0, offsets }: PassOptions = {}) {
  const { engine } = model;
  engine.beginStep();
  const tape = new Tape(engine);
  tape.watch(model.parameters.map(({ tensor }) => tensor));
  const count = rows.length / model.inputs;
  const plate = offsets ? tape.plates.points(Int32Array.from(offsets)) : tape.plates.examples(count);
  const x = tape.input(engine.tensor(rows, [count, model.inputs]), plate, true);
  const pass: Pass = { tape, mode, source: { key: noiseKey(3), step, draw: 0 }, penalties: [] };
  const output = model.apply(pass, x);
  return { tape, x, pass, output };
}

/** The loss of every row: its output times fixed numbers. */
function lossOf(output: Tensor): Tensor {
  return sum(multiply(output, new Float32Array(drawn(normal(), output.columns, 8))), -1);
}

function gradientsOf(model: Model, rows: Float64Array, options: PassOptions = {}) {
  const { tape, x, output } = passOf(model, rows, options);
  const loss = lossOf(output);
  tape.weigh(loss);
  tape.backward([{ tensor: loss, cotangent: 1 }], loss);
  const of = (array: Parameters<Tape['gradient']>[0], size: number) =>
    Float64Array.from(tape.gradient(array)?.values ?? new Float64Array(size));
  return {
    output: Float64Array.from(output.values),
    gradients: new Map([
      ...model.parameters.map(({ name, tensor }) => [name, of(tensor, tensor.size)] as const),
      ['x', of(x, x.size)] as const,
    ]),
    work: { ...tape.work },
  };
}

/** Three parts, the last of them with two parts of its own, behind gates that a rectifier opens: a function of the input alone. */
const RECTIFIED = { neuron: 'rectifier', rate: 'none', gater: [] } as const;
const PARTS: readonly LayerSpec[] = [
  dense(3, 'tanh', 'first'),
  sequential(dense(2, 'sigmoid'), dense(3)),
  conditional({ ...RECTIFIED, name: 'inner' }, [dense(3, 'tanh', 'left'), dense(3, 'sigmoid', 'right')]),
];
const modelOf = (engine: Engine, join: 'sum' | 'concatenate', inputs = INPUTS): Model =>
  createModel(engine, { inputs, layers: [conditional({ ...RECTIFIED, join, name: 'c' }, PARTS)], seed: 5 });

/** Gates by the gater's biases: a part that no row opens, rows that open nothing, and so on. */
const CASES: Readonly<Record<string, { readonly bias: readonly number[]; readonly rows: number }>> = {
  'random gates': { bias: [0, 0, 0], rows: 9 },
  'an empty part': { bias: [0.5, -1e3, 0], rows: 7 },
  'empty rows': { bias: [-1.5, -1.5, -1.5], rows: 9 },
  'one row': { bias: [0.3, 0.2, 0.1], rows: 1 },
  'all open': { bias: [50, 60, 70], rows: 6 },
  'all closed': { bias: [-1e3, -1e3, -1e3], rows: 5 },
  'a nested part alone': { bias: [-1e3, -1e3, 2], rows: 8 },
};

type Values = ReadonlyMap<string, Float64Array>;

/** x·W + b of one row. */
function affine(p: Values, name: string, x: readonly number[]): number[] {
  const [w, b] = [p.get(`${name}.weights`) as Float64Array, p.get(`${name}.bias`) as Float64Array];
  return Array.from(b, (bias, j) => x.reduce((total, value, i) => total + value * w[i * b.length + j], bias));
}
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));

/** The definition: a loop over the parts of a row. */
function loop(p: Values, x: readonly number[], join: 'sum' | 'concatenate'): number[] {
  const inner = (h: readonly number[]): number[] => {
    const [left, right] = affine(p, 'c.inner.gater', h);
    const y = [0, 0, 0];
    if (left > 0) affine(p, 'c.inner.left', h).forEach((a, j) => void (y[j] += left * Math.tanh(a)));
    if (right > 0) affine(p, 'c.inner.right', h).forEach((a, j) => void (y[j] += right * sigmoid(a)));
    return y;
  };
  const parts = [
    () => affine(p, 'c.first', x).map(Math.tanh),
    () => affine(p, 'c.part1.dense1', affine(p, 'c.part1.dense0', x).map(sigmoid)),
    () => inner(x),
  ];
  const gated = affine(p, 'c.gater', x).map((g, k) => (g > 0 ? parts[k]().map((y) => g * y) : [0, 0, 0]));
  return join === 'concatenate' ? gated.flat() : [0, 1, 2].map((j) => gated.reduce((total, y) => total + y[j], 0));
}

describe('a loop over rows and parts in Float64 gives the same', () => {
  for (const join of ['sum', 'concatenate'] as const)
    for (const [title, { bias, rows }] of Object.entries(CASES))
      test(`${title}, ${join}`, { skip: join !== 'sum' && slow }, () => {
        const model = modelOf(reference, join);
        model.parameters.forEach(({ name, tensor }, i) => {
          const values = drawn(normal(name === 'c.gater.weights' ? 1 : 0.8), tensor.size, 40, i);
          tensor.values.set(name === 'c.gater.bias' ? bias : values);
        });
        const x = Float64Array.from(drawn(normal(), rows * INPUTS, 41));
        const values = new Map(model.parameters.map(({ name, tensor }) => [name, Float64Array.from(tensor.values)]));
        const outputs = () =>
          Array.from({ length: rows }, (_, r) => loop(values, [...x.slice(r * INPUTS, (r + 1) * INPUTS)], join)).flat();
        const { output, gradients } = gradientsOf(model, x);
        assertClose(output, outputs(), { relative: 1e-12, absolute: 1e-12 }, 'values');
        const cotangents = drawn(normal(), model.outputs, 8).map(Math.fround);
        const lossAt = () => outputs().reduce((total, y, i) => total + y * cotangents[i % cotangents.length], 0);
        for (const [name, array] of [...values, ['x', x] as const]) {
          const expected = Array.from(array, (before, i) => {
            const slope = derivative(
              (value) => {
                array[i] = value;
                return lossAt();
              },
              before,
              1e-5,
            );
            array[i] = before;
            return slope;
          });
          assertClose(gradients.get(name) as Float64Array, expected, { relative: 1e-6, absolute: 1e-7 }, name);
        }
        for (const engine of [...builds, ...several]) {
          const other = modelOf(engine, join);
          for (const { name } of other.parameters) other.setWeights(name, values.get(name) as Float64Array);
          const own = gradientsOf(other, x);
          assertClose(own.output, output, { relative: 1e-5, absolute: 1e-5 }, engine.name);
          for (const [name, gradient] of own.gradients)
            assertClose(gradient, gradients.get(name) as Float64Array, { relative: 1e-4, absolute: 1e-4 }, name);
        }
      });
});

test('one, two and three threads give the same bits', () => {
  const run = (engine: Engine) => {
    const model = createModel(engine, {
      inputs: 40,
      layers: [
        conditional({ neuron: 'noisy-top-k:k=2', copies: 6, gater: [8] }, [
          sequential(dense(70, 'straight-through'), dense(33)),
        ]),
        residual(conditional({ neuron: 'rloo', rate: 0.5, join: 'sum' }, [dense(33, 'tanh')])),
      ],
      seed: 2,
    });
    return gradientsOf(model, Float64Array.from(drawn(normal(), 301 * 40, 3)));
  };
  const [one, ...others] = [builds[0], ...several].map(run);
  for (const { output, gradients } of others) {
    assertSameBits(Float32Array.from(output), Float32Array.from(one.output), 'outputs');
    for (const [name, gradient] of gradients)
      assertSameBits(Float32Array.from(gradient), Float32Array.from(one.gradients.get(name) ?? []), name);
  }
});

describe('every neuron can gate', () => {
  for (const [i, name] of Object.keys(zoo).entries()) {
    const neuron = resolveNeuron(name);
    const count = neuron.group ?? 2;
    const layers = (options: ConditionalOptions): LayerSpec[] => [
      conditional(
        { neuron: name, rate: 0.5, gater: [3], ...options },
        Array.from({ length: count }, () => dense(5, 'tanh')),
      ),
      dense(3),
    ];
    test(name, { skip: i % 4 > 0 && slow }, () => {
      const x = Float64Array.from(drawn(normal(), 12 * INPUTS, 9));
      const on = (compute: 'auto' | 'dense') =>
        gradientsOf(createModel(builds[0], { inputs: INPUTS, layers: layers({ compute }), seed: 4 }), x);
      const [open, all] = [on('auto'), on('dense')];
      assertClose(open.output, all.output, { relative: 1e-5, absolute: 1e-5 }, 'outputs');
      for (const [parameter, gradient] of open.gradients)
        assertClose(
          gradient,
          all.gradients.get(parameter) as Float64Array,
          { relative: 1e-4, absolute: 1e-5 },
          parameter,
        );
      // Closed parts cost nothing where the neuron does not read what comes back to closed gates.
      const skips = skipsInTraining(neuron) && neuron.backwardSees !== 'expectation';
      assert.equal(open.work.executed < all.work.executed, skips && !alwaysOpen(name), `${open.work.executed}`);
      // Penalties, modes, health.
      const model = createModel(builds[0], { inputs: INPUTS, layers: layers({}), seed: 4 });
      for (const mode of ['sample', 'mean-field', 'threshold'] as const)
        assert.ok(passOf(model, x, { mode }).output.values.every(Number.isFinite), mode);
      gradientsOf(model, x);
      model.afterStep();
      const health = model.sites.find(({ name: site }) => site === 'conditional0.gates')?.health;
      assert.ok(health && health.rate >= 0 && health.rate <= 1 && health.units === count);
    });
  }
});

/** Neurons that emit 0 for no logit, so that no gate is closed. */
const alwaysOpen = (name: string): boolean => {
  const { claims, opens, opening, range } = resolveNeuron(name);
  if (claims.rate) return claims.rate(-20) > 0.5;
  return !opens && !opening && range !== 'unit-interval';
};

describe('parts that are closed', () => {
  test('multiply-adds are those of open pairs of rows and parts, and the gater\u2019s', () => {
    const layers = [conditional({ ...RECTIFIED, gater: [3] }, [dense(5, 'tanh'), sequential(dense(6), dense(5))])];
    const model = createModel(builds[0], { inputs: INPUTS, layers });
    const costs = [INPUTS * 5, INPUTS * 6 + 6 * 5];
    const gater = INPUTS * 3 + 3 * 2;
    assert.deepEqual(model.cost, { dense: costs[0] + costs[1], gater });
    const rows = 23;
    const { tape } = passOf(model, Float64Array.from(drawn(normal(), rows * INPUTS, 2)));
    const open = [0, 1].map(
      (k) => (model.sites[0].last?.h.values ?? []).filter((g, i) => i % 2 === k && g !== 0).length,
    );
    assert.ok(open.every((count) => count > 0 && count < rows));
    assert.deepEqual(tape.work, {
      executed: rows * gater + open[0] * costs[0] + open[1] * costs[1],
      gater: rows * gater,
    });
    assert.equal(denseTwin(model).model.cost.dense, costs[0] + costs[1]);
  });

  test('a row\u2019s coins do not depend on which other rows open a part, nor on the path', () => {
    const layers = [conditional({ ...RECTIFIED }, [dense(40, 'stochastic-binary'), dense(40, 'stochastic-binary')])];
    const x = Float64Array.from(drawn(normal(), 12 * INPUTS, 6));
    for (const engine of [reference, builds[0]]) {
      const model = createModel(engine, { inputs: INPUTS, layers, seed: 3 });
      const whole = [...passOf(model, x).output.values];
      const twin = createModel(engine, { inputs: INPUTS, layers: [{ ...layers[0], compute: 'dense' }], seed: 3 });
      assert.deepEqual([...passOf(twin, x).output.values], whole);
      // Row 0 closed for good: the others are as they were.
      const other = x.slice();
      other.fill(0, 0, INPUTS);
      assert.deepEqual([...passOf(model, other).output.values].slice(40), whole.slice(40));
    }
  });

  test('a part that no row opens is not run, and its sites, penalties and states stay as they are', () => {
    let runs = 0;
    const watched = module('watched', (scope, x) => {
      runs++;
      return scope.call(gated(6, { blocks: 3, neuron: 'rloo', gater: [] }), x);
    });
    const model = createModel(builds[0], {
      inputs: INPUTS,
      layers: [conditional(RECTIFIED, [watched, dense(6)]) as Module],
    });
    model.setWeights('conditional0.gater.bias', [-1e3, 1e3]);
    const x = Float64Array.from(drawn(normal(), 5 * INPUTS, 6));
    gradientsOf(model, x);
    model.afterStep();
    const before = model.snapshot();
    runs = 0;
    const { gradients } = gradientsOf(model, x);
    model.afterStep();
    assert.equal(runs, 0);
    const inner = model.sites.find(({ name }) => name.includes('part0'));
    assert.equal(inner?.last, undefined);
    assert.equal(inner?.health.rate, 0);
    for (const [name, values] of model.snapshot())
      if (name.includes('part0')) assert.deepEqual(values, before.get(name), name);
    for (const [name, gradient] of gradients)
      if (name.includes('part0'))
        assert.ok(
          gradient.every((g) => g === 0),
          name,
        );
  });
});

describe('a net trains to the same bits whether closed parts are computed or not', () => {
  const { rule: _, ...ruleless } = adam({ learningRate: 0.01 });
  const optimizers = {
    'plain descent': sgd({ learningRate: 0.05 }),
    momentum: sgd({ momentum: 0.9, learningRate: 0.05 }),
    adam: adam({ learningRate: 0.01 }),
    'an optimizer that is no rule': ruleless,
  };
  const nested = (compute: Compute): LayerSpec =>
    conditional({ ...RECTIFIED, compute }, [dense(3, 'tanh'), dense(3, 'sigmoid')]);
  const layers = (compute: Compute): LayerSpec[] => [
    conditional({ name: 'c', neuron: 'top-k:k=1', sparsity: 'none', gater: [], copies: 3, compute }, [
      sequential(dense(4, 'tanh'), dense(3)),
      nested(compute),
    ]),
    dense(3),
  ];
  for (const [title, optimizer] of Object.entries(optimizers))
    for (const maxNorm of [undefined, 0.5])
      test(`${title}${maxNorm ? ', with max-norm' : ''}`, { skip: title !== 'adam' && slow }, () => {
        const trained = (engine: Engine, compute: Compute) => {
          const model = createModel(engine, { inputs: 2, layers: layers(compute), seed: 3 });
          const stepper = new Stepper(model, optimizer);
          const open: boolean[][] = [];
          for (let step = 0; step < 320; step++) {
            engine.beginStep();
            const batch = classification.gather(engine, cornersSplit.train, [step % 90, (7 * step) % 90]);
            stepper.run(batch, { optimizer, learningRate: optimizer.learningRate, maxNorm });
            const gates = [...(model.sites[0].last?.h.values ?? [])];
            open.push([0, 1, 2, 3, 4, 5].map((k) => gates[k] !== 0 || gates[6 + k] !== 0));
          }
          return { model, open, state: stepper.arrays() };
        };
        for (const engine of [builds[0], several[1]]) {
          const [some, all] = (['blocks', 'dense'] as const).map((compute) => trained(engine, compute));
          const everOpen = [0, 1, 2, 3, 4, 5].filter((k) => some.open.some((gates) => gates[k]));
          assert.ok(everOpen.length > 1, 'one part alone was ever open');
          for (const k of everOpen) {
            const first = some.open.findIndex((gates) => gates[k]);
            assert.ok(
              some.open.slice(first).some((gates) => !gates[k]),
              `part ${k} was never closed`,
            );
          }
          some.model.parameters.forEach(({ name, tensor }, i) => {
            assertSameBits(tensor.toArray(), all.model.parameters[i].tensor.toArray(), name);
          });
          for (const [i, [name, values]] of some.state.entries())
            assertSameBits(Float32Array.from(values), Float32Array.from(all.state[i][1]), name);
        }
      });
});

test('probes of closed parts are unbiased: their mean gradient is that of all parts computed', () => {
  const layers = (probe?: number): LayerSpec[] => [
    conditional({ neuron: 'straight-through', rate: 0.3, gater: [], ...(probe && { probe }) }, [
      dense(3, 'tanh'),
      dense(3, 'tanh'),
    ]),
  ];
  const x = Float64Array.from(drawn(normal(), 16 * INPUTS, 6));
  const [all, probed] = [undefined, 0.25].map((probe) =>
    createModel(builds[0], { inputs: INPUTS, layers: layers(probe), seed: 3 }),
  );
  const steps = full ? 4000 : 800;
  const sums = new Map<string, { d: Float64Array; squares: Float64Array }>();
  let [executed, dense_] = [0, 0];
  for (let step = 0; step < steps; step++) {
    const [one, other] = [gradientsOf(all, x, { step }), gradientsOf(probed, x, { step })];
    executed += other.work.executed;
    dense_ += one.work.executed;
    for (const [name, gradient] of one.gradients) {
      const own = other.gradients.get(name) as Float64Array;
      const sum = sums.get(name) ?? { d: new Float64Array(own.length), squares: new Float64Array(own.length) };
      own.forEach((g, i) => {
        sum.d[i] += g - gradient[i];
        sum.squares[i] += (g - gradient[i]) ** 2;
      });
      sums.set(name, sum);
    }
  }
  assert.ok(executed < 0.75 * dense_);
  for (const [name, { d, squares }] of sums)
    d.forEach((total, i) => {
      const z = total / (Math.sqrt(squares[i]) + 1e-4 * steps);
      assert.ok(Math.abs(z) < 6, `${name} ${i}: ${z}`);
    });
});

describe('a branch that is closed for a whole minibatch', () => {
  const RATES = full ? [1 / 4, 1 / 16, 1 / 64] : [1 / 64];
  /** Those that gate at a rate that is asked for. */
  const gaters = Object.keys(zoo).filter((name) => {
    const { opens, group, claims, identity } = resolveNeuron(name);
    return !opens && !group && !identity && claims.rate !== undefined && !alwaysOpen(name);
  });
  for (const [i, neuron] of gaters.entries())
    test(`${neuron}: gradients are finite, and its gater recovers`, { skip: i % 4 > 0 && slow }, () => {
      for (const rate of RATES) {
        // Penalties on P(open) pull gates up too; those on outputs do not, and the biases of dead gates are raised.
        const nudge = resolveNeuron(neuron).range !== 'unit-interval' || resolveNeuron(neuron).penalized === 'opening';
        const model = createModel(builds[0], {
          inputs: INPUTS,
          layers: [residual(conditional({ neuron, rate, gater: [4], nudge }, [dense(INPUTS, 'tanh')])), dense(3)],
          seed: 7,
        });
        const bias = model.parameters.find(({ name }) => name.endsWith('gater.bias'));
        const [site] = model.sites;
        assert.ok(bias);
        const logit = () => site.last?.logits.values[0] ?? Number.NaN;
        const x = Float64Array.from(drawn(normal(), INPUTS, 6));
        passOf(model, x);
        const usual = logit();
        bias.tensor.values[0] -= 4;
        const { output, gradients } = gradientsOf(model, x);
        assert.ok(output.every(Number.isFinite));
        for (const [name, gradient] of gradients) assert.ok(gradient.every(Number.isFinite), name);
        const indifferent = {
          run(own: Model, pass: Pass, batch: { readonly rows: number }) {
            const given = pass.tape.input(own.engine.tensor(x, [1, INPUTS]), pass.tape.plates.examples(batch.rows));
            const logits = own.apply(pass, given);
            return { output: logits, losses: sum(scale(logits, { factor: 0 }), -1) };
          },
        };
        const stepper = new Stepper(model, sgd(), indifferent);
        for (let step = 0; step < 3000 && !(logit() > usual - 1); step++) {
          builds[0].beginStep();
          stepper.run({ rows: 1 }, { optimizer: sgd(), learningRate: 0.05 });
        }
        assert.ok(
          logit() > usual - 1,
          `rate ${rate}: the logit is ${logit()}, at the start of training it is ${usual}`,
        );
      }
    });
});

describe('what works on gates works on it', () => {
  const layers = (): LayerSpec[] => [
    dense(8, 'tanh', 'in'),
    residual(conditional({ neuron: 'straight-through', rate: 0.25, copies: 4, gater: [6] }, [dense(8, 'tanh')])),
    dense(3),
  ];
  const build = () => createModel(builds[0], { inputs: 2, layers: layers(), seed: 6 });

  test('training, calibration, rates by class, holds, snapshots, model files', async () => {
    const model = build();
    const events = [];
    for await (const event of train(model, cornersSplit, { epochs: 15, batch: 10 })) events.push(event);
    const result = events.at(-1);
    assert.ok(result?.event === 'result' && result.testError.threshold < 0.2, JSON.stringify(result));
    calibrate(model, cornersSplit.valid);
    const [rates] = gateRates(model, cornersSplit.test, { mode: 'threshold' });
    assert.equal(rates.units, 4);
    const mean = rates.rates.reduce((total, rate) => total + rate, 0) / rates.rates.length;
    assert.ok(Math.abs(mean - 0.25) < 0.1, `${mean} of the gates are open at the threshold`);
    const compiled = compile(model);
    const inputs = Float32Array.of(1, 0.2, 0.1, 0.9);
    const site = rates.site;
    const open = (hold?: boolean) =>
      compiled.predict(inputs, hold === undefined ? {} : { hold: [{ site, unit: 2, open: hold }] });
    assert.deepEqual(
      [...open(true).open[0].gates].filter((_, i) => i % 4 === 2),
      [1, 1],
    );
    assert.deepEqual(
      [...open(false).open[0].gates].filter((_, i) => i % 4 === 2),
      [0, 0],
    );
    assert.ok(open(true).multiplyAdds > open(false).multiplyAdds);
    const saved = model.snapshot();
    const other = build();
    other.restore(saved);
    assert.deepEqual(other.snapshot(), saved);
    const loaded = loadModel(builds[0], saveModel(model));
    assert.deepEqual(compile(loaded).predict(inputs).probabilities, open().probabilities);
    assert.deepEqual(loaded.description, model.description);
  });

  test('modules of one\u2019s own are parts, by the names of their gates', () => {
    const twice = module('twice', (scope, x) => scope.call(dense(8), scope.call(dense(8, 'tanh'), x)));
    const model = createModel(builds[0], {
      inputs: 2,
      layers: [dense(8), conditional({ neuron: 'rloo', copies: 2, gater: [] }, [twice, dense(8, 'tanh')]), dense(3)],
    });
    assert.deepEqual(
      model.parameters
        .map(({ name }) => name)
        .filter((name) => name.startsWith('conditional1') && name.endsWith('weights')),
      [
        'conditional1.gater.weights',
        ...['part0.dense0', 'part0.dense1', 'part1.dense0', 'part1.dense1', 'part2', 'part3'].map(
          (part) => `conditional1.${part}.weights`,
        ),
      ],
    );
    assert.deepEqual(model.description.layers[1], { layer: 'own', name: 'conditional1' });
  });

  test('points of sequences open parts point by point; a part that reads sequences reads the points that opened it', () => {
    const layers: LayerSpec[] = [conditional({ ...RECTIFIED }, [{ layer: 'lstm', units: 3, name: 'reader' }])];
    const model = createModel(reference, { inputs: INPUTS, layers, seed: 9 });
    model.setWeights('conditional0.gater.weights', [1, 0, 0, 0]);
    const x = Float64Array.from(drawn(normal(), 9 * INPUTS, 4));
    const offsets = [0, 5, 5, 9];
    const { output } = passOf(model, x, { offsets });
    const gates = [...(model.sites[0].last?.h.values ?? [])];
    const open = gates.flatMap((g, i) => (g > 0 ? i : []));
    assert.ok(open.length > 2 && open.length < 9);
    const alone = createModel(reference, {
      inputs: INPUTS,
      layers: [{ layer: 'lstm', units: 3, name: 'reader' }],
      seed: 1,
    });
    for (const part of ['weights', 'bias', 'recurrent'])
      alone.parameters
        .find(({ name }) => name === `reader.${part}`)
        ?.tensor.values.set(
          model.parameters.find(({ name }) => name === `conditional0.reader.${part}`)?.tensor.values ?? [],
        );
    const values = [...output.values];
    const picked = Float64Array.from(open.flatMap((row) => [...x.slice(row * INPUTS, (row + 1) * INPUTS)]));
    const starts = offsets.map((start) => open.filter((row) => row < start).length);
    const read = [...passOf(alone, picked, { offsets: starts }).output.values];
    const expected = new Float64Array(values.length);
    open.forEach((row, i) => {
      for (let j = 0; j < 3; j++) expected[row * 3 + j] = gates[row] * read[i * 3 + j];
    });
    assertClose(values, expected, { absolute: 1e-12 }, 'outputs');
  });

  test('the penalty of gates on points is a mean over the points, whatever the sequences\u2019 lengths', () => {
    const gradientOf = (points: number): number => {
      const model = createModel(reference, {
        inputs: 1,
        layers: [conditional({ neuron: 'sigmoid', rate: 0.2, sparsity: 'kl=1', gater: [] }, [dense(1)])],
      });
      for (const { tensor } of model.parameters) tensor.values.fill(0);
      const { tape, pass } = passOf(model, new Float64Array(2 * points), { offsets: [0, points, 2 * points] });
      tape.backward(pass.penalties.map(({ tensor, weight, rows }) => ({ tensor, cotangent: weight * rows })));
      const bias = model.parameters.find(({ name }) => name.endsWith('gater.bias'));
      return (bias && tape.gradient(bias.tensor)?.values[0]) ?? 0;
    };
    assert.ok(gradientOf(1) > 0.1);
    assertClose([gradientOf(7)], [gradientOf(1)], { relative: 1e-12 }, 'gradient');
  });
});

describe('what does not fit is refused in a sentence', () => {
  const points = module('points', (scope, x) => scope.parameter('none', [x.columns]));
  for (const [title, act, message] of [
    ['no parts', () => conditional({}, []), /conditional: there are no parts/],
    ['no modules', () => parallel([]), /parallel: there are no modules/],
    [
      'copies',
      () => createModel(reference, { inputs: 3, layers: [conditional({ copies: 1.5 }, [dense(3)])] }),
      /conditional0: `copies` is 1.5/,
    ],
    [
      'other shapes',
      () => createModel(reference, { inputs: 3, layers: [conditional({}, [dense(3), dense(2)])] }),
      /Part 1 of "conditional0" gives the shape \[2\], and another the shape \[3\]/,
    ],
    [
      'no rows',
      () => createModel(reference, { inputs: 3, layers: [conditional({}, [points]) as Module] }),
      /Part 0 of "conditional0" gives values that all rows share\. Expected one row for each/,
    ],
    [
      'a rate',
      () => createModel(reference, { inputs: 3, layers: [conditional({ rate: 2 }, [dense(3)])] }),
      /conditional0: the rate is 2/,
    ],
    [
      'two parts of one name',
      () =>
        createModel(reference, {
          inputs: 3,
          layers: [conditional({}, [dense(3, 'linear', 'a'), dense(3, 'tanh', 'a')])],
        }),
      /conditional0: parts 0 and 1 are both called "a"\. Expected different names/,
    ],
    [
      'a name that another part has by its number',
      () => createModel(reference, { inputs: 3, layers: [conditional({}, [dense(3, 'linear', 'part1'), dense(3)])] }),
      /conditional0: parts 0 and 1 are both called "part1"/,
    ],
    [
      'copies of one name and another',
      () =>
        createModel(reference, {
          inputs: 3,
          layers: [conditional({ copies: 11 }, [dense(3, 'linear', 'a'), dense(3, 'linear', 'a1')])],
        }),
      /conditional0: parts 10 and 11 are both called "a10"/,
    ],
    ...(['gater', 'gater0', 'gates'] as const).map(
      (name) =>
        [
          `a part called ${name}`,
          () => createModel(reference, { inputs: 3, layers: [conditional({}, [dense(3, 'linear', name)])] }),
          new RegExp(`conditional0: part 0 is called "${name}", as what decides the gates is\\. Expected another name`),
        ] as const,
    ),
    [
      'a penalty that does not fit',
      () =>
        createModel(reference, {
          inputs: 3,
          layers: [conditional({ neuron: 'rectifier', sparsity: 'kl' }, [dense(3)])],
        }),
      /The penalty "kl" is on probabilities/,
    ],
  ] as const)
    test(title, () => {
      assert.throws(act, { name: 'RangeError', message });
    });
});

test('digits are classified by experts behind noisy top-k gates', async () => {
  const model = createModel(builds[0], {
    inputs: 784,
    layers: [
      dense(32, 'rectifier'),
      residual(
        conditional({ neuron: 'noisy-top-k:k=1', copies: 4, gater: [] }, [
          sequential(dense(16, 'rectifier'), dense(32)),
        ]),
      ),
      dense(10),
    ],
    seed: 3,
  });
  const events = [];
  for await (const event of train(model, digits, { epochs: 12, batch: 10, optimizer: adam({ learningRate: 0.003 }) }))
    events.push(event);
  const result = events.at(-1);
  assert.ok(result?.event === 'result' && result.testError.threshold < 0.3, JSON.stringify(result));
  assert.ok(result.flops.executed < result.flops.dense);
});
