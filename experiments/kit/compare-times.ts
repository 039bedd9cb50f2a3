import {
  alternateAwaited,
  compile,
  createModel,
  type LayerSpec,
  type Model,
  median,
  type Optimizer,
  type RoundTimes,
  ratioOf,
  type Split,
  timePredictions,
  train,
} from '../../src/index.ts';
import { createEngine, processorTime } from '../../src/platform/node/index.ts';

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
/** Minibatches of an epoch that are not timed. */
const SPARE = 5;
/** Single examples that a net classifies before the next net's turn: as in use, its weights may stay where the processor has them at hand. */
const TURN = 20;

/** How the steps that are timed train. */
export interface StepOptions {
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly signal: AbortSignal;
}

/**
 * Times a trained gated net beside dense nets of the same kind of machine code: the kernels alone, and with BLAS where there is one.
 * What the dense nets' weights are does not change their time, so theirs are not trained.
 * @throws RangeError for too few examples to time a step
 */
export async function compareTimes(
  trained: Model,
  against: readonly (readonly LayerSpec[])[],
  data: Split,
  { many, signal, ...training }: StepOptions & { readonly many: number },
): Promise<EngineTimes[]> {
  const minibatches = Math.floor(data.train.count / training.batch);
  if (minibatches <= SPARE)
    throw new RangeError(
      `compareTimes: ${data.train.count} examples are ${minibatches} minibatches of ${training.batch}. Expected ${SPARE + 1} or more, of which all but ${SPARE} are timed.`,
    );
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
      const clock = processorTime;
      const one = timePredictions(frozen, data.test, { rows: 1, turn: TURN, rounds: ROUNDS.one, clock });
      const each = timePredictions(frozen, data.test, { rows: many, rounds: ROUNDS.hundred, clock });
      const together = each.map((own) => own.map((time) => many * time));
      const steps = models.map((model) => steppedBy(model, data, { ...training, signal }));
      const rounds = Math.min(ROUNDS.step, minibatches - SPARE);
      const step = await alternateAwaited(
        steps.map(({ next }) => next),
        { rounds, clock },
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

/** Trains on one minibatch a call. */
function steppedBy(model: Model, data: Split, { batch, optimizer, signal }: StepOptions) {
  const training = train(model, data, { epochs: 1, batch, optimizer, signal });
  return { next: () => training.next(), end: () => training.return() };
}
