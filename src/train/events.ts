import type { SiteHealth } from '../nn/firing-site.ts';
import type { BasketRow } from './basket.ts';

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

/** After every epoch. Errors are shares in [0, 1], losses are nats. */
export interface EpochEvent {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** Mean over the epoch's minibatches, as sampled while training. */
  readonly trainLoss: number;
  readonly trainError: number;
  readonly validError: number;
  readonly validLoss: number;
  /** Share of open gates on the validation data. */
  readonly density: number;
  /** How every stochastic site fired during the epoch. */
  readonly health: readonly SiteHealth[];
  readonly learningRate: number;
  /** Since training began. */
  readonly seconds: number;
  /** Is this the best validation error so far? */
  readonly best: boolean;
  /** What the neurons of the basket were worth in the epoch, the one that trains first. */
  readonly basket?: readonly BasketRow[];
}

/** The end of training, measured with the weights of the best epoch. */
export interface ResultEvent {
  readonly event: 'result';
  /** Test error in three modes, shares in [0, 1]. */
  readonly testError: { readonly sampled: number; readonly threshold: number; readonly meanField: number };
  readonly validError: number;
  /** Training criterion of the best epoch: mean cross-entropy in nats, as sampled. */
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
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly seconds: number;
  readonly engine: string;
  readonly threads: number;
  readonly seed: number;
  readonly dataChecksum: string;
}

export type TrainEvent = BatchEvent | EpochEvent | ResultEvent;
