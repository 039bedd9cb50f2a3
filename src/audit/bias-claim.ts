import { normalQuantile } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { isWholeRow } from './axis.ts';
import { diagnose } from './diagnose.ts';
import { cellsOf, DENSE_SCAN } from './found-cells.ts';
import { estimatePoints } from './grid.ts';
import { hasUntoldJointDraws } from './joint-rows.ts';
import { measure } from './measure.ts';
import type { Measure, UnitMeasure } from './place-measure.ts';
import { describePlace, drawPlace, short } from './places.ts';
import { turnsOf } from './turns.ts';
import { unitOf } from './unit-of.ts';
import { FALSE_ALARM, type TestOptions, type Verdict } from './verdict.ts';

/** What was measured of one neuron; several with other options stand behind one verdict. */
export interface BiasMeasures {
  readonly neuron: Neuron;
  readonly text: string;
  readonly measures: readonly Measure[];
}

/** Most units that the loss depends on: of one place in four, of one in sixteen, and else one. */
const [ACTIVE, MOST_ACTIVE] = [4, 7];
/** Most points of a grid: of one place in eight, and of the others. */
const [LARGE_GRID, SMALL_GRID] = [24_000, 700];
/** Points of the grid of a unit that is also looked at where its learning rule turns. */
const CHEAP_GRID = 16;
/** Places by the points of the grid of one unit, up to so many. */
const PLACES: readonly (readonly [points: number, places: number])[] = [
  [4, 128],
  [220, 56],
  [LARGE_GRID, 20],
  [Number.POSITIVE_INFINITY, 12],
];
/** Of coupled units with noise: their true gradient is an integral of whole rows, many times. */
const COUPLED_PLACES = 6;
const DENSE_PLACES = 12;
/** Of draws that are joint over a row as no cells tell: all of them are sampled. */
const UNTOLD_PLACES = 24;
/** With other options than the usual ones. */
const SHARE_OF_OTHERS = 0.06;
const THOROUGH = 10;
/** Numbers of a minibatch: of one place in eight, and of the others. */
const [LARGE_BATCH, SMALL_BATCH] = [300_000, 30_000];
/** Numbers that are worked on for a sampled place: to show no bias, and to see one that is declared. */
const [SAMPLING, SEEN_SAMPLING] = [400_000, 100_000];
/** Standard errors of a declared bias that is seen: beyond what chance makes of thousands of places. */
const SEEN = 8;
/** Units of layers that are sampled, but for one in five with the usual options: more draws tell more than more units. */
const SAMPLED_UNITS = 3;
/** Longest history of a state. */
const [UPDATES, FEW_UPDATES] = [1000, 60];

/** Measures E[ĝ] at places that are drawn from the whole domain. @param usual with its usual options? Else at fewer places */
export function measureBias(
  neuron: Neuron,
  text: string,
  usual: boolean,
  { seed = 1, thorough = false }: TestOptions = {},
): BiasMeasures {
  const { neuron: known, resolution } = cellsOf(neuron);
  // A dense search in every logit takes long.
  const dense = resolution > 0 && resolution <= 1 / DENSE_SCAN;
  const wide = thorough ? THOROUGH : 1;
  const one = isWholeRow(neuron) ? Math.min(2, neuron.mostUnits ?? 2) : (neuron.group ?? 1);
  const points = estimatePoints(known, new Float64Array(one).fill(0.7), LARGE_GRID);
  const [, most] = PLACES.find(([upTo]) => points <= upTo) ?? PLACES[PLACES.length - 1];
  const coupled = neuron.jointNoise !== undefined && neuron.noise > 0;
  const places = coupled ? Math.min(most, neuron.group ? 4 * COUPLED_PLACES : COUPLED_PLACES) : most;
  const upTo = dense ? DENSE_PLACES : hasUntoldJointDraws(neuron) ? UNTOLD_PLACES : places;
  const count = Math.ceil(Math.min(places, upTo) * (usual ? 1 : SHARE_OF_OTHERS) * wide);
  const looks = neuron.claims.unbiased ? 3 : usual ? 1 : 0;
  // Of other units the true gradient is a difference quotient, which is none at a kink.
  const isCheap = points <= CHEAP_GRID && unitOf(known) === 'bits';
  const turns = usual && isCheap && neuron.claims.unbiased ? turnsOf(neuron) : [];
  const measured =
    (sampling: number) =>
    (i: number): Measure => {
      const number = usual ? i : 7 * i + 3;
      const place = drawPlace(known, {
        seed,
        number,
        ...turns[i - count],
        most: i >= count ? 1 : number % 16 === 8 ? MOST_ACTIVE : number % 4 === 0 ? ACTIVE : 1,
        points: (coupled && !neuron.group ? number === 0 : number % 8 === 0 && !coupled && neuron.noise <= 2)
          ? LARGE_GRID
          : SMALL_GRID,
        numbers: number % 8 === 4 ? LARGE_BATCH : SMALL_BATCH,
        ...(points > SMALL_GRID && !(usual && number % 5 === 3) && { mostUnits: SAMPLED_UNITS }),
        updates: usual ? wide * UPDATES : FEW_UPDATES,
      });
      return measure(neuron, place, { sampling: wide * sampling, looks, totals: weighsItself(neuron) });
    };
  const numbers = Array.from({ length: count + turns.length }, (_, i) => i);
  const few = neuron.claims.unbiased ? [] : numbers.map(measured(SEEN_SAMPLING));
  // A bias that fewer draws do not show may be seen by more.
  const isSeen = few.some(({ broken, units }) => broken !== undefined || units.some((unit) => isOff(unit, SEEN)));
  const enough = isSeen || (few.length > 0 && !usual);
  return { neuron, text, measures: enough ? few : numbers.map(measured(SAMPLING)) };
}

