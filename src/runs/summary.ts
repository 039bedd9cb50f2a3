import type { EpochEvent } from '../train/events.ts';
import type { MetricsLine } from './metrics.ts';
import type { Run } from './run.ts';

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
export async function summarize(run: Run): Promise<RunSummary> {
  const { record, folder } = run;
  const { result } = record;
  const lines = await run.metrics();
  const epochs = lines.filter((line): line is MetricsLine & EpochEvent => line.event === 'epoch');
  const last = epochs.at(-1);
  const best = epochs.reduce<EpochEvent | undefined>(
    (found, epoch) => (!found || epoch.validError < found.validError ? epoch : found),
    undefined,
  );
  const density = result?.density ?? last?.density;
  return {
    folder: folder.path,
    state: result ? 'done' : (await folder.locked()) ? 'running' : 'stopped',
    created: record.created,
    config: record.config,
    seed: record.seed,
    epochs: last?.epoch ?? 0,
    ofEpochs: record.training.epochs,
    ...(best && { validError: best.validError, bestEpoch: best.epoch }),
    ...(result && { testError: result.testError.threshold, flops: result.flops }),
    ...(density !== undefined && { density }),
    seconds: result?.seconds ?? last?.seconds ?? 0,
    sessions: lines.filter(({ event }) => event === 'session').length,
    engine: record.engine.name,
  };
}

/** Fields of the configurations in which runs differ, by name. */
export function differences(configs: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  return names.filter((name) => new Set(configs.map((config) => JSON.stringify(config[name]))).size > 1);
}
