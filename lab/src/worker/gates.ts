import {
  adam,
  type CompiledModel,
  compile,
  createModel,
  type Dataset,
  type Engine,
  type Folder,
  fitPicture,
  type Hold,
  inputsOfPixels,
  loadModel,
  type Model,
  makeDataset,
  Run,
  runModel,
  type TableReading,
  train,
} from '../../../src/index.ts';
import { fetchedFolder } from '../../../src/platform/browser/index.ts';
import { decodeStrokes, paint } from '../drawing.ts';
import { type Writing, writeSplit, writeTest } from './digit-parts.ts';
import { type Board, boardOf, checkGates } from './gate-board.ts';
import { makeEngine } from './make-engine.ts';
import { oneRun, type Picked } from './runs.ts';
import type { AnswerOptions } from './serve.ts';
import { shippedFile } from './shipped.ts';

/** The classifier that the page trains; everything else is as `flipgrad train` has it. */
export interface GateSettings {
  readonly neuron: string;
  readonly units: number;
  readonly blocks: number;
  readonly rate: number;
  readonly epochs: number;
  readonly seed: number;
}

/** Where a trained classifier is. */
export type GateSource = { readonly address: string; readonly name: string } | Picked;

/** Of the digits that the shipped network was trained on. */
const SHIPPED_SEED = 1;

export type GateEvent =
  | Writing
  | { readonly event: 'batch'; readonly epoch: number; readonly epochs: number; readonly share: number }
  | { readonly event: 'epoch'; readonly epoch: number; readonly validError: number; readonly density: number }
  /** Trained: errors on the test digits, shares in [0, 1]. */
  | { readonly event: 'trained'; readonly sampled: number; readonly threshold: number }
  /** Opened: what is to be said of it. The shipped network has no name. */
  | {
      readonly event: 'opened';
      readonly name: string;
      readonly note: string;
      /** Of the classes, where they are words. */
      readonly classes?: readonly string[];
    };

/** A digit: drawn strokes as text, or, where they are empty, the number of a test digit; and what is held. */
export interface Look {
  readonly strokes: string;
  readonly test: number;
  readonly hold: readonly Hold[];
}

/** What the network says of a digit, over the draws. */
export interface GateView {
  /** 28 × 28 bytes: what it is shown. */
  readonly pixels: Uint8Array;
  /** The class of a test digit. */
  readonly label?: number;
  /** Means over the draws, with what is held, and with nothing held. */
  readonly probabilities: readonly number[];
  readonly free: readonly number[];
  /** Share of the draws in which each gate was open, by site. */
  readonly shares: Readonly<Record<string, readonly number[]>>;
  /** For one draw, on average; and of the network without gates. */
  readonly multiplyAdds: number;
  readonly dense: number;
}

/** One draw of all gates. */
export interface GateToss {
  /** By site. */
  readonly open: Readonly<Record<string, readonly boolean[]>>;
  readonly probabilities: readonly number[];
}

/** Draws of one digit. */
export const DRAWS = 50;
const SIDE = 28;
const WIDTH = SIDE * SIDE;
const CLASSES = 10;
const BATCH = 100;

interface Current {
  readonly engine: Engine;
  readonly model: Model;
  readonly test: Dataset;
  /** Draws once a call; and `DRAWS` times. */
  readonly sample: CompiledModel;
  readonly ensemble: CompiledModel;
  /** How its run read a table of pixels, where it was trained on one. */
  readonly table?: TableReading | undefined;
}
let current: Current | undefined;
/** What makes a network, one after another: an engine is closed when nobody steps on it any more. */
let making: Promise<void> = Promise.resolve();

/** Waits until a network that is being made is finished, and makes the next; the present one stays until then. */
async function* inTurn(make: () => AsyncGenerator<GateEvent, void>): AsyncGenerator<GateEvent, void> {
  const before = making;
  let done = (): void => {};
  making = new Promise((resolve) => (done = resolve));
  try {
    await before;
    yield* make();
  } finally {
    done();
  }
}

/** Puts a network in the place of the one that there was. */
function put(next: Omit<Current, 'sample' | 'ensemble'>): void {
  const sample = compile(next.model, { mode: 'sample' });
  const ensemble = compile(next.model, { mode: 'ensemble', samples: DRAWS });
  close();
  current = { ...next, sample, ensemble };
}

function close(): void {
  current?.engine.close();
  current = undefined;
}

function now(): Current {
  if (!current) throw new RangeError('There is no network yet. Train one, or open a run.');
  return current;
}

