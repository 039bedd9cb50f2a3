import type { Neuron } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { isWholeRow } from './grid.ts';

/** Rows, and groups of units in each, that are looked at. */
const [ROWS, GROUPS] = [192, 3];
/** First word of the path of the stream: the word "join" in ASCII. */
const JOINT = 0x6a6f696e;

const known = new WeakMap<Neuron, boolean>();

/**
 * Does what a unit (or group) emits in any of its draws hang on other units of its row, and no declared cells say how? A grid of units by
 * themselves says nothing of such a row: sampling has to decide.
 */
export function hasUntoldJointDraws(neuron: Neuron): boolean {
  if (isWholeRow(neuron) || neuron.noise === 0) return false;
  const before = known.get(neuron);
  if (before !== undefined) return before;
  const found = looked(neuron);
  known.set(neuron, found);
  return found;
}

/** For a neuron that is another one with more cells. */
export function tellNoJointDraws(neuron: Neuron): void {
  known.set(neuron, false);
}

function looked(neuron: Neuron): boolean {
  const size = neuron.group ?? 1;
  const units = size * GROUPS;
  if (units > (neuron.mostUnits ?? units)) return false;
  const random = randomStream(1, JOINT);
  // Rows of logits near 0, and of logits of all sizes.
  const logit = (i: number): number => (1 + 3 * (Math.floor(i / units) % 2)) * random.normal();
  const logits = Float64Array.from({ length: ROWS * units }, (_, i) => logit(i));
  const noise = Float64Array.from({ length: logits.length * neuron.noise }, random.uniform);
  const fired = (a: Float64Array, u: Float64Array): Float64Array => {
    const h = new Float64Array(drawsOf(neuron, units) * ROWS * units);
    neuron.fire({ rows: ROWS, units, logits: a, noise: u, h, state: startingState(neuron, units) });
    return h;
  };
  const first = fired(logits, noise);
  for (let group = 0; group < GROUPS; group++) {
    const isOwn = (i: number): boolean => Math.floor((i % units) / size) === group;
    const changes = (other: Float64Array): boolean => other.some((value, i) => isOwn(i) && !Object.is(value, first[i]));
    const others = logits.map((a, i) => (isOwn(i) ? a : logit(i)));
    if (changes(fired(others, noise))) return true;
    const moved = noise.slice();
    for (let i = 0; i < logits.length; i += size)
      if (!isOwn(i)) moveWithinCells(neuron, logits, moved, i, i % units, units, random);
    if (changes(fired(logits, moved))) return true;
  }
  return false;
}

/** Draws the noise numbers of a unit or group anew, each within its declared cell. */
function moveWithinCells(
  neuron: Neuron,
  logits: Float64Array,
  noise: Float64Array,
  first: number,
  unit: number,
  units: number,
  random: RandomStream,
): void {
  const size = neuron.group ?? 1;
  const own = noise.subarray(first * neuron.noise, (first + size) * neuron.noise);
  const group = logits.slice(first, first + size);
  for (let at = 0; at < own.length; at++) {
    const before = Array.from(own.subarray(0, at));
    const cuts = neuron.group
      ? neuron.rowCells?.({ logits: group, noise: Float64Array.from(before) }, at)
      : neuron.cells?.(group[0], at, before, { unit, units });
    const inside = (cuts ?? []).filter((cut) => cut > 0 && cut < 1);
    const low = Math.max(0, ...inside.filter((cut) => cut <= own[at]));
    const high = Math.min(1, ...inside.filter((cut) => cut > own[at]));
    own[at] = low + (high - low) * random.uniform();
  }
}
