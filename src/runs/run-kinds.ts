import type { EpochEvent, ResultEvent, TrainEvent } from '../train/events.ts';
import { checkProgress, type Progress, type TrainingProgress } from '../train/state.ts';
import {
  checkVaeProgress,
  type VaeEpochEvent,
  type VaeEvent,
  type VaeProgress,
  type VaeResultEvent,
} from '../train/train-vae.ts';
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
  /** @throws RangeError that names the field */
  readonly progress: (value: unknown) => Progress;
}

export const runKinds: Readonly<Record<RunKind, KindChecks>> = {
  classifier: {
    numbers: {
      epoch: ['trainLoss', 'trainError', 'validError', 'validLoss', 'density', 'learningRate', 'seconds'],
      result: ['validError', 'trainLoss', 'density', 'bestEpoch', 'seconds'],
    },
    progress: checkProgress,
  },
  vae: {
    numbers: {
      epoch: ['trainLoss', 'validElbo', 'learningRate', 'seconds'],
      result: ['trainElbo', 'validElbo', 'testElbo', 'testBound', 'bestEpoch', 'seconds'],
    },
    progress: checkVaeProgress,
  },
};

export const kindOf = ({ kind }: AnyRunRecord): RunKind => kind ?? 'classifier';
