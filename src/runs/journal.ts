import type { Engine } from '../backend/engine.ts';
import { nameIn } from '../tasks/reading.ts';
import type { TaskEpochEvent, TaskResultEvent } from '../train/events.ts';
import type { Progress, TrainingState } from '../train/state.ts';
import { StorageError } from './folder.ts';
import type { MetricsLine, SessionEvent } from './metrics.ts';
import type { Run } from './run.ts';

/** What metrics.jsonl holds, and what is to be added. */
export class Journal {
  private readonly run: Run;
  private readonly lines: MetricsLine[];
  private readonly anyEngine: boolean;

  constructor(run: Run, lines: MetricsLine[], anyEngine: boolean) {
    this.run = run;
    this.lines = lines;
    this.anyEngine = anyEngine;
  }

  async session(
    { progress }: TrainingState<Progress>,
    { name, threads }: Engine,
    by: SessionEvent['by'],
  ): Promise<void> {
    const { epochs, batches, step } = progress;
    await this.write({ event: 'session', epochs, batches, step, engine: name, threads, by });
  }

  /** Adds an event unless it is there already: after a kill, epochs since the checkpoint come again. */
  async add(event: Outcome): Promise<void> {
    const before = this.lines.find((line) => keyOf(line) === keyOf(event));
    if (!before) return this.write(event);
    const [now, then] = [this.lossOf(event), this.lossOf(before as Outcome)];
    if (now !== then && !this.anyEngine)
      throw new StorageError(
        `${this.run.folder.path}: ${keyOf(event)} had the training loss ${then} before the interruption and has ${now} now: this machine computes other bits than the one before. --simd simd --blas off gives the same on every machine, for a new run; --any-engine goes on with this one.`,
      );
  }

  /** What was minimised; of a result that does not tell it, the metric that chose the best epoch. */
  private lossOf(event: Outcome): number {
    return event.trainLoss ?? event[nameIn('valid', this.run.reading.best.metric) as `valid${string}`];
  }

  private async write(event: Outcome | SessionEvent): Promise<void> {
    const line = { ...event, time: Date.now() / 1000 } as MetricsLine;
    await this.run.log(line, this.lines);
    this.lines.push(line);
  }
}

/** Gaps in the lines of the first epochs. @param every after how many epochs there is a line */
export function missingEpochs(lines: readonly MetricsLine[], epochs: number, every = 1): [number, number][] {
  const told = new Set(lines.flatMap((line) => (line.event === 'epoch' ? [line.epoch] : [])));
  const gaps: [number, number][] = [];
  for (let epoch = every; epoch <= epochs; epoch += every) {
    if (told.has(epoch)) continue;
    const last = gaps.at(-1);
    if (last && last[1] === epoch - every) last[1] = epoch;
    else gaps.push([epoch, epoch]);
  }
  return gaps;
}

/** What is logged once. */
type Outcome = TaskEpochEvent | TaskResultEvent;

const keyOf = (event: MetricsLine | Outcome): string =>
  event.event === 'epoch'
    ? `epoch ${event.epoch}`
    : event.event === 'result'
      ? `the result of ${event.epochs} epochs`
      : '';
