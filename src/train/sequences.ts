import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { SequenceDataset } from '../data/sequences.ts';
import { allFinite, sum } from '../math/statistics.ts';
import { editDistance } from '../math/text.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { WeightNoise, type WeightNoiseSpec } from '../nn/weight-noise.ts';
import { type Optimizer, type OptimizerName, resolveOptimizer } from '../optim/index.ts';
import { seedToKey } from '../random/stream.ts';
import { ctc, type LabelStrings } from '../tensor/ops/sequences.ts';
import { NonFiniteError, Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alone } from './alone.ts';
import { epochOrder } from './batches.ts';

/** How a model reads sequences. Decoded by the best path: the best class at every point, repeats merged, blanks removed. */
export interface SequenceEvaluation {
  /** Mean of −log P(labels), over all alignments, in nats a sequence. */
  readonly loss: number;
  /** Edit distance from what was read to the labels, summed, over the number of labels. */
  readonly labelError: number;
  /** Share of sequences with any mistake, in [0, 1]. */
  readonly sequenceError: number;
}

export interface SequenceTrainOptions {
  /** Default 10. */
  readonly epochs?: number;
  /** Sequences in a minibatch; default 1. */
  readonly batch?: number;
  /** Default `adam`. */
  readonly optimizer?: OptimizerName | Optimizer;
  /** Noise on the weights, drawn anew for every sequence; default: none. */
  readonly weightNoise?: WeightNoiseSpec;
  /** After how many epochs the model is evaluated, and the iteration yields; default 1. After the last one it always is. */
  readonly evaluateEvery?: number;
  /** Seed of the order of the sequences; default: the model's. */
  readonly seed?: number;
  /** Stops training: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** After an epoch; the model then has its weights without noise. */
export interface SequenceEpoch {
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss over the epoch, as trained: with noise on the weights where there is any. */
  readonly trainLoss: number;
  readonly valid: SequenceEvaluation;
  /** Of weight noise: the geometric mean of σ, and for adaptive noise the nats that the weights cost. */
  readonly deviation?: number;
  readonly complexity?: number;
  /** Since training began. */
  readonly seconds: number;
}

/** The event loop gets a turn at least this often, in milliseconds. */
const TURN = 50;

/**
 * Trains a model to read sequences by connectionist temporal classification, an epoch at a time.
 * @throws RangeError for options or data that do not fit, NonFiniteError when a loss is NaN, or the signal's reason
 */
export function trainSequences(
  model: Model,
  data: { readonly train: SequenceDataset; readonly valid: SequenceDataset },
  options: SequenceTrainOptions = {},
): AsyncGenerator<SequenceEpoch, void> {
  return alone(model, epochsOf(model, data, options));
}

async function* epochsOf(
  model: Model,
  data: { readonly train: SequenceDataset; readonly valid: SequenceDataset },
  options: SequenceTrainOptions,
): AsyncGenerator<SequenceEpoch, void> {
  const {
    epochs = 10,
    batch = 1,
    evaluateEvery = 1,
    optimizer = 'adam',
    weightNoise,
    seed = model.seed,
    signal,
  } = options;
  for (const part of [data.train, data.valid]) checkSequences(model, part);
  for (const [name, value] of Object.entries({ epochs, batch, evaluateEvery }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`\`${name}\` is ${value}; a whole number from 1 up would do.`);
  const stepper = new SequenceStepper(model, data.train, resolveOptimizer(optimizer), weightNoise);
  const start = performance.now();
  let lastTurn = start;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = epochOrder(data.train.count, seed, epoch);
    let loss = 0;
    for (let from = 0; from < order.length; from += batch) {
      loss += stepper.run(order.subarray(from, from + batch));
      if (performance.now() - lastTurn > TURN) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        lastTurn = performance.now();
      }
      signal?.throwIfAborted();
    }
    if (epoch % evaluateEvery !== 0 && epoch < epochs) continue;
    const { noise } = stepper;
    const complexity = noise?.complexity();
    yield {
      epoch,
      epochs,
      trainLoss: loss / order.length,
      valid: evaluateSequences(model, data.valid),
      ...(noise && { deviation: noise.deviation() }),
      ...(complexity !== undefined && { complexity }),
      seconds: (performance.now() - start) / 1000,
    };
  }
}

