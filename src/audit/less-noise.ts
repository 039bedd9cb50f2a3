import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron, Numbers } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';

/** Rows that a unit is fired on, to see which of its noise numbers its output depends on. */
const ROWS = 256;
const known = new WeakMap<Neuron, Neuron>();

/** The behaviour with only those of its noise numbers that its output depends on: those after them are for learning. */
export function leanUnit(learner: Neuron): Neuron {
  const before = known.get(learner);
  if (before) return before;
  const unit = behaviourOf(learner);
  const needed = [1, 2, 4, 8].find((count) => count < unit.noise && isInert(unit, count));
  const lean = needed === undefined ? unit : withNoise(unit, needed);
  known.set(learner, lean);
  return lean;
}

/** Does h stay the same while all noise numbers of a unit from number `from` on are drawn anew? */
function isInert(unit: Neuron, from: number): boolean {
  const units = unit.group ?? (unit.jointNoise ? 3 : 1);
  const random = randomStream(1, 0x6c65616e);
  const logits = Float64Array.from({ length: ROWS * units }, () => 4 * random.normal());
  const noise = Float64Array.from({ length: ROWS * units * unit.noise }, random.uniform);
  const other = noise.map((u, i) => (i % unit.noise < from ? u : random.uniform()));
  const fired = [noise, other].map((numbers) => {
    const h = new Float64Array(ROWS * units);
    unit.fire({ rows: ROWS, units, logits, noise: numbers, h, state: startingState(unit, units) });
    return h;
  });
  return fired[0].every((value, i) => Object.is(value, fired[1][i]));
}

/** Numbers of noise that a unit is given at a time: 512 kB. */
const MOST_WIDE = 2 ** 16;

/** The unit with its first noise numbers alone; it is given ½ for the others. */
function withNoise(unit: Neuron, count: number): Neuron {
  const { cells, rowCells, noise: all } = unit;
  const filled = (noise: ArrayLike<number>, units: number, wide: Float64Array): Float64Array => {
    for (let unit = 0, i = 0, to = 0; unit < units && i < noise.length; unit++, to += all)
      for (let k = 0; k < count && i < noise.length; k++) wide[to + k] = noise[i++];
    return wide.subarray(0, units * all);
  };
  const halves = (units: number): Float64Array => new Float64Array(units * all).fill(0.5);
  // The numbers that are given are written over, the others stay.
  let kept = halves(0);
  return {
    ...unit,
    noise: count,
    fire(firing) {
      const { rows, units, logits, noise, h } = firing;
      const step = Math.max(1, Math.floor(MOST_WIDE / (units * all)));
      if (kept.length < Math.min(rows, step) * units * all) kept = halves(Math.min(rows, step) * units);
      for (let from = 0; from < rows; from += step) {
        const to = Math.min(rows, from + step);
        const part = (of: Numbers, width: number): Numbers => of.subarray(from * width, to * width);
        unit.fire({
          ...firing,
          rows: to - from,
          logits: part(logits, units),
          noise: filled(part(noise, units * count), (to - from) * units, kept),
          h: part(h, units),
        });
      }
    },
    ...(cells && { cells }),
    ...(rowCells && {
      rowCells: ({ logits, noise }, at) => {
        const wide = filled(noise, logits.length, halves(logits.length));
        return rowCells({ logits, noise: wide }, Math.floor(at / count) * all + (at % count));
      },
    }),
  };
}
