import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';

/** First word of the path of the streams that the minibatches come from: the word "live" in ASCII. */
const LIVES = 0x6c697665;
/** Rows of the minibatches. */
const ROWS = 4;
/** Numbers that are worked on for one history, at most: rows × updates × (outputs and state); in large layers fewer. */
const [MOST_WORK, LARGE_WORK, LARGE] = [1_000_000, 60_000, 4] as const;
/** Histories of a neuron that are kept; a longer one goes on from a shorter one. */
const lives = new WeakMap<Neuron, Map<string, { updates: number; state: NeuronState }[]>>();

/**
 * The state of a layer after so many updates on minibatches of all kinds of logits and losses; fewer where a layer so large would take
 * too long.
 * @param life which of a few histories
 */
export function livedState(
  neuron: Neuron,
  units: number,
  wanted: number,
  life: number,
): { state: NeuronState; updates: number } {
  const start = startingState(neuron, units);
  const held = Object.values(start).reduce((sum, { length }) => sum + length, 0);
  const perUpdate = ROWS * (units * (drawsOf(neuron, units) + neuron.noise) + held);
  const updates = Math.min(wanted, Math.max(1, Math.floor((units > LARGE ? LARGE_WORK : MOST_WORK) / perUpdate)));
  const key = `${units}/${life % 3}`;
  const own = lives.get(neuron) ?? new Map<string, { updates: number; state: NeuronState }[]>();
  lives.set(neuron, own);
  const known = own.get(key) ?? [];
  const from = known.filter((one) => one.updates <= updates).at(-1);
  const state = copyOf(from?.state ?? start);
  if (from?.updates === updates) return { state, updates };
  live(neuron, units, state, from?.updates ?? 0, updates, life % 3);
  own.set(
    key,
    [...known, { updates, state: copyOf(state) }].sort((a, b) => a.updates - b.updates),
  );
  return { state, updates };
}

const copyOf = (state: NeuronState): NeuronState =>
  Object.fromEntries(Object.entries(state).map(([name, values]) => [name, values.slice()]));

/** Updates number `from` to `to`. */
function live(neuron: Neuron, units: number, state: NeuronState, from: number, to: number, life: number): void {
  const draws = drawsOf(neuron, units);
  const random = randomStream(1, LIVES, life, units);
  // Losses of one size for all of a history, as a training has.
  const size = 10 ** (2 * life - 2);
  const logits = new Float64Array(ROWS * units);
  const noise = new Float64Array(ROWS * units * neuron.noise);
  const h = new Float64Array(draws * ROWS * units);
  const loss = new Float64Array(draws * ROWS);
  const dh = new Float64Array(h.length);
  const gradient = new Float64Array(ROWS * units);
  for (let step = 0; step < to; step++) {
    for (let i = 0; i < logits.length; i++) logits[i] = 4 * (random.uniform() + random.uniform() - 1) * (1 + (i % 3));
    for (let i = 0; i < noise.length; i++) noise[i] = random.uniform();
    const base = size * (random.uniform() + 0.3);
    const slope = size * (2 * random.uniform() - 1);
    // What was lived before is drawn again, so that a history is one and the same however far it is asked for.
    if (step < from) continue;
    const pass = { rows: ROWS, units, logits, noise, h, loss, dh, gradient, state };
    neuron.fire(pass);
    for (let row = 0; row < draws * ROWS; row++) {
      let sum = 0;
      for (let i = 0; i < units; i++) sum += h[row * units + i] * (1 - 2 * (i & 1));
      loss[row] = base + (slope * sum) / Math.sqrt(units);
      for (let i = 0; i < units; i++) dh[row * units + i] = (slope * (1 - 2 * (i & 1))) / Math.sqrt(units);
    }
    neuron.pullback(pass);
    neuron.update?.(pass);
  }
}
