import { signedRankTail } from '../../math/wilcoxon.ts';
import type { SweepDefinition } from './definition.ts';
import { Known, randomSettings } from './random-search.ts';
import { gridOf } from './space.ts';
import { treeParzen } from './tpe.ts';
import type { Settings } from './train-settings.ts';
import { metricOf, type Trial, type TrialOutcome } from './trial.ts';

/** A configuration and how it did. */
export interface Configuration {
  /** From 0. */
  readonly number: number;
  readonly settings: Settings;
  /** The metric of each seed so far, at the most epochs that it had; NaN for a trial that failed. */
  readonly values: readonly number[];
  /** Their mean as a loss (negated where the goal is to maximize); NaN before there is one, or where one failed. */
  readonly loss: number;
  /** Why it was left before its end. */
  readonly pruned?: string;
}

/** What a sweep asks for, by its definition and the outcomes so far. */
export interface SweepPlan {
  /** Every trial that is asked for, those that have an outcome too, in order. */
  readonly trials: readonly Trial[];
  readonly configurations: readonly Configuration[];
  readonly complete: boolean;
  /** Trials that there will be if nothing more is pruned. */
  readonly atMost: number;
}

/** A configuration on its way. */
interface Candidate {
  readonly number: number;
  readonly settings: Settings;
  /** Losses by seed, at the most epochs so far. */
  losses: number[];
  pruned?: string;
}

/**
 * What is to be trained, as a function of the definition and of outcomes: the same whenever and wherever it is asked, so that nothing is lost
 * when the process that asked dies, and the trials do not depend on how many workers there are or in which order they finish. A generation is
 * settled before the next one is chosen, and so is a round of seeds or a rung of epochs.
 * @param outcomes by the key of their trial
 * @throws RangeError when a result lacks the metric
 */
export function planSweep(definition: SweepDefinition, outcomes: ReadonlyMap<string, TrialOutcome>): SweepPlan {
  const planner = new Planner(definition, outcomes);
  const complete = planner.run();
  const sign = definition.goal === 'maximize' ? -1 : 1;
  return {
    trials: planner.trials,
    configurations: planner.candidates.map(({ number, settings, losses, pruned }) => ({
      number,
      settings,
      values: losses.map((loss) => sign * loss),
      loss: meanOf(losses),
      ...(pruned !== undefined && { pruned }),
    })),
    complete,
    atMost: complete ? planner.trials.length : mostTrials(definition) - planner.saved,
  };
}

class Planner {
  readonly trials: Trial[] = [];
  readonly candidates: Candidate[] = [];
  /** Trials that pruning made unnecessary. */
  saved = 0;
  private readonly definition: SweepDefinition;
  private readonly outcomes: ReadonlyMap<string, TrialOutcome>;

  constructor(definition: SweepDefinition, outcomes: ReadonlyMap<string, TrialOutcome>) {
    this.definition = definition;
    this.outcomes = outcomes;
  }

  /** Goes through the generations until outcomes are missing. @returns is nothing missing? */
  run(): boolean {
    for (const size of generations(this.definition)) {
      const first = this.candidates.length;
      const generation = this.propose(first, size).map((settings, i) => ({ number: first + i, settings, losses: [] }));
      const before = [...this.candidates];
      this.candidates.push(...generation);
      if (!this.train(generation, before)) return false;
    }
    return true;
  }

  private propose(first: number, size: number): Settings[] {
    const { space, search, seed } = this.definition;
    if (search === 'grid') return gridOf(space);
    if (search === 'random' || first === 0) {
      const known = new Known();
      return Array.from({ length: size }, (_, i) => {
        const settings = randomSettings(space, seed, first + i, known);
        known.add(settings);
        return settings;
      });
    }
    const tried = this.candidates.map(({ settings, losses }) => ({ settings, loss: meanOf(losses) }));
    return treeParzen(space, tried, size, seed, first);
  }

  private train(generation: Candidate[], before: readonly Candidate[]): boolean {
    const { pruning } = this.definition;
    if (pruning?.by === 'wilcoxon') return this.seedBySeed(generation, before, pruning.p);
    if (pruning?.by === 'halving') return this.rungByRung(generation, pruning);
    return this.ask(generation, this.seeds);
  }

  private get seeds(): number[] {
    return Array.from({ length: this.definition.seeds }, (_, i) => i + 1);
  }

