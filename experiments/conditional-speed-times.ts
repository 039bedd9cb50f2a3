import {
  type CompiledModel,
  compile,
  createModel,
  type Dataset,
  featuresOf,
  type LayerSpec,
  type Model,
  type Optimizer,
  type Split,
  train,
} from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { alternate, median, type RoundTimes, ratioOf } from './alternate.ts';

/** Milliseconds of the processor are medians; `times` tells how many times the gated net's time each dense net takes, round by round. */
export interface Comparison {
  readonly gated: number;
  readonly dense: readonly number[];
  readonly times: readonly number[];
}

/** One engine's times, gated and dense nets in turn, one thread. */
export interface EngineTimes {
  readonly engine: string;
  /** One example at a time, others in every round: milliseconds of one of them. */
  readonly one: Comparison;
  /** About a hundred at a time: `many` of them. */
  readonly hundred: Comparison;
  /** A training step. */
  readonly step: Comparison;
}

const ROUNDS = { one: 60, hundred: 30, step: 20 };
/** Single examples that a net classifies before the next net's turn: as in use, its weights may stay where the processor has them at hand. */
const TURN = 20;

interface StepOptions {
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly signal: AbortSignal;
}

/**
 * Times a trained gated net beside dense nets of the same kind of machine code: the kernels alone, and with BLAS where there is one.
 * What the dense nets' weights are does not change their time, so theirs are not trained.
 */
export async function compareTimes(
  trained: Model,
  against: readonly (readonly LayerSpec[])[],
  data: Split,
  { many, signal, ...training }: StepOptions & { readonly many: number },
): Promise<EngineTimes[]> {
  const snapshot = trained.snapshot();
  const { inputs, seed } = trained;
  const found: EngineTimes[] = [];
  for (const blas of ['off', 'auto']) {
    signal.throwIfAborted();
    const engine = await createEngine({ threads: 1, blas });
    try {
      if (found.some((known) => known.engine === engine.name)) continue;
      const gatedModel = createModel(engine, trained.spec);
      gatedModel.restore(snapshot);
      const denseModels = against.map((layers) => createModel(engine, { inputs, seed, layers }));
      const models = [gatedModel, ...denseModels];
      const frozen = models.map((model) => compile(model));
      const one = perExample(await alternate(predicting(frozen, data.test, 1, TURN), { rounds: ROUNDS.one }));
      const together = await alternate(predicting(frozen, data.test, many, 1), { rounds: ROUNDS.hundred });
      const steps = models.map((model) => steppedBy(model, data, { ...training, signal }));
      const rounds = Math.min(ROUNDS.step, Math.floor(data.train.count / training.batch) - 5);
      const step = await alternate(
        steps.map(({ next }) => next),
        { rounds },
      );
      for (const { end } of steps) await end();
      found.push({ engine: engine.name, one: compared(one), hundred: compared(together), step: compared(step) });
    } finally {
      engine.close();
    }
  }
  return found;
}

function compared(times: RoundTimes): Comparison {
  const [gated, ...dense] = times.map(median);
  return { gated, dense, times: dense.map((_, i) => ratioOf(times, 0, i + 1)) };
}

const perExample = (times: RoundTimes): RoundTimes => times.map((own) => own.map((time) => time / TURN));

/** Each net classifies the same rows in a round, `turns` times so many, and other rows in the next. */
function predicting(frozen: readonly CompiledModel[], data: Dataset, rows: number, turns: number) {
  const starts = Math.max(1, Math.floor(data.count / rows));
  const inputs = Array.from({ length: Math.min(50 * turns, starts) }, (_, i) => inputsOf(data, i * rows, rows));
  return frozen.map((net) => (round: number) => {
    for (let turn = 0; turn < turns; turn++) net.predict(inputs[(round * turns + turn) % inputs.length]);
  });
}

/** rows × width, scaled. */
function inputsOf(data: Dataset, from: number, rows: number): Float32Array {
  const { width, scale } = data;
  const inputs = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) inputs.set(featuresOf(data, from + r), r * width);
  return inputs.map((x) => x * scale);
}

/** Trains on one minibatch a call. */
function steppedBy(model: Model, data: Split, { batch, optimizer, signal }: StepOptions) {
  const training = train(model, data, { epochs: 1, batch, optimizer, signal });
  return { next: () => training.next(), end: () => training.return() };
}