/** Is E[total] compared with E[loss]: of an unbiased neuron with several draws. */
const weighsItself = (neuron: Neuron): boolean => neuron.claims.unbiased && neuron.draws !== undefined;

/** Is a measure beyond what chance or rounding make of an unbiased gradient? */
const isOff = ({ z }: UnitMeasure, threshold: number): boolean => z > threshold;

/** The claim `unbiased` or `biased` of a neuron, with all options that were measured: of all places the worst. */
export function biasVerdicts(all: readonly BiasMeasures[]): Verdict[] {
  const claims = new Map<string, BiasMeasures[]>();
  for (const one of all) {
    const claim = one.neuron.claims.unbiased ? 'unbiased' : 'biased';
    claims.set(claim, [...(claims.get(claim) ?? []), one]);
  }
  return [...claims].map(([claim, of]) => biasVerdict(claim, of));
}

/** One unit at one place. */
interface Tested extends UnitMeasure, Pick<Measure, 'place' | 'method' | 'samples'> {
  readonly wrong: boolean;
}

function biasVerdict(claim: string, all: readonly BiasMeasures[]): Verdict {
  for (const { measures, text } of all) {
    const broken = measures.find((one) => one.broken !== undefined);
    if (broken) return { claim, verdict: 'refuted', evidence: `${broken.broken}${withOptions(text, all)}` };
  }
  const sampledUnits = all.flatMap(({ measures }) => measures.filter(({ method }) => method === 'sampling'));
  const threshold = zOf(sampledUnits.reduce((sum, { units }) => sum + units.length, 1));
  const cases = all.flatMap(({ neuron, text, measures }) =>
    measures.flatMap((one) =>
      one.units.map((unit) => ({
        ...unit,
        text,
        neuron,
        place: one.place,
        method: one.method,
        samples: one.samples,
        magnitude: one.magnitude,
        wrong: isOff(unit, threshold),
      })),
    ),
  );
  if (cases.length === 0)
    return {
      claim,
      verdict: 'undecided',
      evidence:
        'its output has more jumps along its noise than are looked for, so that the true gradient is not known; expected `claims.rate`, for bits',
    };
  const wrong = cases.filter((one) => one.wrong);
  const way = wayOf(cases, threshold);
  if (claim === 'biased') return seenBias(cases, way);
  if (wrong.length > 0) {
    const worst = wrong.reduce((a, b) => (relative(b) > relative(a) ? b : a));
    const said = diagnose(cases);
    const factor = worst.neuron.claims.scale ? ', times the factor that it declares,' : '';
    const evidence = `E[ĝ]${factor} is off the true gradient ∇ at ${wrong.length} of ${cases.length} places${said ? `; ${said}` : ''}; ${example(worst)}`;
    return { claim, verdict: 'refuted', evidence: `${evidence}${withOptions(worst.text, all)}` };
  }
  if (!cases.some(({ method, zOfNothing = 0 }) => method === 'integration' || zOfNothing > threshold)) {
    const evidence = `no bias was seen at ${cases.length} places ${way}, and a gradient of 0 would not have been told from ∇ at any of them`;
    return { claim, verdict: 'undecided', evidence };
  }
  const exact = cases.filter(({ method, place }) => method === 'integration' && place.arrays === 'Float64');
  const told = exact.filter(({ truth, tolerance }) => Math.abs(truth) > 10 * tolerance).map(relative);
  const largest = told.length === 0 ? '' : `, to ${short(Math.max(...told))} of E|ĝ|`;
  return {
    claim,
    verdict: 'holds',
    evidence: `E[ĝ] is ∇ at ${cases.length} places ${way}${largest}${drawnNote(exact)}`,
  };
}

