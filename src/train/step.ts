import type { NdArray } from '../backend/nd-array.ts';
import { allFinite, sum } from '../math/statistics.ts';
import type { Model } from '../nn/model.ts';
import type { Parameter } from '../nn/parameter.ts';
import type { Pass } from '../nn/pass.ts';
import { WeightNoise, type WeightNoiseSpec } from '../nn/weight-noise.ts';
import { BlockUpdates } from '../optim/block-updates.ts';
import { maxNorm, type Optimizer, type UpdateContext } from '../optim/index.ts';
import { noiseKey } from '../random/stream.ts';
import { classification } from '../tasks/classification.ts';
import { type Outcome, runTask, type Task, type TaskBatch } from '../tasks/task.ts';
import type { OpRecord } from '../tensor/define-op.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface StepSettings {
  readonly optimizer: Optimizer;
  /** Learning rate of the main parameters at this step. */
  readonly learningRate: number;
  /** Learning rate of the gaters; default: the main one, times each neuron's own scale where the optimizer is not scale-invariant. */
  readonly gaterLearningRate?: number | undefined;
  /** Largest Euclidean norm of a unit's incoming weights, in layers that have no limit of their own; default: none. */
  readonly maxNorm?: number | undefined;
}

const ADVICE = 'Try a lower learning rate, max-norm, or data without NaN.';

/** What a step did. */
export interface StepOutcome {
  /** Mean of what is minimised, without penalties. */
  readonly loss: number;
  /** Of the pass (of the last one, where weights have noise); valid until the next step. */
  readonly outcome: Outcome;
  /** Of the forward pass, all examples together. */
  readonly multiplyAdds: number;
}

/** Noise on the weights, and over how many examples the cost of the weights is shared. */
export interface StepNoise {
  readonly spec: WeightNoiseSpec;
  readonly examples: number;
}

/** Forward, backward and update on one minibatch at a time; keeps the optimizer's arrays. */
export class Stepper {
  /** Updates done. */
  step = 0;
  /** Draws of the weights, where they have noise. */
  draws = 0;
  readonly noise: WeightNoise | undefined;
  private readonly blocks: (BlockUpdates | undefined)[] = [];
  /** Of this step: the numbers of the arrays whose blocks were updated where their gradient was made. */
  private readonly updated = new Set<number>();
  private readonly slots: readonly (readonly NdArray[])[];
  private readonly model: Model;
  private readonly task: Pick<Task, 'run'>;
  private readonly key: [number, number];
  /** What the optimizer changes, with the parameter that says how. */
  private readonly trained: readonly {
    readonly tensor: NdArray;
    readonly parameter: Parameter;
    readonly name: string;
  }[];

  /** @param task what is minimised; default: the cross-entropy of a classifier */
  constructor(model: Model, optimizer: Optimizer, task: Pick<Task, 'run'> = classification, noise?: StepNoise) {
    const { engine, parameters } = model;
    this.model = model;
    this.task = task;
    this.key = noiseKey(model.seed);
    this.noise = noise && new WeightNoise(engine, parameters, noise.spec, noise.examples);
    const arrays = this.noise?.trained ?? parameters.map(({ tensor }) => tensor);
    this.trained = arrays.map((tensor, i) => {
      const parameter = parameters[i % parameters.length];
      return { tensor, parameter, name: i < parameters.length ? parameter.name : `${parameter.name}.logVariance` };
    });
    this.slots = arrays.map((tensor) => optimizer.init(engine, tensor));
  }

  /** The optimizer's live arrays, by the parameter's name and a number, and what weight noise has learnt. */
  arrays(): [string, Float32Array | Float64Array][] {
    const slots = this.trained.flatMap(({ name }, i) =>
      this.slots[i].map((slot, k): [string, Float32Array | Float64Array] => [`${name}.${k}`, slot.values]),
    );
    return [...slots, ...(this.noise?.arrays() ?? [])];
  }

  /**
   * One step on a batch that was gathered after `engine.beginStep()`.
   * @throws NonFiniteError with the operation, the layer and the step when the loss is NaN or infinite
   */
  run(batch: TaskBatch, settings: StepSettings): StepOutcome {
    const { model } = this;
    const tape = new Tape(model.engine);
    const { loss, outcome, seeds, read } = this.forward(tape, batch);
    this.step++;
    const contexts = this.contexts(batch.rows, settings);
    const { descent } = settings.optimizer;
    if (descent)
      model.parameters.forEach(({ tensor }, i) => {
        tape.descend(tensor, descent(contexts[i]));
      });
    this.updateBlocks(tape, contexts, settings.optimizer);
    tape.backward(seeds, read);
    this.update(
      model.parameters.map(({ tensor }) => tape.gradient(tensor)),
      contexts,
      settings,
    );
    const { profile } = model.engine;
    profile?.enter('rest', '', 'gate statistics');
    model.afterStep();
    profile?.leave();
    return { loss: loss / batch.rows, outcome, multiplyAdds: tape.work.executed };
  }

  /**
   * One step in which every example is seen through weights of its own. Begins steps of the engine.
   * @param gather puts one of `rows` examples on the heap
   * @throws NonFiniteError as `run`
   */
  runNoisy(
    noise: WeightNoise,
    rows: number,
    gather: (example: number) => TaskBatch,
    settings: StepSettings,
  ): StepOutcome {
    const { engine } = this.model;
    let [total, multiplyAdds] = [0, 0];
    let last: Outcome | undefined;
    noise.begin();
    for (let example = 0; example < rows; example++) {
      engine.beginStep();
      noise.draw({ key: noiseKey(this.model.seed, 'weights'), step: this.draws++, draw: 0 });
      const tape = new Tape(engine);
      const { loss, outcome, seeds, read } = this.forward(tape, gather(example));
      tape.backward(seeds, read);
      noise.collect((parameter) => tape.gradient(parameter));
      this.model.afterStep();
      total += loss;
      multiplyAdds += tape.work.executed;
      last = outcome;
    }
    engine.beginStep();
    this.step++;
    this.update(noise.gradients(), this.contexts(rows, settings), settings);
    noise.spread();
    return { loss: total / rows, outcome: last as Outcome, multiplyAdds };
  }

