/** Gated layers that compute open blocks alone, against the same layers computing every block. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { areCrossovers } from '../../src/backend/crossovers.ts';
import { Engine } from '../../src/backend/engine.ts';
import { makeDataset } from '../../src/data/dataset.ts';
import { sum } from '../../src/math/statistics.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { type GatedSpec, gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import type { Mode, Pass } from '../../src/nn/pass.ts';
import type { Compute } from '../../src/nn/paths.ts';
import { sgd } from '../../src/optim/index.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { noiseKey, randomStream } from '../../src/random/stream.ts';
import { classification } from '../../src/tasks/classification.ts';
import { gatherBatch } from '../../src/tasks/examples.ts';
import { Tape, type Work } from '../../src/tensor/tape.ts';
import type { EpochEvent } from '../../src/train/events.ts';
import { Stepper } from '../../src/train/step.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertClose, assertSameBits, drawn, normal } from '../helpers/numbers.ts';
import { digits, eventsOf } from '../train/tiny.ts';

const CLASSES = 3;

/** A network on random examples. */
interface Problem {
  readonly rows: number;
  readonly inputs: number;
  readonly layers: readonly LayerSpec[];
  readonly seed: number;
}

/** What a pass computed: copies. */
interface Outcome {
  readonly loss: number;
  readonly logits: number[];
  /** The outputs of every gating site, rows × blocks. */
  readonly gates: Float64Array[];
  readonly gradients: ReadonlyMap<string, Float64Array>;
  readonly work: Work;
}

const dataOf = ({ rows, inputs, seed }: Problem) =>
  makeDataset({
    name: 'random',
    features: Float32Array.from(drawn(normal(), rows * inputs, seed, 70)),
    scale: 1,
    labels: Uint8Array.from({ length: rows }, (_, i) => i % CLASSES),
    width: inputs,
    classes: CLASSES,
  });

/** The layers, with what their gated ones are to do. */
const withOptions = (layers: readonly LayerSpec[], options: Partial<GatedSpec>): LayerSpec[] =>
  layers.map((layer) => (layer.layer === 'gated' ? { ...layer, ...options } : layer));

function modelOf(engine: Engine, { inputs, layers, seed }: Problem, options: Partial<GatedSpec>): Model {
  const model = createModel(engine, { inputs, layers: withOptions(layers, options), seed });
  const random = randomStream(seed, 71);
  for (const { name, tensor, kind } of model.parameters) {
    if (kind !== 'bias') continue;
    const gates = model.sites.find((site) => name === `${site.name.replace(/gates$/, 'gater')}.bias`);
    // Gates of all kinds: blocks that no row opens, that every row opens, and between.
    const always = gates?.neuron.range === 'unit-interval' ? 60 : 3;
    const between = () => 2 * random.normal() - 1;
    const bias = gates
      ? () => [-60, always, between(), between(), between()][random.integer(5)]
      : () => 0.3 * random.normal();
    for (let i = 0; i < tensor.size; i++) tensor.values[i] = Math.fround(bias());
  }
  return model;
}

/** One pass over all examples; with gradients when training. */
function pass(model: Model, problem: Problem, mode: Mode, step = 0): Outcome {
  const { engine } = model;
  const { rows } = problem;
  engine.beginStep();
  const indices = Int32Array.from({ length: rows }, (_, i) => i);
  const batch = gatherBatch(engine, dataOf(problem), indices);
  const tape = new Tape(engine);
  if (mode === 'train') tape.watch(model.parameters.map(({ tensor }) => tensor));
  const source = { key: noiseKey(model.seed), step, draw: 0 };
  const record: Pass = { tape, mode, source, penalties: [] };
  const { output: logits, losses } = classification.run(model, record, batch);
  if (mode === 'train') {
    const penalties = record.penalties.map(({ tensor, weight }) => ({ tensor, cotangent: weight * rows }));
    tape.backward([{ tensor: losses, cotangent: 1 }, ...penalties], losses);
  }
  const gradientOf = ({ tensor }: Model['parameters'][number]) =>
    Float64Array.from(tape.gradient(tensor)?.values ?? new Float64Array(tensor.size));
  return {
    loss: sum(losses.values) / rows,
    logits: [...logits.values],
    gates: gatesOf(model),
    gradients: new Map(model.parameters.map((parameter) => [parameter.name, gradientOf(parameter)])),
    work: { ...tape.work },
  };
}