/** Is a bias seen at any place? */
function seenBias(cases: readonly Tested[], way: string): Verdict {
  const claim = 'biased';
  const wrong = cases.filter((one) => one.wrong);
  if (wrong.length > 0) {
    const largest = wrong.reduce((most, one) => (relative(one) > relative(most) ? one : most));
    const evidence = `E[ĝ] is off ∇ at ${wrong.length} of ${cases.length} places, ${example(largest)}`;
    return { claim, verdict: 'holds', evidence };
  }
  const exact = cases.every(({ method }) => method === 'integration');
  const evidence = `no bias at any of ${cases.length} places ${way}`;
  return { claim, verdict: exact ? 'refuted' : 'undecided', evidence };
}

/** Of what was integrated and sampled. */
function wayOf(cases: readonly { method: string; z: number }[], threshold: number): string {
  const sampled = cases.filter(({ method }) => method === 'sampling');
  const exact = cases.length - sampled.length;
  const most = sampled.reduce((z, one) => Math.max(z, one.z), 0);
  const samples = `sampling (at most ${most.toFixed(1)} standard errors, ${threshold.toFixed(1)} would be chance; false alarms ${FALSE_ALARM})`;
  if (sampled.length === 0) return 'of its whole domain by exact integration';
  return exact === 0
    ? `of its whole domain by ${samples}`
    : `of its whole domain, at ${exact} by exact integration and at ${sampled.length} by ${samples}`;
}

const relative = ({ found, truth, typical }: UnitMeasure): number =>
  found === truth ? 0 : Math.abs(found - truth) / Math.max(typical, Math.abs(truth), Number.MIN_VALUE);

function example(one: Tested): string {
  const how =
    one.method === 'integration'
      ? 'by exact integration'
      : `by ${one.samples} draws, ${one.z.toFixed(1)} standard errors`;
  return `e.g. E[ĝ] = ${short(one.found)} and ∇ = ${short(one.truth)} at ${describePlace(one.place, one.unit)}, ${how}`;
}

/** What the 23 bits of the numbers that are drawn make of it. */
function drawnNote(cases: readonly UnitMeasure[]): string {
  const shifted = cases
    .map(({ logit, drawnShift, typical }) => ({ logit, share: Math.abs(drawnShift) / typical }))
    .filter(({ share }) => share > 0.01);
  if (shifted.length === 0) return '';
  const nearest = shifted.reduce((a, b) => (Math.abs(b.logit) < Math.abs(a.logit) ? b : a));
  return `; with the 23-bit numbers that are drawn it is off by ${Math.round(100 * nearest.share)}% of E|ĝ| at the logit ${short(nearest.logit)}, and by more farther out`;
}

const withOptions = (text: string, all: readonly BiasMeasures[]): string =>
  text === all[0].text ? '' : `, with ${text}`;

/** What `weigh` makes of the losses: E[total] is E[loss]. */
export function totalVerdict(all: readonly BiasMeasures[]): Verdict | undefined {
  const totals = all.flatMap(({ text, measures }) =>
    measures.flatMap(({ place, total }) => (total ? [{ ...total, place, text }] : [])),
  );
  if (totals.length === 0) return undefined;
  const claim = 'weigh: E[total]';
  const wrong = totals.find(({ found, truth, tolerance }) => !(Math.abs(found - truth) <= tolerance));
  if (!wrong)
    return { claim, verdict: 'holds', evidence: `E[total] is E[loss] at ${totals.length} places by exact integration` };
  const at = describePlace(wrong.place, wrong.place.active[0]);
  const evidence = `the losses of its draws come to ${short(wrong.found)} on average where E[loss] is ${short(wrong.truth)} (over the size of the loss), at ${at}; expected that E[total] of \`weigh\` is E[loss]`;
  return { claim, verdict: 'refuted', evidence: `${evidence}${withOptions(wrong.text, all)}` };
}

/** Standard errors that the largest of so many estimates exceeds with the probability of a false alarm. */
export const zOf = (estimates: number): number => -normalQuantile(FALSE_ALARM / (2 * estimates));
