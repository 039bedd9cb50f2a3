import { classification } from '../tasks/classification.ts';
import type { Task } from '../tasks/task.ts';
import { vae } from '../tasks/vae.ts';
import type { EpochEvent, ResultEvent, TrainEvent, VaeEpochEvent, VaeEvent, VaeResultEvent } from '../train/events.ts';
import type { TrainingProgress, VaeProgress } from '../train/state.ts';
import type { AnyRunRecord, RunRecord, VaeRunRecord } from './record.ts';

/** What runs of each kind are made of. */
export interface RunKinds {
  classifier: {
    record: RunRecord;
    epoch: EpochEvent;
    result: ResultEvent;
    event: TrainEvent;
    progress: TrainingProgress;
  };
  vae: {
    record: VaeRunRecord;
    epoch: VaeEpochEvent;
    result: VaeResultEvent;
    event: VaeEvent;
    progress: VaeProgress;
  };
}

export type RunKind = keyof RunKinds;

/** How the files of a kind of run are checked. */
interface KindChecks {
  /** What is a number in a line of metrics.jsonl, by event. */
  readonly numbers: Readonly<Record<'epoch' | 'result', readonly string[]>>;
  /** What its runs train, by their record's settings. */
  readonly task: (settings: { readonly samples?: number }) => Task;
}

export const runKinds: Readonly<Record<RunKind, KindChecks>> = {
  classifier: {
    numbers: {
      epoch: ['trainLoss', 'trainError', 'validError', 'validLoss', 'density', 'learningRate', 'seconds'],
      result: ['validError', 'trainLoss', 'density', 'bestEpoch', 'seconds'],
    },
    task: () => classification as unknown as Task,
  },
  vae: {
    numbers: {
      epoch: ['trainLoss', 'validElbo', 'learningRate', 'seconds'],
      result: ['trainElbo', 'validElbo', 'testElbo', 'testBound', 'bestEpoch', 'seconds'],
    },
    task: ({ samples }) => vae(samples === undefined ? {} : { samples }) as unknown as Task,
  },
};

export const kindOf = ({ kind }: AnyRunRecord): RunKind => kind ?? 'classifier';
