/** What neurons that read losses are given in causal programs: the losses at and after their own point. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { blockMask } from '../../src/backend/block-mask.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import { sigmoid } from '../../src/math/special.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { allocateState } from '../../src/tensor/fire.ts';
import * as t from '../../src/tensor/index.ts';
import { allBlocks } from '../../src/tensor/ops/all-blocks.ts';
import { positionsOf } from '../../src/tensor/ops/attention.ts';
import { gateBlocks, scatterBlocks } from '../../src/tensor/ops/block-gates.ts';
import { type BlockShape, openBlocks } from '../../src/tensor/ops/block-shape.ts';
import { blocksToBlocks, blocksToDense, denseToBlocks } from '../../src/tensor/ops/blocks.ts';
import { dropout } from '../../src/tensor/ops/dropout.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { gate } from '../../src/tensor/ops/gate.ts';
import { joinParts, weighGradient } from '../../src/tensor/ops/parts.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { reference as engine } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { calls } from './nd-cases.ts';

/** x, by an operation that does not say that it is causal. */
const unknown = t.defineOp({
  name: 'unknown',
  forward: (_engine, [x]) => ({ output: x }),
  pullback: (_engine, _record, dy) => [dy],
});

/** Points of the examples: as many sequences. */
interface Sequences {
  readonly lengths: readonly number[];
}
const offsetsOf = ({ lengths }: Sequences): Int32Array =>
  Int32Array.from([0, ...lengths.map((_, s) => lengths.slice(0, s + 1).reduce((sum, n) => sum + n, 0))]);

/** What stands between the bits of points and the loss of their sequences. */
type Above = (h: Tensor, weights: (name: string, ...shape: number[]) => Tensor) => Tensor;

const WIDTH = 2;
const attended =
  (causal: boolean): Above =>
  (h, weights) =>
    t.matmul(t.attention(t.matmul(h, weights('qkv', 1, 3 * WIDTH)), { heads: 1, causal }), weights('v', WIDTH, 1));
const remembered =
  (backwards: boolean): Above =>
  (h, weights) =>
    t.matmul(
      t.lstm(t.matmul(h, weights('inputs', 1, 4 * WIDTH)), weights('recurrent', WIDTH, 4 * WIDTH), { backwards }),
      weights('v', WIDTH, 1),
    );
/** Bits open a part, which attends to the points that opened it. */
const parted: Above = (h, weights) => {
  const { tape, plate } = h;
  const open = Int32Array.from([...h.values.keys()].filter((row) => h.values[row] !== 0));
  assert.ok(plate);
  const rows = tape.plates.gathered(plate, open);
  const x = t.matmul(tape.input(h.array, plate), weights('qkv', 1, 3 * WIDTH));
  const values = open.length === 0 ? [] : [{ gate: 0, values: t.attention(tape.lift(x, rows), { heads: 1 }) }];
  return t.matmul(joinParts(h, values, [WIDTH], 'sum'), weights('v', WIDTH, 1));
};

interface Setting extends Sequences {
  readonly neuron: Neuron;
  /** Layers of bits, one above the other. */
  readonly sites: number;
  readonly above: Above;
  readonly mean: boolean;
  /** Are readers given whole losses, for want of a word on an operation? */
  readonly whole?: boolean;
}

interface Passed {
  readonly tape: Tape;
  readonly losses: Tensor;
  readonly weights: ReadonlyMap<string, Tensor>;
}

function pass(setting: Setting, fire: (logits: Tensor, site: number) => Tensor): Passed {
  const { sites, above, mean, whole } = setting;
  const offsets = offsetsOf(setting);
  const points = offsets[offsets.length - 1];
  engine.beginStep();
  const tape = new Tape(engine);
  const made = new Map<string, Tensor>();
  const weights = (name: string, ...shape: number[]): Tensor => {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = drawn(
      normal(1),
      size,
      4,
      [...name].reduce((sum, c) => sum + c.charCodeAt(0), 0),
    );
    if (!made.has(name)) made.set(name, tape.input(engine.tensor(values, shape), undefined, true));
    return made.get(name) as Tensor;
  };
  const plate = tape.plates.points(offsets);
  let h = tape.input(engine.tensor(drawn(normal(1), points, 3), [points, 1]), plate);
  for (let site = 0; site < sites; site++)
    h = fire(t.add(t.matmul(h, weights(`w${site}`, 1, 1)), weights(`b${site}`, 1)), site);
  const y = above(h, weights);
  const targets = tape.input(engine.tensor(drawn(normal(2), points, 9), [points, 1]), plate);
  const errors = t.squaredError(whole ? unknown(y) : y, targets);
  return { tape, losses: mean ? t.meanRows(errors) : t.sumRows(errors), weights: made };
}

