import type { Dataset } from '../data/dataset.ts';
import type { WeightNoiseSpec } from '../nn/weight-noise.ts';
import type { Optimizer, OptimizerName } from '../optim/index.ts';
import type { ClassificationEpoch } from '../tasks/classification.ts';
import type { Batch } from '../tasks/examples.ts';
import type { Task, TaskBatch, TaskData } from '../tasks/task.ts';
import type { EstimatorProbeOptions } from './estimator-probe.ts';
import type { TrainEvent as ClassifierEvent } from './events.ts';
import type { Progress, TrainingProgress, TrainingState } from './state.ts';

/** How any task is trained. */
export interface LoopOptions {
  /** Default 10. */
  readonly epochs?: number;
  /** Examples in a minibatch; default: the task's, for classification 100. The last minibatch of an epoch may be smaller. */
  readonly batch?: number;
  /**
   * Examples of an epoch, for data that are too many for one; default: all. An epoch goes on in the order of the pass where the last one
   * ended; what no whole epoch is left for waits for another pass, in another order.
   */
  readonly examplesPerEpoch?: number;
  /** Default: the task's with its own learning rate, for classification `sgd` with 0.1. */
  readonly optimizer?: OptimizerName | Optimizer;
  /** Learning rate of gaters; default: the main one times the scale that their neuron declares. */
  readonly gaterLearningRate?: number;
  /** Largest Euclidean norm of a unit's incoming weights, in layers that have no `maxNorm` of their own; default: none. */
  readonly maxNorm?: number;
  /** Factor on the learning rates after every epoch; default 1. */
  readonly decay?: number;
  /** Epochs without a better validation metric after which training stops; default: never. */
  readonly patience?: number;
  /** Seed of the order of the examples; default: the model's. */
  readonly seed?: number;
  /** Stops training: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** By which form of a network with stochastic units the best epoch is chosen; default: `threshold`. */
  readonly validation?: 'threshold' | 'mean-field' | 'sample';
  /** Noise on the weights, drawn anew for every example; default: none. */
  readonly weightNoise?: WeightNoiseSpec;
  /** After how many epochs the model is validated; default 1. After the last one it always is. */
  readonly validateEvery?: number;
  /** Neurons to measure beside the one that trains, in every epoch's event; they change nothing of the training. */
  readonly estimatorProbe?: EstimatorProbeOptions;
}

/** Options of the training of a task other than classification. */
export interface TaskOptions<D extends TaskData, B extends TaskBatch, E extends object, R extends object>
  extends LoopOptions {
  readonly task: Task<D, B, E, R>;
  /** Continue from here, bit for bit: a state of the same model, data and options (`epochs` and `patience` may differ). */
  readonly resume?: TrainingState<Progress<E>>;
}

/** Options of the training of a classifier. */
export interface TrainOptions extends LoopOptions {
  /** Default `classification`; one with another `run` minimises something else, and measures the same. */
  readonly task?: Task<Dataset, Batch, ClassificationEpoch>;
  /** Continue from here, bit for bit: a state of the same model, data and options (`epochs` and `patience` may differ). */
  readonly resume?: TrainingState;
}

/** Training under way: its events, and the state that it can be continued from. */
export interface Training<Event = ClassifierEvent, P extends Progress = TrainingProgress>
  extends AsyncGenerator<Event, void> {
  /**
   * A copy of where training stands, after any event and after the signal stopped it. After the result, when the model holds the
   * weights of its best epoch, that of the last epoch.
   */
  state(): TrainingState<P>;
}
