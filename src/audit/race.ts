import type { Engine } from '../backend/engine.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import type { NeuronDefinition } from '../neurons/contract.ts';
import { createModel, type LayerSpec, type Model } from '../nn/model.ts';
import type { Module } from '../nn/module.ts';
import type { Optimizer } from '../optim/index.ts';
import type { NamesOf } from '../schema/names.ts';
import { epochOrder, gatherBatch } from '../tasks/examples.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { calibrate } from '../train/calibrate.ts';
import { evaluate } from '../train/evaluate.ts';
import { Stepper } from '../train/step.ts';

/** What all runners of a race have in common. */
export interface RaceTrack {
  readonly data: Split;
  /** The layers of the network with this neuron at the place in question. */
  readonly layersOf: (neuron: string) => readonly (Module | LayerSpec)[];
  /** Neurons of one's own that are known by name. */
  readonly neurons?: readonly NeuronDefinition[];
  /** A new engine; the race closes it. */
  readonly makeEngine: () => Promise<Engine>;
  readonly batch: number;
  /** A new optimizer for one training. */
  readonly makeOptimizer: () => Optimizer;
  readonly signal?: AbortSignal | undefined;
}

export const trackNames: NamesOf<RaceTrack> = {
  data: true,
  layersOf: true,
  neurons: true,
  makeEngine: true,
  batch: true,
  makeOptimizer: true,
  signal: true,
};

/** Where a runner stands when its time is up. */
export interface RaceResult {
  readonly neuron: string;
  readonly seed: number;
  /** Share of wrong answers on the validation data (thresholds calibrated), in [0, 1]; 1 where the loss became NaN. */
  readonly error: number;
  /** Share of open gates there; 1 without gates. */
  readonly density: number;
  readonly steps: number;
  /** Multiply-adds of training over those of all blocks: under 1 where closed blocks were skipped. */
  readonly executed: number;
  /** Spent on training alone. */
  readonly seconds: number;
}

/** The event loop gets a turn at least this often, in milliseconds. */
const TURN = 50;

/** A training that goes on for stretches of time: the same seed gives the same weights, order and minibatches to every neuron. */
export class Runner {
  readonly model: Model;
  private readonly track: RaceTrack;
  private readonly stepper: Stepper;
  private readonly optimizer: Optimizer;
  private order: Int32Array = new Int32Array(0);
  private epoch = 0;
  private next = 0;
  private executed = 0;
  private examples = 0;
  private trained = 0;
  private forward = 0;
  private losses: number[] = [];
  private readonly passes: number;

  /**
   * @param passes with noise of their own over every minibatch, whose gradients are averaged
   * @throws RangeError when neuron and network do not fit
   */
  constructor(engine: Engine, track: RaceTrack, neuron: string, seed: number, passes = 1) {
    this.track = track;
    this.passes = passes;
    const { data, neurons = [] } = track;
    this.model = createModel(engine, { inputs: data.train.width, layers: track.layersOf(neuron), seed, neurons });
    this.optimizer = track.makeOptimizer();
    this.stepper = new Stepper(this.model, this.optimizer);
  }

  get steps(): number {
    return this.stepper.step;
  }

  /** Spent in `train`. */
  get seconds(): number {
    return this.trained;
  }

  /** Evaluations of the loss so far, for one example of each minibatch: draws of the neuron times passes, summed over the steps. */
  get evaluations(): number {
    return this.forward;
  }

  /** Multiply-adds of the forward pass so far, over those of the same network with all blocks and gaters. */
  get share(): number {
    const { dense, gater } = this.model.cost;
    return this.executed / Math.max(1, this.examples * (dense + gater));
  }

  /** Trains until so many seconds are spent. @throws NonFiniteError when the loss is NaN, or the signal's reason */
  train(seconds: number): Promise<void> {
    const end = this.trained + seconds;
    return this.trainWhile(() => this.trained < end);
  }

  /** Trains at least a step, and for as long as `more` says after each. @throws NonFiniteError when the loss is NaN, or the signal's reason */
  async trainWhile(more: () => boolean): Promise<void> {
    const { track } = this;
    let turned = performance.now();
    do {
      const start = performance.now();
      this.step();
      this.trained += (performance.now() - start) / 1000;
      if (performance.now() - turned > TURN) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        turned = performance.now();
      }
      track.signal?.throwIfAborted();
    } while (more());
    this.stepper.checkParameters();
  }

  /** Mean training loss in nats, as sampled, of the steps since the last call; undefined for none. */
  takeLoss(): number | undefined {
    const { losses } = this;
    this.losses = [];
    return losses.length > 0 ? losses.reduce((sum, loss) => sum + loss, 0) / losses.length : undefined;
  }

  private step(): void {
    const { model, track, passes } = this;
    const examples = this.minibatch();
    const indices = passes === 1 ? examples : repeated(examples, passes);
    model.engine.beginStep();
    const settings = { optimizer: this.optimizer, learningRate: this.optimizer.learningRate };
    const { loss, outcome, multiplyAdds } = this.stepper.run(
      gatherBatch(model.engine, track.data.train, indices),
      settings,
    );
    this.losses.push(loss);
    this.executed += multiplyAdds;
    this.examples += indices.length;
    this.forward += outcome.output.rows / examples.length;
  }

  /** The next examples, in an order that depends on the seed alone. */
  minibatch(): Int32Array {
    const { data, batch } = this.track;
    if (this.next >= this.order.length) {
      this.order = epochOrder(data.train.count, this.model.seed, ++this.epoch);
      this.next = 0;
    }
    const indices = this.order.subarray(this.next, this.next + batch);
    this.next += indices.length;
    return indices;
  }
}

/** All examples, so many times over. */
function repeated(examples: Int32Array, times: number): Int32Array {
  const all = new Int32Array(times * examples.length);
  for (let i = 0; i < times; i++) all.set(examples, i * examples.length);
  return all;
}

/** Trains one neuron for so many seconds from the start and measures it on validation data. */
export async function race(
  track: RaceTrack,
  neuron: string,
  seed: number,
  seconds: number,
  valid: Dataset,
): Promise<RaceResult> {
  const engine = await track.makeEngine();
  try {
    const runner = new Runner(engine, track, neuron, seed);
    const measured = async () => {
      try {
        await runner.train(seconds);
      } catch (error) {
        if (error instanceof NonFiniteError) return { error: 1, density: Number.NaN };
        throw error;
      }
      const { model } = runner;
      if (model.stochasticSites.length > 0) calibrate(model, valid);
      return evaluate(model, valid, { mode: model.stochasticSites.length > 0 ? 'threshold' : 'mean-field' });
    };
    const { error, density } = await measured();
    return { neuron, seed, error, density, steps: runner.steps, executed: runner.share, seconds: runner.seconds };
  } finally {
    engine.close();
  }
}
