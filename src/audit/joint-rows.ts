import type { Neuron } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { cutsOf, isWholeRow, type UnitPlace } from './axis.ts';

/** Groups of units of a row (each has one on both sides), most rows, and about how many noise numbers all rows have together. */
const [GROUPS, MOST_ROWS, NUMBERS] = [3, 64, 20_000];
/** First word of the path of the stream: the word "join" in ASCII. */
const JOINT = 0x6a6f696e;

const known = new WeakMap<Neuron, boolean>();

/**
 * Does what a unit (or group) emits in any of its draws hang on other units of its row, and no declared cells say how? A grid of units by
 * themselves says nothing of such a row: sampling has to decide.
 */
export function hasUntoldJointDraws(neuron: Neuron): boolean {
  if (isWholeRow(neuron) || neuron.noise === 0) return false;
  const found = known.get(neuron) ?? movesOthers(neuron);
  known.set(neuron, found);
  return found;
}

/** The same answer for a neuron that is another one with the cells of its units found. */
export function withSameDraws(neuron: Neuron, other: Neuron): Neuron {
  known.set(other, hasUntoldJointDraws(neuron));
  return other;
}

/** Do logits of other units, or their noise within its declared cells, change what a unit emits? */
function movesOthers(neuron: Neuron): boolean {
  const size = neuron.group ?? 1;
  const units = size * GROUPS;
  if (units > (neuron.mostUnits ?? units)) return false;
  const rows = Math.max(4, Math.min(MOST_ROWS, Math.floor(NUMBERS / (units * neuron.noise))));
  const random = randomStream(1, JOINT);
  // Rows of logits near 0, and of logits of all sizes.
  const logit = (i: number): number => (1 + 3 * (Math.floor(i / units) % 2)) * random.normal();
  const logits = Float64Array.from({ length: rows * units }, (_, i) => logit(i));
  const noise = Float64Array.from({ length: logits.length * neuron.noise }, random.uniform);
  const fired = (a: Float64Array, u: Float64Array): Float64Array => {
    const h = new Float64Array(drawsOf(neuron, units) * rows * units);
    neuron.fire({ rows, units, logits: a, noise: u, h, state: startingState(neuron, units) });
    return h;
  };
  const first = fired(logits, noise);
  for (let group = 0; group < GROUPS; group++) {
    const isOwn = (i: number): boolean => Math.floor((i % units) / size) === group;
    const changes = (other: Float64Array): boolean => other.some((value, i) => isOwn(i) && !Object.is(value, first[i]));
    const others = logits.map((a, i) => (isOwn(i) ? a : logit(i)));
    if (changes(fired(others, noise))) return true;
    const moved = noise.slice();
    for (let i = 0; i < logits.length; i += size) {
      if (isOwn(i)) continue;
      const numbers = moved.subarray(i * neuron.noise, (i + size) * neuron.noise);
      moveWithinCells(neuron, Array.from(logits.subarray(i, i + size)), { unit: i % units, units }, numbers, random);
    }
    if (changes(fired(logits, moved))) return true;
  }
  return false;
}

/** Draws the noise numbers of a unit or group anew, each within its declared cell. */
function moveWithinCells(
  neuron: Neuron,
  logits: readonly number[],
  place: UnitPlace,
  noise: Float64Array,
  random: RandomStream,
): void {
  for (let at = 0; at < noise.length; at++) {
    const inside = cutsOf(neuron, logits, Array.from(noise.subarray(0, at)), place).filter((cut) => cut > 0 && cut < 1);
    const low = Math.max(0, ...inside.filter((cut) => cut <= noise[at]));
    const high = Math.min(1, ...inside.filter((cut) => cut > noise[at]));
    noise[at] = low + (high - low) * random.uniform();
  }
}
