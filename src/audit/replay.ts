import type { Neuron, Numbers } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { digest } from './digest.ts';
import { type DrawnPass, drawnPass } from './drawn-pass.ts';

/** First word of the path of the streams of the passes: the word "play" in ASCII. */
const PLAY = 0x706c6179;
/** Numbers (logits, noise, outputs, state) of all replays of a neuron together: about 0.1 s of its work. */
const NUMBERS = 1_200_000;
/** Most numbers of one pass: it is replayed 300 times within NUMBERS where it has 4,000. */
const PASS = 30_000;
/** Rows × groups of units of the passes: less than a vector, a usual layer, one unit. */
const SHAPES = [
  [5, 3],
  [64, 20],
  [1, 1],
] as const;

/** What one pass is given: drawn once, and copied for every pass. */
function inputsOf(neuron: Neuron, rows: number, units: number, narrow: boolean): DrawnPass<Numbers> {
  const Kind = narrow ? Float32Array : Float64Array;
  const state = Object.fromEntries(
    Object.entries(startingState(neuron, units)).map(([name, start]) => [
      name,
      new Kind(start.map((value) => value + 0.1)),
    ]),
  );
  const inputs = {
    random: randomStream(1, PLAY, rows, units),
    logit: (normal: number) => 3 * normal,
    losses: 3,
    state,
  };
  return drawnPass<Numbers>(neuron, rows, units, inputs, Kind);
}

/** Digest of h, the gradient and the state after one pass and its update. */
function outputDigest(neuron: Neuron, { rows, units, state, ...arrays }: DrawnPass<Numbers>): number {
  const copied = <T extends Readonly<Record<string, unknown>>>(of: T): T =>
    Object.fromEntries(Object.entries(of).map(([name, values]) => [name, (values as Numbers).slice()])) as T;
  const pass = { rows, units, state: copied(state), ...copied(arrays) };
  neuron.fire(pass);
  neuron.pullback(pass);
  let word = digest(pass.gradient, digest(pass.h));
  if (neuron.update) {
    neuron.update(pass);
    for (const values of Object.values(pass.state)) word = digest(values, word);
  }
  return word;
}

const unitsFor = (neuron: Neuron, units: number): number =>
  Math.min((neuron.group ?? 1) * units, neuron.mostUnits ?? Number.POSITIVE_INFINITY);

/** As many rows as a pass of so many numbers has, up to the usual ones. */
const rowsFor = (neuron: Neuron, rows: number, units: number): number =>
  Math.max(1, Math.min(rows, Math.floor(PASS / (units * (drawsOf(neuron, units) + neuron.noise)))));

/** What the passes of all shapes make: the same in every process, whatever came before. */
export function replayDigest(neuron: Neuron): string {
  return SHAPES.flatMap(([most, some]) => {
    const units = unitsFor(neuron, some);
    const rows = rowsFor(neuron, most, units);
    return [false, true].map((narrow) => outputDigest(neuron, inputsOf(neuron, rows, units, narrow)).toString(16));
  }).join('-');
}

/** Does the same pass make the same after very many others, in another order? */
export function sameAgain(neuron: Neuron): string | undefined {
  const [most, some] = SHAPES[1];
  const units = unitsFor(neuron, some);
  const rows = rowsFor(neuron, most, units);
  const first = replayDigest(neuron);
  const held = Object.values(startingState(neuron, units)).reduce((sum, { length }) => sum + length, 0);
  const perPass = rows * (units * (drawsOf(neuron, units) + neuron.noise) + held);
  const passes = Math.max(3, Math.min(300, Math.floor(NUMBERS / perPass)));
  const inputs = inputsOf(neuron, rows, units, false);
  const again = outputDigest(neuron, inputs);
  for (let pass = 0; pass < passes; pass++)
    if (outputDigest(neuron, inputs) !== again)
      return `pass ${pass + 2} of the same input gives another output than the first; expected that a neuron keeps nothing but its \`state\`, and draws nothing but its noise`;
  return replayDigest(neuron) === first
    ? undefined
    : 'the same passes give another output after others; expected that a neuron keeps nothing but its `state`, which only `update` changes';
}