  /** One seed after the other; after each, who is worse than the best on the same seeds goes. */
  private seedBySeed(generation: readonly Candidate[], before: readonly Candidate[], p: number): boolean {
    for (const seed of this.seeds) {
      const alive = generation.filter(({ pruned }) => pruned === undefined);
      if (!this.ask(alive, [seed])) return false;
      if (seed === this.definition.seeds) break;
      const rivals = [...before, ...alive].filter(({ pruned }) => pruned === undefined);
      const mean = ({ losses }: Candidate) => worstIfNaN(meanOf(losses.slice(0, seed)));
      const best = rivals.reduce((found, rival) => (mean(rival) < mean(found) ? rival : found));
      for (const candidate of alive) {
        if (candidate === best) continue;
        const tail = signedRankTail(
          candidate.losses.map((loss, i) => difference(worstIfNaN(loss), worstIfNaN(best.losses[i]))),
        );
        if (tail >= p) continue;
        candidate.pruned = `worse than configuration ${best.number} on ${seed} seeds: Wilcoxon's p = ${tail.toPrecision(2)}`;
        this.saved += this.definition.seeds - seed;
      }
    }
    return true;
  }

  /** A rung of epochs after the other; the best share goes on. */
  private rungByRung(generation: readonly Candidate[], pruning: { epochs: number; keep: number }): boolean {
    const rungs = rungsOf(this.definition, pruning);
    let alive = generation;
    for (const [i, epochs] of rungs.entries()) {
      if (!this.ask(alive, this.seeds, epochs)) return false;
      if (i === rungs.length - 1) break;
      const loss = ({ losses }: Candidate) => worstIfNaN(meanOf(losses));
      const sorted = [...alive].sort((a, b) => difference(loss(a), loss(b)) || a.number - b.number);
      const kept = sorted.slice(0, keptOf(alive.length, pruning.keep));
      for (const candidate of sorted.slice(kept.length))
        candidate.pruned = `not among the best ${kept.length} of ${alive.length} after ${epochs} epoch${epochs === 1 ? '' : 's'}`;
      alive = kept.sort((a, b) => a.number - b.number);
    }
    return true;
  }

  /** Asks for trials, seed by seed, and takes up their losses. @returns do all have an outcome? */
  private ask(candidates: readonly Candidate[], seeds: readonly number[], epochs?: number): boolean {
    const { train, metric, goal } = this.definition;
    let complete = true;
    for (const seed of seeds)
      for (const candidate of candidates) {
        const run = `c${String(candidate.number).padStart(3, '0')}-s${seed}`;
        const key = epochs === undefined ? run : `${run}-e${epochs}`;
        const settings = { ...train, ...candidate.settings, ...(epochs !== undefined && { epochs }), seed };
        this.trials.push({ key, run, configuration: candidate.number, seed, settings });
        const outcome = this.outcomes.get(key);
        if (outcome) candidate.losses[seed - 1] = (goal === 'maximize' ? -1 : 1) * metricOf(outcome, metric);
        else complete = false;
      }
    // Seeds finish in any order: losses are those of the seeds before the first that is missing.
    for (const candidate of candidates) {
      const missing = Array.from(candidate.losses).indexOf(undefined as unknown as number);
      if (missing >= 0) candidate.losses = candidate.losses.slice(0, missing);
    }
    return complete;
  }
}

/** How many configurations each generation has. */
function generations({ search, configurations, startup, generation }: SweepDefinition): number[] {
  if (search !== 'tpe') return [configurations];
  const sizes = [Math.min(startup, configurations)];
  for (let left = configurations - sizes[0]; left > 0; left -= generation) sizes.push(Math.min(generation, left));
  return sizes;
}

/** The epochs of each rung, the last one those of the definition. */
function rungsOf({ train }: SweepDefinition, { epochs, keep }: { epochs: number; keep: number }): number[] {
  const last = train.epochs as number;
  const rungs: number[] = [];
  for (let at = epochs; Math.round(at) < last; at /= keep) rungs.push(Math.round(at));
  return [...new Set(rungs), last];
}

const keptOf = (alive: number, keep: number): number => Math.max(1, Math.ceil(alive * keep - 1e-9));

/** Trials of a sweep of which nothing is pruned but by rungs. */
export function mostTrials(definition: SweepDefinition): number {
  const { pruning, seeds } = definition;
  return generations(definition).reduce((total, size) => {
    if (pruning?.by !== 'halving') return total + size * seeds;
    let [sum, alive] = [0, size];
    for (const _ of rungsOf(definition, pruning)) {
      sum += alive * seeds;
      alive = keptOf(alive, pruning.keep);
    }
    return total + sum;
  }, 0);
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const worstIfNaN = (loss: number): number => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss);
/** a − b, where two infinities are equal. */
const difference = (a: number, b: number): number => (a === b ? 0 : a - b);