/** Forward, backward and update on one minibatch at a time. */
class SequenceStepper {
  readonly noise: WeightNoise | undefined;
  private readonly model: Model;
  private readonly data: SequenceDataset;
  private readonly optimizer: Optimizer;
  private readonly trained: readonly NdArray[];
  private readonly slots: readonly (readonly NdArray[])[];
  private readonly key: [number, number];
  /** Updates done, and draws of the weights. */
  private step = 0;
  private draws = 0;

  constructor(model: Model, data: SequenceDataset, optimizer: Optimizer, spec: WeightNoiseSpec | undefined) {
    this.model = model;
    this.data = data;
    this.optimizer = optimizer;
    this.noise = spec && new WeightNoise(model.engine, model.parameters, spec, data.count);
    this.trained = this.noise?.trained ?? model.parameters.map(({ tensor }) => tensor);
    this.slots = this.trained.map((tensor) => optimizer.init(model.engine, tensor));
    this.key = seedToKey(model.seed);
  }

  /** @returns the sum of the losses @throws NonFiniteError with the operation, the layer and the step */
  run(indices: Int32Array): number {
    const { noise, trained } = this;
    let loss = 0;
    let gradients: readonly (NdArray | undefined)[];
    if (noise) {
      noise.begin();
      for (let i = 0; i < indices.length; i++) loss += this.noisy(noise, indices.subarray(i, i + 1));
      this.model.engine.beginStep();
      gradients = noise.gradients();
    } else {
      this.model.engine.beginStep();
      const { tape, total } = this.backward(indices);
      loss = total;
      gradients = trained.map((tensor) => tape.gradient(tensor));
    }
    this.update(gradients, indices.length);
    noise?.spread();
    return loss;
  }

  /** One sequence at weights of its own. */
  private noisy(noise: WeightNoise, indices: Int32Array): number {
    this.model.engine.beginStep();
    noise.draw({ key: this.key, step: this.draws++, draw: 0 });
    const { tape, total } = this.backward(indices);
    noise.collect((parameter) => tape.gradient(parameter));
    return total;
  }

  private backward(indices: Int32Array): { tape: Tape; total: number } {
    const { model } = this;
    const batch = gatherSequences(model.engine, this.data, indices);
    const tape = new Tape(model.engine);
    tape.watch(model.parameters.map(({ tensor }) => tensor));
    const losses = lossesOf(model, tape, batch, { key: this.key, step: this.step, draw: 0 }, 'train');
    const total = sum(losses.values);
    if (!Number.isFinite(total)) this.stop(tape);
    tape.backward([{ tensor: losses, cotangent: 1 }], losses);
    return { tape, total };
  }

  private update(gradients: readonly (NdArray | undefined)[], rows: number): void {
    const { optimizer, trained, model } = this;
    const context = { learningRate: optimizer.learningRate, gradientScale: 1 / rows, step: ++this.step };
    gradients.forEach((gradient, i) => {
      if (gradient) optimizer.update(model.engine, trained[i], gradient, this.slots[i], context);
    });
  }

  private stop(tape: Tape): never {
    const first = tape.firstNonFinite();
    const broken = this.model.parameters.find(({ tensor }) => !allFinite(tensor.values));
    throw new NonFiniteError(
      `Training stopped at step ${this.step}: ${
        broken
          ? `"${broken.name}" is NaN or infinite`
          : `the loss is NaN or infinite; the operation "${first?.op}" in layer "${first?.layer}" gave it first`
      }. A lower learning rate or less weight noise would do.`,
    );
  }
}

/** Sequences on the heap; valid until the next step. */
interface SequenceBatch {
  /** The points of all sequences. */
  readonly x: NdArray;
  /** Where the points of every sequence begin. */
  readonly offsets: Int32Array;
  readonly strings: LabelStrings;
}

