import {
  type CompiledModel,
  compile,
  createModel,
  type Dataset,
  type Model,
  type Split,
  sgd,
  train,
} from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { alternate, median, type RoundTimes, ratioOf } from './alternate.ts';
import { layersOf, type Net } from './conditional-speed-nets.ts';

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
  readonly hundred: Comparison;
  /** A training step. */
  readonly step: Comparison;
}

const ROUNDS = { one: 60, hundred: 30, step: 20 };
const MANY = 100;
/** Single examples that a net classifies before the next net's turn: as in use, its weights may stay where the processor has them at hand. */
const TURN = 20;

/**
 * Times a trained gated net beside dense nets of the same kind of machine code: the kernels alone, and with BLAS where there is one.
 * What the dense nets' weights are does not change their time, so theirs are not trained.
 */
export async function compareTimes(
  trained: Model,
  against: readonly Net[],
  data: Split,
  { batch, learningRate, signal }: { batch: number; learningRate: number; signal: AbortSignal },
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
      const denseModels = against.map((net) => createModel(engine, { inputs, seed, layers: layersOf(net) }));
      const models = [gatedModel, ...denseModels];
      const frozen = models.map((model) => compile(model));
      const one = perExample(await alternate(predicting(frozen, data.test, 1, TURN), { rounds: ROUNDS.one }));
      const hundred = await alternate(predicting(frozen, data.test, MANY, 1), { rounds: ROUNDS.hundred });
      const steps = models.map((model) => steppedBy(model, data, { batch, learningRate, signal }));
      const rounds = Math.min(ROUNDS.step, Math.floor(data.train.count / batch) - 5);
      const step = await alternate(
        steps.map(({ next }) => next),
        { rounds },
      );
      for (const { end } of steps) await end();
      found.push({ engine: engine.name, one: compared(one), hundred: compared(hundred), step: compared(step) });
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
function predicting(
  frozen: readonly CompiledModel[],
  { features, scale, width, count }: Dataset,
  rows: number,
  turns: number,
) {
  const starts = Math.max(1, Math.floor(count / rows));
  const inputs = Array.from({ length: Math.min(50 * turns, starts) }, (_, i) =>
    Float32Array.from(features.subarray(i * rows * width, (i + 1) * rows * width), (x) => x * scale),
  );
  return frozen.map((net) => (round: number) => {
    for (let turn = 0; turn < turns; turn++) net.predict(inputs[(round * turns + turn) % inputs.length]);
  });
}

/** Trains on one minibatch a call. */
function steppedBy(
  model: Model,
  data: Split,
  { batch, learningRate, signal }: { batch: number; learningRate: number; signal: AbortSignal },
) {
  const training = train(model, data, { epochs: 1, batch, optimizer: sgd({ learningRate }), signal });
  return { next: () => training.next(), end: () => training.return() };
}
