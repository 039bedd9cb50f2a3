import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron, NeuronState, Numbers } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { allocateState, runFire, runPullback, runUpdate, type TwinSource } from '../tensor/fire.ts';
import { startingState } from '../tensor/starting-state.ts';
import { short } from './places.ts';

/** rows × groups of units: less than a vector, not whole vectors, more than one part of the work. */
const SHAPES = [
  [1, 1],
  [3, 5],
  [16, 1],
  [33, 17],
  [300, 40],
  // As the numbers of a twin may hang on the units.
  [2, 2],
  [2, 3],
  [3, 8],
  [2, 10],
  [2, 64],
  [2, 100],
  [1, 128],
  [1, 256],
  [2, 300],
  [1, 512],
  [1, 1000],
] as const;
/** Single precision, and sums of a column in another order; relative to the largest number of the row or column over 1. */
const TOLERANCE = 1e-5;
/** A logit moved by that far has the same h, or it is not looked at. */
const NEAR = 1e-4;
const SIZES = [2, 12] as const;
/** Numbers of the outputs, or of an array of the state, of one look. */
const MOST_OUTPUTS = 200_000;

/** Do the kernels of `twin` do what the neuron's own functions do, on random input? */
export function kernelsMisfit(neuron: Neuron, engine: Engine): string | undefined {
  if (!neuron.twin) return undefined;
  for (const size of SIZES)
    for (const [rows, units] of SHAPES) {
      const all = units * (neuron.group ?? 1);
      if (all > (neuron.mostUnits ?? all) || rows * all * drawsOf(neuron, all) > MOST_OUTPUTS) continue;
      const wrong = misfitOf(neuron, engine, rows, all, size);
      if (wrong !== undefined) return wrong;
    }
  return undefined;
}

function misfitOf(neuron: Neuron, engine: Engine, rows: number, units: number, size: number): string | undefined {
  engine.beginStep();
  const draws = drawsOf(neuron, units);
  const random = randomStream(1, 0x7477696e, rows, units);
  const numbers = (length: number, draw: () => number): Float32Array => Float32Array.from({ length }, draw);
  const logits = numbers(rows * units, () => size * random.normal());
  const noise = numbers(rows * units * neuron.noise, random.uniform);
  // Another width than the units, and more than one vector of them.
  const inputs = neuron.readsInput ? units + 6 : units;
  const input = neuron.readsInput && numbers(rows * inputs, random.normal);
  const selectionBias = neuron.selects && size === SIZES[1] ? numbers(units, () => size * random.normal()) : undefined;
  const start = startingState(neuron, units, inputs);
  if (Object.values(start).some(({ length }) => length > MOST_OUTPUTS)) return undefined;
  const state: NeuronState = Object.fromEntries(
    Object.entries(start).map(([name, values]) => [
      name,
      Float32Array.from(values, (value) => (value || 0.1) * (0.5 + random.uniform())),
    ]),
  );
  steady(neuron, { rows, units, logits, noise, state });
  const h = new Float32Array(draws * rows * units);
  const loss = numbers(draws * rows, () => 2 * random.normal());
  const dh = numbers(h.length, random.normal);
  const gradient = new Float32Array(rows * units);
  const held = allocateState(engine, neuron, units, inputs);
  const place = (name: string, values: ArrayLike<number>, height: number): NdArray => {
    const array = engine.allocate([height, values.length / height], name);
    array.values.set(values);
    return array;
  };
  const a = place('logits', logits, rows);
  const u = place('noise', noise.length > 0 ? noise : new Float32Array(rows), rows);
  if (held) storeState(held, state);
  const source: TwinSource = {
    neuron,
    state: held,
    selectionBias,
    inputs,
    input: input ? place('inputs', input, rows) : undefined,
  };
  const firing = { rows, units, logits, noise, h, state, selectionBias, ...(input && { input }) };
  const { fire, pullback, update, expect, settle, opening } = neuron.twin ?? {};
  const told = (what: string, kernel: string | undefined, found: ArrayLike<number>, wanted: ArrayLike<number>) => {
    const worst = farthest(found, wanted);
    return worst === undefined
      ? undefined
      : `the kernel "${kernel}" gives ${what} ${short(found[worst])} at the logit ${short(logits[worst % logits.length])} (${rows}×${units}, number ${worst}), and the neuron's own function ${short(wanted[worst])}; expected the same`;
  };
  /** What a kernel that is called as fire kernels are gives, against what is wanted. */
  const misfit = (what: string, kernel: string | undefined, from: NdArray | undefined, wanted: Numbers) => {
    const out = engine.allocate([wanted.length / units, units], what);
    if (!runFire(engine, kernel, source, a, from, out)) return undefined;
    return told(what, kernel, out.values.subarray(0, wanted.length), wanted);
  };
  neuron.fire(firing);
  const settled = logits.slice();
  const noNoise = { ...firing, noise: new Float32Array(0), h: settled };
  if (settle) neuron.settle?.(noNoise);
  const chance = logits.slice();
  if (opening) neuron.opening?.probability(firing, chance);
  const wrong =
    misfit('h', fire, u, h) ??
    misfit('`expect`', expect, undefined, logits.map(neuron.expect)) ??
    (settle && misfit('`settle`', settle, undefined, settled)) ??
    (opening && misfit('`opening.probability`', opening.probability, u, chance));
  if (wrong !== undefined) return wrong;
  const arrays = {
    logits: a,
    noise: u,
    h: place('h', h, draws * rows),
    loss: place('loss', loss, draws * rows),
    dh: place('dh', dh, draws * rows),
    gradient: engine.allocate([rows, units], 'the gradient'),
  };
  neuron.pullback({ ...firing, loss, dh, gradient });
  if (runPullback(engine, pullback, source, arrays)) {
    const off = told('the gradient', pullback, arrays.gradient.values.subarray(0, gradient.length), gradient);
    if (off !== undefined) return off;
  }
  if (opening && neuron.opening) {
    const dp = dh.subarray(0, logits.length);
    const [pulled, out] = [logits.slice(), engine.allocate([rows, units], 'the gradient of opening')];
    neuron.opening.pullback(firing, dp, pulled);
    const given = { logits: a, noise: u, dh: place('dp', dp, rows), gradient: out };
    if (runPullback(engine, opening.pullback, source, given)) {
      const off = told('the gradient of opening', opening.pullback, out.values.subarray(0, pulled.length), pulled);
      if (off !== undefined) return off;
    }
  }
  if (!neuron.update || !held || !runUpdate(engine, update, source, arrays)) return undefined;
  neuron.update({ ...firing, loss, dh });
  for (const [i, [name, wanted]] of Object.entries(state).entries()) {
    const found = held.values.subarray(i * held.columns, i * held.columns + wanted.length);
    const worst = farthest(found, wanted);
    if (worst !== undefined)
      return `the kernel "${update}" leaves ${short(found[worst])} in the state's "${name}" (${rows}×${units}, number ${worst}), and \`update\` ${short(wanted[worst])}; expected the same`;
  }
  return undefined;
}

