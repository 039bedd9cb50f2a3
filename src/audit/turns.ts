import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { bendsOf } from './bends.ts';

/** A logit, or a loss, where a learning rule turns into another one. */
export type Turn = { readonly logit: number } | { readonly loss: number };

/** First word of the path of the streams of noise: the word "turn" in ASCII. */
const TURN = 0x7475726e;
/** Evenly spaced logits, and losses of both signs whose sizes are evenly spaced, of one look. */
const PLACES = 4001;
const WIDEST = 20;
/** Losses are LEAST·sinh(x) for |x| up to FAR, where they are 1,000; those from TOLD on count. */
const [LEAST, FAR, TOLD] = [1e-3, 14.5, 0.01];
const LOOKS = 4;
/** Most turns of one kind that a look finds. */
const MOST = 3;

const logitAt = (i: number): number => WIDEST * ((2 * i) / (PLACES - 1) - 1);
const lossAt = (i: number): number => LEAST * Math.sinh(FAR * ((2 * i) / (PLACES - 1) - 1));

/**
 * Where the gradient of a single unit jumps or bends as a function of its logit or of the loss while its noise stays the same, and h does. Right
 * by integration at places that are drawn, a gradient may be wrong between two of them: this is where to look.
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

/** A jump lies on one side of a bend; a rule for a single place at it. */
const beside = (i: number): number[] => [i - 1, i, i + 1];

/** Bends of the gradient of a unit, PLACES times with the same noise. */
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
  // Draws differ by more than a constant, which baselines take away.
  const loss = Float64Array.from(h, (_, i) => lossOf(i % rows) * (1 + 0.3 * Math.floor(i / rows)));
  const gradient = new Float64Array(rows);
  neuron.pullback({ ...firing, loss, dh: loss.slice(), gradient });
  const isSame = (i: number): boolean => {
    if (Math.abs(lossOf(i)) < TOLD) return false;
    for (let draw = 0; draw < draws; draw++) {
      const at = draw * rows + i;
      // A jump of h is a cell of the noise; a smooth h moves less than that from place to place.
      if (Math.abs(h[at + 1] - h[at - 1]) > 0.2 || (h[at + 1] === 0) !== (h[at - 1] === 0)) return false;
    }
    return true;
  };
  return bendsOf(gradient, MOST, isSame);
}