const gatesOf = (model: Model): Float64Array[] =>
  model.sites.filter(({ name }) => name.endsWith('.gates')).map(({ last }) => Float64Array.from(last?.h.values ?? []));

/**
 * Fails unless two passes are one, but for rounding relative to the largest element; or to 1, since the gradients of
 * saturated gates, and differences of losses from baselines, are small numbers made of losses of about 1.
 */
function assertSameOutcome(actual: Outcome, expected: Outcome, tolerance: number, what: string): void {
  const close = (a: ArrayLike<number>, e: ArrayLike<number>, name: string): void => {
    const largest = Array.from(e).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    assertClose(a, e, { absolute: tolerance * largest }, `${what}: ${name}`);
  };
  expected.gates.forEach((gates, i) => {
    const open = (values: Float64Array): string => Array.from(values, (gate) => (gate === 0 ? '.' : 'o')).join('');
    assert.equal(open(actual.gates[i]), open(gates), `${what}: other gates are open`);
    // Above the first gated layer, logits have the rounding of what is below.
    if (i === 0) assertClose(actual.gates[i], gates, {}, `${what}: gates of the first layer`);
    else close(actual.gates[i], gates, `gates of gated layer ${i}`);
  });
  close([actual.loss], [expected.loss], 'the loss');
  close(actual.logits, expected.logits, 'the logits');
  for (const [name, gradient] of expected.gradients) close(actual.gradients.get(name) ?? [], gradient, name);
}

const sizes = fc.constantFrom(1, 3, 8, 64);
const blocks = fc.integer({ min: 1, max: 5 });
const activation = fc.constantFrom('linear', 'rectifier', 'tanh');
const gatedLayer = (neurons: readonly string[]) =>
  fc
    .record({ size: sizes, blocks, activation, neuron: fc.constantFrom(...neurons), gater: fc.constantFrom([], [4]) })
    .map(({ size, blocks: count, ...rest }) => gated(size * count, { blocks: count, ...rest }));

/** One gated layer or two in a row, between dense layers or not. */
const problems = (neurons: readonly string[]) =>
  fc
    .record({
      rows: fc.constantFrom(1, 2, 5, 13),
      inputs: fc.constantFrom(1, 4, 9),
      seed: fc.nat(),
      below: fc.constantFrom([], [dense(6, 'tanh')]),
      first: gatedLayer(neurons),
      second: fc.option(gatedLayer(neurons), { nil: undefined }),
      top: fc.constantFrom([dense(CLASSES)], [gated(CLASSES, { blocks: 1, neuron: neurons[0] })]),
    })
    .map(({ below, first, second, top, ...rest }): Problem => {
      return { ...rest, layers: [...below, first, ...(second ? [second] : []), ...top] };
    });

/** Neurons that leave closed blocks out in training. */
const SKIPPING = ['stochastic-binary', 'stochastic-times-smooth', 'noisy-rectifier', 'rectifier'];
/** Neurons that want the gradients of closed gates. */
const READING = ['straight-through', 'straight-through-derivative', 'as-if-deterministic', 'sigmoid', 'noisy-sigmoid'];

/** How often the masks of a property were of each kind. */
const met = { emptyRow: 0, emptyBlock: 0, fullBlock: 0, nothing: 0, all: 0 };
function note(gates: Float64Array, rows: number): void {
  const columns = gates.length / rows;
  const open = (r: number, k: number): boolean => gates[r * columns + k] !== 0;
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  if (range(rows).some((r) => range(columns).every((k) => !open(r, k)))) met.emptyRow++;
  if (range(columns).some((k) => range(rows).every((r) => !open(r, k)))) met.emptyBlock++;
  if (range(columns).some((k) => range(rows).every((r) => open(r, k)))) met.fullBlock++;
  if (gates.every((gate) => gate === 0)) met.nothing++;
  if (gates.every((gate) => gate !== 0)) met.all++;
}