  private forward(tape: Tape, batch: TaskBatch) {
    const { model } = this;
    tape.watch(model.parameters.map(({ tensor }) => tensor));
    const source = { key: this.key, step: this.step, draw: 0 };
    const pass: Pass = { tape, mode: 'train', source, penalties: [] };
    const outcome = runTask(this.task, model, pass, batch);
    const { losses, also = [] } = outcome;
    const loss = sum(tape.weigh(losses).values) + also.reduce((total, { values }) => total + sum(values), 0);
    if (!Number.isFinite(loss)) this.stop(tape);
    const penalties = pass.penalties.map(({ tensor, weight, rows }) => ({ tensor, cotangent: weight * rows }));
    const others = also.map((tensor) => ({ tensor, cotangent: 1 }));
    const seeds = [{ tensor: losses, cotangent: 1 }, ...others, ...penalties];
    return { loss, outcome, seeds, read: this.lossesRead(pass, losses) };
  }

  /** What neurons that read losses are given: the losses, and the penalties that depend on any such neuron's output. */
  private lossesRead({ tape, penalties }: Pass, losses: Tensor): Tensor {
    const parts = penalties.flatMap(({ weight, rows, read }) => {
      const plate = read?.of.plate;
      if (!read || !plate || weight === 0 || !dependsOnReaders(tape.trace, read.of)) return [];
      const share = (weight * rows) / plate.rows;
      return [{ of: read.of, values: read.rowParts().map((part) => share * part) }];
    });
    return parts.length === 0 ? losses : tape.withParts(losses, parts);
  }

  /** Blocks are updated where their gradient is made, where the optimizer's update is a rule. */
  private updateBlocks(tape: Tape, contexts: readonly UpdateContext[], { rule }: Optimizer): void {
    this.updated.clear();
    if (!rule) return;
    this.trained.forEach(({ tensor }, i) => {
      tape.update(tensor, (mask, run) => {
        this.updated.add(i);
        if (this.blocks[i]?.blocks !== mask.blocks) this.blocks[i] = this.inBlocks(i, mask.blocks);
        this.blocks[i]?.step(rule(contexts[i]), mask, run);
      });
    });
  }

  private inBlocks(i: number, blocks: number): BlockUpdates {
    return new BlockUpdates(this.model.engine, this.trained[i].tensor, this.slots[i], blocks);
  }

  /** The update of an array to which no gradient came, as of a part that no row opened: that of a gradient of zeros. */
  private updateWithout(i: number, context: UpdateContext, optimizer: Optimizer): void {
    const { descent, rule } = optimizer;
    // w + f·0 is w.
    if (descent) return;
    if (rule) {
      this.blocks[i] ??= this.inBlocks(i, 1);
      this.blocks[i]?.skip(rule(context));
      return;
    }
    const { engine } = this.model;
    const { tensor } = this.trained[i];
    const zeros = engine.allocate(tensor.shape, 'a gradient of zeros');
    zeros.values.fill(0);
    optimizer.update(engine, tensor, zeros, this.slots[i], context);
  }

  private update(
    gradients: readonly (NdArray | undefined)[],
    contexts: readonly UpdateContext[],
    settings: StepSettings,
  ): void {
    const { engine } = this.model;
    this.trained.forEach(({ tensor, parameter, name }, i) => {
      const gradient = gradients[i];
      engine.profile?.enter('update', name, settings.optimizer.name);
      if (gradient) settings.optimizer.update(engine, tensor, gradient, this.slots[i], contexts[i]);
      else if (!this.updated.has(i)) this.updateWithout(i, contexts[i], settings.optimizer);
      const { maxNorm: limit = settings.maxNorm } = parameter;
      if (typeof limit === 'number' && parameter.kind === 'weights' && tensor === parameter.tensor)
        maxNorm(engine, tensor, limit);
      engine.profile?.leave();
    });
  }

  private contexts(rows: number, settings: StepSettings): UpdateContext[] {
    const { step } = this;
    return this.trained.map(({ parameter }) => ({
      learningRate: rateOf(parameter, settings),
      gradientScale: 1 / rows,
      step,
    }));
  }

  /** @throws NonFiniteError with the parameter and the step when an update has made a parameter NaN or infinite */
  checkParameters(): void {
    const broken = this.model.parameters.find(({ tensor }) => !allFinite(tensor.values));
    if (broken)
      throw new NonFiniteError(
        this.step === 0
          ? `Training stopped before its first step: "${broken.name}" starts with NaN or infinite values. Expected finite ones.`
          : `Training stopped at step ${this.step}: the update of step ${this.step - 1} made "${broken.name}" NaN or infinite. ${ADVICE}`,
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

/** Does a tensor depend on the output of an operation that reads the losses of rows? */
function dependsOnReaders(trace: readonly OpRecord[], of: Tensor): boolean {
  const needed = new Set([of.dense]);
  for (let i = trace.length - 1; i >= 0; i--) {
    const { op, attributes, result, tensors } = trace[i];
    if (!needed.has(result)) continue;
    if (op.readsLosses?.(attributes)) return true;
    for (const tensor of tensors) needed.add(tensor);
  }
  return false;
}
