/** What records of experiments, audits, benchmarks and trainings have in common: what was set, and what was measured. */
import { interval } from '../../../experiments/kit/statistics.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Item {
  /** Is it a trial of `flipgrad reproduce`? */
  readonly inTrial: boolean;
  readonly config: Json;
  readonly seed: number;
  /** Numbers by their path: `test.sampled`. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly curve: readonly Json[];
}

/** A kind of records; the first that a record is of is taken. */
interface Kind {
  is(record: Json): boolean;
  /** Undefined: the line sums up others, and is left out. */
  item(record: Json): Item | undefined;
}

/** Fields that say where, when and by what a record was made: neither settings nor measures. */
const PROVENANCE = new Set([
  ...[
    'event',
    'engine',
    'node',
    'commit',
    'code',
    'cpu',
    'dataChecksum',
    'threads',
    'seed',
    'seconds',
    'round',
    'facts',
  ],
]);

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');
const isSetting = (value: unknown): boolean => typeof value === 'string' || typeof value === 'boolean';
const curveOf = ({ curve }: Json): readonly Json[] => (Array.isArray(curve) ? curve.filter(isObject) : []);
const seedOf = ({ seed }: Json): number => (typeof seed === 'number' ? seed : 0);
const only = (record: Json, names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name)));

function numbersOf(record: Json, path = ''): Map<string, number> {
  const found = new Map<string, number>();
  for (const [key, value] of Object.entries(record)) {
    if (PROVENANCE.has(key)) continue;
    if (typeof value === 'number') found.set(path + key, value);
    else if (isObject(value))
      for (const [inner, number] of numbersOf(value, `${path}${key}.`)) found.set(inner, number);
  }
  return found;
}

/** Texts and switches are settings, numbers are measured. */
function flat(record: Json): Item {
  const config = Object.entries(record).filter(([key, value]) => isSetting(value) && !PROVENANCE.has(key));
  return {
    inTrial: false,
    config: Object.fromEntries(config),
    seed: seedOf(record),
    numbers: numbersOf(record),
    curve: curveOf(record),
  };
}

/** Earlier versions wrote `cell` for `trial`. */
const trialOf = ({ trial, cell }: Json): unknown => trial ?? cell;

const KINDS: readonly Kind[] = [
  // A trial of `flipgrad reproduce`.
  {
    is: (record) =>
      isObject(trialOf(record)) && isObject(record.result) && typeof (trialOf(record) as Json).seed === 'number',
    item(record) {
      const { seed, ...config } = trialOf(record) as Json;
      const result = record.result as Json;
      return { inTrial: true, config, seed: Number(seed), numbers: numbersOf(result), curve: curveOf(result) };
    },
  },
  // The result of a training.
  { is: ({ event, seed }) => event === 'result' && typeof seed === 'number', item: flat },
  // `flipgrad audit`: a line a neuron, and one of them all.
  {
    is: ({ event, neuron, neurons }) =>
      (event === 'neuron' && isSetting(neuron)) || (event === 'result' && neurons !== undefined),
    item(record) {
      if (record.event !== 'neuron') return undefined;
      const { bias, verdicts } = record;
      const { value } = isObject(bias) ? bias : { value: bias };
      const refuted = Array.isArray(verdicts)
        ? verdicts.filter((one) => isObject(one) && one.verdict === 'refuted').length
        : undefined;
      const measures = only(record, [
        'totalVariance',
        'squaredError',
        'atEqualCompute',
        'cosine',
        'signs',
        'evaluations',
      ]);
      return {
        ...{ inTrial: false, seed: 0, curve: [] },
        config: { neuron: record.neuron, problem: record.problem },
        numbers: numbersOf({ bias: value, ...measures, 'claims refuted': refuted }),
      };
    },
  },
  // The variances of a gradient along a training: a line a step of it.
  {
    is: ({ step, neuron, variances }) => typeof step === 'number' && isSetting(neuron) && isNumbers(variances),
    item(record) {
      const { neuron, draws, unbiased, step } = record;
      const variance = interval(record.variances as number[]).mean;
      return {
        ...{ inTrial: false, seed: 0 },
        config: { neuron, draws, unbiased },
        numbers: new Map([['variance', variance]]),
        curve: [{ step, variance }],
      };
    },
  },
  // `flipgrad bench`: the time of a layer by the share of open blocks, and where it goes.
  {
    is: ({ event, units, size }) =>
      (event === 'crossover' || event === 'waterfall') && typeof units === 'number' && typeof size === 'number',
    item({ event, units, size, rows, inputs, points, ...measured }) {
      return {
        ...{ inTrial: false, seed: 0 },
        config: { what: event, units, 'block size': size, rows, inputs },
        numbers: numbersOf(measured),
        curve: curveOf({ curve: points }),
      };
    },
  },
  // Anything else that has a text and a number: benchmarks, trainings at equal time, profiles.
  {
    is: (record) => {
      const { config, numbers } = flat(record);
      return trialOf(record) === undefined && Object.keys(config).length > 0 && numbers.size > 0;
    },
    item: flat,
  },
];

/**
 * The records of a file's lines.
 * @throws RangeError with a sentence for a line that is none
 */
export function itemsOf(name: string, lines: readonly string[]): Item[] {
  return lines.flatMap((line, i) => {
    const where = `Line ${i + 1} of ${name}`;
    const record = parsed(line, where);
    const kind = KINDS.find(({ is }) => is(record));
    if (!kind)
      throw new RangeError(
        `${where} is neither a trial of \`flipgrad reproduce\` nor a training's result, nor a record with a text and a number. Expected one of these, or a run's folder.`,
      );
    return kind.item(record) ?? [];
  });
}

function parsed(line: string, where: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RangeError(`${where} is no JSON. Expected a run's folder, or the records (.jsonl) of a report.`);
  }
  if (!isObject(value)) throw new RangeError(`${where} is no JSON object. Expected the records of a report.`);
  return value;
}
