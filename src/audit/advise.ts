import { type Dataset, slice } from '../data/dataset.ts';
import { meanOf } from '../math/repeats.ts';
import { studentQuantile } from '../math/student.ts';
import type { Neuron } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import { hasGates } from '../nn/layer-kinds.ts';
import type { Model } from '../nn/model.ts';
import { skipsInTraining } from '../nn/paths.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { siteOf } from '../train/estimator-probe.ts';
import type { Interval } from './audit-neuron.ts';
import { type SiteAudit, SiteAuditor } from './audit-site.ts';
import { affordable } from './candidates.ts';
import { type RaceResult, type RaceTrack, Runner, race, trackNames } from './race.ts';
import { unitOf } from './unit-of.ts';

export interface AdviseOptions extends RaceTrack {
  /** Neurons to choose from, as texts with their options; where time runs out, the gradients of the first are measured. */
  readonly candidates: readonly string[];
  /** What trains the network that gradients are measured on; its units are bits. Also the one that others are compared with. */
  readonly carrier: string;
  /** For everything; default 60. */
  readonly seconds?: number;
  /** Seeds of the final races, from 3; default 4. */
  readonly seeds?: number;
  /** A trained network with the same layers, to measure on as well. */
  readonly trained?: Model;
}

const NAMES: NamesOf<AdviseOptions> = {
  ...trackNames,
  candidates: true,
  carrier: true,
  seconds: true,
  seeds: true,
  trained: true,
};

/** Gradients of one neuron at several points of a short training: means over the points. Squares are over |∇|². */
export interface MeasuredNeuron {
  readonly neuron: string;
  readonly points: number;
  readonly evaluations: number;
  /** |E[ĝ] − ∇| over |∇|, of the mean of the squares. */
  readonly bias: number;
  readonly variance: number;
  /** Variance × evaluations: what noise is left at equal compute. */
  readonly variancePerEvaluation: number;
  /** Bias² + variance·evaluations/64. */
  readonly atEqualCompute: number;
  readonly skips: boolean;
}

/** One neuron over the seeds of the final races. */
export interface RacedNeuron {
  readonly neuron: string;
  /** Validation errors, shares in [0, 1], by seed. */
  readonly errors: readonly number[];
  readonly error: number;
  /** Its error less that of the best, on the same seeds, with the 95% interval of Student's distribution; absent for the best. */
  readonly behind?: Interval;
  readonly density: number;
  readonly steps: number;
  /** Multiply-adds of training over those of all blocks. */
  readonly executed: number;
  readonly skips: boolean;
}

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

export type AdviseEvent =
  | { readonly event: 'progress'; readonly what: string; readonly share: number; readonly secondsLeft: number }
  | { readonly event: 'advice'; readonly advice: Advice };

/** Shares of the time: measured gradients until here, the heat until here; the final has the rest. */
const MEASURE_UNTIL = 0.3;
const HEAT_UNTIL = 0.55;
const POINTS = 3;
/** A slow machine measures no more gradients from here on. */
const LATEST = 0.4;
/** Neurons measured at the later points. */
const FOLLOWED = 16;
const HEAT_OF_BITS = 5;
const FINALISTS = 3;
/** Neurons that ask for more in this network are left out. */
const MOST_EVALUATIONS = 32;
/** Validation examples that races are judged on, at most. */
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
  const measured = yield* measure(options, new Map(bits), clock);
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
  const races = compare(finalists, results, neurons);
  const [first] = races;
  const because = reasons(races, measured, options, slice);
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

class Clock {
  private readonly seconds: number;
  private readonly start = performance.now();

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  get elapsed(): number {
    return (performance.now() - this.start) / 1000;
  }

  get used(): number {
    return this.elapsed / this.seconds;
  }

  /** Training time of one of so many, until a share of all time is used; engines and validation take a part of it. */
  share(until: number, count: number): number {
    return Math.max(0.02 * this.seconds, 0.8 * (until * this.seconds - this.elapsed)) / count;
  }

  progress(what: string): AdviseEvent {
    const share = Math.min(1, this.used);
    return { event: 'progress', what, share, secondsLeft: Math.max(0, this.seconds - this.elapsed) };
  }
}

