import { normalQuantile } from '../math/special.ts';
import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { unitInUse } from '../neurons/unit-in-use.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { edgeBias } from './edge-bias.ts';
import { auditLogits, gridPoints, integrableUnits } from './grid-size.ts';
import { type Integral, integrate, type Loss } from './integrate.ts';
import { networkProblem, type Problem, problems } from './problems.ts';
import { derivative } from './quadrature.ts';
import { sampleNeuron, warmState } from './sample-neuron.ts';
import { gradientInUse } from './unit-of.ts';

/** What became of a claim, or of a check that everything has to pass. */
export interface Verdict {
  /** E.g. `unbiased`, `mean`. */
  readonly claim: string;
  /** `undecided`: sampling saw nothing against it, and could not have told it from its opposite. */
  readonly verdict: 'holds' | 'refuted' | 'undecided';
  /** How it was found, as a sentence. */
  readonly evidence: string;
}

/** Probability with which a right claim of a neuron is refuted where it is tested by sampling; none where it is integrated. */
export const FALSE_ALARM = 1e-6;
/** What exact integration may be off by, relative to the true gradient over 1. */
const EXACT = 1e-7;
/** Most points of the grids that claims are tested on, and most units. */
const POINTS = 20_000;
const UNITS = 4;
/** Most points of the grid of a group that is cut short. */
const CUT_POINTS = 25_000;
/** Gradients drawn where one unit has too large a grid. */
const SAMPLES = 40_000;
/** Draws of h alone there. */
const FIRED = 20_000;
/** Logits that `mean` and `rate` are tested at. */
const LOGITS = [-16, -9, -6, -4.5, -3, -1.5, -0.75, 0.3, 0.75, 1.5, 3, 4.5, 6, 9, 16];

/** Tests every claim that a neuron declares: by exact integration, or where its grid is too large by sampling. */
export function testClaims(neuron: Neuron): Verdict[] {
  const { mean, rate, unbiasedRelaxation } = neuron.claims;
  const known = mean || rate ? expectationsOf(neuron) : [];
  const expectations = [
    ...(mean ? [expectationVerdict(known, 'mean', mean)] : []),
    ...(rate ? [expectationVerdict(known, 'rate', rate)] : []),
  ];
  return [...expectations, biasVerdict(neuron), ...(unbiasedRelaxation ? [relaxationVerdict(neuron)] : [])];
}

const nothing: Loss = (h) => ({ loss: 0, dh: new Float64Array(h.length) });

/** A number, and what it may be off by. */
interface Known {
  readonly value: number;
  readonly error: number;
}

/** E[h] and P(h ≠ 0) of a single unit in use at one logit. */
interface Expectations {
  readonly logit: number;
  readonly mean: Known;
  readonly rate: Known;
  readonly exact: boolean;
}

function expectationsOf(learner: Neuron): Expectations[] {
  const neuron = unitInUse(learner);
  const exact = gridPoints(neuron, 1) <= POINTS;
  return LOGITS.map((logit) => {
    if (exact) {
      const { mean, rate } = integrate(neuron, [logit], nothing);
      const known = ([value]: Float64Array): Known => ({ value, error: 1e-8 * Math.max(1, Math.abs(value)) });
      return { logit, exact, mean: known(mean), rate: known(rate) };
    }
    const { mean, rate, meanSquare } = sampleNeuron(neuron, [logit], nothing, { samples: FIRED, seed: 21 });
    const known = ([value]: Float64Array, square: number): Known => {
      // As wide for an event that was not seen as for one that was seen once.
      const variance = Math.max(square - value ** 2, 1 / FIRED);
      return { value, error: zOf(2 * LOGITS.length) * Math.sqrt(variance / FIRED) + 10 / FIRED };
    };
    return { logit, exact, mean: known(mean, meanSquare[0]), rate: known(rate, rate[0]) };
  });
}

function expectationVerdict(
  known: readonly Expectations[],
  claim: 'mean' | 'rate',
  declared: (logit: number) => number,
): Verdict {
  const what = claim === 'mean' ? 'E[h]' : 'P(h ≠ 0)';
  const way = known[0].exact ? 'by exact integration' : `by ${FIRED} draws, false alarms ${FALSE_ALARM}`;
  const first = known.find((one) => !(Math.abs(one[claim].value - declared(one.logit)) <= one[claim].error));
  if (!first)
    return { claim, verdict: 'holds', evidence: `${what} is the declared one for logits from −16 to 16, ${way}` };
  const evidence = `${what} at the logit ${first.logit} is ${short(first[claim].value)}, declared ${short(declared(first.logit))}, ${way}`;
  return { claim, verdict: 'refuted', evidence };
}

/** How far E[ĝ] is from a true gradient, on one problem and in one state. */
interface Distance {
  readonly problem: string;
  /** Of the unit where it is largest: absolute, relative to the largest number of the true gradient over 1. */
  readonly error: number;
  /** In standard errors; Infinity for an exact error that is not rounding, 0 for one that is. */
  readonly z: number;
}

