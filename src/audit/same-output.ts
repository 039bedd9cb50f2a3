import type { Neuron, NeuronState, Numbers } from '../neurons/contract.ts';
import { drawsOf } from '../tensor/draws.ts';
import type { DrawnPass } from './drawn-pass.ts';
import {
  type Arrays,
  firedPass,
  gradientOf,
  MOST_NUMBERS,
  passNumbers,
  sameBits,
  someState,
  unitsOf,
} from './fired-pass.ts';

/** How often the same has to come of the same. */
const REPEATS = 4;
/** Do `fire` and `pullback` make the same of the same, and change nothing that they are given? */
export function repeatable(neuron: Neuron): string | undefined {
  const units = unitsOf(neuron, 5);
  const pass = firedPass(neuron, 7, units, { seed: 31 });
  const inputs = [pass.logits, pass.noise, pass.loss, pass.dh];
  const before = inputs.map((array) => array.slice());
  const h = new Float64Array(pass.h.length).fill(Number.NaN);
  neuron.fire({ ...pass, h });
  if (!sameBits(h, pass.h)) return '`fire` gives another h for the same logits and noise, or leaves some of it unset';
  const [first, ...again] = Array.from({ length: REPEATS }, () => gradientOf(neuron, pass));
  if (Object.entries(someState(neuron, units, 31)).some(([name, start]) => !sameBits(start, pass.state[name])))
    return '`fire` or `pullback` changes the state, and only `update` may';
  if (!again.every((other) => sameBits(first, other))) return '`pullback` gives another gradient for the same pass';
  if (first.some(Number.isNaN)) return '`pullback` leaves a gradient unset, or NaN';
  return inputs.every((array, i) => sameBits(array, before[i])) ? undefined : 'it changes its input arrays';
}

/** Does `update` make the same state of the same one? */
export function updatesAlike(neuron: Neuron): string | undefined {
  if (!neuron.update) return undefined;
  const pass = firedPass(neuron, 7, unitsOf(neuron, 5), { seed: 39 });
  const inputs = [pass.logits, pass.noise, pass.h, pass.loss, pass.dh];
  const before = inputs.map((array) => array.slice());
  const copy = (): NeuronState =>
    Object.fromEntries(Object.entries(pass.state).map(([name, values]) => [name, values.slice()]));
  const states = Array.from({ length: REPEATS }, copy);
  for (const state of states) neuron.update({ ...pass, state });
  const [first, ...others] = states.map((state) => Object.values(state));
  if (!others.every((other) => first.every((values, i) => sameBits(values, other[i]))))
    return '`update` makes another state of the same one';
  return inputs.every((array, i) => sameBits(array, before[i])) ? undefined : '`update` changes its input arrays';
}

/** Minibatches that examples are taken out of, by the units of the layer: of all usual sizes, since a rule may hang on one of them. */
const MINIBATCHES = [
  { units: 5, sizes: [2, 7, 130, 1000] },
  { units: 2, sizes: [8, 10, 16, 20, 25, 32, 50, 100, 128, 200, 250, 256, 500, 512, 1024, 2048] },
  { units: 1, sizes: [7, 64] },
  { units: 40, sizes: [20, 64] },
  { units: 130, sizes: [20] },
];
/** Examples that are taken out of a minibatch: all of it, or so many that are drawn, the first and the last among them. */
const MOST_EXAMPLES = 64;

/** Rows of minibatches that examples are taken out of for the functions that other modes than training call. */
const MODE_ROWS = [2, 7, 130];

/** Do `sample` and `settle` give an example the same alone as in a minibatch? */
function modesByExample(neuron: Neuron): string | undefined {
  const units = unitsOf(neuron, 5);
  for (const mode of ['sample', 'settle'] as const)
    for (const rows of neuron[mode] ? MODE_ROWS : []) {
      const { logits, noise, state } = firedPass(neuron, rows, units, { seed: 44 });
      const numbers = mode === 'sample' ? units * neuron.noise : 0;
      const emitted = (from: number, to: number): Float64Array => {
        const h = new Float64Array((to - from) * units).fill(Number.NaN);
        const own = [logits.slice(from * units, to * units), noise.slice(from * numbers, to * numbers)];
        neuron[mode]?.({ rows: to - from, units, logits: own[0], noise: own[1], h, state });
        return h;
      };
      const all = emitted(0, rows);
      for (const row of examplesOf(rows))
        if (!sameBits(emitted(row, row + 1), all.subarray(row * units, (row + 1) * units)))
          return `\`${mode}\` gives an example another h beside others than alone, in a minibatch of ${rows} rows`;
    }
  return undefined;
}

/** Has an example the same outputs and gradient alone as in a minibatch? */
export function byExample(neuron: Neuron): string | undefined {
  const otherModes = modesByExample(neuron);
  if (otherModes !== undefined) return otherModes;
  for (const { units: least, sizes } of MINIBATCHES)
    for (const [i, rows] of sizes.entries()) {
      const units = unitsOf(neuron, least);
      if (rows * units * drawsOf(neuron, units) > MOST_NUMBERS) continue;
      const wrong = byExampleOf(neuron, rows, units, i % 2 === 0 ? Float64Array : Float32Array);
      if (wrong !== undefined) return wrong;
    }
  return undefined;
}

function byExampleOf(neuron: Neuron, rows: number, units: number, Kind: Arrays): string | undefined {
  const pass = firedPass(neuron, rows, units, { seed: 32, Kind });
  const all = gradientOf(neuron, pass);
  const draws = drawsOf(neuron, units);
  for (const row of examplesOf(rows)) {
    const part = (values: Numbers, width: number, layers = 1): Numbers => {
      const own = values.slice(0, layers * width);
      for (let i = 0; i < own.length; i++) own[i] = values[(Math.floor(i / width) * rows + row) * width + (i % width)];
      return own;
    };
    const alone: DrawnPass<Numbers> = {
      rows: 1,
      units,
      logits: part(pass.logits, units),
      noise: part(pass.noise, units * neuron.noise),
      h: new Kind(draws * units),
      loss: part(pass.loss, 1, draws),
      dh: part(pass.dh, units, draws),
      state: pass.state,
      gradient: new Kind(units),
    };
    neuron.fire(alone);
    if (!sameBits(alone.h, part(pass.h, units, draws)))
      return `h of an example depends on the others of its minibatch, of ${rows} rows`;
    if (!sameBits(gradientOf(neuron, alone), part(all, units)))
      return `the gradient of an example depends on the others of its minibatch, of ${rows} rows`;
  }
  return undefined;
}

function examplesOf(rows: number): Iterable<number> {
  if (rows <= MOST_EXAMPLES) return Array(rows).keys();
  const random = passNumbers(rows, 1);
  return new Set([0, rows - 1, ...Array.from({ length: MOST_EXAMPLES - 2 }, () => random.integer(rows))]);
}
