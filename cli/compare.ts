/** A gated network beside its rivals: itself with every block computed, the dense network of its error, the one of its cost. */
import {
  type CompiledModel,
  compile,
  createModel,
  dense,
  type Engine,
  type GatedSpec,
  type LayerSpec,
  layersText,
  type Model,
  type ModelDescription,
  median,
  type RoundTimes,
  ratioOf,
  type Snapshot,
  type Split,
  type TrainOptions,
  timePredictions,
  train,
} from '../src/index.ts';
import { processorTime } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { chainText } from './network.ts';

const KINDS = ['closed blocks skipped', 'all blocks computed', 'the same error', 'the same cost'] as const;

/** A network as it is used, with open gates by their thresholds. */
export interface ComparedNet {
  readonly is: (typeof KINDS)[number];
  /** Its layers as a text. */
  readonly layers: string;
  /** Of the hidden layer. */
  readonly units: number;
  readonly validError: number;
  readonly testError: number;
  /** Of an example, medians: one at a time, and a minibatch at a time. */
  readonly microseconds: { readonly one: number; readonly batch: number };
  /** Of an example, the gater's included. */
  readonly multiplyAdds: number;
  /** How many times the first network's time it takes: medians over rounds. */
  readonly times: { readonly one: number; readonly batch: number };
}

export interface Comparison {
  readonly event: 'comparison';
  /** Is there a dense network in the ladder that errs no more on the validation data? */
  readonly reached: boolean;
  /** Widths of the dense networks that were trained. */
  readonly ladder: readonly number[];
  /** Examples of a batch. */
  readonly batch: number;
  readonly engine: string;
  readonly rows: readonly ComparedNet[];
}

/** A dense network that was trained as the gated one was. */
export interface RivalEvent {
  readonly event: 'rival';
  readonly layers: string;
  readonly validError: number;
  readonly testError: number;
  readonly seconds: number;
}

export interface CompareProgress {
  readonly event: 'training';
  readonly layers: string;
  /** Of this network, in [0, 1]. */
  readonly share: number;
}

export interface CompareOptions {
  readonly data: Split;
  /** The trained network, on an engine. */
  load(engine: Engine): Promise<Model>;
  /** How it was trained. */
  readonly training: Omit<TrainOptions, 'signal' | 'task' | 'resume'>;
  readonly signal: AbortSignal;
  /** An engine for as long as `use` takes; on one thread, or as many as the training has. */
  withEngine<T>(threads: 'one' | 'all', use: (engine: Engine) => Promise<T>): Promise<T>;
  onEvent(event: RivalEvent | CompareProgress): void;
}

/** A step of the ladder. */
const STEP = Math.SQRT2;
/** Single examples that a network classifies before the next one's turn. */
const TURN = 20;
const ROUNDS = { one: 60, batch: 30 };

/**
 * The gated layer of a network that can be compared: one of them, and the layer to the classes.
 * @throws UsageError for another
 */
export function comparedLayers({ layers }: Pick<ModelDescription, 'layers'>): readonly [GatedSpec, LayerSpec] {
  const [gates, output, ...more] = layers;
  if (gates.layer === 'gated' && output?.layer === 'dense' && more.length === 0) return [gates, output];
  throw new UsageError(
    `--compare puts a gated layer beside dense ones, and the network is ${layersText(layers)}. Expected a gated layer and the layer to the classes, as --model gated has.`,
  );
}

interface Rival {
  readonly width: number;
  readonly validError: number;
  readonly snapshot: Snapshot;
}

/** Trains the rivals, and measures all of them. @throws what training throws, UsageError for a network that is no gated layer */
export const compareNets = (options: CompareOptions): Promise<Comparison> =>
  options.withEngine('one', (engine) => compareOn(engine, options));