for (const engine of full ? [reference, ...builds] : [reference, builds[0]]) {
  // In Float64 the paths differ by 1e-16: a uniform never falls between. In Float32 the cases are the same every time.
  const [tolerance, runs] =
    engine === reference ? [1e-11, { numRuns: 40 }] : [1e-5, { numRuns: full ? 60 : 20, seed: 2013 }];

  describe(`open blocks alone give what all blocks give, on ${engine.name}`, () => {
    // Penalties on saturated probabilities (1 − p in Float32) turn the last bit of a logit into any gradient.
    const penalties: Partial<GatedSpec> = engine === reference ? {} : { rate: 'none' };
    const bothPaths = (problem: Problem, mode: Mode, options: Partial<GatedSpec> = {}): void => {
      const [expected, actual] = (['dense', 'blocks'] as const).map((compute) =>
        pass(modelOf(engine, problem, { ...penalties, ...options, compute }), problem, mode),
      );
      for (const gates of expected.gates) note(gates, problem.rows);
      assertSameOutcome(actual, expected, tolerance, mode);
    };

    test('loss and gradients in training, for neurons that read the loss or open gates alone', () => {
      fc.assert(
        fc.property(problems(SKIPPING), (problem) => bothPaths(problem, 'train')),
        runs,
      );
      for (const [kind, times] of Object.entries(met)) assert.ok(times > 3, `${kind}: ${times} masks`);
    });

    test('loss and gradients in training, with every closed block probed, for neurons that read closed gates', () => {
      fc.assert(
        fc.property(problems(READING), (problem) => bothPaths(problem, 'train', { probe: 1 })),
        { ...runs, numRuns: full ? 25 : 10 },
      );
    });

    test('losses in evaluation, for all of them and in all modes', () => {
      const modes = fc.constantFrom<Mode>('sample', 'mean-field', 'threshold');
      fc.assert(
        fc.property(problems([...READING, ...SKIPPING]), modes, (problem, mode) => bothPaths(problem, mode)),
        runs,
      );
    });

    test('several steps in a row: the parameters stay the same', () => {
      for (const neuron of ['stochastic-binary', 'noisy-rectifier']) {
        const layers = [
          gated(16, { blocks: 4, neuron, activation: 'rectifier' }),
          gated(12, { neuron, rate: 0.4 }),
          dense(CLASSES),
        ];
        const problem: Problem = { rows: 9, inputs: 6, layers, seed: 5 };
        const [expected, actual] = (['dense', 'blocks'] as const).map((compute) => {
          const model = modelOf(engine, problem, { compute });
          const stepper = new Stepper(model, sgd());
          for (let step = 0; step < 5; step++) {
            engine.beginStep();
            const batch = gatherBatch(
              engine,
              dataOf(problem),
              Int32Array.from({ length: 9 }, (_, i) => i),
            );
            stepper.run(batch, { optimizer: sgd(), learningRate: 0.2, maxNorm: 1.5 });
          }
          return model.parameters.map(({ tensor }) => Float64Array.from(tensor.values));
        });
        expected.forEach((values, i) => {
          assertClose(actual[i], values, { relative: 10 * tolerance, absolute: 10 * tolerance }, `parameter ${i}`);
        });
      }
    });
  });
}

test('the weights of experts read as inputs × units, whatever their blocks', () => {
  for (const count of [1, 2, 6]) {
    const layers = [gated(6, { blocks: count, neuron: 'rectifier', gater: [], rate: 'none' })];
    const problem: Problem = { rows: 4, inputs: 3, layers, seed: 8 };
    for (const compute of ['dense', 'blocks'] as const) {
      const model = modelOf(reference, problem, { compute });
      const { logits, gates } = pass(model, problem, 'train');
      const [weights, bias] = ['weights', 'bias'].map((name) => model.weights(`gated0.experts.${name}`));
      const { features } = dataOf(problem);
      const expected = logits.map((_, i) => {
        const [r, unit] = [Math.floor(i / 6), i % 6];
        const products = Array.from({ length: 3 }, (_, j) => features[3 * r + j] * weights[6 * j + unit]);
        return gates[0][r * count + Math.floor((unit * count) / 6)] * (bias[unit] + sum(products));
      });
      assertClose(logits, expected, { relative: 1e-6, absolute: 1e-6 }, `${count} blocks, ${compute}`);
    }
  }
});