/** The number that is farthest from what it has to be, if it is too far. */
function farthest(found: ArrayLike<number>, wanted: ArrayLike<number>): number | undefined {
  let [worst, most] = [-1, TOLERANCE];
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(found[i], wanted[i])) continue;
    const off = Math.abs(found[i] - wanted[i]) / Math.max(1, Math.abs(wanted[i]));
    if (!(off <= most)) [worst, most] = [i, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off];
  }
  return worst < 0 ? undefined : worst;
}

function storeState(held: NdArray, state: NeuronState): void {
  Object.values(state).forEach((values, i) => {
    held.values.set(values, i * held.columns);
  });
}

/** Moves logits away from the jumps of h, where single precision may fall on the other side. */
function steady(
  neuron: Neuron,
  pass: { rows: number; units: number; logits: Float32Array; noise: Float32Array; state: NeuronState },
): void {
  const { rows, units, logits, noise, state } = pass;
  if (neuron.jointNoise) return;
  const draws = drawsOf(neuron, units);
  const fired = (moved: Float32Array): Float32Array => {
    const h = new Float32Array(draws * rows * units);
    neuron.fire({ rows, units, logits: moved, noise, h, state });
    return h;
  };
  for (let round = 0; round < 9; round++) {
    const [low, high] = [-NEAR, NEAR].map((step) => fired(logits.map((logit) => logit + step * (1 + Math.abs(logit)))));
    const jumps = new Set<number>();
    low.forEach((value, i) => {
      if (Math.abs(value - high[i]) > 0.01 * Math.max(1, Math.abs(value)) || (value === 0) !== (high[i] === 0))
        jumps.add(i % logits.length);
    });
    if (jumps.size === 0) return;
    for (const i of jumps) logits[i] += 0.02;
  }
}