/** Answers of the page "Gates". */
export const gatesAnswers = {
  /** Trains a classifier; it can be looked at between its events. */
  trainGates: (settings: GateSettings, { signal }: AnswerOptions): AsyncGenerator<GateEvent, void> =>
    inTurn(async function* () {
      const { neuron, units, blocks, rate, epochs, seed } = settings;
      const engine = await makeEngine();
      try {
        const layers = [
          { layer: 'gated', name: 'gated', units, blocks, neuron, gater: [64], activation: 'rectifier', rate },
          { layer: 'dense', name: 'output', units: CLASSES },
        ] as const;
        // Before the digits: what does not fit is told at once.
        const model = createModel(engine, { inputs: WIDTH, layers, seed });
        const data = yield* writeSplit(seed);
        if (signal.aborted) return;
        put({ engine, model, test: data.test });
        for await (const event of train(model, data, { epochs, batch: BATCH, optimizer: adam(), signal }))
          if (event.event === 'batch') yield { ...event, share: event.batch / event.batches };
          else if (event.event === 'epoch') yield event;
          else yield { event: 'trained', sampled: event.testError.sampled, threshold: event.testError.threshold };
      } finally {
        if (current?.engine !== engine) engine.close();
      }
    }),

  /** Opens the classifier of a run. */
  openGates: (source: GateSource, { signal }: AnswerOptions): AsyncGenerator<GateEvent, void> =>
    inTurn(async function* () {
      const [name, folder]: [string, Folder] =
        'address' in source ? [source.name, fetchedFolder(source.address)] : oneRun(source);
      const run = await Run.open(folder);
      const { data } = run.record;
      if (data.width !== WIDTH || data.classes !== CLASSES)
        throw new RangeError(
          `${name} tells ${data.classes} classes of ${data.width} numbers apart. Expected a run on digits of ${SIDE} × ${SIDE} pixels.`,
        );
      const test = yield* writeTest(data.seed);
      const engine = await makeEngine();
      try {
        const { model, from } = await runModel(run, engine);
        checkGates(model);
        if (signal.aborted) return;
        put({ engine, model, test, table: data.table });
        const other =
          data.source === 'digits' ? '' : ` It was trained on ${data.name}; the test digits here are the lab's own.`;
        const more = run.record.result ? '' : ' It is not done: opened again later, it may have better weights.';
        const classes = data.table?.targets[0]?.classes;
        yield { event: 'opened', name, note: `Weights: ${from}.${more}${other}`, ...(classes && { classes }) };
      } finally {
        if (current?.engine !== engine) engine.close();
      }
    }),

  /** How every gate does on the test digits. */
  gateBoard: async (): Promise<Board> => boardOf(now().model, now().test, shown(now())),

  /** Opens the network that is shipped with the lab. @param address of its file */
  openShipped: (address: string, { signal }: AnswerOptions): AsyncGenerator<GateEvent, void> =>
    inTurn(async function* () {
      const { model: bytes } = await shippedFile(address);
      const test = yield* writeTest(SHIPPED_SEED);
      const engine = await makeEngine();
      try {
        const model = loadModel(engine, bytes, { where: 'the shipped network' });
        if (signal.aborted) return;
        put({ engine, model, test });
        yield {
          event: 'opened',
          name: '',
          note: 'The network that is shipped with the lab. Below, another one is trained, or that of a run opened.',
        };
      } finally {
        if (current?.engine !== engine) engine.close();
      }
    }),

  /** Releases the network and its threads, when none is being made. */
  async closeGates(): Promise<void> {
    await making;
    close();
  },

  /** Draws all gates once for a digit. */
  async tossGates(look: Look): Promise<GateToss> {
    const { sample } = now();
    const { probabilities, open } = sample.predict(inputsOf(now(), look).inputs, { hold: look.hold });
    return {
      open: Object.fromEntries(open.map(({ site, gates }) => [site, Array.from(gates, Boolean)])),
      probabilities: [...probabilities],
    };
  },

  /** What the network says of one digit. */
  lookAtGates: async (look: Look): Promise<GateView> => lookAt(now(), look),
};

/** The test digits as the network is shown them. */
function shown({ test, table }: Current): Dataset {
  if (!table) return test;
  const { name, labels, width, classes, count } = test;
  const features = new Float32Array(count * width);
  for (let i = 0; i < count; i++)
    features.set(inputsOfPixels(table, test.features.subarray(i * width, (i + 1) * width) as Uint8Array), i * width);
  return makeDataset({ name, features, labels, scale: 1, width, classes });
}

/** A digit as people see it, and as the network is given it. */
function inputsOf(
  { test, table }: Current,
  { strokes, test: number }: Look,
): { readonly pixels: Uint8Array; readonly inputs: ArrayLike<number>; readonly drawn: boolean } {
  const drawn = decodeStrokes(strokes);
  const pixels =
    drawn.length > 0
      ? fitPicture(paint(drawn), { width: SIDE, height: SIDE }).pixels
      : Uint8Array.from(test.features.subarray(number * WIDTH, (number + 1) * WIDTH));
  if (pixels.length !== WIDTH)
    throw new RangeError(`There is no test digit ${number}. Expected one from 0 to ${test.count - 1}.`);
  return { pixels, inputs: inputsOfPixels(table, pixels), drawn: drawn.length > 0 };
}

function lookAt(own: Current, look: Look): GateView {
  const { model, test, ensemble } = own;
  const { hold } = look;
  const { pixels, inputs, drawn } = inputsOf(own, look);
  const free = ensemble.predict(inputs);
  const held = hold.length > 0 ? ensemble.predict(inputs, { hold }) : free;
  return {
    pixels,
    ...(!drawn && { label: test.labels[look.test] }),
    probabilities: [...held.probabilities],
    free: [...free.probabilities],
    shares: Object.fromEntries(held.open.map(({ site, shares }) => [site, [...shares]])),
    multiplyAdds: held.multiplyAdds / DRAWS,
    dense: model.cost.dense,
  };
}
