import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron, NeuronState, Numbers } from '../neurons/contract.ts';
import { twinNumbers } from '../neurons/parts/twin-numbers.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { allocateState, runFire, runPullback, type TwinSource } from '../tensor/fire.ts';
import { startingState } from '../tensor/starting-state.ts';
import { type DrawnPass, drawnPass } from './drawn-pass.ts';
import { short } from './places.ts';

/** rows × groups of units: less than a vector, not whole vectors, more than one part of the work. */
const SHAPES = [
  [1, 1],
  [3, 5],
  [16, 1],
  [33, 17],
  [300, 40],
  // Usual layers: the numbers of a twin may hang on the units.
  [2, 2],
  [2, 3],
  [3, 8],
  [2, 10],
  [2, 64],
  [2, 100],
  [1, 128],
  [1, 256],
  [1, 300],
  [1, 512],
  [1, 784],
  [1, 1000],
] as const;
/** Single precision, and sums of a column in another order; relative to the largest number of the row or column over 1. */
const TOLERANCE = 1e-5;
/** A logit moved by that far has the same h, or it is not looked at. */
const NEAR = 1e-4;
const SIZES = [2, 12] as const;
/** Numbers of the outputs, and of an array of the state, of one look at a usual layer. */
const [MOST_OUTPUTS, MOST_STATE] = [200_000, 20_000];

/** Widest layer for which a twin's numbers are asked, and most layers that are looked at since theirs are other ones. */
const [WIDEST, MOST_OTHERS] = [4096, 8];

/** One row and the groups of units of layers for which the numbers of a twin are others than in all layers of SHAPES; if many, some of them. */
function otherShapes(neuron: Neuron): (readonly [rows: number, groups: number])[] {
  const { twin, group = 1 } = neuron;
  if (typeof twin?.numbers !== 'function') return [];
  const numbersFor = (groups: number): string => twinNumbers(neuron, groups * group).join();
  const seen = new Set(SHAPES.map(([, groups]) => numbersFor(groups)));
  const others: number[] = [];
  for (let groups = 1; groups * group <= WIDEST; groups++) {
    if (seen.has(numbersFor(groups))) continue;
    seen.add(numbersFor(groups));
    others.push(groups);
  }
  return others.filter((_, i) => i % Math.ceil(others.length / MOST_OTHERS) === 0).map((groups) => [1, groups]);
}

/** Do the kernels of `twin` do what the neuron's own functions do, on random input? */
export function kernelsMisfit(neuron: Neuron, engine: Engine): string | undefined {
  if (!neuron.twin) return undefined;
  const shapes = [...SHAPES, ...otherShapes(neuron)];
  for (const size of SIZES)
    for (const [i, [rows, groups]] of shapes.entries()) {
      const units = groups * (neuron.group ?? 1);
      if (units > (neuron.mostUnits ?? units) || (i >= 5 && !affords(neuron, rows, units))) continue;
      const wrong = misfitOf(neuron, engine, { rows, units, size });
      if (wrong !== undefined) return wrong;
    }
  return undefined;
}

/** May a layer of so many units be looked at? */
const affords = (neuron: Neuron, rows: number, units: number): boolean =>
  rows * units * drawsOf(neuron, units) <= MOST_OUTPUTS &&
  Object.values(neuron.state ?? {}).every((spec) => typeof spec === 'number' || spec.size(units, units) <= MOST_STATE);

interface Look {
  readonly rows: number;
  readonly units: number;
  /** Of the logits. */
  readonly size: number;
}

/** Inputs of a pass: numbers that single precision has. */
function passOf(neuron: Neuron, { rows, units, size }: Look) {
  const random = randomStream(1, 0x7477696e, rows, units);
  const numbers = (length: number, draw: () => number): Float32Array => Float32Array.from({ length }, draw);
  // Another width than the units, and more than one vector of them.
  const inputs = neuron.readsInput ? units + 6 : units;
  const input = neuron.readsInput && numbers(rows * inputs, random.normal);
  const state: NeuronState = Object.fromEntries(
    Object.entries(startingState(neuron, units, inputs)).map(([name, values]) => [
      name,
      Float32Array.from(values, (value) => (value || 0.1) * (0.5 + random.uniform())),
    ]),
  );
  const drawn = { random, logit: (normal: number) => size * normal, losses: 2, state };
  const pass = drawnPass(neuron, rows, units, drawn, Float32Array);
  steady(neuron, pass);
  const selectionBias = neuron.selects && size > SIZES[0] ? numbers(units, () => size * random.normal()) : undefined;
  return { ...pass, selectionBias, inputs, ...(input && { input }) };
}