test('the learning curve is the same on both paths', async () => {
  const curve = async (compute: Compute, neuron: string): Promise<EpochEvent[]> => {
    const sparsity = neuron === 'noisy-rectifier' ? 'l1=0.01' : 'kl=0.3';
    const common = { gater: [8], neuron, rate: 0.3, sparsity, compute };
    const layers = [
      gated(48, { blocks: 12, activation: 'rectifier', ...common }),
      gated(32, { blocks: 32, ...common }),
      dense(10),
    ];
    const model = createModel(builds[0], { inputs: 784, layers, seed: 4 });
    const events = await eventsOf(model, digits, { epochs: 4, batch: 50, optimizer: sgd({ learningRate: 0.2 }) });
    return events.filter((event) => event.event === 'epoch');
  };
  for (const neuron of ['stochastic-binary', 'stochastic-times-smooth', 'noisy-rectifier']) {
    const [expected, actual] = [await curve('dense', neuron), await curve('blocks', neuron)];
    for (const measure of ['trainLoss', 'validLoss', 'trainError', 'validError', 'density'] as const)
      assertClose(
        actual.map((event) => event[measure]),
        expected.map((event) => event[measure]),
        { relative: 1e-3, absolute: 1e-3 },
        `${measure} with ${neuron}`,
      );
    assert.ok(expected[3].trainLoss < expected[0].trainLoss, `${neuron} learns nothing`);
  }
});

/** Multiply-adds of a network of gated and dense layers, counted one open pair after the other. */
function naiveWork(problem: Problem, gates: readonly Float64Array[], everyBlock: boolean): Work {
  const { rows } = problem;
  const work = { executed: 0, gater: 0 };
  for (let r = 0; r < rows; r++) {
    let width = problem.inputs;
    let at = 0;
    for (const layer of problem.layers) {
      if (layer.layer === 'dense') {
        work.executed += width * layer.units;
        width = layer.units;
        continue;
      }
      assert.ok(layer.layer === 'gated');
      const { units, blocks: count = units, gater = [64] } = layer;
      let below = width;
      for (const above of [...gater, count]) {
        work.executed += below * above;
        work.gater += below * above;
        below = above;
      }
      const open = gates[at++].subarray(r * count, (r + 1) * count).filter((gate) => everyBlock || gate !== 0).length;
      work.executed += width * open * (units / count);
      width = open * (units / count);
    }
  }
  return work;
}

