/** The kernel twins of every neuron on both builds, against the neuron's own functions on the reference engine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEngine, type Engine } from '../../src/backend/engine.ts';
import { paddedBytes } from '../../src/backend/heap.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { twinNumbers } from '../../src/neurons/parts/twin-numbers.ts';
import { drawsOf } from '../../src/tensor/draws.ts';
import {
  allocateState,
  drawNoise,
  type FiringMode,
  runFire,
  runPullback,
  type TwinSource,
} from '../../src/tensor/fire.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { instances } from './instances.ts';

/** rows×units: less than a vector, not whole vectors, whole cache lines, more than one part of the work. */
const SHAPES = [
  [1, 1],
  [3, 5],
  [7, 3],
  [16, 1],
  [2, 8],
  [33, 17],
  [150, 130],
] as const;
/** Numbers in the largest arrays of neurons that have no kernel anyway. */
const MOST = 1_000_000;
const fits =
  (neuron: Neuron) =>
  ([rows, units]: readonly [number, number]): boolean =>
    units <= (neuron.mostUnits ?? units) &&
    (neuron.twin !== undefined || rows * units * drawsOf(neuron, units) <= MOST);
const SOURCE = { key: [11, 12], step: 3, layer: 2, draw: 1 } as const;
/** Float32 sums of a column, in another order than the definition's. */
const TOLERANCE = { relative: 2e-6, absolute: 2e-6 };

interface Case {
  readonly neuron: Neuron;
  readonly rows: number;
  readonly units: number;
  readonly logits: Float64Array;
  readonly loss: Float64Array;
  readonly dh: Float64Array;
  /** A factor for every number of the state, so that units differ. */
  readonly stateFactors: Float64Array;
}

/** The noise that the engines draw for SOURCE. */
function noiseOf(rows: number, columns: number): Float32Array {
  const out = reference.allocate([rows, columns], 'noise');
  const stream = SOURCE.layer * 65536 + SOURCE.draw;
  reference.backend.run('uniforms', out.pointer, rows, columns, ...SOURCE.key, SOURCE.step, stream);
  return out.toArray();
}

const near = (neuron: Neuron, logit: number, index: number, u: number): boolean =>
  neuron.cells?.(logit, index, []).some((cut) => Math.abs(cut - u) < 2e-6) ?? false;

/** Logits in steps away from the jumps of the neuron, where Float32 and Float64 may fall on different sides. */
function caseOf(neuron: Neuron, rows: number, units: number): Case {
  reference.beginStep();
  const logits = drawn(normal(2), rows * units, 21);
  const noise = noiseOf(rows, units * neuron.noise);
  for (let i = 0; i < logits.length; i++)
    for (let index = 0; index < neuron.noise; index++)
      // Cuts that no logit moves are the same in Float32 and Float64.
      for (let moved = 0; moved < 9 && near(neuron, logits[i], index, noise[i * neuron.noise + index]); moved++)
        logits[i] = Math.fround(logits[i] + 0.01);
  const draws = drawsOf(neuron, units);
  const stateFactors = drawn(normal(1), 2 * units, 24).map((x) => 1 + Math.abs(x));
  const loss = drawn(normal(2), draws * rows, 22);
  return { neuron, rows, units, logits, loss, dh: drawn(normal(1), draws * rows * units, 23), stateFactors };
}

/** Fires, pulls back and updates through the tape. */
function runOn(engine: Engine, { neuron, rows, units, logits, loss, dh, stateFactors }: Case, biased = false) {
  engine.beginStep();
  const state = allocateState(engine, neuron, units);
  // What starts at 0 counts too where a kernel reads it; those without one may solve equations with it.
  if (state) setState(state, units, stateFactors, neuron.twin ? 1e-6 : 0);
  const tape = new Tape(engine);
  const a = tape.input(engine.tensor(logits, [rows, units]), tape.plates.examples(rows), true);
  const selectionBias = biased && neuron.selects ? drawn(normal(0.5), units, 25) : undefined;
  const fire = (mode: FiringMode) => fireTensor(a, { neuron, mode, source: SOURCE, state, selectionBias });
  const h = fire('train');
  const product = multiply(h, tape.input(engine.tensor(dh, [dh.length / units, units]), h.plate));
  tape.backward([{ tensor: product, cotangent: 1 }], tape.input(engine.tensor(loss), h.plate));
  return {
    h: h.array.toArray(),
    gradient: tape.gradient(a)?.toArray() ?? new Float32Array(0),
    state: state ? stateOf(state, units) : new Float32Array(0),
    expect: fire('mean-field').array.toArray(),
    threshold: fire({ threshold: 0.5 }).array.toArray(),
    ...openingOn(engine, { neuron, state, selectionBias }, a.array, dh),
  };
}

/** P(h ≠ 0) and its pullback, by kernels where the neuron names some. */
function openingOn(engine: Engine, source: TwinSource, logits: NdArray, dp: Float64Array) {
  const { neuron, selectionBias } = source;
  const [p, gradient] = [0, 1].map(() => engine.allocate(logits.shape, 'an opening'));
  if (!neuron.opening) return {};
  const noise = drawNoise(engine, neuron, logits, SOURCE);
  const dh = engine.tensor(dp.subarray(0, logits.size), logits.shape);
  const { rows, columns: units } = logits;
  const firing = { rows, units, logits: logits.values, noise: noise.values, selectionBias };
  const { probability, pullback } = neuron.twin?.opening ?? {};
  if (!runFire(engine, probability, source, logits, noise, p)) neuron.opening.probability(firing, p.values);
  if (!runPullback(engine, pullback, source, { logits, noise, dh, gradient }))
    neuron.opening.pullback(firing, dh.values, gradient.values);
  return { opening: p.toArray(), openingGradient: gradient.toArray() };
}

