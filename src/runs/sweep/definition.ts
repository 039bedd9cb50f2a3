import { shorten } from '../../io/json.ts';
import { suggest } from '../../math/text.ts';
import { checkNames, checkOneOf, type NamesOf } from '../../schema/names.ts';
import { problemOf } from '../../schema/schema.ts';
import { resolveTask } from '../../tasks/index.ts';
import { nameIn, type Reading, readingOf } from '../../tasks/reading.ts';
import { EXPECTED_NAME, isPlainName } from '../plain-name.ts';
import { checkSetting, checkSettings, expectedOf, settingKind } from './check-settings.ts';
import { gridOf, isRange, LEAST_WIDTH, type Range, type Space, sizeOf, stepsOf, type TrainSpace } from './space.ts';
import type { Settings, TrainSettings } from './train-settings.ts';
import { resultNumbers } from './trial.ts';

/** How configurations are left early. */
export type Pruning =
  | {
      /** Seed by seed: out goes what is worse than the best on the same seeds by Wilcoxon's signed-rank test. */
      readonly by: 'wilcoxon';
      /** Level of the one-sided test; default 0.05, which takes at least five seeds. */
      readonly p?: number;
    }
  | {
      /** By epochs: after `epochs`, and then each time that many times longer, the best share goes on. */
      readonly by: 'halving';
      /** Epochs of the first rung. */
      readonly epochs: number;
      /** The share that is kept at every rung; default 1/3. Epochs grow by its inverse. */
      readonly keep?: number;
    };

/** A sweep as a file defines it: `export default defineSweep({ … })`. */
export interface Sweep {
  /** Default: the file's name. */
  readonly name?: string;
  /** Settings that all trials have. */
  readonly train?: TrainSettings;
  /** Settings that are searched. */
  readonly space: TrainSpace;
  /** Default `random`. */
  readonly search?: 'grid' | 'random' | 'tpe';
  /** How many configurations are tried, each another one; default 20, or all where the space has fewer; a grid has as many as it has. */
  readonly configurations?: number;
  /** Trials of each configuration, with the seeds 1, 2, …; default 1. */
  readonly seeds?: number;
  /** A number of a run's result: `validError`, `trainLoss`, `density`, `testError.threshold`, `flops.executed`, …; default: the task's own on the validation data. */
  readonly metric?: string;
  /** Default: `minimize`, or what the task says of its own metric. */
  readonly goal?: 'minimize' | 'maximize';
  /** Default: none. */
  readonly pruning?: Pruning;
  /** Of the search's own draws; default 1. */
  readonly seed?: number;
  /** `tpe`: random configurations before it begins, default 10. */
  readonly startup?: number;
  /** `tpe`: configurations that are chosen at once, from all results before; default 4. */
  readonly generation?: number;
}

/**
 * A file of code that all trials have, by what it holds. No database makes a worker run a file. The command line of a worker names it, by --net or
 * --use, and it has to be this one.
 */
export interface SweepCode {
  readonly flag: 'net' | 'use';
  /** Its name, for people. */
  readonly file: string;
  readonly sha256: string;
  /** Of a network: the export that is named, where one is. */
  readonly export?: string;
}

/** A sweep with all defaults filled in, as plain JSON. */
export interface SweepDefinition {
  readonly name: string;
  readonly train: Settings;
  readonly space: Space;
  readonly search: 'grid' | 'random' | 'tpe';
  readonly configurations: number;
  readonly seeds: number;
  readonly metric: string;
  readonly goal: 'minimize' | 'maximize';
  readonly pruning?:
    | { readonly by: 'wilcoxon'; readonly p: number }
    | { readonly by: 'halving'; readonly epochs: number; readonly keep: number };
  readonly seed: number;
  readonly startup: number;
  readonly generation: number;
  readonly code?: readonly SweepCode[];
}

/** Helps an editor with a sweep's file; gives back what it is given. */
export const defineSweep = (sweep: Sweep): Sweep => sweep;

/** What a plan of is made in a moment. */
const MOST_TRIALS = 100_000;
/** The exact test of n pairs takes n³ steps. */
const MOST_PAIRS = 100;
const MOST_RUNGS = 100;

const FIELDS = [
  'name',
  'train',
  'space',
  'search',
  'configurations',
  'seeds',
  'metric',
  'goal',
  'pruning',
  'seed',
  'startup',
  'generation',
  'code',
];

/**
 * Fills in defaults and checks what a file gave.
 * @param fallback the name of a sweep that has none
 * @throws RangeError that names the field, what was given, and what was expected
 */
