import { areCrossovers, type Crossovers } from '../backend/crossovers.ts';
import { FormatError } from '../io/format-error.ts';
import { asObject, decodeText, parseJson, shorten } from '../io/json.ts';
import type { ModelDescription } from '../nn/model.ts';
import { type Optimizer, resolveOptimizer } from '../optim/index.ts';
import type { ResultEvent, VaeResultEvent } from '../train/events.ts';
import { LOG_NAMES, type LogName } from './logs.ts';
import { checkOwn, type OwnFile } from './own.ts';
import { EXPECTED_BLAS, isRecordedBlas, type RecordedBlas } from './recorded-blas.ts';

/** What all runs are told of their training, as plain JSON. */
export interface CommonSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly decay?: number;
  readonly seed?: number;
  /** Neurons that are measured beside the one that trains. */
  readonly basket?: {
    readonly neurons: readonly string[];
    readonly every?: number;
    readonly repeats?: number;
    readonly site?: string;
  };
}

/** How a classifier trains: `TrainOptions` as plain JSON. */
export interface TrainingSettings extends CommonSettings {
  readonly gaterLearningRate?: number;
  readonly maxNorm?: number;
  readonly patience?: number;
}

/** How an autoencoder trains, and how many draws its bound has: plain JSON. */
export interface VaeSettings extends CommonSettings {
  readonly samples: number;
}

/** On what a run trains. */
export interface DataFacts {
  /** What `loadDataset` was asked for, and with which seed. */
  readonly source: string;
  readonly seed: number;
  readonly name: string;
  /** SHA-256 of every part. */
  readonly checksums: { readonly train: string; readonly valid: string; readonly test: string };
  readonly examples: { readonly train: number; readonly valid: number; readonly test: number };
  readonly width: number;
  readonly classes: number;
  /** A stored feature times this is the network's input. */
  readonly scale: number;
  readonly image?: { readonly width: number; readonly height: number };
}

/** With what a run computes. */
export interface EngineFacts {
  /** Kernel build and BLAS: what the bits of the result depend on. */
  readonly name: string;
  readonly threads: number;
  /** What was asked for, to ask for it again; of a library's path only that it was not `off`. */
  readonly simd: string;
  readonly blas: RecordedBlas;
  readonly crossovers: Crossovers;
}

/** run.json: what the run is, complete enough to do it again or to go on with it; and how it ended. */
export interface RecordOf<Settings, Result> {
  readonly format: typeof RUN_FORMAT;
  /** When it was made, ISO 8601. */
  readonly created: string;
  /** What the user asked for, for people and comparisons. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly model: ModelDescription;
  readonly training: Settings;
  readonly seed: number;
  readonly data: DataFacts;
  readonly engine: EngineFacts;
  /** Of flipgrad, the runtime, and so on. */
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Of flipgrad's repository, where it ran from one; with "+" where files were changed. */
  readonly commit?: string;
  readonly logs: readonly LogName[];
  /** Files of the user's own code that it began with. */
  readonly own?: readonly OwnFile[];
  readonly result?: Result;
}

/** Of a classifier. */
export interface RunRecord extends RecordOf<TrainingSettings, ResultEvent> {
  readonly kind?: undefined;
}

/** Of a variational autoencoder. */
export interface VaeRunRecord extends RecordOf<VaeSettings, VaeResultEvent> {
  readonly kind: 'vae';
}

export type AnyRunRecord = RunRecord | VaeRunRecord;

export const RUN_FORMAT = 'flipgrad run 1';