describe('work', () => {
  const problemOf = (neuron: string): Problem => ({
    rows: 11,
    inputs: 7,
    seed: 3,
    layers: [
      dense(5, 'tanh'),
      gated(24, { blocks: 8, neuron, gater: [4, 3], activation: 'rectifier' }),
      gated(10, { neuron, gater: [] }),
      dense(4, 'tanh'),
      dense(CLASSES),
    ],
  });

  for (const neuron of [...SKIPPING, ...READING])
    test(`${neuron}: closed blocks are left out while training where \`reads\` allows it, and always in evaluation`, () => {
      const problem = problemOf(neuron);
      const at = (compute: Compute, mode: Mode) => pass(modelOf(builds[0], problem, { compute }), problem, mode);
      const [all, alone] = [at('dense', 'train'), at('blocks', 'train')];
      const { reads, range } = resolveNeuron(neuron);
      assert.equal(SKIPPING.includes(neuron), reads === 'loss' || reads === 'cotangent-when-open');
      assert.deepEqual(all.work, naiveWork(problem, all.gates, true), 'all blocks');
      const skips = SKIPPING.includes(neuron);
      assert.deepEqual(alone.work, naiveWork(problem, alone.gates, !skips), 'while training');
      if (skips) assert.ok(alone.work.executed < all.work.executed);
      const sampled = at('blocks', 'sample');
      assert.deepEqual(sampled.work, naiveWork(problem, sampled.gates, false), 'in evaluation');
      const closes = neuron !== 'sigmoid' && neuron !== 'noisy-sigmoid';
      assert.equal(sampled.work.executed < all.work.executed, closes, `${neuron} emits ${range} values`);
    });

  test('the odd kinds of masks, and any shapes', () => {
    fc.assert(
      fc.property(problems(SKIPPING), (problem) => {
        const { work, gates } = pass(modelOf(reference, problem, { compute: 'blocks' }), problem, 'train');
        assert.deepEqual(work, naiveWork(problem, gates, false));
      }),
      { numRuns: 40 },
    );
  });

  test('experts with noise are computed whole: their units are calibrated and counted one by one', () => {
    const layers = [gated(24, { blocks: 8, neuron: 'stochastic-binary', activation: 'noisy-sigmoid' }), dense(CLASSES)];
    const problem: Problem = { rows: 5, inputs: 4, layers, seed: 3 };
    for (const mode of ['train', 'sample', 'mean-field', 'threshold'] as const) {
      const [all, alone] = (['dense', 'blocks'] as const).map((compute) =>
        pass(modelOf(builds[0], problem, { compute }), problem, mode),
      );
      assert.deepEqual(alone.work, naiveWork(problem, alone.gates, true), mode);
      assertSameOutcome(alone, all, 0, mode);
    }
  });

  test('probes cost what they compute', () => {
    const problem = problemOf('straight-through');
    const worked = (options: Partial<GatedSpec>): number =>
      pass(modelOf(builds[0], problem, { compute: 'blocks', ...options }), problem, 'train').work.executed;
    const [none, few, many, all] = [worked({}), worked({ probe: 1e-6 }), worked({ probe: 0.5 }), worked({ probe: 1 })];
    const { gates } = pass(modelOf(builds[0], problem, { compute: 'dense' }), problem, 'train');
    assert.equal(none, naiveWork(problem, gates, true).executed, 'without a probe, all');
    assert.equal(all, none, 'with probability 1, all');
    assert.equal(few, naiveWork(problem, gates, false).executed, 'next to no probe, open blocks');
    assert.ok(few < many && many < all, `${few} < ${many} < ${all}`);
  });
});

/** The reference engine, with probes as told: one for every (row, block) of a gated layer. */
function probing(probability: number) {
  const { backend } = reference;
  const probes = new Map<number, readonly boolean[]>();
  const run: typeof backend.run = (name, ...args) => {
    backend.run(name, ...args);
    if (name !== 'uniforms') return;
    const [pointer, rows, columns, , , , stream] = args as readonly number[];
    const told = probes.get(stream / 65536);
    if (!told) return;
    const values = backend.heap.memory.floats(pointer, rows * columns);
    assert.equal(told.length, values.length);
    told.forEach((probe, i) => {
      values[i] = probe ? probability / 2 : (1 + probability) / 2;
    });
  };
  return { probes, engineWith: (crossovers?: Record<number, number>) => new Engine({ ...backend, run }, crossovers) };
}