/** Puts the sequences with these indices on the heap, one after another, without padding. */
function gatherSequences(engine: Engine, data: SequenceDataset, indices: ArrayLike<number>): SequenceBatch {
  const chosen = Array.from(indices);
  const { width } = data;
  const offsets = startsOf(chosen.map((i) => data.offsets[i + 1] - data.offsets[i]));
  const places = startsOf(chosen.map((i) => data.labelOffsets[i + 1] - data.labelOffsets[i]));
  const x = engine.allocate([offsets[chosen.length], width], 'a minibatch of sequences');
  const labels = new Int32Array(places[chosen.length]);
  const { values } = x;
  chosen.forEach((i, s) => {
    values.set(data.features.subarray(data.offsets[i] * width, data.offsets[i + 1] * width), offsets[s] * width);
    labels.set(data.labels.subarray(data.labelOffsets[i], data.labelOffsets[i + 1]), places[s]);
  });
  return { x, offsets, strings: { labels, offsets: places } };
}

function startsOf(lengths: readonly number[]): Int32Array {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    starts[i + 1] = starts[i] + length;
  });
  return starts;
}

/** One loss a sequence. `visit` sees the logits. */
function lossesOf(
  model: Model,
  tape: Tape,
  { x, offsets, strings }: SequenceBatch,
  source: Pass['source'],
  mode: Pass['mode'],
  visit?: (logits: Tensor) => void,
): Tensor {
  const pass: Pass = { tape, mode, source, penalties: [] };
  const logits = model.apply(pass, tape.input(x, tape.plates.points(offsets)));
  visit?.(logits);
  tape.layer = 'loss';
  return ctc(logits, strings);
}

/** Sequences at a time. */
const EVALUATED = 64;

/**
 * Reads all sequences of a data set with the model's weights as they are.
 * @throws RangeError when the data do not fit the model, NonFiniteError when a loss is NaN or infinite
 */
export function evaluateSequences(model: Model, data: SequenceDataset): SequenceEvaluation {
  checkSequences(model, data);
  const key = seedToKey(model.seed);
  let [loss, wrong, edits] = [0, 0, 0];
  for (let from = 0; from < data.count; from += EVALUATED) {
    model.engine.beginStep();
    const indices = Array.from({ length: Math.min(EVALUATED, data.count - from) }, (_, i) => from + i);
    const batch = gatherSequences(model.engine, data, indices);
    const tape = new Tape(model.engine);
    const losses = lossesOf(model, tape, batch, { key, step: 0, draw: 0 }, 'mean-field', (logits) => {
      indices.forEach((i) => {
        const labels = data.labels.subarray(data.labelOffsets[i], data.labelOffsets[i + 1]);
        const first = data.offsets[i] - data.offsets[from];
        const read = bestPath(logits, first, first + data.offsets[i + 1] - data.offsets[i]);
        const distance = editDistance(String.fromCharCode(...read), String.fromCharCode(...labels));
        edits += distance;
        if (distance > 0) wrong++;
      });
    });
    loss += sum(losses.values);
  }
  if (!Number.isFinite(loss))
    throw new NonFiniteError(
      `Evaluation stopped: a loss on "${data.name}" is NaN or infinite. Finite weights would do.`,
    );
  return { loss: loss / data.count, labelError: edits / data.labels.length, sequenceError: wrong / data.count };
}

/** Best path decoding of the rows from `from` to `to` (Graves et al. 2006, §3.2). */
function bestPath({ values, columns }: Tensor, from: number, to: number): number[] {
  const read: number[] = [];
  let before = -1;
  for (let row = from; row < to; row++) {
    let best = 0;
    for (let c = 1; c < columns; c++) if (values[row * columns + c] > values[row * columns + best]) best = c;
    if (best !== before && best !== columns - 1) read.push(best);
    before = best;
  }
  return read;
}

/** @throws RangeError when the data's width or classes do not fit the model */
function checkSequences(model: Model, { name, width, classes, count }: SequenceDataset): void {
  if (width !== model.inputs)
    throw new RangeError(
      `The sequences "${name}" have ${width} features, the model takes ${model.inputs}; \`inputs: ${width}\` would do.`,
    );
  if (model.outputs !== classes + 1)
    throw new RangeError(
      `The sequences "${name}" have ${classes} classes, the model's last layer has ${model.outputs} units; ${classes + 1} would do: one a class, and the blank.`,
    );
  if (count === 0) throw new RangeError(`The sequences "${name}" are none.`);
}