/** Every row of the state's matrix is padded; the padding holds nothing. `zero` stands for what starts at 0. */
function setState(state: NdArray, units: number, factors: Float64Array, zero: number): void {
  const { values, columns } = state;
  for (let i = 0; i < state.rows * units; i++) {
    const at = Math.floor(i / units) * columns + (i % units);
    values[at] = Math.fround((values[at] || zero) * 1e5 * factors[i % factors.length]);
  }
}

function stateOf(state: NdArray, units: number): Float32Array {
  const all = state.toArray();
  return all.filter((_, i) => i % state.columns < units);
}

/** Runs a neuron's kernels with one of its arrays in the last bytes of the memory, where reading on is an error. */
function runAtTheEnd(engine: Engine, neuron: Neuron, rows: number, units: number, last: string): void {
  engine.beginStep();
  const state = allocateState(engine, neuron, units)?.pointer ?? 0;
  const pointers: Record<string, number> = { loss: engine.allocate([rows], 'loss').pointer };
  const names = ['logits', 'noise', 'h', 'dh', 'gradient'];
  const columns = (name: string): number => (name === 'noise' ? neuron.noise : 1) * units;
  for (const name of names.filter((name) => name !== last))
    pointers[name] = engine.allocate([rows, columns(name)], name).pointer;
  const probe = engine.allocate([1], 'the place of the filler');
  const room = probe.values.buffer.byteLength - (probe.pointer + 64);
  engine.allocate([(room - paddedBytes(rows * columns(last))) / 4], 'a filler');
  pointers[last] = engine.allocate([rows, columns(last)], last).pointer;
  assert.equal(pointers[last] + paddedBytes(rows * columns(last)), probe.values.buffer.byteLength);
  const { logits, noise, h, loss, dh, gradient } = pointers;
  const { fire, pullback, update, expect, settle, opening } = neuron.twin ?? {};
  const ends = twinNumbers(neuron, units);
  for (const kernel of [fire, expect, settle, opening?.probability])
    engine.backend.runNeuron(kernel, rows, units, [logits, noise, h, rows, units, state, ...ends]);
  const pointersBack = [logits, noise, h, loss, dh, gradient];
  for (const kernel of [pullback, opening?.pullback])
    engine.backend.runNeuron(kernel, rows, units, [...pointersBack, rows, units, state, ...ends]);
  if (neuron.update)
    engine.backend.runNeuron(update, rows, units, [logits, noise, h, loss, rows, units, state, ...ends]);
}

test('no kernel of a neuron reads or writes behind the memory of its arrays', async () => {
  const engine = await createEngine({ threads: 1 });
  for (const { neuron } of instances)
    for (const [rows, units] of [
      [16, 1],
      [16, 3],
      [16, 2],
      [1, 16],
    ].filter(([, width]) => width <= (neuron.mostUnits ?? width)))
      for (const last of ['logits', 'noise', 'h', 'dh', 'gradient']) runAtTheEnd(engine, neuron, rows, units, last);
  engine.close();
});

for (const [index, { title, neuron }] of instances.entries())
  describe(title, () => {
    for (const [rows, units] of SHAPES.filter(fits(neuron)))
      test(`fires, pulls back and updates ${rows}×${units} on every build as its definition does`, {
        skip: index % 6 > 0 && rows * units > 1000 && slow,
      }, () => {
        const example = caseOf(neuron, rows, units);
        for (const [engine, biased] of builds.flatMap((build) => [[build, false] as const, [build, true] as const])) {
          if (biased && !neuron.selects) continue;
          const expected = runOn(reference, example, biased);
          const actual = runOn(engine, example, biased);
          for (const [what, values] of Object.entries(expected))
            assertClose(
              actual[what as 'h'],
              values,
              TOLERANCE,
              `${what} on ${engine.name}, ${biased ? '' : 'un'}biased`,
            );
          const closed = (h: Float32Array): boolean[] => Array.from(h, (value) => value === 0);
          assert.deepEqual(closed(actual.h), closed(expected.h), `closed units on ${engine.name}`);
        }
      });

    test('extreme logits give finite numbers on every build; those that are not finite are seen', () => {
      const extremes = [50, -50, 1e4, -1e4, 0, -0, 87, -87, 104, -104];
      for (const engine of builds) {
        const base = caseOf(neuron, extremes.length, 3);
        const run = runOn(engine, { ...base, logits: Float64Array.from({ length: 30 }, (_, i) => extremes[i % 10]) });
        for (const [what, values] of Object.entries(run))
          assert.ok(values.every(Number.isFinite), `${what} on ${engine.name}: ${values}`);
      }
      for (const engine of [reference, ...builds])
        for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const { h, expect, threshold } = runOn(engine, {
            ...caseOf(neuron, 1, 3),
            logits: Float64Array.of(1, broken, -1),
          });
          // Of several draws, the first.
          for (const values of [h.subarray(0, 3), expect, threshold])
            assert.deepEqual(
              Array.from(values, Number.isFinite),
              // A broken one among coupled units leaves nothing known of their row, or their group.
              Array.from(values, (_, i) => {
                const width = neuron.jointNoise ? (neuron.group ?? 3) : 1;
                return Math.floor((i % 3) / width) !== Math.floor(1 / width);
              }),
              `${engine.name}, a logit of ${broken}: ${values}`,
            );
        }
    });
  });
