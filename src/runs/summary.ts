import type { AnyRun, Run } from './run.ts';
import type { RunKind, RunKinds } from './run-kinds.ts';

/** A run in one line, at its end or so far. */
export interface RunSummary {
  readonly folder: string;
  readonly state: 'done' | 'running' | 'stopped';
  readonly created: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Complete, and asked for. */
  readonly epochs: number;
  readonly ofEpochs: number;
  /** Of the best epoch so far, shares in [0, 1]. */
  readonly validError?: number;
  readonly bestEpoch?: number;
  /** Of an autoencoder's best epoch so far, and at the end, nats a picture. */
  readonly validElbo?: number;
  readonly testElbo?: number;
  readonly testBound?: number;
  /** In threshold mode, at the end. */
  readonly testError?: number;
  /** Share of open gates: on the test data at the end, on the validation data before. */
  readonly density?: number;
  /** Multiply-adds for one test example. */
  readonly flops?: { readonly executed: number; readonly dense: number; readonly gater: number };
  readonly seconds: number;
  readonly sessions: number;
  readonly engine: string;
}

/** Reads a run's record and metrics. @throws FormatError when its metrics are damaged */
export const summarize = (run: AnyRun): Promise<RunSummary> =>
  run.kind === 'vae' ? summarizeVae(run) : summarizeClassifier(run);

async function summarizeClassifier(run: Run): Promise<RunSummary> {
  const { result } = run.record;
  const { epochs, facts } = await factsOf(run);
  const best = bestOf(epochs, ({ validError }) => -validError);
  const density = result?.density ?? epochs.at(-1)?.density;
  return {
    ...facts,
    ...(best && { validError: best.validError, bestEpoch: best.epoch }),
    ...(result && { testError: result.testError.threshold, flops: result.flops }),
    ...(density !== undefined && { density }),
  };
}

async function summarizeVae(run: Run<'vae'>): Promise<RunSummary> {
  const { result } = run.record;
  const { epochs, facts } = await factsOf(run);
  const best = bestOf(epochs, ({ validElbo }) => validElbo);
  return {
    ...facts,
    ...(best && { validElbo: best.validElbo, bestEpoch: best.epoch }),
    ...(result && { testElbo: result.testElbo, testBound: result.testBound }),
  };
}

/** What is known of runs of any kind. */
async function factsOf<K extends RunKind>(run: Run<K>) {
  const { record, folder } = run;
  const { result } = record;
  const lines = await run.metrics();
  const epochs = lines.filter(({ event }) => event === 'epoch') as RunKinds[K]['epoch'][];
  const last = epochs.at(-1);
  const state: RunSummary['state'] = result ? 'done' : (await folder.locked()) ? 'running' : 'stopped';
  const facts = {
    folder: folder.path,
    state,
    created: record.created,
    config: record.config,
    seed: record.seed,
    epochs: last?.epoch ?? 0,
    ofEpochs: record.training.epochs,
    seconds: result?.seconds ?? last?.seconds ?? 0,
    sessions: lines.filter(({ event }) => event === 'session').length,
    engine: record.engine.name,
  };
  return { epochs, facts };
}

/** The first epoch with the highest score. */
const bestOf = <Epoch>(epochs: readonly Epoch[], score: (epoch: Epoch) => number): Epoch | undefined =>
  epochs.reduce<Epoch | undefined>(
    (found, epoch) => (!found || score(epoch) > score(found) ? epoch : found),
    undefined,
  );

/** Fields of the configurations in which runs differ, by name. */
export function differences(configs: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  return names.filter((name) => new Set(configs.map((config) => JSON.stringify(config[name]))).size > 1);
}