/** Audits all neurons at points of a short training by the carrier; best at equal compute first. */
async function* measure(
  options: AdviseOptions,
  neurons: ReadonlyMap<string, Neuron>,
  clock: Clock,
): AsyncGenerator<AdviseEvent, MeasuredNeuron[]> {
  if (neurons.size === 0) return [];
  const found = new Map<string, SiteAudit[]>();
  const { data, carrier, batch, trained } = options;
  const engine = await options.makeEngine();
  const budget = { repeats: 12, warmUp: 12 };
  async function* at(model: Model, indices: Int32Array, what: string): AsyncGenerator<AdviseEvent, void> {
    const site = siteOf(model);
    const auditor = new SiteAuditor(model, site, data.train, { indices, ...budget });
    // After the first point, those that do best there.
    const worth = found.size === 0 ? [...neurons.keys()] : ranked(found).slice(0, FOLLOWED);
    const fitting = [...neurons].filter(
      ([text, neuron]) => worth.includes(text) && affordable(neuron, site.units, MOST_EVALUATIONS),
    );
    for (const [i, [text, neuron]] of fitting.entries()) {
      yield clock.progress(`gradients ${what}: ${i + 1} of ${fitting.length}, ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
      options.signal?.throwIfAborted();
      if (clock.used > LATEST && found.size >= HEAT_OF_BITS) return;
      found.set(text, [...(found.get(text) ?? []), auditor.audit(neuron, text)]);
    }
  }
  try {
    const runner = new Runner(engine, options, carrier, 1);
    const rows = Math.min(batch, 20);
    if (trained) yield* at(trained, runner.minibatch().slice(0, rows), 'in the trained network');
    for (let point = 0; point < POINTS && (point === 0 || clock.used < MEASURE_UNTIL); point++) {
      await runner.train(clock.share(MEASURE_UNTIL, 2 * (POINTS - point)) / 4);
      yield* at(runner.model, runner.minibatch().slice(0, rows), `after ${runner.steps} steps`);
    }
  } finally {
    engine.close();
  }
  const most = Math.max(0, ...[...found.values()].map(({ length }) => length));
  return (
    [...found]
      .map(([neuron, audits]): MeasuredNeuron => {
        const [{ evaluations, skips }] = audits;
        const variance = average(audits, (audit) => audit.variance);
        return {
          neuron,
          points: audits.length,
          evaluations,
          bias: Math.sqrt(average(audits, ({ bias }) => (bias?.value ?? 0) ** 2)),
          variance,
          variancePerEvaluation: variance * evaluations,
          atEqualCompute: average(audits, (audit) => audit.atEqualCompute),
          skips,
        };
      })
      // Those that were measured at all points come first: one point alone may be an easy one.
      .sort((a, b) => Number(b.points === most) - Number(a.points === most) || a.atEqualCompute - b.atEqualCompute)
  );
}

const average = (audits: readonly SiteAudit[], of: (audit: SiteAudit) => number): number =>
  meanOf(audits.map(of)).value;

/** Best at equal compute first. */
function ranked(found: ReadonlyMap<string, readonly SiteAudit[]>): string[] {
  const error = (audits: readonly SiteAudit[]): number => average(audits, (audit) => audit.atEqualCompute);
  return [...found].sort(([, a], [, b]) => error(a) - error(b)).map(([text]) => text);
}

const judged = (valid: Dataset): Dataset => (valid.count > JUDGED ? slice(valid, 0, JUDGED) : valid);

/** The finalists over the seeds, best mean error first, each against the best on the same seeds. */
function compare(
  finalists: readonly string[],
  results: readonly RaceResult[],
  neurons: ReadonlyMap<string, Neuron>,
): RacedNeuron[] {
  const rows = finalists.map((neuron): RacedNeuron => {
    const own = results.filter((result) => result.neuron === neuron).sort((a, b) => a.seed - b.seed);
    const average = (of: (result: RaceResult) => number): number => meanOf(own.map(of)).value;
    return {
      neuron,
      errors: own.map(({ error }) => error),
      error: average(({ error }) => error),
      density: average(({ density }) => density),
      steps: Math.round(average(({ steps }) => steps)),
      executed: average(({ executed }) => executed),
      skips: skipsInTraining(neurons.get(neuron) ?? resolveNeuron(neuron)),
    };
  });
  rows.sort((a, b) => a.error - b.error);
  const [best] = rows;
  return rows.map((row) => {
    if (row === best) return row;
    const { value, error } = meanOf(row.errors.map((one, i) => one - best.errors[i]));
    const t = studentQuantile(0.975, row.errors.length - 1);
    return { ...row, behind: { value, least: value - t * error, most: value + t * error } };
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

function reasons(
  races: readonly RacedNeuron[],
  measured: readonly MeasuredNeuron[],
  { layersOf, carrier }: AdviseOptions,
  slice: number,
): string[] {
  const [best, ...rest] = races;
  const seeds = best.errors.length;
  const found = [
    `${best.neuron} had the least validation error, ${percent(best.error)}, after ${slice.toPrecision(2)} s of training, mean of ${seeds} seeds.`,
  ];
  const worse = rest.filter(({ behind }) => behind && behind.least > 0).map(({ neuron }) => neuron);
  const like = rest.filter(({ behind }) => behind && behind.least <= 0).map(({ neuron }) => neuron);
  if (worse.length > 0)
    found.push(`On the same seeds it is ahead of ${worse.join(', ')} (95% intervals of the difference).`);
  if (like.length > 0)
    found.push(`These races cannot tell it from ${like.join(', ')}: more seconds, or more seeds, might.`);
  const gradient = measured.find(({ neuron }) => neuron === best.neuron);
  if (gradient)
    found.push(
      `Its gradient at the logits is off by ${gradient.bias.toPrecision(2)}·|∇| in the mean and has ${gradient.variancePerEvaluation.toPrecision(2)}·|∇|² of variance for each evaluation of the loss, at ${gradient.points} point${gradient.points === 1 ? '' : 's'} of a training by ${carrier}.`,
    );
  if (layersOf(best.neuron).some((layer) => 'layer' in layer && hasGates(layer))) found.push(skipping(best, races));
  return found;
}

function skipping(best: RacedNeuron, races: readonly RacedNeuron[]): string {
  const done = `it executed ${Math.round(100 * best.executed)}% of all multiply-adds in these races`;
  if (best.skips) return `Closed blocks can be skipped while it trains: ${done}.`;
  const other = races.find(({ skips }) => skips);
  const hint = other
    ? `; with ${other.neuron} they can (${Math.round(100 * other.executed)}%, error ${percent(other.error)})`
    : '';
  return `Closed blocks are computed while it trains, as it reads the gradient of closed gates: ${done}${hint}.`;
}