const gradientOf = ({ tape, weights }: Passed): number[] =>
  [...weights.values()].flatMap((tensor) => [...(tape.gradient(tensor)?.values ?? new Float32Array(tensor.size))]);

/** The numbers that units fire with, given one bit for each, so that they fire where it is 1. */
function forced(neuron: Neuron, next: () => number): { neuron: Neuron; probability: () => number } {
  let noise = new Float64Array(0);
  let probability = 1;
  const { twin: _twin, ...rest } = neuron;
  const own: Neuron = {
    ...rest,
    fire(firing) {
      noise = Float64Array.from(firing.noise, (_, i) => {
        // Noise is rows × (units·draws), one unit.
        const p = sigmoid(firing.logits[Math.floor(i / neuron.noise)]);
        const bit = next();
        probability *= bit === 1 ? p : 1 - p;
        return bit === 1 ? p / 2 : (1 + p) / 2;
      });
      neuron.fire({ ...firing, noise });
    },
    pullback: (pullback) => neuron.pullback({ ...pullback, noise }),
  };
  return { neuron: own, probability: () => probability };
}

/** Bits of all sites: the draws of one are rows of the next. */
function bitsOf(setting: Setting): number {
  const { noise, draws = 1 } = setting.neuron;
  let rows = offsetsOf(setting).at(-1) ?? 0;
  let bits = 0;
  for (let site = 0; site < setting.sites; site++, rows *= draws as number) bits += rows * noise;
  return bits;
}

/** E[ĝ] and the variance of every number of it, over all bits, with the neuron's state as it stands. */
function enumerated(setting: Setting, states: readonly (NdArray | undefined)[]) {
  const kept = states.map((state) => state && [...state.values]);
  const bits = bitsOf(setting);
  let mean: number[] = [];
  let squares: number[] = [];
  for (let state = 0; state < 2 ** bits; state++) {
    let at = 0;
    const sites = states.map(() => forced(setting.neuron, () => (state >> at++) & 1));
    const made = pass(setting, (logits, site) =>
      fireTensor(logits, { neuron: sites[site].neuron, mode: 'train', source: SOURCE, state: states[site] }),
    );
    made.tape.backward([{ tensor: made.losses, cotangent: 1 }], made.losses);
    const p = sites.reduce((product, { probability }) => product * probability(), 1);
    const gradient = gradientOf(made);
    mean = gradient.map((g, i) => (mean[i] ?? 0) + p * g);
    squares = gradient.map((g, i) => (squares[i] ?? 0) + p * g * g);
    states.forEach((own, site) => {
      own?.values.set(kept[site] ?? []);
    });
  }
  return { mean, variance: squares.reduce((sum, square, i) => sum + square - mean[i] ** 2, 0) };
}
const SOURCE = { key: [1, 2] as const, step: 0, layer: 0, draw: 0 };

/** ∂E[ΣL]/∂weights: Σ P·(∇L + L·∇log P). */
function truthOf(setting: Setting): number[] {
  const bits = setting.sites * (offsetsOf(setting).at(-1) ?? 0);
  let total: number[] = [];
  for (let state = 0; state < 2 ** bits; state++) {
    let at = 0;
    let cost = 0;
    const logs: Tensor[] = [];
    const made = pass(setting, (logits) => {
      const set = engine.allocate(logits.array.shape, 'bits');
      for (let i = 0; i < set.values.length; i++) set.values[i] = (state >> at++) & 1;
      const h = logits.tape.input(set, logits.plate);
      const log = t.sigmoidCrossEntropy(logits, h);
      for (const one of log.values) cost += one;
      logs.push(log);
      return h;
    });
    const p = Math.exp(-cost);
    const loss = [...made.losses.values].reduce((sum, one) => sum + one, 0);
    made.tape.backward([
      { tensor: made.losses, cotangent: p },
      ...logs.map((tensor) => ({ tensor, cotangent: -p * loss })),
    ]);
    total = gradientOf(made).map((g, i) => (total[i] ?? 0) + g);
  }
  return total;
}