/** run.json as bytes. */
export function encodeRecord(record: AnyRunRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Reads run.json, of unknown origin.
 * @throws FormatError that names the field
 */
export function decodeRecord(bytes: Uint8Array, where: string): AnyRunRecord {
  const record = asObject(parseJson(decodeText(bytes, where), where), where);
  if (record.format !== RUN_FORMAT)
    throw new FormatError(`${where} has the format ${shorten(record.format)}; "${RUN_FORMAT}" can be read.`);
  if (record.kind !== undefined && record.kind !== 'vae')
    throw new FormatError(
      `${where} is of the kind ${shorten(record.kind)}; "vae", or none for classifiers, can be read.`,
    );
  const isVae = record.kind === 'vae';
  const check = fieldChecker(where);
  check(record, '', { created: 'string', config: 'object', seed: 'number', versions: 'object', machine: 'object' });
  for (const name of Object.keys(record.versions as object)) check(record.versions, 'versions', { [name]: 'string' });
  for (const [name, fact] of Object.entries(record.machine as object))
    check(record.machine, 'machine', { [name]: typeof fact === 'number' ? 'number' : 'string' });
  if (record.commit !== undefined) check(record, '', { commit: 'string' });
  const model = check(record.model, 'model', { inputs: 'number' });
  if (!Array.isArray(model.layers) || model.layers.length === 0)
    throw new FormatError(`${where} has no layers of its model.`);
  checkCount('layers', model.layers.length, where);
  for (const [i, layer] of model.layers.entries()) {
    check(layer, `model.layers[${i}]`, { layer: 'string', name: 'string' });
    for (const [name, value] of Object.entries(layer))
      if (Array.isArray(value)) checkCount(`layers[${i}].${name}`, value.length, where);
  }
  const training = check(record.training, 'training', {
    epochs: 'number',
    batch: 'number',
    ...(isVae && { samples: 'number' }),
  });
  if (isVae && (training.samples as number) > MOST_SAMPLES)
    throw new FormatError(
      `\`training.samples\` of ${where} is ${shorten(training.samples)}. Expected ${MOST_SAMPLES} at most.`,
    );
  for (const name of ['gaterLearningRate', 'maxNorm', 'decay', 'patience', 'seed'])
    if (training[name] !== undefined) check(training, 'training', { [name]: 'number' });
  if (training.basket !== undefined) checkBasket(training.basket, check, where);
  const optimizer = check(training.optimizer, 'training.optimizer', { name: 'string', options: 'object' });
  const options = asObject(optimizer.options, 'the options');
  for (const name of Object.keys(options)) check(options, 'training.optimizer.options', { [name]: 'number' });
  const facts = {
    source: 'string',
    seed: 'number',
    name: 'string',
    width: 'number',
    classes: 'number',
    scale: 'number',
  } as const;
  const data = check(record.data, 'data', facts);
  check(data.checksums, 'data.checksums', { train: 'string', valid: 'string', test: 'string' });
  check(data.examples, 'data.examples', { train: 'number', valid: 'number', test: 'number' });
  if (data.image !== undefined) {
    const { width, height } = check(data.image, 'data.image', { width: 'number', height: 'number' });
    if ((width as number) * (height as number) !== data.width || !Number.isInteger(width) || (width as number) < 1)
      throw new FormatError(
        `\`data.image\` of ${where} is ${shorten(data.image)}. Expected a width and a height that give ${shorten(data.width)} pixels.`,
      );
  }
  const engine = check(record.engine, 'engine', {
    name: 'string',
    threads: 'number',
    simd: 'string',
    blas: 'string',
    crossovers: 'object',
  });
  if (!isRecordedBlas(engine.blas))
    throw new FormatError(`\`engine.blas\` of ${where} is ${shorten(engine.blas)}. ${EXPECTED_BLAS}.`);
  if (!areCrossovers(engine.crossovers))
    throw new FormatError(
      `\`engine.crossovers\` of ${where} is ${shorten(engine.crossovers)}. Expected a share from 0 to 1 for sizes of blocks from 1 up.`,
    );
  const logs = isVae ? [] : LOG_NAMES;
  const asked = Array.isArray(record.logs) ? record.logs : [Number.NaN];
  if (!asked.every((log) => logs.includes(log)) || new Set(asked).size < asked.length)
    throw new FormatError(
      `${where} has the logs ${shorten(record.logs)}; ${isVae ? 'an empty list' : `some of ${logs.join(', ')}, each once,`} would do.`,
    );
  if (record.own !== undefined) checkOwn(record.own, where);
  if (record.result !== undefined) (isVae ? checkVaeResult : checkResult)(record.result, check);
  return record as unknown as AnyRunRecord;
}

/** Of what a record may hold many of. Each costs far more than its bytes. */
const MOST = 1000;
/** Draws for the bound of an autoencoder. */
const MOST_SAMPLES = 100_000;

/** @throws FormatError for a list that is too long */
function checkCount(what: string, count: number, where: string): void {
  if (count > MOST) throw new FormatError(`\`${what}\` of ${where} has ${count} entries. Expected ${MOST} at most.`);
}

function checkBasket(value: unknown, check: ReturnType<typeof fieldChecker>, where: string): void {
  const basket = check(value, 'training.basket', {});
  if (!Array.isArray(basket.neurons) || !basket.neurons.every((neuron) => typeof neuron === 'string'))
    throw new FormatError(`${where} has the basket ${shorten(basket.neurons)}; a list of texts would do.`);
  checkCount('basket.neurons', basket.neurons.length, where);
  if ((basket.repeats as number) > MOST)
    throw new FormatError(
      `\`training.basket.repeats\` of ${where} is ${shorten(basket.repeats)}. Expected ${MOST} at most.`,
    );
  for (const name of ['every', 'repeats'])
    if (basket[name] !== undefined) check(basket, 'training.basket', { [name]: 'number' });
  if (basket.site !== undefined) check(basket, 'training.basket', { site: 'string' });
}

function checkResult(value: unknown, check: ReturnType<typeof fieldChecker>): void {
  const result = check(value, 'result', {
    validError: 'number',
    density: 'number',
    epochs: 'number',
    bestEpoch: 'number',
    seconds: 'number',
    engine: 'string',
    threads: 'number',
    seed: 'number',
  });
  check(result.testError, 'result.testError', { sampled: 'number', threshold: 'number', meanField: 'number' });
  check(result.training, 'result.training', { executed: 'number', all: 'number' });
  check(result.flops, 'result.flops', { executed: 'number', dense: 'number', gater: 'number' });
}

function checkVaeResult(value: unknown, check: ReturnType<typeof fieldChecker>): void {
  const names = ['trainElbo', 'validElbo', 'testElbo', 'testBound', 'samples', 'bestEpoch', 'epochs', 'seconds'];
  check(value, 'result', {
    engine: 'string',
    threads: 'number',
    seed: 'number',
    ...Object.fromEntries(names.map((name) => [name, 'number'] as const)),
  });
}

/** Checks the types of fields; gives the object. Numbers are finite. */
function fieldChecker(where: string) {
  return (
    value: unknown,
    path: string,
    fields: Readonly<Record<string, 'string' | 'number' | 'object'>>,
  ): Readonly<Record<string, unknown>> => {
    const object = asObject(value, path === '' ? where : `\`${path}\` of ${where}`);
    for (const [name, type] of Object.entries(fields)) {
      const field = object[name];
      const fits =
        type === 'number' ? Number.isFinite(field) : typeof field === type && field !== null && !Array.isArray(field);
      if (!fits)
        throw new FormatError(
          `\`${path === '' ? name : `${path}.${name}`}\` of ${where} is ${shorten(field)}; ${type === 'object' ? 'an object' : `a ${type}`} would do.`,
        );
    }
    return object;
  };
}

/** The options of `train` that a record stands for. @throws RangeError for an optimizer that there is not */
export function trainOptions<Settings extends CommonSettings>({
  training,
}: {
  readonly training: Settings;
}): Omit<Settings, 'optimizer'> & { readonly optimizer: Optimizer } {
  const { optimizer, ...rest } = training;
  return { ...rest, optimizer: resolveOptimizer(optimizer.name, optimizer.options) };
}
