import type { NdArray } from '../backend/nd-array.ts';
import { allFinite, sum } from '../math/statistics.ts';
import type { Model } from '../nn/model.ts';
import type { Parameter } from '../nn/parameter.ts';
import type { Pass } from '../nn/pass.ts';
import { maxNorm, type Optimizer, type UpdateContext } from '../optim/index.ts';
import { seedToKey } from '../random/stream.ts';
import { NonFiniteError, Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Batch } from './batches.ts';
import { classification, type Objective } from './objective.ts';

export interface StepSettings {
  readonly optimizer: Optimizer;
  /** Learning rate of the main parameters at this step. */
  readonly learningRate: number;
  /** Learning rate of the gaters; default: the main one, times each neuron's own scale where the optimizer is not scale-invariant. */
  readonly gaterLearningRate?: number | undefined;
  /** Largest Euclidean norm of a unit's incoming weights; default: none. */
  readonly maxNorm?: number | undefined;
}

const ADVICE = 'A lower learning rate, max-norm, or data without NaN would do.';

/** Forward, backward and update on one minibatch at a time; keeps the optimizer's arrays. */
export class Stepper {
  /** Steps done. */
  step = 0;
  readonly slots: readonly (readonly NdArray[])[];
  private readonly model: Model;
  private readonly objective: Objective;
  private readonly key: [number, number];

  /** @param objective what is minimised; default: the cross-entropy of a classifier */
  constructor(model: Model, optimizer: Optimizer, objective: Objective = classification) {
    this.model = model;
    this.objective = objective;
    this.key = seedToKey(model.seed);
    this.slots = model.parameters.map(({ tensor }) => optimizer.init(model.engine, tensor));
  }

  /** The optimizer's live arrays, by the parameter's name and a number. */
  arrays(): [string, Float32Array | Float64Array][] {
    return this.model.parameters.flatMap(({ name }, i) =>
      this.slots[i].map((slot, k): [string, Float32Array | Float64Array] => [`${name}.${k}`, slot.values]),
    );
  }

  /**
   * One step on a batch that was gathered after `engine.beginStep()`.
   * @returns the mean loss in nats, the model's output (of all draws; valid until the next step), and the multiply-adds of the
   *   forward pass
   * @throws NonFiniteError with the operation, the layer and the step when the loss is NaN or infinite
   */
  run(batch: Batch, settings: StepSettings): { loss: number; output: Tensor; multiplyAdds: number } {
    const { model } = this;
    const tape = new Tape(model.engine);
    tape.watch(model.parameters.map(({ tensor }) => tensor));
    const source = { key: this.key, step: this.step, draw: 0 };
    const pass: Pass = { tape, mode: 'train', source, penalties: [] };
    const { output, losses, also = [] } = this.objective(model, pass, batch);
    const loss =
      (sum(tape.weigh(losses).values) + also.reduce((total, { values }) => total + sum(values), 0)) / batch.rows;
    if (!Number.isFinite(loss)) this.stop(tape);
    const penalties = pass.penalties.map(({ tensor, weight, rows }) => ({ tensor, cotangent: weight * rows }));
    const others = also.map((tensor) => ({ tensor, cotangent: 1 }));
    this.step++;
    const contexts = model.parameters.map((parameter) => this.context(parameter, batch.rows, settings));
    const { descent } = settings.optimizer;
    if (descent)
      model.parameters.forEach(({ tensor }, i) => {
        tape.descend(tensor, descent(contexts[i]));
      });
    tape.backward([{ tensor: losses, cotangent: 1 }, ...others, ...penalties], losses);
    this.update(tape, contexts, settings);
    model.afterStep();
    return { loss, output, multiplyAdds: tape.work.executed };
  }

  private update(tape: Tape, contexts: readonly UpdateContext[], settings: StepSettings): void {
    const { engine, parameters } = this.model;
    parameters.forEach(({ tensor, kind }, i) => {
      const gradient = tape.gradient(tensor);
      if (gradient) settings.optimizer.update(engine, tensor, gradient, this.slots[i], contexts[i]);
      if (settings.maxNorm !== undefined && kind === 'weights') maxNorm(engine, tensor, settings.maxNorm);
    });
  }

  private context(parameter: Parameter, rows: number, settings: StepSettings): UpdateContext {
    return { learningRate: rateOf(parameter, settings), gradientScale: 1 / rows, step: this.step };
  }

  /** @throws NonFiniteError with the parameter and the step when an update has made a parameter NaN or infinite */
  checkParameters(): void {
    const broken = this.model.parameters.find(({ tensor }) => !allFinite(tensor.values));
    if (broken)
      throw new NonFiniteError(
        `Training stopped at step ${this.step}: the update of step ${this.step - 1} made "${broken.name}" NaN or infinite. ${ADVICE}`,
      );
  }

  private stop(tape: Tape): never {
    this.checkParameters();
    const first = tape.firstNonFinite();
    throw new NonFiniteError(
      `Training stopped at step ${this.step}: the loss is NaN or infinite; the operation "${first?.op}" in layer "${first?.layer}" gave it first. ${ADVICE}`,
    );
  }
}

function rateOf(parameter: Parameter, settings: StepSettings): number {
  if (parameter.group === 'gater' && settings.gaterLearningRate !== undefined) return settings.gaterLearningRate;
  return settings.learningRate * (settings.optimizer.scaleInvariant ? 1 : parameter.learningRateScale);
}