/** States after some steps. */
function lived(setting: Setting): (NdArray | undefined)[] {
  const states = Array.from({ length: setting.sites }, () => allocateState(engine, setting.neuron, 1));
  for (let step = 0; step < 300; step++) {
    const made = pass(setting, (logits, site) =>
      fireTensor(logits, {
        ...{ neuron: setting.neuron, mode: 'train', state: states[site] },
        source: { ...SOURCE, step, layer: site },
      }),
    );
    made.tape.backward([{ tensor: made.losses, cotangent: 1 }], made.losses);
  }
  return states;
}

describe('by enumeration, the losses from a point on are unbiased and less noisy than whole losses', () => {
  const cases: readonly (readonly [string, Omit<Setting, 'neuron'>])[] = [
    ['causal attention', { sites: 1, lengths: [2, 2, 2, 2], above: attended(true), mean: true }],
    ['three sequences', { sites: 1, lengths: [2, 2, 2], above: attended(true), mean: true }],
    ['sequences of several lengths', { sites: 1, lengths: [3, 2, 2], above: attended(true), mean: true }],
    ['two layers under causal attention', { sites: 2, lengths: [2, 2, 2], above: attended(true), mean: false }],
    ['an LSTM', { sites: 1, lengths: [2, 2, 2, 2], above: remembered(false), mean: true }],
    ['a part that its points open', { sites: 1, lengths: [2, 2, 2, 2], above: parted, mean: false }],
  ];
  for (const name of ['stochastic-binary', 'stochastic-binary:baseline=none', 'rloo', 'muprop'])
    for (const [what, program] of cases) {
      const neuron = resolveNeuron(name);
      // A part that bits open is a step function of them.
      if (neuron.reads === 'both' && program.above === parted) continue;
      const bits = bitsOf({ ...program, neuron });
      if (bits > 12) continue;
      test(`${name}, ${what}`, { skip: bits > 8 && slow }, (context) => {
        const setting = { ...program, neuron };
        const truth = truthOf(setting);
        const [own, whole] = [setting, { ...setting, whole: true }].map((one) => enumerated(one, lived(one)));
        assertClose(own.mean, truth, { absolute: 1e-8 }, 'E[ĝ]');
        assertClose(whole.mean, truth, { absolute: 1e-8 }, 'E[ĝ] of whole losses');
        // Where few sequences come, what the others lost is no better a guess than what this one did.
        if (new Set(program.lengths).size > 1) return;
        context.diagnostic(`variance ${(own.variance / whole.variance).toFixed(3)} of that with whole losses`);
        assert.ok(own.variance < whole.variance, `${own.variance} is not under ${whole.variance}`);
      });
    }
});

/** What a reader of losses is given at every row of its site. */
function given(setting: Omit<Setting, 'neuron' | 'sites'>): { losses: number[]; read: number[]; points: number[] } {
  const neuron = resolveNeuron('stochastic-binary');
  const { twin: _twin, update: _update, ...rest } = neuron;
  let read: number[] = [];
  const reader: Neuron = {
    ...rest,
    pullback(pullback) {
      read = [...pullback.loss];
      neuron.pullback(pullback);
    },
  };
  const state = allocateState(engine, reader, 1);
  const made = pass({ ...setting, neuron, sites: 1 }, (logits) =>
    fireTensor(logits, { neuron: reader, mode: 'train', source: SOURCE, state }),
  );
  made.tape.backward([{ tensor: made.losses, cotangent: 1 }], made.losses);
  const errors = made.tape.trace.findLast(({ op }) => op.name === 'squaredError');
  return { losses: [...made.losses.values], read, points: [...(errors?.output.values ?? [])] };
}

test('a reader is given the losses from its point on, and of those before what the other sequences lost there', () => {
  const { read, points } = given({ lengths: [3, 2], above: attended(true), mean: true });
  const [a, b, c, d, e] = points;
  const expected = [(a + b + c) / 3, d / 3 + (b + c) / 3, (d + e) / 3 + c / 3, (d + e) / 2, a / 2 + e / 2];
  assertClose(read, expected, { absolute: 1e-9 }, 'losses read');
  // Nobody else has a third point, and a sequence by itself has nobody.
  const alone = given({ lengths: [3], above: attended(true), mean: false });
  assertClose(alone.read, Array(3).fill(alone.losses[0]), { absolute: 1e-9 }, 'losses read');
});

