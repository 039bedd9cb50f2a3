import { shorten } from '../../io/json.ts';
import { suggest } from '../../math/text.ts';
import { checkOneOf } from '../../schema/names.ts';
import { resolveTask } from '../../tasks/index.ts';
import { nameIn, type Reading, readingOf } from '../../tasks/reading.ts';
import { EXPECTED_NAME, isPlainName } from '../plain-name.ts';
import { checkSettings } from './check-settings.ts';
import { checkSpace, MOST_TRIALS } from './check-space.ts';
import { checkPruning, type FilledPruning, type Pruning } from './pruning.ts';
import { gridOf, type Space, sizeOf, type TrainSpace } from './space.ts';
import type { Settings, TrainSettings } from './train-settings.ts';
import { resultNumbers } from './trial.ts';

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
  readonly pruning?: FilledPruning;
  readonly seed: number;
  readonly startup: number;
  readonly generation: number;
  readonly code?: readonly SweepCode[];
}

/** Helps an editor with a sweep's file; gives back what it is given. */
export const defineSweep = (sweep: Sweep): Sweep => sweep;

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
