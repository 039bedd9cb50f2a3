import type { SiteHealth } from '../nn/firing-site.ts';
import type { ClassificationEpoch } from '../tasks/classification.ts';
import type { Part, Task } from '../tasks/task.ts';
import type { VaeEpoch, VaeResult } from '../tasks/vae.ts';
import type { EstimatorProbeRow } from './estimator-probe.ts';

/** After every minibatch. */
export interface BatchEvent {
  readonly event: 'batch';
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** From 1, and how many there are in an epoch. */
  readonly batch: number;
  readonly batches: number;
  /** Mean cross-entropy in nats of this epoch so far (as sampled). */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Estimated seconds until all epochs are done. */
  readonly secondsLeft: number;
}

/** While a part of the data is measured by passes of its own. */
export interface MeasureEvent {
  readonly event: 'measure';
  /** Which part of the data. */
  readonly what: Part;
  readonly done: number;
  readonly count: number;
}

/** What every epoch tells; the task's metrics stand beside. */
export interface EpochFacts {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** Mean of what is minimised over the epoch's minibatches, as sampled while training, without penalties. */
  readonly trainLoss: number;
  /** How every stochastic site fired during the epoch. */
  readonly health: readonly SiteHealth[];
  readonly learningRate: number;
  /** Since training began. */
  readonly seconds: number;
  /** Is this the best epoch so far, by the task's metric on the validation data? */
  readonly best: boolean;
  /** Of weight noise: the geometric mean of σ, and for adaptive noise the nats that the weights cost. */
  readonly deviation?: number;
  readonly complexity?: number;
  /** What the probed estimators were worth in the epoch, the one that trains first. */
  readonly estimatorProbe?: readonly EstimatorProbeRow[];
}

/** What every result tells, measured with the weights of the best epoch. */
export interface ResultFacts {
  readonly event: 'result';
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly seconds: number;
  readonly engine: string;
  readonly threads: number;
  readonly seed: number;
  readonly dataChecksum: string;
}

/** A metric of a network in the three modes of inference. */
export interface InModes {
  readonly sampled: number;
  readonly threshold: number;
  readonly meanField: number;
}

/** What the result tells besides for tasks that are measured in the modes of inference. */
export interface MeasuredResult {
  /** Training criterion of the best epoch. */
  readonly trainLoss: number;
  /** Share of open gates on the test data, as sampled; 1 for a network without gates. */
  readonly density: number;
  /** Multiply-adds for one test example, as sampled. */
  readonly flops: { readonly executed: number; readonly dense: number; readonly gater: number };
  /**
   * Multiply-adds for one example of the forward pass while training (mean of the last epoch), and of the same network with all blocks
   * and gaters. Less executed means that closed blocks were skipped in training too, not only at inference.
   */
  readonly training: { readonly executed: number; readonly all: number };
}

/** After every epoch of a classifier. */
export type EpochEvent = EpochFacts & ClassificationEpoch;

/** The end of a classifier's training. Errors are shares in [0, 1]. */
export interface ResultEvent extends ResultFacts, MeasuredResult {
  readonly testError: InModes;
  readonly validError: number;
}

/** Events of training a classifier, told apart by `event`. */
export type TrainEvent = BatchEvent | EpochEvent | ResultEvent;
/** After every epoch of an autoencoder. */
export type VaeEpochEvent = EpochFacts & VaeEpoch;
/** The end of an autoencoder's training. */
export type VaeResultEvent = ResultFacts & VaeResult;
/** Events of training an autoencoder, told apart by `event`. */
export type VaeEvent = BatchEvent | VaeEpochEvent | MeasureEvent | VaeResultEvent;

/** Metrics of the training and the validation data by name: `validError`. */
export type EpochFigures = Readonly<Record<`train${string}` | `valid${string}`, number>>;
/** After every epoch of any task; its reading says what the metrics are. */
export type TaskEpochEvent = EpochFacts & EpochFigures & { readonly density?: number };
/** The end of the training of any task: metrics of the test data are numbers, or numbers in the modes of inference. */
export type TaskResultEvent = ResultFacts &
  Partial<MeasuredResult> &
  Readonly<Record<`valid${string}`, number>> &
  Readonly<Record<`test${string}`, number | InModes>>;
/** The events of any task. */
export type TaskEvent = BatchEvent | MeasureEvent | TaskEpochEvent | TaskResultEvent;

/** The events of a task. */
export interface EventsOf<T extends Task> {
  readonly epoch: EpochFacts & NonNullable<T['events']>['epoch'];
  readonly result: ResultFacts & NonNullable<T['events']>['result'];
}