describe('probes are unbiased for the neuron’s own gradient: the exact mean over all their outcomes', () => {
  /** Σ over outcomes of ρ^k·(1 − ρ)^(n − k)·gradient, and how far outcomes are apart. */
  function integrate(
    problem: Problem,
    probe: number,
    options: Partial<GatedSpec>,
    crossovers?: Record<number, number>,
  ) {
    const { probes, engineWith } = probing(probe);
    const model = modelOf(engineWith(crossovers), problem, { ...options, probe });
    const { gates } = pass(model, problem, 'train');
    const streams = model.sites.flatMap(({ name }) => (name.endsWith('.gates') ? [8 * Number(name[5]) + 2] : []));
    const closed = gates.flatMap((values, layer) =>
      Array.from(values, (gate, at) => ({ gate, layer, at })).filter(({ gate }) => gate === 0),
    );
    assert.ok(closed.length >= 3 && closed.length <= 11, `${closed.length} closed gates`);
    assert.ok(gates.every((values) => values.some((gate) => gate !== 0)));
    const mean = new Map<string, Float64Array>();
    const works = new Set<number>();
    const distinct = new Map<string, Set<string>>();
    let total = 0;
    for (let outcome = 0; outcome < 2 ** closed.length; outcome++) {
      // Open gates count as not probed: that must not matter.
      const told = gates.map((values) => Array.from(values, () => false));
      let weight = 1;
      closed.forEach(({ layer, at }, bit) => {
        told[layer][at] = ((outcome >> bit) & 1) === 1;
        weight *= told[layer][at] ? probe : 1 - probe;
      });
      for (const [layer, list] of told.entries()) probes.set(streams[layer], list);
      const { gradients, work } = pass(model, problem, 'train');
      total += weight;
      works.add(work.executed);
      for (const [name, gradient] of gradients) {
        const sums = mean.get(name) ?? new Float64Array(gradient.length);
        gradient.forEach((g, i) => {
          sums[i] += weight * g;
        });
        mean.set(name, sums);
        distinct.set(name, (distinct.get(name) ?? new Set()).add(gradient.map((g) => Number(g.toPrecision(9))).join()));
      }
    }
    assert.ok(Math.abs(total - 1) < 1e-12);
    return { mean, works, distinct };
  }

  const one = (neuron: string, activation = 'linear'): Problem => {
    const layers = [gated(12, { blocks: 4, neuron, gater: [3], activation }), dense(CLASSES)];
    return { rows: 3, inputs: 4, layers, seed: 21 };
  };
  const two = (neuron: string): Problem => {
    const layers = [
      gated(6, { blocks: 3, neuron, gater: [3], activation: 'tanh' }),
      gated(8, { blocks: 4, neuron, gater: [3] }),
      dense(CLASSES),
    ];
    return { rows: 2, inputs: 4, layers, seed: 20 };
  };

  function checkMean(
    problem: Problem,
    probe: number,
    options: Partial<GatedSpec>,
    crossovers?: Record<number, number>,
  ) {
    const expected = pass(modelOf(reference, problem, { compute: 'dense' }), problem, 'train').gradients;
    const { mean, works, distinct } = integrate(problem, probe, options, crossovers);
    for (const [name, gradient] of expected)
      assertClose(mean.get(name) ?? [], gradient, { relative: 1e-9, absolute: 1e-10 }, `${name} with probe ${probe}`);
    return { works, distinct };
  }

  for (const probe of [0.1, 0.6])
    for (const neuron of ['straight-through', 'straight-through-derivative'])
      for (const [name, problem] of [
        ['one layer', one(neuron)],
        ['one layer of rectifiers', one(neuron, 'rectifier')],
        ['two layers', two(neuron)],
      ] as const)
        test(`${neuron}, probability ${probe}, ${name}`, () => {
          const { works, distinct } = checkMean(problem, probe, { compute: 'blocks' });
          assert.ok(works.size > 3, 'probes computed nothing');
          assert.ok((distinct.get('gated0.gater.bias')?.size ?? 0) > 7, 'the outcomes are all alike');
          // Closed blocks themselves get no gradient, probed or not.
          if (name !== 'two layers') assert.equal(distinct.get('gated0.experts.weights')?.size, 1);
        });

  test('whichever path `auto` takes, the choice does not depend on the probes', () => {
    const problem = one('straight-through');
    const paths = new Set<boolean>();
    for (let tenths = 0; tenths <= 10; tenths++) {
      const { works } = checkMean(problem, 0.5, { compute: 'auto' }, { 1: tenths / 10 });
      paths.add(works.size > 1);
    }
    assert.equal(paths.size, 2, 'one of the paths was never taken');
  });

  test('a neuron whose expectation is shown to the weights above computes every block', () => {
    checkMean(one('as-if-deterministic'), 0.5, { compute: 'blocks' });
  });
});

