import { type Dataset, slice } from '../data/dataset.ts';
import type { Neuron } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { Clock, type ProgressEvent } from './advise-clock.ts';
import {
  HEAT_OF_BITS,
  type MeasuredNeuron,
  type MeasuredTrack,
  MOST_EVALUATIONS,
  measureCandidates,
} from './measured-candidates.ts';
import { type RaceResult, race, trackNames } from './race.ts';
import { compareRaces, type RacedNeuron, reasonsFor } from './race-reasons.ts';
import { unitOf } from './unit-of.ts';

export type { MeasuredNeuron } from './measured-candidates.ts';
export type { RacedNeuron } from './race-reasons.ts';

export interface AdviseOptions extends MeasuredTrack {
  /** Neurons to choose from, as texts with their options; where time runs out, the gradients of the first are measured. */
  readonly candidates: readonly string[];
  /** For everything; default 60. */
  readonly seconds?: number;
  /** Seeds of the final races, from 3; default 4. */
  readonly seeds?: number;
}

const NAMES: NamesOf<AdviseOptions> = {
  ...trackNames,
  candidates: true,
  carrier: true,
  seconds: true,
  seeds: true,
  trained: true,
};

export interface Advice {
  readonly neuron: string;
  /** What speaks for it and what is not known, in sentences. */
  readonly because: readonly string[];
  readonly measured: readonly MeasuredNeuron[];
  /** One seed each, to choose who races for the final. */
  readonly heat: readonly RaceResult[];
  readonly races: readonly RacedNeuron[];
  /** Seconds of training that every racer had in the final. */
  readonly slice: number;
  readonly seconds: number;
}

export type AdviseEvent = ProgressEvent | { readonly event: 'advice'; readonly advice: Advice };

/** Share of `seconds` at which the heat ends; the final, with several seeds a racer, has the rest. */
const HEAT_UNTIL = 0.55;
/** Best of the heat that race in the final. The carrier races there too. */
const FINALISTS = 3;
/** Most validation examples that a race is judged on: the standard error of an error rate of 5% is then 0.5%. */
const JUDGED = 2000;

/**
 * Finds a neuron for a network and its data: measures the gradients of all candidates whose units are bits at points of a short training,
 * lets the best of those and all others race for equal time, and the best of these on several seeds, all with the same weights,
 * order and minibatches by seed.
 * @throws RangeError for candidates that there are not, too few seeds, or a network that they do not fit; the signal's reason
 */
export async function* advise(options: AdviseOptions): AsyncGenerator<AdviseEvent, void> {
  checkNames('advise', options, NAMES);
  const { seconds = 60, seeds = 4, candidates, carrier } = options;
  if (!Number.isInteger(seeds) || seeds < 3) throw new RangeError(`\`seeds\` is ${seeds}. Expected three or more.`);
  if (!(seconds > 0)) throw new RangeError(`\`seconds\` is ${seconds}. Expected a number over 0.`);
  if (candidates.length === 0) throw new RangeError('There is no neuron to choose from. Expected one or more.');
  const clock = new Clock(seconds);
  const neurons = new Map(
    candidates.map((text): [string, Neuron] => [text, resolveNeuron(text, undefined, options.neurons)]),
  );
  const bits = [...neurons].filter(([, neuron]) => unitOf(neuron) === 'bits');
  const measured = yield* measureCandidates(options, new Map(bits), clock);
  if (measured.length === 0 && bits.length === neurons.size)
    throw new RangeError(
      `Every candidate asks for over ${MOST_EVALUATIONS} evaluations of the loss here. Expected another candidate.`,
    );
  const best = onePerName(measured, neurons)
    .slice(0, HEAT_OF_BITS)
    .map(({ neuron }) => neuron);
  // Other units have no gradient in common with these: the race alone tells; in their usual form, not in all.
  const others = [...neurons.keys()].filter((text) => !bits.some(([known]) => known === text) && !text.includes(':'));
  const reading = measured.filter(({ skips, neuron }) => skips && !best.includes(neuron)).slice(0, 1);
  const own = measured.some(({ neuron }) => neuron === carrier) ? [carrier] : [];
  const entrants = [...new Set([...own, ...best, ...reading.map(({ neuron }) => neuron), ...others])];
  const valid = judged(options.data.valid);
  const heat: RaceResult[] = [];
  const heatSlice = clock.share(HEAT_UNTIL, entrants.length);
  for (const [i, neuron] of entrants.entries()) {
    yield clock.progress(`heat ${i + 1} of ${entrants.length}: ${neuron}`);
    heat.push(await race(options, neuron, 1, heatSlice, valid));
  }
  heat.sort((a, b) => a.error - b.error);
  const finalists = [...new Set([...heat.slice(0, FINALISTS).map(({ neuron }) => neuron), ...own])];
  const slice = clock.share(1, finalists.length * seeds);
  const results: RaceResult[] = [];
  for (let seed = 1; seed <= seeds; seed++)
    for (let i = 0; i < finalists.length; i++) {
      // Another one first each time, so that a machine that gets slower is unfair to nobody.
      const neuron = finalists[(i + seed) % finalists.length];
      yield clock.progress(`race ${results.length + 1} of ${finalists.length * seeds}: ${neuron}`);
      // The heat was on seed 1.
      results.push(await race(options, neuron, seed + 1, slice, valid));
    }
  const races = compareRaces(finalists, results, neurons);
  const [first] = races;
  const because = reasonsFor(races, measured, options, slice);
  yield {
    event: 'advice',
    advice: { neuron: first.neuron, because, measured, heat, races, slice, seconds: clock.elapsed },
  };
}

/** The best form of every neuron. */
function onePerName(
  measured: readonly MeasuredNeuron[],
  neurons: ReadonlyMap<string, Neuron>,
): readonly MeasuredNeuron[] {
  const names = measured.map(({ neuron }) => neurons.get(neuron)?.name);
  return measured.filter((_, i) => names.indexOf(names[i]) === i);
}

const judged = (valid: Dataset): Dataset => (valid.count > JUDGED ? slice(valid, 0, JUDGED) : valid);
