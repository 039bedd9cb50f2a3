import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { bendsOf } from './bends.ts';

/** A logit or a loss at which a learning rule changes into another one. */
export type Turn = { readonly logit: number } | { readonly loss: number };

/** First word of the path of the streams of noise: the word "turn" in ASCII. */
const TURN = 0x7475726e;
/** Rows of one look: logits that are evenly spaced, or losses whose asinh is. */
const PLACES = 4001;
const WIDEST = 20;
/** Losses are LEAST·sinh(x) for |x| up to FAR: up to 1,000. Those smaller than TOLD are not compared. */
const [LEAST, FAR, TOLD] = [1e-3, 14.5, 0.01];
const LOOKS = 4;
/** Most turns of one kind that a look finds. */
const MOST = 3;

const logitAt = (i: number): number => WIDEST * ((2 * i) / (PLACES - 1) - 1);
const lossAt = (i: number): number => LEAST * Math.sinh(FAR * ((2 * i) / (PLACES - 1) - 1));

/**
 * Logits and losses at which the gradient of a single unit jumps or bends while its noise and its h stay the same. Places that are drawn may
 * miss a narrow stretch on which the rule is another one; these are its ends.
 */
export function turnsOf(neuron: Neuron): Turn[] {
  const random = randomStream(1, TURN);
  const readsLoss = neuron.reads === 'loss' || neuron.reads === 'both';
  const [logits, losses]: [Set<number>, Set<number>] = [new Set(), new Set()];
  for (let look = 0; look < LOOKS; look++) {
    const noise = Float64Array.from({ length: neuron.noise }, random.uniform);
    const [logit, loss] = [2 * random.normal(), random.normal()];
    for (const i of bendsAlong(neuron, noise, logitAt, () => loss)) for (const at of beside(i)) logits.add(at);
    if (!readsLoss) continue;
    for (const i of bendsAlong(neuron, noise, () => logit, lossAt)) for (const at of beside(i)) losses.add(at);
  }
  return [...Array.from(logits, (i) => ({ logit: logitAt(i) })), ...Array.from(losses, (i) => ({ loss: lossAt(i) }))];
}

/** A bend and its neighbours: the other rule may hold on either side, or at that one place. */
const beside = (i: number): number[] => [i - 1, i, i + 1];

/** Bends of the gradient along PLACES rows of one unit, all with the same noise. */
function bendsAlong(
  neuron: Neuron,
  own: Float64Array,
  logitOf: (i: number) => number,
  lossOf: (i: number) => number,
): number[] {
  const rows = PLACES;
  const draws = drawsOf(neuron, 1);
  const logits = Float64Array.from({ length: rows }, (_, i) => logitOf(i));
  const noise = new Float64Array(rows * own.length);
  for (let row = 0; row < rows; row++) noise.set(own, row * own.length);
  const h = new Float64Array(draws * rows);
  const firing = { rows, units: 1, logits, noise, h, state: startingState(neuron, 1) };
  neuron.fire(firing);
  // Draws differ by a factor: a constant would vanish in the baselines.
  const loss = Float64Array.from(h, (_, i) => lossOf(i % rows) * (1 + 0.3 * Math.floor(i / rows)));
  const gradient = new Float64Array(rows);
  neuron.pullback({ ...firing, loss, dh: loss.slice(), gradient });
  const isSame = (i: number): boolean => {
    if (Math.abs(lossOf(i)) < TOLD) return false;
    for (let draw = 0; draw < draws; draw++) {
      const at = draw * rows + i;
      // Where h jumps, a cell of the noise ends, which is no fault; a smooth h moves by less than 0.2 between neighbours.
      if (Math.abs(h[at + 1] - h[at - 1]) > 0.2 || (h[at + 1] === 0) !== (h[at - 1] === 0)) return false;
    }
    return true;
  };
  return bendsOf(gradient, MOST, isSame);
}
