import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';

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

function withNoise(unit: Neuron, count: number): Neuron {
  const { cells, rowCells, noise: all } = unit;
  const widened = (noise: ArrayLike<number>, units: number): Float64Array => {
    const wide = new Float64Array(units * all).fill(0.5);
    for (let unit = 0, i = 0, to = 0; unit < units && i < noise.length; unit++, to += all)
      for (let k = 0; k < count && i < noise.length; k++) wide[to + k] = noise[i++];
    return wide;
  };
  return {
    ...unit,
    noise: count,
    fire: (firing) => unit.fire({ ...firing, noise: widened(firing.noise, firing.rows * firing.units) }),
    ...(cells && { cells }),
    ...(rowCells && {
      rowCells: ({ logits, noise }, at) =>
        rowCells({ logits, noise: widened(noise, logits.length) }, Math.floor(at / count) * all + (at % count)),
    }),
  };
}
