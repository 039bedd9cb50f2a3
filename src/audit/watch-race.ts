import type { Engine } from '../backend/engine.ts';
import { slice } from '../data/dataset.ts';
import { meanOf, repeatsOf } from '../math/repeats.ts';
import { studentQuantile } from '../math/student.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { evaluate } from '../train/evaluate.ts';
import { type Measured, SiteGradients } from '../train/site-gradients.ts';
import type { Interval } from './audit-neuron.ts';
import { type RaceTrack, Runner, trackNames } from './race.ts';
import { type RaceArm, raceArm } from './race-arm.ts';

/** What is equal for all arms: evaluations of the loss for an example of each minibatch, seconds of training, or steps of the optimizer. */
export type RaceMeasure = 'evaluations' | 'seconds' | 'steps';

export interface WatchRaceOptions extends RaceTrack {
  /** Two or more arms as texts, `NEURON` or `NEURON*PASSES`; see `raceArm`. */
  readonly arms: readonly string[];
  readonly by: RaceMeasure;
  /** How much of it every arm has. */
  readonly budget: number;
  /** Points along the way at which all are measured; default 20. */
  readonly points?: number;
  /** Of weights, order and draws; every arm runs with each; default [1]. */
  readonly seeds?: readonly number[];
  /** How networks are measured: noise off (default), or sampled. */
  readonly mode?: 'mean-field' | 'sample';
  /** Measure the variance of gradients at the logits of the first units with noise; default true. */
  readonly gradients?: boolean;
}

const NAMES: NamesOf<WatchRaceOptions> = {
  ...trackNames,
  arms: true,
  by: true,
  budget: true,
  points: true,
  seeds: true,
  mode: true,
  gradients: true,
};
/** What arms can have equal amounts of, in the order in which errors list them. */
const MEASURES: readonly RaceMeasure[] = ['evaluations', 'seconds', 'steps'];
const MODES = ['mean-field', 'sample'] as const satisfies readonly WatchRaceOptions['mode'][];

/** How a network does on data: share of wrong answers in [0, 1], and mean cross-entropy in nats. */
export interface RaceScore {
  readonly error: number;
  readonly loss: number;
}

/** Where one arm stands with one seed. */
export interface RacePoint {
  readonly event: 'point';
  readonly arm: string;
  readonly seed: number;
  /** From 0, before training, to `points`. */
  readonly point: number;
  readonly points: number;
  /** Of what is equal for all; at most a step over the share that the point stands for. */
  readonly spent: number;
  readonly steps: number;
  readonly evaluations: number;
  readonly seconds: number;
  /** Mean training loss as sampled since the point before, in nats; absent at point 0. */
  readonly sampledLoss?: number;
  /** On at most 1,000 training examples. */
  readonly train: RaceScore;
  readonly valid: RaceScore;
  /** Of one step's gradient at the logits, per example: Σ Var over the units, and |mean|², which noise can bring under 0. Absent without noise. */
  readonly gradient?: { readonly variance: number; readonly squaredMean: number };
}

/** An arm that stopped: its loss became NaN or infinite. */
export interface RaceFailure {
  readonly event: 'failure';
  readonly arm: string;
  readonly seed: number;
  readonly reason: string;
}

/** An arm at the end, over its seeds; intervals are of Student's distribution, 95%, and without bounds for one seed. */
export interface RaceStanding {
  readonly arm: string;
  /** That came to the end. */
  readonly seeds: number;
  readonly steps: number;
  readonly evaluations: number;
  readonly seconds: number;
  readonly trainError: Interval;
  readonly validError: Interval;
  /** Validation less training error, seed by seed. */
  readonly gap: Interval;
  readonly trainLoss: Interval;
}

/** Events of `watchRace`, told apart by `event`. */
export type RaceEvent =
  | RacePoint
  | RaceFailure
  | { readonly event: 'result'; readonly standings: readonly RaceStanding[] };

/** Gradients drawn at a point, on so many examples. */
const REPEATS = 6;
const GRADIENT_ROWS = 25;
/** Training examples that networks are measured on, at most. */
const MOST_TRAINING = 1000;

/**
 * Trains the same network with several neurons side by side, and says after every stretch where each stands. A seed gives all arms the
 * same weights, where their units are of one size, order and minibatches; arms take turns, another one first each time. By evaluations and
 * by steps, the same options give the same events but for the seconds.
 * @throws RangeError for fewer than two arms, arms that come twice or do not fit, and numbers that do not do; the signal's reason
 */
export async function* watchRace(options: WatchRaceOptions): AsyncGenerator<RaceEvent, void> {
  const arms = checked(options);
  const { points = 20, seeds = [1], by, budget } = options;
  const engine = await options.makeEngine();
  const last = new Map<string, RacePoint[]>(arms.map(({ text }) => [text, []]));
  try {
    const runners = seeds.map((seed) => arms.map((arm) => new Watched(engine, options, arm, seed)));
    for (let point = 0; point <= points; point++)
      for (const own of runners)
        for (let i = 0; i < own.length; i++) {
          // Another one first each time, so that a machine that gets slower is unfair to nobody.
          const runner = own[(i + point) % own.length];
          if (runner.failed) continue;
          const event = await runner.runTo(point, points, (point / points) * budget, by);
          if (event.event === 'point' && point === points) last.get(event.arm)?.push(event);
          yield event;
        }
  } finally {
    engine.close();
  }
  yield { event: 'result', standings: arms.map(({ text }) => standingOf(text, last.get(text) ?? [])) };
}