function biasVerdict(neuron: Neuron): Verdict {
  const { unbiased, scale } = neuron.claims;
  const { distances, way, exact } = distancesOf(neuron, scale, (logits, loss) => gradientInUse(neuron, logits, loss));
  const worst = distances.reduce((a, b) => (b.z > a.z || (b.z === a.z && b.error > a.error) ? b : a));
  const threshold = zOf(distances.length * UNITS);
  const seen = worst.z > threshold;
  const found = `E[ĝ]${scale ? ', times the factor it declares,' : ''} is off the true gradient by ${short(worst.error)} on "${worst.problem}"`;
  const sigmas = exact ? '' : `, ${worst.z.toFixed(1)} standard errors (${threshold.toFixed(1)} would be chance)`;
  if (unbiased) {
    const claim = 'unbiased';
    if (seen) return { claim, verdict: 'refuted', evidence: `${found}${sigmas}, ${way}` };
    const edge = edgeBias(neuron);
    if (!edge) return { claim, verdict: 'holds', evidence: `${found} at most${sigmas}, ${way}` };
    const there = `E[ĝ] at the logit ${edge.logit} is ${short(edge.found)} on "${edge.problem}", and the true gradient ${short(edge.truth)}`;
    return { claim, verdict: 'refuted', evidence: `${there}, by exact integration over 1 unit` };
  }
  if (seen) return { claim: 'biased', verdict: 'holds', evidence: `${found}${sigmas}, ${way}` };
  const verdict = exact ? 'refuted' : 'undecided';
  return { claim: 'biased', verdict, evidence: `no bias on any problem: ${found} at most${sigmas}, ${way}` };
}

function relaxationVerdict(neuron: Neuron): Verdict {
  const claim = 'unbiased for its relaxation';
  const place = relaxationPlace(neuron);
  if (!place) return { claim, verdict: 'undecided', evidence: 'its grid is too large for exact integration' };
  const { distances, way } = distancesOf(
    neuron,
    undefined,
    (logits, loss, state) =>
      Float64Array.from(logits, (logit, unit) => {
        const shifted = Float64Array.from(logits);
        const expected = (x: number): number => {
          shifted[unit] = x;
          return integrate(neuron, shifted, loss, state).loss;
        };
        return derivative(expected, logit, 0.005);
      }),
    place,
  );
  const worst = distances.reduce((a, b) => (b.error > a.error ? b : a));
  const evidence = `E[ĝ] is off the gradient of what it trains with by ${short(worst.error)} on "${worst.problem}", ${way}`;
  return { claim, verdict: worst.z > 0 ? 'refuted' : 'holds', evidence };
}

/**
 * Two units on every problem; of a group whose grid is too large, two units that are a group cut short, on the random network,
 * where everything depends on everything.
 */
function relaxationPlace(neuron: Neuron): Place | undefined {
  const units = integrableUnits(neuron, 2, POINTS);
  if (units > 0) return { units, exact: true, problems: problems(units) };
  const cut = neuron.group !== undefined && gridPoints(neuron, 2) <= CUT_POINTS;
  return cut ? { units: 2, exact: true, problems: [networkProblem(2)] } : undefined;
}

/** Where a neuron is measured. */
interface Place {
  readonly units: number;
  readonly exact: boolean;
  readonly problems: readonly Problem[];
}

function placeOf(neuron: Neuron): Place {
  const integrable = integrableUnits(neuron, UNITS, POINTS);
  const exact = integrable > 0;
  let units = exact ? integrable : wholeGroups(neuron, UNITS);
  while (neuron.noise === 0 && neuron.opens && neuron.opens(units) < 2) units++;
  return { units, exact, problems: problems(units) };
}

type Truth = (logits: Float64Array, loss: Loss, state: NeuronState) => Float64Array;

function distancesOf(
  neuron: Neuron,
  scale: Neuron['claims']['scale'],
  truthOf: Truth,
  { units, exact, problems }: Place = placeOf(neuron),
): { distances: readonly Distance[]; way: string; exact: boolean } {
  const logits = auditLogits(neuron, units);
  const distances = problems.flatMap(({ name, loss }) => {
    const start = startingState(neuron, units);
    const warm = warmState(neuron, logits, loss, { minibatches: 20, seed: 22 });
    // Unbiased neurons are so whatever their state.
    const states = Object.keys(start).length === 0 ? [start] : [start, warm, disturbed(warm)];
    return states.map((state): Distance => {
      const truth = truthOf(logits, loss, state);
      const found = exact
        ? integrate(neuron, logits, loss, state)
        : sampleNeuron(neuron, logits, loss, { samples: SAMPLES, seed: 23, state });
      return { problem: name, ...distance(found, truth, scale?.(state) ?? 1, exact) };
    });
  });
  const many = `${units} unit${units === 1 ? '' : 's'}`;
  const way = exact
    ? `by exact integration over ${many}`
    : `by ${SAMPLES} draws of ${many}, false alarms ${FALSE_ALARM}`;
  return { distances, way, exact };
}

function distance(
  { gradient, variance }: Integral,
  truth: Float64Array,
  factor: number,
  exact: boolean,
): { error: number; z: number } {
  const size = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const errors = gradient.map((g, unit) => Math.abs(factor * g - truth[unit]) / size);
  // NaN is no gradient.
  const error = errors.every(Number.isFinite) ? Math.max(...errors) : Number.POSITIVE_INFINITY;
  if (exact) return { error, z: error > EXACT ? Number.POSITIVE_INFINITY : 0 };
  const z = errors.map((off, unit) => {
    if (off <= EXACT) return 0;
    return (off * size) / (factor * Math.sqrt(variance[unit] / SAMPLES));
  });
  return { error, z: z.every((value) => !Number.isNaN(value)) ? Math.max(...z) : Number.POSITIVE_INFINITY };
}

/** So many units, or the next whole number of groups. */
const wholeGroups = ({ group = 1 }: Neuron, units: number): number => group * Math.ceil(units / group);

/** Numbers near those of a state that has been lived with. */
function disturbed(state: NeuronState): NeuronState {
  const random = randomStream(24);
  return Object.fromEntries(
    Object.entries(state).map(([name, values]) => [name, values.map((value) => value * (0.5 + random.uniform()))]),
  );
}

/** Standard errors that the largest of so many estimates exceeds with the probability of a false alarm. */
const zOf = (estimates: number): number => -normalQuantile(FALSE_ALARM / (2 * estimates));

const short = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(3)).toString());
