import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { drawnUnder } from './axis.ts';
import { bendsOf } from './bends.ts';
import { zOf } from './bias-claim.ts';
import { cellsOf } from './found-cells.ts';
import { estimatePoints, newGrid } from './grid.ts';
import type { Loss } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import { livedState } from './lived-state.ts';
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
  /** That its state has seen. */
  readonly updates: number;
}

/** Logits from −20 to 20: so many by integration, and by sampling. */
const [INTEGRATED, SAMPLED] = [120, 16];
/** Largest size of a logit that is looked at; that of the places of a gradient. */
const WIDEST = 20;
/** Evenly spaced logits that a declared function is scanned at, and most of its bends that are looked at. */
const [SCAN, MOST_BENDS] = [4001, 8];
/** Updates after which a unit whose behaviour hangs on its state is looked at again. */
const UPDATES = 300;
/** Most points of the grid of a unit. */
const POINTS = 20_000;
/** Draws of h where it is larger. */
const FIRED = 20_000;
/** Multiples of the golden section, modulo 1, fill (0, 1) evenly however many there are. */
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
  const { neuron, resolution, countless } = cellsOf(leanUnit(learner));
  const exact = !countless && estimatePoints(neuron, [0.7], POINTS) <= POINTS;
  const shift = randomStream(seed, 0x6d65616e).uniform();
  const evenly = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => WIDEST * (2 * ((shift + i * GOLDEN) % 1) - 1));
  const lived = changedState(learner);
  const later = lived ? evenly(SAMPLED) : [];
  const logits = exact ? [...evenly(INTEGRATED * wide), ...bendsOfClaims(learner)] : evenly(SAMPLED * wide);
  const count = later.length + (exact ? 0 : logits.length);
  return [
    ...logits.map((logit, i): Expectations => {
      if (!exact) return sampledAt(neuron, logit, { seed: seed + i, count });
      return { logit, exact, updates: 0, ...integrated(neuron, logit, resolution) };
    }),
    ...later.map((logit, i) => sampledAt(behaviourOf(learner), logit, { seed: seed + i, count, ...lived })),
  ];
}

/** Logits at and beside those where a declared function jumps or bends. */
function bendsOfClaims({ claims: { mean, rate } }: Neuron): number[] {
  const logitAt = (i: number): number => WIDEST * ((2 * i) / (SCAN - 1) - 1);
  return [mean, rate].flatMap((declared) => {
    const values = declared ? Float64Array.from({ length: SCAN }, (_, i) => declared(logitAt(i))) : [];
    return bendsOf(values, MOST_BENDS).flatMap((i) => [i - 1, i, i + 1].map(logitAt));
  });
}

/** By sampling. @param options.count logits that are sampled in all */
function sampledAt(
  neuron: Neuron,
  logit: number,
  { seed, count, state, updates = 0 }: { seed: number; count: number; state?: NeuronState; updates?: number },
): Expectations {
  const options = { samples: FIRED, seed, ...(state && { state }) };
  const { mean, rate, meanSquare } = sampleNeuron(neuron, [logit], nothing, options);
  const known = ([value]: Float64Array, square: number): Known => {
    // As wide for an event that was not seen as for one that was seen once.
    const variance = Math.max(square - value ** 2, 1 / FIRED);
    return { value, drawn: value, error: zOf(2 * count) * Math.sqrt(variance / FIRED) + 20 / FIRED };
  };
  return { logit, exact: false, updates, mean: known(mean, meanSquare[0]), rate: known(rate, rate[0]) };
}

/** The state of a unit after many updates, if its behaviour is another one then. */
function changedState(learner: Neuron): { state: NeuronState; updates: number } | undefined {
  if (!learner.state || !learner.update || learner.group) return undefined;
  const lived = livedState(learner, 1, UPDATES, 0);
  const unit = behaviourOf(learner);
  const random = randomStream(1, 0x6d65616e, 2);
  const rows = 512;
  const logits = Float64Array.from({ length: rows }, () => WIDEST * (2 * random.uniform() - 1));
  const noise = Float64Array.from({ length: rows * unit.noise }, random.uniform);
  const [before, after] = [startingState(learner, 1), lived.state].map((one) => {
    const h = new Float64Array(rows);
    unit.fire({ rows, units: 1, logits, noise, h, state: one });
    return h;
  });
  return before.some((value, i) => !Object.is(value, after[i])) ? lived : undefined;
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
  const wayOf = (exact: boolean): string =>
    exact ? 'by exact integration' : `by ${FIRED} draws, false alarms ${FALSE_ALARM}`;
  const off = (one: Expectations): number => {
    const { value, drawn, error } = one[claim];
    const wanted = declared(one.logit);
    const least = Math.min(Math.abs(value - wanted), Math.abs(drawn - wanted));
    return least <= error ? 0 : Number.isNaN(least) ? Number.POSITIVE_INFINITY : least;
  };
  const wrong = known.filter((one) => off(one) > 0);
  if (wrong.length > 0) {
    const { logit, exact, updates, [claim]: found } = wrong.reduce((a, b) => (off(b) > off(a) ? b : a));
    const after = updates > 0 ? `, after ${updates} updates,` : '';
    const evidence = `${what} at the logit ${short(logit)}${after} is ${short(found.value)}, declared ${short(declared(logit))}, and other than declared at ${wrong.length} of ${known.length} logits from −${WIDEST} to ${WIDEST}, ${wayOf(exact)}`;
    return { claim, verdict: 'refuted', evidence };
  }
  const shifted = known
    .filter((one) => one.exact && Math.abs(one[claim].drawn - one[claim].value) > 0.01 * Math.abs(one[claim].value))
    .map(({ logit }) => Math.abs(logit));
  const drawn =
    shifted.length === 0
      ? ''
      : `; with the 23-bit numbers that are drawn (steps of ${short(drawnUnder(1.5 * 2 ** -23))}) it is off by 1% and more from logits of size ${short(Math.min(...shifted))} on`;
  const later = known.filter(({ updates }) => updates > 0);
  const lived =
    later.length === 0 ? '' : `, and at ${later.length} logits after ${later[0].updates} updates, ${wayOf(false)}`;
  return {
    claim,
    verdict: 'holds',
    evidence: `${what} is the declared one at ${known.length - later.length} logits from −${WIDEST} to ${WIDEST}, ${wayOf(known[0].exact)}${lived}${drawn}`,
  };
}