function checked(options: WatchRaceOptions): RaceArm[] {
  checkNames('watchRace', options, NAMES);
  const { arms: texts, neurons, budget, points = 20, seeds = [1], by, mode = 'mean-field' } = options;
  checkOneOf('by', by, MEASURES, 'watchRace');
  checkOneOf('mode', mode, MODES, 'watchRace');
  const arms = texts.map((text) => raceArm(text, neurons));
  const twice = texts.find((text, i) => texts.indexOf(text) < i);
  if (twice !== undefined) throw new RangeError(`"${twice}" runs twice in the race. Expected it once.`);
  if (arms.length < 2)
    throw new RangeError(`The race has ${arms.length === 1 ? 'one neuron' : 'no neuron'}. Expected two or more.`);
  if (!(budget > 0 && Number.isFinite(budget)))
    throw new RangeError(`The budget of the race is ${budget}. Expected a number over 0.`);
  if (!Number.isInteger(points) || points < 1)
    throw new RangeError(`\`points\` is ${points}. Expected a whole number from 1 up.`);
  if (seeds.length === 0) throw new RangeError('A race wants a seed. Expected one or more.');
  return arms;
}

/** A runner that is measured at points. */
class Watched {
  failed = false;
  private readonly arm: RaceArm;
  private readonly seed: number;
  private readonly options: WatchRaceOptions;
  private readonly runner: Runner;
  private readonly gradients:
    | { readonly site: FiringSite; readonly at: SiteGradients; readonly own: Measured }
    | undefined;

  constructor(engine: Engine, options: WatchRaceOptions, arm: RaceArm, seed: number) {
    this.arm = arm;
    this.seed = seed;
    this.options = options;
    this.runner = new Runner(engine, options, arm.neuron, seed, arm.passes);
    const { model } = this.runner;
    const site = model.stochasticSites[0];
    if (!site || options.gradients === false) return;
    const at = new SiteGradients(model, site);
    this.gradients = { site, at, own: at.measured(site.neuron) };
  }

  async runTo(point: number, points: number, target: number, by: RaceMeasure): Promise<RacePoint | RaceFailure> {
    const { runner, seed, options } = this;
    const { text: arm } = this.arm;
    try {
      if (runner[by] < target) await runner.trainWhile(() => runner[by] < target);
      const sampledLoss = runner.takeLoss();
      const { train, valid } = options.data;
      const part = train.count > MOST_TRAINING ? slice(train, 0, MOST_TRAINING) : train;
      const [onTrain, onValid] = [part, valid].map((data) => {
        const { error, loss } = evaluate(runner.model, data, { mode: options.mode ?? 'mean-field' });
        return { error, loss };
      });
      const { steps, evaluations, seconds } = runner;
      const gradient = this.measure();
      return {
        event: 'point',
        arm,
        seed,
        point,
        points,
        spent: runner[by],
        steps,
        evaluations,
        seconds,
        ...(sampledLoss !== undefined && { sampledLoss }),
        train: onTrain,
        valid: onValid,
        ...(gradient && { gradient }),
      };
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      this.failed = true;
      return { event: 'failure', arm, seed, reason: error.message };
    }
  }

  /** On the first training examples, with what the neuron has learned so far. */
  private measure(): RacePoint['gradient'] {
    if (!this.gradients) return undefined;
    const { site, at, own } = this.gradients;
    const { train } = this.options.data;
    const rows = Math.min(GRADIENT_ROWS, train.count);
    const indices = Int32Array.from({ length: rows }, (_, i) => i);
    const draws = Array.from({ length: REPEATS }, (_, draw) => {
      if (site.state) own.state?.values.set(site.state.values);
      return at.draw(own, train, indices, this.runner.steps, draw).gradient;
    });
    const { variance, squaredMean } = repeatsOf(draws);
    return { variance: variance.value / rows / this.arm.passes, squaredMean: squaredMean.value / rows };
  }
}

function standingOf(arm: string, points: readonly RacePoint[]): RaceStanding {
  const over = (of: (point: RacePoint) => number): Interval => {
    if (points.length === 0) return { value: Number.NaN, least: Number.NaN, most: Number.NaN };
    const { value, error } = meanOf(points.map(of));
    const half = points.length > 1 ? studentQuantile(0.975, points.length - 1) * error : Number.POSITIVE_INFINITY;
    return { value, least: value - half, most: value + half };
  };
  return {
    arm,
    seeds: points.length,
    steps: over(({ steps }) => steps).value,
    evaluations: over(({ evaluations }) => evaluations).value,
    seconds: over(({ seconds }) => seconds).value,
    trainError: over(({ train }) => train.error),
    validError: over(({ valid }) => valid.error),
    gap: over(({ train, valid }) => valid.error - train.error),
    trainLoss: over(({ train }) => train.loss),
  };
}