test('`compute` and `probe` that do not fit are refused, with the layer, what was given and what was expected', () => {
  const build = (options: object) => () =>
    createModel(reference, { inputs: 4, layers: [gated(8, { blocks: 4, ...options })] });
  for (const compute of ['sparse', '', 1])
    assert.throws(build({ compute }), {
      name: 'RangeError',
      message: `gated0: \`compute\` is ${JSON.stringify(compute)}. Expected one of auto, dense, blocks.`,
    });
  for (const probe of [0, -0.1, 1.01, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(build({ probe }), {
      name: 'RangeError',
      message: `gated0: \`probe\` is ${probe}. Expected a probability over 0 and up to 1.`,
    });
  for (const options of [{ compute: 'auto' }, { compute: 'dense' }, { compute: 'blocks', probe: 1 }, { probe: 1e-9 }])
    build(options)();
});

describe('`auto` takes open blocks up to the crossover density of their size', () => {
  const problemOf = (size: number): Problem => ({
    rows: 10,
    inputs: 6,
    layers: [gated(6 * size, { blocks: 6, neuron: 'stochastic-binary', activation: 'rectifier' }), dense(CLASSES)],
    seed: 9,
  });
  const passWith = async (problem: Problem, crossovers?: Record<number, number>, mode: Mode = 'train') => {
    const engine = await createEngine({ threads: 1, simd: 'simd', ...(crossovers && { crossovers }) });
    const outcome = pass(modelOf(engine, problem, { compute: 'auto' }), problem, mode);
    engine.close();
    const { executed } = outcome.work;
    const took = executed === naiveWork(problem, outcome.gates, true).executed ? 'dense' : 'blocks';
    assert.equal(executed, naiveWork(problem, outcome.gates, took === 'dense').executed);
    return { ...outcome, took };
  };

  test('the largest known size not over the layer’s counts', async () => {
    for (const [size, crossovers, took] of [
      [8, { 1: 0, 8: 1 }, 'blocks'],
      [8, { 1: 1, 8: 0 }, 'dense'],
      [7, { 1: 1, 8: 0 }, 'blocks'],
      [9, { 1: 1, 8: 0 }, 'dense'],
      [64, { 1: 0, 8: 0, 32: 1 }, 'blocks'],
      [64, { 32: 1, 8: 0, 1: 0 }, 'blocks'],
      [3, { 4: 1, 8: 0 }, 'blocks'],
      [3, { 4: 0, 8: 1 }, 'dense'],
      [3, {}, 'dense'],
    ] as const)
      for (const mode of ['train', 'sample'] as const)
        assert.equal(
          (await passWith(problemOf(size), crossovers, mode)).took,
          took,
          JSON.stringify([size, crossovers]),
        );
  });

  test('by the density of the minibatch, and with the same results either way', async () => {
    const problem = problemOf(3);
    const expected = await passWith(problem, { 1: 0 });
    const [gates] = expected.gates;
    const density = gates.filter((gate) => gate !== 0).length / gates.length;
    assert.ok(density > 0.1 && density < 0.9);
    const [under, over] = [
      await passWith(problem, { 1: density - 0.01 }),
      await passWith(problem, { 1: density + 0.01 }),
    ];
    assert.deepEqual([expected.took, under.took, over.took], ['dense', 'dense', 'blocks']);
    for (const outcome of [under, over]) assertSameOutcome(outcome, expected, 1e-5, outcome.took);
  });

  test('an engine has crossovers of its own when none are given', async () => {
    const { crossovers } = await createEngine({ threads: 1 });
    assert.ok(Object.values(crossovers).length > 0);
    assert.ok(areCrossovers(crossovers), JSON.stringify(crossovers));
  });
});

describe('one thread and two train the same weights to the bit', async () => {
  const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
  after(() => {
    one.close();
    two.close();
  });
  for (const compute of ['dense', 'blocks'] as const)
    for (const [neuron, options] of [
      ['stochastic-binary', {}],
      ['straight-through', { probe: 0.2 }],
    ] as const)
      for (const optimizer of ['sgd', 'adam'] as const)
        test(`${compute}, ${neuron}, ${optimizer}`, {
          skip: (optimizer === 'sgd') === (compute === 'blocks') && slow,
        }, async () => {
          const [expected, actual] = await Promise.all(
            [one, two].map(async (engine) => {
              const common = { neuron, compute, rate: 0.2, ...options };
              const layers = [
                gated(512, { blocks: 64, gater: [32], activation: 'rectifier', ...common }),
                gated(256, { blocks: 16, gater: [32], ...common }),
                dense(10),
              ];
              const model = createModel(engine, { inputs: 784, layers, seed: 3 });
              const copies = () => model.parameters.map(({ tensor }) => tensor.toArray());
              const before = copies();
              await eventsOf(model, digits, { epochs: 1, batch: 150, optimizer, maxNorm: 2 });
              const parameters = copies();
              assert.ok(parameters.every((values, i) => values.some((w, j) => w !== before[i][j])));
              return parameters;
            }),
          );
          expected.forEach((values, i) => {
            assertSameBits(actual[i], values, `parameter ${i}`);
          });
        });
});
