import { FormatError } from '../../io/format-error.ts';
import { asObject, shorten } from '../../io/json.ts';
import { nameIn, type Reading, resultFigures } from '../../tasks/reading.ts';
import type { TaskResultEvent } from '../../train/events.ts';
import { EXPECTED_NAME, isPlainName } from '../plain-name.ts';
import type { Settings } from './train-settings.ts';

/** One training: a configuration with a seed, to a number of epochs where the sweep decides on them. */
export interface Trial {
  /** Its name in the sweep, `c003-s1` or `c003-s1-e9`. */
  readonly key: string;
  /** Its run's folder: trials of a configuration and seed that differ in epochs go on with one run. */
  readonly run: string;
  /** From 0. */
  readonly configuration: number;
  /** From 1. */
  readonly seed: number;
  /** All settings: those of the sweep, the configuration's own, and the seed. */
  readonly settings: Settings;
}

/**
 * A trial of unknown origin; its settings are still to be checked.
 * @throws FormatError or RangeError when a field is wrong, or the key or run is no plain name
 */
export function checkTrial(given: unknown): Trial {
  const { key, run, configuration, seed, settings } = asObject(given, 'A trial');
  for (const [field, value] of Object.entries({ key, run }))
    if (!isPlainName(value)) throw new RangeError(`A trial's \`${field}\` is ${shorten(value)}. ${EXPECTED_NAME}.`);
  for (const [field, value] of Object.entries({ configuration, seed }))
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw new RangeError(`\`${field}\` of trial ${key} is ${shorten(value)}. Expected a whole number from 0 up.`);
  asObject(settings, `\`settings\` of trial ${key}`);
  return { key, run, configuration, seed, settings } as Trial;
}

/** An outcome of unknown origin. @throws FormatError when it is none */
export function checkOutcome(given: unknown): TrialOutcome {
  const { state, result, weights, reason } = asObject(given, 'An outcome');
  if (state === 'failed' && typeof reason === 'string') return { state, reason };
  if (state === 'done' && typeof weights === 'string')
    return { state, result: asObject(result, "An outcome's `result`"), weights } as unknown as TrialOutcome;
  throw new FormatError(
    `An outcome is ${shorten(given)}. Expected { state: "done", result, weights } or { state: "failed", reason }.`,
  );
}

/** How a trial ended. Two workers that did the same trial have the same outcome, byte for byte. */
export type TrialOutcome =
  | {
      readonly state: 'done';
      /** The run's result without what the clock and the machine say. */
      readonly result: Omit<TaskResultEvent, 'event' | 'seconds' | 'threads'>;
      /** SHA-256 of weights.safetensors. */
      readonly weights: string;
    }
  | {
      readonly state: 'failed';
      /** In a sentence: an error of its settings, numbers that were not finite, or a program that kept crashing. */
      readonly reason: string;
    };

/** A failure of a trial that was given out again since. */
export interface PastFailure {
  /** The trial's. */
  readonly key: string;
  /** From 1: which attempt at the trial it was. */
  readonly attempt: number;
  readonly reason: string;
  /** Who told of it. */
  readonly worker: string;
  /** When, as an ISO 8601 date in UTC. */
  readonly at: string;
}

/** Of results that are measured in the modes of inference. */
const MEASURED = [
  'trainLoss',
  'density',
  'flops.executed',
  'flops.dense',
  'flops.gater',
  'training.executed',
  'training.all',
];
const MODES = ['sampled', 'threshold', 'meanField'];

/** The numbers of a task's result. Every one has all of them, so that a sweep knows before its first training whether its metric is one. */
export function resultNumbers(task: Reading): string[] {
  const tests = resultFigures(task, 'test').map(({ name }) => name);
  return [
    nameIn('valid', task.best.metric),
    ...(task.assessed ? tests : tests.flatMap((name) => MODES.map((mode) => `${name}.${mode}`))),
    ...(task.assessed ? resultFigures(task, 'train').map(({ name }) => name) : MEASURED),
    'bestEpoch',
    'epochs',
    'seed',
  ];
}

/**
 * The metric of an outcome; NaN for a trial that failed.
 * @param metric a path into the result, as `testError.threshold`
 * @throws RangeError when a result has no such number
 */
export function metricOf(outcome: TrialOutcome, metric: string): number {
  if (outcome.state === 'failed') return Number.NaN;
  const value = metric.split('.').reduce<unknown>(
    // A path reads own fields only.
    (at, field) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, field)
        ? (at as Record<string, unknown>)[field]
        : undefined,
    outcome.result,
  );
  if (typeof value === 'number') return value;
  throw new RangeError(`A result has no number "${metric}". Expected one of ${numbersOf(outcome.result).join(', ')}.`);
}

function numbersOf(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([name, field]) => {
    if (typeof field === 'number') return [`${path}${name}`];
    return typeof field === 'object' && field !== null ? numbersOf(field, `${path}${name}.`) : [];
  });
}
