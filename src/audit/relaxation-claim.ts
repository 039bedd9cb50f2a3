import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { cellsOf } from './found-cells.ts';
import { gridPoints, integrableUnits } from './grid-size.ts';
import { integrate, type Loss } from './integrate.ts';
import { short } from './places.ts';
import { problemKinds } from './problems.ts';
import { differences } from './truth.ts';
import type { TestOptions, Verdict } from './verdict.ts';

/** Most points of the grid, and of that of a group that is cut short. */
const [POINTS, CUT_POINTS] = [20_000, 25_000];
const UNITS = 2;
/** Places by the points of the grid. */
const PLACES = 12;
const WIDEST = 8;
/** What exact integration may be off by, relative to E|ĝ|. */
const EXACT = 1e-6;

/** Is a neuron that trains by a relaxation unbiased for E[loss] of what it trains with? At logits and losses of many sizes. */
export function relaxationVerdict(given: Neuron, { seed = 1, thorough = false }: TestOptions = {}): Verdict {
  const claim = 'unbiased for its relaxation';
  const { neuron } = cellsOf(given);
  const whole = integrableUnits(neuron, UNITS, POINTS);
  const cut = whole === 0 && neuron.group !== undefined && gridPoints(neuron, UNITS) <= CUT_POINTS;
  if (whole === 0 && !cut)
    return { claim, verdict: 'undecided', evidence: 'its grid is too large for exact integration' };
  const most = cut ? UNITS : whole;
  const random = randomStream(seed, 0x72656c78);
  // A grid of many points has its true gradient integrated sixteen times a unit.
  const large = gridPoints(neuron, most) > POINTS / 10;
  const count = (large ? (cut ? 1 : 3) : PLACES) * (thorough ? 5 : 1);
  let worst = 0;
  for (let place = 0; place < count; place++) {
    const units = cut || neuron.group ? most : 1 + (place % most);
    const widest = large ? 2 : WIDEST;
    const logits = Float64Array.from({ length: units }, () => widest * (2 * random.uniform() - 1));
    const size = 10 ** (3 * random.uniform() - 2);
    const kinds = Object.values(problemKinds);
    const base = kinds[cut ? 2 : place % kinds.length](units, seed + place);
    const loss: Loss = (h) => {
      const answer = base.loss(h);
      return { loss: size * answer.loss, dh: Float64Array.from(answer.dh, (d) => size * d) };
    };
    const state = startingState(neuron, units);
    let typical = new Float64Array(units);
    const { gradient } = integrate(neuron, logits, loss, state, (weight, one) => {
      typical = typical.map((sum, i) => sum + weight * Math.abs(one[i]));
    });
    const truth = differences((at) => integrate(neuron, at, loss, state).loss, logits);
    for (let i = 0; i < units; i++) {
      const off = Math.abs(gradient[i] - truth.gradient[i]);
      const tolerance = EXACT * (typical[i] + Math.abs(truth.gradient[i])) + truth.error[i] + 1e-12 * size;
      if (!(off <= tolerance)) {
        const evidence = `E[ĝ] = ${short(gradient[i])}, and the gradient of what it trains with is ${short(truth.gradient[i])}, at the logits ${Array.from(logits, short).join(', ')} on "${base.name}" with losses of about ${short(size)}, by exact integration over ${units} units`;
        return { claim, verdict: 'refuted', evidence };
      }
      worst = Math.max(worst, off / (typical[i] + Math.abs(truth.gradient[i]) + Number.MIN_VALUE));
    }
  }
  const many = `${most} unit${most === 1 ? '' : 's'}`;
  const evidence = `E[ĝ] is the gradient of what it trains with to ${short(worst)} of E|ĝ| at ${count} places, by exact integration over ${many}`;
  return { claim, verdict: 'holds', evidence };
}