export function checkSweep(given: unknown, fallback: string): SweepDefinition {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new RangeError(
      'A sweep is an object. Expected export default defineSweep({ space: { lr: [0.001, 0.01] } }).',
    );
  for (const field of Object.keys(given))
    if (!FIELDS.includes(field)) throw new RangeError(`A sweep has no field "${field}". ${suggest(field, FIELDS)}`);
  const sweep = given as Sweep;
  const { name = fallback, train = {}, space, search = 'random' } = sweep;
  if (!isPlainName(name)) throw new RangeError(`The sweep's \`name\` is ${shorten(name)}. ${EXPECTED_NAME}.`);
  checkOneOf('search', search, ['grid', 'random', 'tpe']);
  checkSettings('train', train);
  const task = readingOfTrials(train, 'code' in given);
  const { metric, goal } = metricOf(sweep, task);
  checkSpace(space as Space, search === 'grid');
  for (const field of Object.keys(space))
    if (field in train) throw new RangeError(`"${field}" stands in \`train\` and in \`space\`. Expected one of them.`);
  const configurations =
    search === 'grid'
      ? gridOf(space as Space).length
      : // A space with fewer has each once.
        Math.min(whole('configurations', sweep.configurations ?? 20, 1), sizeOf(space as Space));
  if (search === 'grid' && sweep.configurations !== undefined && sweep.configurations !== configurations)
    throw new RangeError(
      `\`configurations\` is ${sweep.configurations}, and the grid has ${configurations}. Leave it out.`,
    );
  const seeds = whole('seeds', sweep.seeds ?? 1, 1);
  if (configurations * seeds > MOST_TRIALS)
    throw new RangeError(
      `${configurations} configurations of ${seeds} seeds are ${configurations * seeds} trials. Expected ${MOST_TRIALS} at most.`,
    );
  return {
    name,
    train: { simd: 'simd', blas: 'off', ...(train as Settings) },
    space: space as Space,
    search,
    configurations,
    seeds,
    metric,
    goal,
    ...(sweep.pruning && { pruning: checkPruning(sweep.pruning, seeds, { ...train }, space as Space) }),
    seed: whole('seed', sweep.seed ?? 1, 0),
    startup: whole('startup', sweep.startup ?? 10, 1),
    generation: whole('generation', sweep.generation ?? 4, 1),
    ...('code' in given && { code: checkCode(given.code) }),
  };
}

/** How the results of the trials read; undefined where only code that is given to every worker can tell. */
function readingOfTrials({ task = 'classification' }: TrainSettings, code: boolean): Reading | undefined {
  try {
    return readingOf(resolveTask(task));
  } catch (error) {
    if (code && error instanceof RangeError) return undefined;
    throw error;
  }
}

/** @throws RangeError for a metric that results do not have */
function metricOf(sweep: Sweep, task: Reading | undefined): Pick<SweepDefinition, 'metric' | 'goal'> {
  const own = task && nameIn('valid', task.best.metric);
  const { metric = own } = sweep;
  if (metric === undefined)
    throw new RangeError('The task is of a file, and `metric` is not there. Expected a number of its results.');
  if (task) checkOneOf('metric', metric, resultNumbers(task));
  const { goal = metric === own && task?.best.better === 'more' ? 'maximize' : 'minimize' } = sweep;
  checkOneOf('goal', goal, ['minimize', 'maximize']);
  return { metric, goal };
}

const RANGE_NAMES: NamesOf<Range> = { from: true, to: true, scale: true, whole: true, steps: true };
const PRUNING_NAMES = {
  wilcoxon: { by: true, p: true },
  halving: { by: true, epochs: true, keep: true },
} as const satisfies { readonly [K in Pruning['by']]: NamesOf<Extract<Pruning, { by: K }>> };

const MOST_FILES = 100;

function checkCode(given: unknown): readonly SweepCode[] {
  const isText = (value: unknown): boolean => typeof value === 'string' && value.length < 1000;
  const fits = (entry: Partial<SweepCode> | null): boolean =>
    (entry?.flag === 'net' || entry?.flag === 'use') && [entry.file, entry.sha256, entry.export ?? ''].every(isText);
  if (Array.isArray(given) && given.length <= MOST_FILES && given.every(fits)) return given;
  throw new RangeError(
    `\`code\` is ${shorten(given)}. Expected a list of { flag: "net" or "use", file, sha256 }, as --net and --use make it.`,
  );
}

function whole(field: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`\`${field}\` is ${value}. Expected a whole number from ${least} up.`);
}