async function compareOn(engine: Engine, options: CompareOptions): Promise<Comparison> {
  const { data, training } = options;
  const trained = await options.load(engine);
  const own = inBothWays(engine, trained);
  const facts = own.map((net) => factsOf(net, data));
  const [{ validError, multiplyAdds }] = facts;
  const { inputs, outputs } = trained;
  const [gates] = comparedLayers(trained.description);
  const start = Math.max(1, Math.round(multiplyAdds / (inputs + outputs)));
  const ladder = new Map<number, Rival>();
  const rival = async (width: number): Promise<Rival> => {
    const known = ladder.get(width) ?? (await trainRival(options, trained, width));
    ladder.set(width, known);
    return known;
  };
  const sameCost = await rival(start);
  const { net: sameError, reached } = await ofError(validError, start, Math.max(start, gates.units), rival);
  const rivals = [sameError, sameCost];
  const dense = rivals.map(({ width, snapshot }) => {
    const model = createModel(engine, denseSpec(trained, width));
    model.restore(snapshot);
    return compile(model);
  });
  const nets = [...own, ...dense];
  const units = [gates.units, gates.units, ...rivals.map(({ width }) => width)];
  const batch = Math.min(training.batch ?? 100, data.test.count);
  const times = {
    one: timePredictions(nets, data.test, { rows: 1, turn: TURN, rounds: ROUNDS.one, clock: processorTime }),
    batch: timePredictions(nets, data.test, { rows: batch, rounds: ROUNDS.batch, clock: processorTime }),
  };
  const each = <T>(of: (times: RoundTimes) => T) => ({ one: of(times.one), batch: of(times.batch) });
  const all = [...facts, ...dense.map((net) => factsOf(net, data))];
  return {
    event: 'comparison',
    reached,
    ladder: [...ladder.keys()].sort((a, b) => a - b),
    batch,
    engine: engine.name,
    rows: KINDS.map((is, i) => ({
      is,
      layers: chainText(nets[i].model.spec.layers),
      units: units[i],
      ...all[i],
      microseconds: each((rounds) => 1000 * median(rounds[i])),
      times: each((rounds) => ratioOf(rounds, 0, i)),
    })),
  };
}

/** The trained network as it skips, and with every block computed. */
function inBothWays(engine: Engine, trained: Model): CompiledModel[] {
  const [gates, output] = comparedLayers(trained.description);
  const snapshot = trained.snapshot();
  return (['auto', 'dense'] as const).map((compute) => {
    const model = createModel(engine, { ...trained.spec, layers: [{ ...gates, compute }, output] });
    model.restore(snapshot);
    return compile(model);
  });
}

function factsOf(net: CompiledModel, { valid, test }: Split) {
  const { error: testError, multiplyAdds } = net.evaluate(test);
  return { validError: net.evaluate(valid).error, testError, multiplyAdds };
}

/** A dense network for the same data: `width` units with the experts' activation. */
function denseSpec({ inputs, outputs, seed, neurons, description }: Model, width: number) {
  const [{ activation = 'linear' }] = comparedLayers(description);
  return { inputs, seed, neurons, layers: [dense(width, activation), dense(outputs)] };
}

async function trainRival(options: CompareOptions, trained: Model, width: number): Promise<Rival> {
  const { data, training, signal, onEvent } = options;
  // What is about gates alone.
  const { gaterLearningRate: _, estimatorProbe: __, ...own } = training;
  return options.withEngine('all', async (engine) => {
    const model = createModel(engine, denseSpec(trained, width));
    const layers = chainText(model.spec.layers);
    for await (const event of train(model, data, { ...own, signal })) {
      if (event.event === 'batch')
        onEvent({ event: 'training', layers, share: (event.epoch - 1 + event.batch / event.batches) / event.epochs });
      if (event.event !== 'result') continue;
      const { validError, testError, seconds } = event;
      onEvent({ event: 'rival', layers, validError, testError: testError.threshold, seconds });
      return { width, validError, snapshot: model.snapshot() };
    }
    throw new Error('Training ended without a result.');
  });
}

/**
 * The smallest rung of the ladder that errs no more than the limit: from the start down as long as that holds, or else up until it does.
 * Rungs are a factor of √2 apart. Where none is as good, the best.
 */
export async function ofError<R extends { readonly width: number; readonly validError: number }>(
  limit: number,
  start: number,
  most: number,
  rival: (width: number) => Promise<R>,
): Promise<{ readonly net: R; readonly reached: boolean }> {
  let net = await rival(start);
  while (net.validError <= limit) {
    if (net.width === 1) return { net, reached: true };
    const next = await rival(Math.min(net.width - 1, Math.round(net.width / STEP)));
    if (next.validError > limit) return { net, reached: true };
    net = next;
  }
  let best = net;
  while (net.width < most) {
    net = await rival(Math.min(most, Math.max(net.width + 1, Math.round(net.width * STEP))));
    if (net.validError <= limit) return { net, reached: true };
    if (net.validError < best.validError) best = net;
  }
  return { net: best, reached: false };
}