function misfitOf(neuron: Neuron, engine: Engine, look: Look): string | undefined {
  engine.beginStep();
  const pass = passOf(neuron, look);
  const { rows, units, logits, noise, h, state, loss, dh, selectionBias, inputs, input } = pass;
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
    ...{ neuron, state: held, selectionBias, inputs },
    input: input ? place('inputs', input, rows) : undefined,
  };
  const told = (what: string, kernel: string | undefined, { values }: NdArray, wanted: Numbers): string | undefined => {
    const found = values.subarray(0, wanted.length);
    const worst = farthest(found, wanted);
    return worst === undefined
      ? undefined
      : `the kernel "${kernel}" gives ${what} ${short(found[worst])} at the logit ${short(logits[worst % logits.length])} (${rows}×${units}, number ${worst}), and the neuron's own function ${short(wanted[worst])}; expected the same`;
  };
  const fires = (what: string, kernel: string | undefined, from: NdArray | undefined, wanted: Numbers) => {
    const out = engine.allocate([wanted.length / units, units], what);
    return runFire(engine, kernel, source, a, from, out) ? told(what, kernel, out, wanted) : undefined;
  };
  const pulls = (what: string, kernel: string | undefined, arrays: Arrays, wanted: Numbers) => {
    const gradient = engine.allocate([rows, units], what);
    const ran = runPullback(engine, kernel, source, { ...arrays, gradient });
    return ran ? told(what, kernel, gradient, wanted) : undefined;
  };
  const { twin = {} } = neuron;
  const wanted = wantedOf(neuron, pass);
  const arrays = {
    ...{ logits: a, noise: u, h: place('h', h, h.length / units) },
    ...{ loss: place('loss', loss, loss.length), dh: place('dh', dh, dh.length / units) },
  };
  const opened = { logits: a, noise: u, dh: place('dp', dh.subarray(0, logits.length), rows) };
  return (
    fires('h', twin.fire, u, h) ??
    fires('`expect`', twin.expect, undefined, logits.map(neuron.expect)) ??
    fires('`settle`', neuron.settle && twin.settle, undefined, wanted.settled) ??
    fires('`opening.probability`', twin.opening?.probability, u, wanted.open) ??
    pulls('the gradient', twin.pullback, arrays, wanted.gradient) ??
    pulls('the gradient of `opening`', twin.opening?.pullback, opened, wanted.opening) ??
    updateMisfit(neuron, engine, pass, { source, arrays })
  );
}

type Pass = ReturnType<typeof passOf>;
type Arrays = Omit<Parameters<typeof runPullback>[3], 'gradient'>;

/** What the neuron's own functions make of a pass; its h is filled. */
function wantedOf(neuron: Neuron, pass: Pass) {
  const { logits, dh } = pass;
  const { gradient } = pass;
  const [settled, open, opening] = Array.from({ length: 3 }, () => new Float32Array(logits.length));
  neuron.fire(pass);
  neuron.pullback(pass);
  if (neuron.twin?.settle) neuron.settle?.({ ...pass, noise: new Float32Array(0), h: settled });
  if (neuron.twin?.opening) {
    neuron.opening?.probability(pass, open);
    neuron.opening?.pullback(pass, dh.subarray(0, logits.length), opening);
  }
  return { gradient, settled, open, opening };
}

/** Does the kernel leave what `update` leaves in the state? */
function updateMisfit(
  neuron: Neuron,
  engine: Engine,
  pass: Pass,
  { source: { state: held, input }, arrays: { logits, noise, h, loss } }: { source: TwinSource; arrays: Arrays },
): string | undefined {
  const kernel = neuron.twin?.update;
  if (!neuron.update || !held || kernel === undefined) return undefined;
  const { rows, units, state } = pass;
  const ends = [held.pointer, ...twinNumbers(neuron, units), ...(input ? [input.pointer, input.columns] : [])];
  const pointers = [logits, noise, h, loss].map((array) => array?.pointer ?? 0);
  if (!engine.backend.runNeuron(kernel, rows, units, [...pointers, rows, units, ...ends])) return undefined;
  neuron.update(pass);
  for (const [i, [name, wanted]] of Object.entries(state).entries()) {
    const found = held.values.subarray(i * held.columns, i * held.columns + wanted.length);
    const worst = farthest(found, wanted);
    if (worst !== undefined)
      return `the kernel "${kernel}" leaves ${short(found[worst])} in the state's "${name}" (${rows}×${units}, number ${worst}), and \`update\` ${short(wanted[worst])}; expected the same`;
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
function steady(neuron: Neuron, pass: DrawnPass<Float32Array>): void {
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
