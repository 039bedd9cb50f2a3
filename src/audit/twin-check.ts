import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { twinNumbers } from '../neurons/parts/twin-numbers.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { allocateState } from '../tensor/fire.ts';
import { startingState } from '../tensor/starting-state.ts';
import { short } from './places.ts';

/** rows × units: less than a vector, not whole vectors, more than one part of the work. */
const SHAPES = [
  [1, 1],
  [3, 5],
  [16, 1],
  [33, 17],
  [300, 40],
] as const;
/** Single precision, and sums of a column in another order; relative to the largest number of the row or column over 1. */
const TOLERANCE = 1e-5;
/** A logit moved by that far has the same h, or it is not looked at. */
const NEAR = 1e-4;
const SIZES = [2, 12] as const;

/** Do the kernels of `twin` do what the neuron's own functions do, on random input? */
export function kernelsMisfit(neuron: Neuron, engine: Engine): string | undefined {
  if (!neuron.twin) return undefined;
  for (const size of SIZES)
    for (const [rows, units] of SHAPES) {
      if (units > (neuron.mostUnits ?? units)) continue;
      const wrong = misfitOf(neuron, engine, rows, units * (neuron.group ?? 1), size);
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
  const start = startingState(neuron, units, inputs);
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
  const set = (array: NdArray, values: ArrayLike<number>): NdArray => {
    array.values.set(values);
    return array;
  };
  const place = (name: string, values: ArrayLike<number>, height: number): NdArray =>
    set(engine.allocate([height, values.length / height], name), values);
  const a = place('logits', logits, rows);
  const u = place('noise', noise.length > 0 ? noise : new Float32Array(rows), rows);
  const out = engine.allocate([draws * rows, units], 'h');
  if (held) storeState(held, state);
  const seen = input && { input };
  const ends = [...twinNumbers(neuron, units), ...(input ? [place('inputs', input, rows).pointer, inputs] : [])];
  const at = held?.pointer ?? 0;
  const { backend } = engine;
  const { fire, pullback, update, expect } = neuron.twin ?? {};
  const runs = (kernel: string | undefined, pointers: number[]): boolean =>
    kernel !== undefined && backend.runNeuron(kernel, rows, units, [...pointers, rows, units, at, ...ends]);
  const told = (what: string, kernel: string | undefined, found: ArrayLike<number>, wanted: ArrayLike<number>) => {
    const worst = farthest(found, wanted);
    return worst === undefined
      ? undefined
      : `the kernel "${kernel}" gives ${what} ${short(found[worst])} at the logit ${short(logits[worst % logits.length])} (${rows}×${units}, number ${worst}), and the neuron's own function ${short(wanted[worst])}; expected the same`;
  };
  neuron.fire({ rows, units, logits, noise, h, state, ...seen });
  if (runs(fire, [a.pointer, u.pointer, out.pointer])) {
    const wrong = told('h', fire, out.values.subarray(0, h.length), h);
    if (wrong) return wrong;
  }
  const settled = engine.allocate([rows, units], 'the expectation');
  if (runs(expect, [a.pointer, 0, settled.pointer])) {
    const wrong = told('`expect`', expect, settled.values.subarray(0, logits.length), logits.map(neuron.expect));
    if (wrong) return wrong;
  }
  const [fired, losses, cotangents] = [
    place('h', h, draws * rows),
    place('loss', loss, draws * rows),
    place('dh', dh, draws * rows),
  ];
  const pulled = engine.allocate([rows, units], 'the gradient');
  const back = [a.pointer, u.pointer, fired.pointer, losses.pointer, cotangents.pointer, pulled.pointer];
  neuron.pullback({ rows, units, logits, noise, h, state, loss, dh, gradient, ...seen });
  if (runs(pullback, back)) {
    const wrong = told('the gradient', pullback, pulled.values.subarray(0, gradient.length), gradient);
    if (wrong) return wrong;
  }
  if (!neuron.update || !held) return undefined;
  if (!runs(update, [a.pointer, u.pointer, fired.pointer, losses.pointer])) return undefined;
  neuron.update({ rows, units, logits, noise, h, state, loss, dh, ...seen });
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