test('where a later operation sees later points, or does not say, a reader is given the loss of its sequence', () => {
  const lengths = [3, 2];
  for (const setting of [
    { lengths, mean: true, above: attended(false) },
    { lengths, mean: true, above: remembered(true) },
    { lengths, mean: true, above: attended(true), whole: true },
    { lengths, mean: true, above: ((h, w) => attended(true)(attended(false)(h, w), w)) as Above },
  ]) {
    const { losses, read } = given(setting);
    assertClose(read, [losses[0], losses[0], losses[0], losses[1], losses[1]], { absolute: 1e-9 }, 'losses read');
  }
});

test('what is below does not matter: bits above attention to all points are given the losses from their point on', () => {
  const neuron = resolveNeuron('stochastic-binary');
  const { twin: _twin, ...rest } = neuron;
  const seen: number[][] = [];
  const reader: Neuron = {
    ...rest,
    pullback(pullback) {
      seen.push([...pullback.loss]);
      neuron.pullback(pullback);
    },
  };
  const fire = (logits: Tensor, layer: number) =>
    fireTensor(logits, {
      neuron: reader,
      mode: 'train',
      source: { ...SOURCE, layer },
      state: allocateState(engine, reader, 1),
    });
  const above: Above = (h, weights) => fire(attended(false)(h, weights), 1);
  const made = pass({ lengths: [2, 2], mean: false, above, neuron, sites: 1 }, (logits) => fire(logits, 0));
  made.tape.backward([{ tensor: made.losses, cotangent: 1 }], made.losses);
  const [first, second] = made.losses.values;
  const [upper, lower] = seen;
  assertClose(lower, [first, first, second, second], { absolute: 1e-9 }, 'losses read');
  assert.ok(Math.abs(upper[1] - first) > 1e-3);
  assertClose([upper[0], upper[2]], [first, second], { absolute: 1e-9 }, 'losses read');
});

test('a bound of several draws is no sum over points: its readers are given whole losses', () => {
  const neuron = resolveNeuron('vimco');
  const setting = { lengths: [2, 1], mean: false, above: attended(true), neuron, sites: 1 };
  const run = (whole: boolean) => {
    const made = pass({ ...setting, whole }, (logits) => fireTensor(logits, { neuron, mode: 'train', source: SOURCE }));
    made.tape.backward([{ tensor: made.losses, cotangent: 1 }], made.losses);
    return gradientOf(made);
  };
  assert.deepEqual(run(false), run(true));
});

/** Is an output the same in all rows but the last, where the last row of the inputs changes? */
function lookAhead(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly (readonly [shape: readonly number[], shared: boolean, below?: number | undefined])[],
  rows: number,
): { later: boolean; says: boolean } {
  let says = true;
  const outputs = [0, 1].map((change) => {
    engine.beginStep();
    const tape = new Tape(engine);
    const plate = tape.plates.points(Int32Array.of(0, rows));
    const tensors = inputs.map(([shape, shared, below], i) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const values = Float64Array.from(drawn(normal(1), shared ? size : rows * size, 5, i), (x) => Math.abs(x) + 0.1);
      if (!shared) for (let at = (rows - 1) * size; at < rows * size; at++) values[at] += change;
      if (below !== undefined) for (let at = 0; at < values.length; at++) values[at] = Math.floor(values[at]) % below;
      return shared
        ? tape.input(engine.tensor(values, shape))
        : tape.input(engine.tensor(values, [rows, ...shape]), plate);
    });
    const output = run(...tensors);
    says = tape.trace.every(({ op, attributes }) => op.causal?.(attributes) === true);
    return Array.from(output.values).slice(0, (output.size / rows) * (rows - 1));
  });
  return { later: outputs[0].some((value, i) => value !== outputs[1][i]), says };
}

/** Which of two blocks of three units each of four points opens; the last opens both. */
const OPEN = Float64Array.of(1, 0, 1, 1, 0, 1, 1, 1);
const [POINTS, BLOCKS, SIZE] = [4, 2, 3];
const opened = ({ tape, plate }: Tensor): BlockShape => {
  const fired = engine.tensor(OPEN, [POINTS, BLOCKS]);
  return openBlocks(tape.input(fired, plate), blockMask(engine, fired), SIZE);
};
type Run = (...inputs: Tensor[]) => Tensor;
type Given = readonly (readonly [shape: readonly number[], shared: boolean])[];
/** Of a layer of blocks on rows of 2 numbers: the rows, its weights and biases. */
const LAYER: Given = [
  [[2], false],
  [[BLOCKS, 2, SIZE], true],
  [[BLOCKS * SIZE], true],
];

