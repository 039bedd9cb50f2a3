import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { zOf } from './bias-claim.ts';
import { cellsOf } from './found-cells.ts';
import { drawnUnder, estimatePoints, newGrid } from './grid.ts';
import type { Loss } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import { short } from './places.ts';
import { sampleNeuron } from './sample-neuron.ts';
import { FALSE_ALARM, type TestOptions, type Verdict } from './verdict.ts';

/** A number, and what it may be off by. */
interface Known {
  readonly value: number;
  /** The same with the 2²³ numbers that are drawn. */
  readonly drawn: number;
  readonly error: number;
}

/** E[h] and P(h ≠ 0) of a single behaviour at one logit. */
interface Expectations {
  readonly logit: number;
  readonly mean: Known;
  readonly rate: Known;
  readonly exact: boolean;
}

/** Logits from −20 to 20: so many by integration, and by sampling. */
const [INTEGRATED, SAMPLED] = [120, 16];
const WIDEST = 20;
/** Most points of the grid of a unit. */
const POINTS = 20_000;
/** Draws of h where it is larger. */
const FIRED = 20_000;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

const nothing: Loss = (h) => ({ loss: 0, dh: new Float64Array(h.length) });

/** The claims `mean` and `rate`, for logits over the whole domain. */
export function expectationVerdicts(learner: Neuron, { seed = 1, thorough = false }: TestOptions = {}): Verdict[] {
  const { mean, rate } = learner.claims;
  if (!mean && !rate) return [];
  const known = expectationsOf(learner, seed, thorough ? 10 : 1);
  return [
    ...(mean ? [expectationVerdict(known, 'mean', mean)] : []),
    ...(rate ? [expectationVerdict(known, 'rate', rate)] : []),
  ];
}

function expectationsOf(learner: Neuron, seed: number, wide: number): Expectations[] {
  const { neuron, resolution } = cellsOf(leanUnit(learner));
  const exact = estimatePoints(neuron, [0.7], POINTS) <= POINTS;
  const shift = randomStream(seed, 0x6d65616e).uniform();
  const count = (exact ? INTEGRATED : SAMPLED) * wide;
  return Array.from({ length: count }, (_, i): Expectations => {
    const logit = WIDEST * (2 * ((shift + i * GOLDEN) % 1) - 1);
    if (exact) return { logit, exact, ...integrated(neuron, logit, resolution) };
    const { mean, rate, meanSquare } = sampleNeuron(neuron, [logit], nothing, { samples: FIRED, seed: seed + i });
    const known = ([value]: Float64Array, square: number): Known => {
      // As wide for an event that was not seen as for one that was seen once.
      const variance = Math.max(square - value ** 2, 1 / FIRED);
      return { value, drawn: value, error: zOf(2 * count) * Math.sqrt(variance / FIRED) + 20 / FIRED };
    };
    return { logit, exact, mean: known(mean, meanSquare[0]), rate: known(rate, rate[0]) };
  });
}

/** By one grid, and by another with its nodes elsewhere. */
function integrated(neuron: Neuron, logit: number, resolution: number): { mean: Known; rate: Known } {
  const random = randomStream(1, 0x6d65616e, 1);
  const [first, second] = [momentsOf(neuron, logit), momentsOf(neuron, logit, () => random.uniform())];
  const known = (what: 'mean' | 'rate'): Known => {
    const [value, drawn] = first[what];
    const apart = Math.abs(value - second[what][0]);
    const size = what === 'mean' ? Math.max(Math.abs(value), first.largest) : 1;
    return {
      value,
      drawn,
      error: 1e-12 + 1e-10 * size + 1e-8 * Math.abs(value) + 4 * apart + resolution * Math.max(1, size),
    };
  };
  return { mean: known('mean'), rate: known('rate') };
}

type Moment = readonly [value: number, drawn: number];

function momentsOf(
  neuron: Neuron,
  logit: number,
  random?: () => number,
): { mean: Moment; rate: Moment; largest: number } {
  const grid = newGrid(neuron, [logit], random && { finer: { random } });
  const rows = grid.points;
  const noise = new Float64Array(rows * neuron.noise);
  const weights = Float64Array.from({ length: rows }, (_, point) => grid.place(point, noise, point * neuron.noise));
  const h = new Float64Array(rows);
  neuron.fire({
    rows,
    units: 1,
    logits: new Float64Array(rows).fill(logit),
    noise,
    h,
    state: startingState(neuron, 1),
  });
  let [total, drawnTotal, mean, drawnMean, rate, drawnRate, largest] = [0, 0, 0, 0, 0, 0, 0];
  for (let point = 0; point < rows; point++) {
    const [weight, drawn] = [weights[point], grid.drawn(point)];
    total += weight;
    drawnTotal += drawn;
    mean += weight * h[point];
    drawnMean += drawn * h[point];
    largest = Math.max(largest, Math.abs(h[point]));
    if (h[point] === 0) continue;
    rate += weight;
    drawnRate += drawn;
  }
  return { mean: [mean / total, drawnMean / drawnTotal], rate: [rate / total, drawnRate / drawnTotal], largest };
}

function expectationVerdict(
  known: readonly Expectations[],
  claim: 'mean' | 'rate',
  declared: (logit: number) => number,
): Verdict {
  const what = claim === 'mean' ? 'E[h]' : 'P(h ≠ 0)';
  const way = known[0].exact ? 'by exact integration' : `by ${FIRED} draws, false alarms ${FALSE_ALARM}`;
  const off = (one: Expectations): number => {
    const { value, drawn, error } = one[claim];
    const wanted = declared(one.logit);
    const least = Math.min(Math.abs(value - wanted), Math.abs(drawn - wanted));
    return least <= error ? 0 : Number.isNaN(least) ? Number.POSITIVE_INFINITY : least;
  };
  const wrong = known.filter((one) => off(one) > 0);
  if (wrong.length > 0) {
    const { logit, [claim]: found } = wrong.reduce((a, b) => (off(b) > off(a) ? b : a));
    const evidence = `${what} at the logit ${short(logit)} is ${short(found.value)}, declared ${short(declared(logit))}, and other than declared at ${wrong.length} of ${known.length} logits from −${WIDEST} to ${WIDEST}, ${way}`;
    return { claim, verdict: 'refuted', evidence };
  }
  const shifted = known
    .filter((one) => one.exact && Math.abs(one[claim].drawn - one[claim].value) > 0.01 * Math.abs(one[claim].value))
    .map(({ logit }) => Math.abs(logit));
  const drawn =
    shifted.length === 0
      ? ''
      : `; with the 23-bit numbers that are drawn (steps of ${short(drawnUnder(1.5 * 2 ** -23))}) it is off by 1% and more from logits of size ${short(Math.min(...shifted))} on`;
  return {
    claim,
    verdict: 'holds',
    evidence: `${what} is the declared one at ${known.length} logits from −${WIDEST} to ${WIDEST}, ${way}${drawn}`,
  };
}
