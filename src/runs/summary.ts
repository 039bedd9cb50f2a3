import { nameIn, type Reading, resultFigures, scoreOf } from '../tasks/reading.ts';
import type { InModes, TaskEpochEvent } from '../train/events.ts';
import type { Run } from './run.ts';

/** A run in one line, at its end or so far: of its best epoch `valid` and the task's metric, at the end `test` and every metric, in threshold mode. */
export interface RunSummary extends RunFacts, Readonly<Record<`valid${string}` | `test${string}`, number>> {}

interface RunFacts {
  readonly folder: string;
  readonly state: 'done' | 'running' | 'stopped';
  readonly created: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Its name. */
  readonly task: string;
  readonly seed: number;
  /** Complete, and asked for. */
  readonly epochs: number;
  readonly ofEpochs: number;
  readonly bestEpoch?: number;
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
  const { record, folder, reading } = run;
  const { result } = record;
  const lines = await run.metrics();
  const epochs = lines.filter((line) => line.event === 'epoch') as TaskEpochEvent[];
  const last = epochs.at(-1);
  const name = nameIn('valid', reading.best.metric) as `valid${string}`;
  const best = bestOf(epochs, (epoch) => scoreOf(reading, epoch[name]));
  const density = result?.density ?? last?.density;
  const facts: RunFacts = {
    folder: folder.path,
    state: result ? 'done' : (await folder.locked()) ? 'running' : 'stopped',
    created: record.created,
    config: record.config,
    task: record.task.name,
    seed: record.seed,
    epochs: last?.epoch ?? 0,
    ofEpochs: record.training.epochs,
    ...(best && { bestEpoch: best.epoch }),
    ...(density !== undefined && { density }),
    ...(result?.flops && { flops: result.flops }),
    seconds: result?.seconds ?? last?.seconds ?? 0,
    sessions: lines.filter(({ event }) => event === 'session').length,
    engine: record.engine.name,
  };
  return { ...facts, ...(best && { [name]: best[name] }), ...(result && testFigures(result, reading)) };
}

/** One number a metric of the test data: in threshold mode, where there are modes. */
function testFigures(result: object, reading: Reading): Record<`test${string}`, number> {
  const told = result as Readonly<Record<string, number | InModes>>;
  return Object.fromEntries(
    resultFigures(reading, 'test').map(({ name }) => {
      const value = told[name];
      return [name, typeof value === 'number' ? value : value.threshold];
    }),
  );
}

/** The first epoch with the least score. */
const bestOf = <Epoch>(epochs: readonly Epoch[], score: (epoch: Epoch) => number): Epoch | undefined =>
  epochs.reduce<Epoch | undefined>(
    (found, epoch) => (!found || score(epoch) < score(found) ? epoch : found),
    undefined,
  );

/** Fields of the configurations in which runs differ, by name. */
export function differences(configs: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  return names.filter((name) => new Set(configs.map((config) => JSON.stringify(config[name]))).size > 1);
}