/** Operations that layers use and `nd-cases` has not. What has a row a pair is scattered, so that rows are points again. */
const ofLayers: Readonly<Record<string, readonly [run: Run, inputs: Given]>> = {
  'denseToBlocks and scatterBlocks': [
    (x, w, b) => {
      const shape = opened(x);
      return scatterBlocks(denseToBlocks(x, w, b, shape), shape);
    },
    LAYER,
  ],
  blocksToDense: [
    (x, w, b, w2, b2) => {
      const shape = opened(x);
      return blocksToDense(denseToBlocks(x, w, b, shape), w2, b2, shape);
    },
    [...LAYER, [[BLOCKS * SIZE, 5], true], [[5], true]],
  ],
  blocksToBlocks: [
    (x, w, b, w2, b2) => {
      const [from, to] = [opened(x), opened(x)];
      return scatterBlocks(blocksToBlocks(denseToBlocks(x, w, b, from), w2, b2, { from, to }), to);
    },
    [...LAYER, [[BLOCKS, BLOCKS * SIZE, SIZE], true], [[BLOCKS * SIZE], true]],
  ],
  gateBlocks: [
    (x, w, b, gates) => {
      const shape = opened(x);
      return scatterBlocks(gateBlocks(gates, denseToBlocks(x, w, b, shape), shape), shape);
    },
    [...LAYER, [[BLOCKS], false]],
  ],
  allBlocks: [(x, w, b) => allBlocks(x, w, b, { blocks: BLOCKS, size: SIZE }), LAYER],
  gate: [
    (gates, values) => gate(gates, values, { size: SIZE }),
    [
      [[BLOCKS], false],
      [[BLOCKS * SIZE], false],
    ],
  ],
  joinParts: [
    (gates, x) => {
      const { tape, plate } = x;
      assert.ok(plate);
      // Points 0, 1 and 3 open the first part, all but the first the second.
      const parts = [
        [0, 1, 3],
        [1, 2, 3],
      ].map((rows, k) => ({ gate: k, values: tape.lift(x, tape.plates.gathered(plate, Int32Array.from(rows))) }));
      return joinParts(gates, parts, [2], 'sum');
    },
    [
      [[BLOCKS], false],
      [[2], false],
    ],
  ],
  dropout: [(x) => dropout(x, { drop: 0.5, source: SOURCE }), [[[6], false]]],
  weighGradient: [
    (x) => weighGradient(x, { weights: engine.tensor(new Float32Array(POINTS * 2).fill(2), [POINTS, 2]) }),
    [[[2], false]],
  ],
  'places of points': [
    (x, table) => t.add(x, t.gather(table, positionsOf(x))),
    [
      [[1], false],
      [[POINTS, 1], true],
    ],
  ],
};

describe('operations that say so see no later point', () => {
  for (const [name, [run, inputs]] of Object.entries(ofLayers))
    test(name, () => {
      assert.deepEqual(lookAhead(run, inputs, POINTS), { later: false, says: true });
    });
  const plain = Object.entries(calls);
  for (const [name, arbitrary] of plain)
    test(name, () => {
      const sampled = fc.sample(arbitrary, { numRuns: full ? 40 : 8, seed: 3 });
      let looked = 0;
      for (const call of sampled) {
        if (call.inputs.every(({ shared }) => shared)) continue;
        const inputs = call.inputs.map(({ shape, shared, below }) => [shape, shared === true, below] as const);
        assert.deepEqual(lookAhead(call.run, inputs, 3), { later: false, says: true });
        looked++;
      }
      assert.ok(looked > 0);
    });
  for (const [name, run, shape, later] of [
    ['causal attention', (x: Tensor) => t.attention(x, { heads: 1 }), [6], false],
    ['attention to all', (x: Tensor) => t.attention(x, { heads: 1, causal: false }), [6], true],
    ['rotary positions', (x: Tensor) => t.rotary(x, { heads: 1 }), [6], false],
  ] as const)
    test(name, () => {
      assert.deepEqual(lookAhead(run, [[shape, false]], 4), { later, says: !later });
    });
  for (const backwards of [false, true])
    test(`an LSTM${backwards ? ' backwards' : ''}`, () => {
      const run = (x: Tensor, w: Tensor) => t.lstm(x, w, { backwards });
      assert.deepEqual(
        lookAhead(
          run,
          [
            [[8], false],
            [[2, 8], true],
          ],
          4,
        ),
        { later: backwards, says: !backwards },
      );
    });
});