function checkSpace(space: Space, grid: boolean): void {
  if (typeof space !== 'object' || space === null || Array.isArray(space) || Object.keys(space).length === 0)
    throw new RangeError(
      'A sweep has a `space` of at least one setting: { lr: { from: 1e-4, to: 1e-2, scale: "log" } }.',
    );
  for (const [name, dimension] of Object.entries(space)) {
    const where = `\`space.${name}\``;
    const kind = settingKind('space', name);
    if (typeof dimension !== 'object' || dimension === null)
      throw new RangeError(`${where} is ${JSON.stringify(dimension)}. Expected a list of values or { from, to }.`);
    if (!isRange(dimension)) {
      if (dimension.length === 0) throw new RangeError(`${where} is empty. Expected a list of values.`);
      for (const value of dimension) checkSetting('space', name, value);
      if (new Set(dimension.map((value) => JSON.stringify(value))).size < dimension.length)
        throw new RangeError(`${where} holds a value twice. Expected each once.`);
      continue;
    }
    if (!kind.range)
      throw new RangeError(
        `${where} is ${shorten(dimension)}. ${expectedOf(kind, dimension)}, or a list of such values.`,
      );
    checkNames(where, dimension, RANGE_NAMES);
    const { from, to, scale = 'linear', whole: counts = false, steps } = dimension;
    if (typeof counts !== 'boolean')
      throw new RangeError(`\`whole\` of ${where} is ${shorten(counts)}. Expected true or false.`);
    if (!(Number.isFinite(from) && Number.isFinite(to) && from < to))
      throw new RangeError(`${where} goes from ${from} to ${to}. Expected two numbers, the smaller first.`);
    if (to - from < LEAST_WIDTH * Math.max(Math.abs(from), Math.abs(to)))
      throw new RangeError(
        `${where} goes from ${from} to ${to}. Expected ends that differ by ${LEAST_WIDTH} of the larger or more.`,
      );
    checkOneOf(`space.${name}.scale`, scale, ['linear', 'log']);
    if (scale === 'log' && from <= 0)
      throw new RangeError(`${where} is logarithmic from ${from}. Expected a number over 0.`);
    if (counts && !(Number.isSafeInteger(from) && Number.isSafeInteger(to)))
      throw new RangeError(`${where} is of whole numbers from ${from} to ${to}. Expected whole ends.`);
    for (const end of [from, to]) checkSetting('space', name, end);
    const between = from + (to - from) / Math.E;
    if (!counts && problemOf(kind.of, between, where) !== undefined)
      throw new RangeError(
        `${where} takes no fractions such as ${between.toPrecision(4)}, and its range is not of whole numbers. Expected whole: true.`,
      );
    if (grid && !(Number.isSafeInteger(steps) && (steps as number) >= 1))
      throw new RangeError(
        `${where} is a range without \`steps\`; a grid wants a number of them, or a list of values.`,
      );
  }
  const steps = Object.values(space).reduce((product, dimension) => product * stepsOf(dimension), 1);
  if (grid && steps > MOST_TRIALS)
    throw new RangeError(`The grid of \`space\` has ${steps} configurations. Expected ${MOST_TRIALS} at most.`);
}

function checkPruning(
  given: Pruning,
  seeds: number,
  train: Settings,
  space: Space,
): NonNullable<SweepDefinition['pruning']> {
  checkOneOf('pruning.by', given.by, ['wilcoxon', 'halving']);
  checkNames('`pruning`', given, PRUNING_NAMES[given.by]);
  if (given.by === 'wilcoxon') {
    const { p = 0.05 } = given;
    if (!(p > 0 && p < 1)) throw new RangeError(`\`pruning.p\` is ${p}. Expected a number between 0 and 1.`);
    // With n pairs the smallest p-value is 2^-n.
    if (2 ** -seeds > p)
      throw new RangeError(
        `With ${seeds} seeds Wilcoxon's test never gets to p = ${p}. Expected ${Math.ceil(-Math.log2(p))} seeds.`,
      );
    if (seeds > MOST_PAIRS)
      throw new RangeError(
        `Wilcoxon's test goes through all seeds, and there are ${seeds}. Expected ${MOST_PAIRS} at most.`,
      );
    return { by: 'wilcoxon', p };
  }
  const { epochs, keep = 1 / 3 } = given;
  const last = train.epochs;
  if (!(keep > 0 && keep < 1)) throw new RangeError(`\`pruning.keep\` is ${keep}. Expected a share between 0 and 1.`);
  if ('epochs' in space || !Number.isSafeInteger(last))
    throw new RangeError(
      'Successive halving grows the epochs. Expected `train.epochs` as a number, and none in `space`.',
    );
  if (!(Number.isSafeInteger(epochs) && epochs >= 1 && epochs < (last as number)))
    throw new RangeError(
      `\`pruning.epochs\` is ${epochs}, and a trial has ${last}. Expected a whole number from 1 up, less than that.`,
    );
  const rungs = Math.log((last as number) / epochs) / -Math.log(keep);
  if (rungs > MOST_RUNGS)
    throw new RangeError(
      `From ${epochs} to ${last} epochs, keeping ${keep}, there are ${Math.ceil(rungs)} rungs. Expected ${MOST_RUNGS} at most.`,
    );
  return { by: 'halving', epochs, keep };
}
