import {
  adam,
  alternate,
  type CompiledModel,
  compile,
  createModel,
  type Dataset,
  denseTwin,
  type Engine,
  fitPicture,
  gateExamples,
  type Hold,
  loadModel,
  type Model,
  makeDataset,
  median,
  train,
} from '../../../src/index.ts';
import { decodeStrokes, paint } from '../drawing.ts';
import type { FrontFile } from '../front-file.ts';
import { FRONT, frontLayers } from '../front-network.ts';
import { type Writing, writeDigits } from './digit-parts.ts';
import { portrait } from './gate-board.ts';
import { makeEngine } from './make-engine.ts';
import type { AnswerOptions } from './serve.ts';
import { shippedFile } from './shipped.ts';

/** A network to look at. */
export interface FrontFacts {
  /** Which of those that were opened: what `closeFront` takes. */
  readonly number: number;
  /** Of the gates. */
  readonly site: string;
  readonly blocks: number;
  /** Digits that it has not been trained on: 28 × 28 bytes each. */
  readonly digits: Uint8Array;
  readonly labels: Uint8Array;
}

/** A digit: drawn strokes as text, or, where they are empty, the number of a digit; and what is held. */
export interface FrontLook {
  readonly strokes: string;
  readonly digit: number;
  readonly hold: readonly Hold[];
}

/** One toss: all gates drawn once. */
export interface Toss {
  /** By block. */
  readonly open: readonly boolean[];
  readonly probabilities: readonly number[];
  /** With the gater's. */
  readonly multiplyAdds: number;
}

/** What many tosses of one digit have in common. */
export interface FrontView {
  readonly pixels: Uint8Array;
  /** Share of the draws in which each block was open. */
  readonly chances: readonly number[];
  /** Means over the draws, with what is held and without. */
  readonly probabilities: readonly number[];
  readonly free: readonly number[];
  /** Of a draw on average; of the whole network. */
  readonly multiplyAdds: number;
  readonly dense: number;
  /** For one digit, medians of what was measured in this worker: open blocks alone, and the whole network. */
  readonly milliseconds: { readonly gated: number; readonly dense: number };
}

/** What opens each block, on the digits that the network has not been trained on. */
export interface Portraits {
  readonly blocks: readonly Portrait[];
  /** Wrong answers among the digits, by the mean of a few draws. */
  readonly wrong: number;
}
export interface Portrait {
  /** Share of the digits that open it. */
  readonly rate: number;
  readonly rates: readonly number[];
  /** Numbers of the digits with the largest logits. */
  readonly examples: readonly number[];
  /** 28 × 28 bytes: what digits that open it have more of than others. */
  readonly picture: Uint8Array;
}

export type FrontEvent =
  | Writing
  | { readonly event: 'made' }
  | { readonly event: 'batch'; readonly share: number }
  | { readonly event: 'trained'; readonly error: number };

export interface FrontTraining {
  readonly neuron: string;
  readonly rate: number;
  readonly seed: number;
}

/** Draws of one digit, and of every digit for the portraits. */
const [DRAWS, FEW] = [40, 8];
const EXAMPLES = 10;
/** Rounds of timing at a look, calls in each, and rounds that medians are of. */
const [ROUNDS, CALLS, MEDIAN_OF] = [3, 8, 31];
const WARM_UP = 5;
const WIDTH = FRONT.side * FRONT.side;
const TRAINING = { train: 4000, valid: 200, epochs: 20, batch: 100 };

interface Current {
  readonly number: number;
  readonly engine: Engine;
  readonly model: Model;
  readonly site: string;
  readonly digits: Dataset;
  readonly sample: CompiledModel;
  readonly ensemble: CompiledModel;
  /** The dense twin: made when it is first timed, so that the first toss does not wait for it. */
  dense?: CompiledModel;
  readonly times: { readonly gated: number[]; readonly dense: number[] };
}
let current: Current | undefined;
/** Openings begun. */
let opened = 0;

function now(): Current {
  if (!current) throw new RangeError('There is no network yet. Expected one that was opened or trained.');
  return current;
}

/** Puts a network in the place of the one that there was. */
function put({ number, engine, model, digits }: Pick<Current, 'number' | 'engine' | 'model' | 'digits'>): void {
  const [{ name: site }] = model.sites.filter(({ rate }) => rate !== undefined);
  const sample = compile(model, { mode: 'sample' });
  const ensemble = compile(model, { mode: 'ensemble', samples: DRAWS });
  const times = { gated: [], dense: [] };
  const next = { number, engine, model, site, digits, sample, ensemble, times };
  current?.engine.close();
  current = next;
}

const dataOf = ({ digits: features, labels }: FrontFile): Dataset =>
  makeDataset({ name: 'digits', features, labels, width: WIDTH, classes: FRONT.classes, scale: 1 / 255 });

/** Answers of the front page. */
export const frontAnswers = {
  /** The network that is shipped with the lab. @throws Error when its file does not come, or another opening began meanwhile */
  async openFront(address: string): Promise<FrontFacts> {
    const number = ++opened;
    // It comes while the engine is made.
    const coming = shippedFile(address);
    coming.catch(() => {});
    const engine = await makeEngine();
    try {
      const file = await coming;
      if (number !== opened) throw new Error('Another network was opened meanwhile.');
      const model = loadModel(engine, file.model, { where: 'the first network' });
      put({ number, engine, model, digits: dataOf(file) });
      const { site } = now();
      return { number, site, blocks: blocksOf(model, site), digits: file.digits, labels: file.labels };
    } finally {
      if (current?.engine !== engine) engine.close();
    }
  },

  /** Trains the same network from the start; it can be looked at between its events. */
  async *trainFront(
    { neuron, rate, seed }: FrontTraining,
    { signal }: AnswerOptions,
  ): AsyncGenerator<FrontEvent, void> {
    const { number, digits } = now();
    const engine = await makeEngine();
    try {
      // Another network may have been opened, or this one given back, while the engine was made.
      if (signal.aborted || current?.number !== number) return;
      const model = createModel(engine, { inputs: WIDTH, layers: frontLayers(neuron, rate), seed });
      put({ number, engine, model, digits });
    } finally {
      if (current?.engine !== engine) engine.close();
    }
    const { model } = now();
    yield { event: 'made' };
    const { train: count, valid, epochs, batch } = TRAINING;
    const all = yield* writeDigits(seed, 0, count + valid);
    const data = { train: all.cut(0, count), valid: all.cut(count, count + valid), test: digits };
    for await (const event of train(model, data, { epochs, batch, optimizer: adam(), signal }))
      if (event.event === 'batch') {
        yield { event: 'batch', share: (event.epoch - 1 + event.batch / event.batches) / epochs };
        // Another network may have taken its place meanwhile, and closed its engine.
        if (current?.engine !== engine) return;
      } else if (event.event === 'result') yield { event: 'trained', error: event.testError.sampled };
  },

  /** Lets go of the network and its threads: of the one that was opened with that number, or of what took its place by training. */
  async closeFront(number: number): Promise<void> {
    if (current?.number !== number) return;
    current.engine.close();
    current = undefined;
  },

  async toss({ hold, ...look }: FrontLook): Promise<Toss> {
    const { sample } = now();
    const { probabilities, open, multiplyAdds } = sample.predict(inputsOf(look), { hold });
    return { open: Array.from(open[0].gates, Boolean), probabilities: [...probabilities], multiplyAdds };
  },

  async lookFront({ hold, ...look }: FrontLook): Promise<FrontView> {
    const { ensemble, model } = now();
    const inputs = inputsOf(look);
    const free = ensemble.predict(inputs);
    const seen = hold.length > 0 ? ensemble.predict(inputs, { hold }) : free;
    return {
      pixels: pixelsOf(look),
      chances: [...seen.open[0].shares],
      probabilities: [...seen.probabilities],
      free: [...free.probabilities],
      multiplyAdds: seen.multiplyAdds / DRAWS,
      dense: model.cost.dense,
      milliseconds: timed(now(), inputs),
    };
  },

  portraits: async (): Promise<Portraits> => portraitsOf(now()),
};

const blocksOf = (model: Model, site: string): number => model.sites.find(({ name }) => name === site)?.units ?? 0;

function pixelsOf({ strokes, digit }: Omit<FrontLook, 'hold'>): Uint8Array {
  const { digits } = now();
  const drawn = decodeStrokes(strokes);
  if (drawn.length > 0) return fitPicture(paint(drawn), { width: FRONT.side, height: FRONT.side }).pixels;
  if (!Number.isInteger(digit) || digit < 0 || digit >= digits.count)
    throw new RangeError(`The digit is ${digit}. Expected a whole number from 0 to ${digits.count - 1}.`);
  return Uint8Array.from(digits.features.subarray(digit * WIDTH, (digit + 1) * WIDTH));
}

const inputsOf = (look: Omit<FrontLook, 'hold'>): Float32Array =>
  Float32Array.from(pixelsOf(look), (byte) => byte / 255);

/** Measures both ways in turn, and adds to what was measured before: a few calls are too few for a clock. */
function timed(own: Current, inputs: Float32Array): FrontView['milliseconds'] {
  const { sample, model, times } = own;
  own.dense ??= denseTwin(model);
  const ways = [sample, own.dense].map((model) => () => {
    for (let call = 0; call < CALLS; call++) model.predict(inputs);
  });
  // The first calls compile the code.
  const found = alternate(ways, { rounds: ROUNDS, warmUp: times.gated.length === 0 ? WARM_UP : 0 });
  for (const [way, measured] of [times.gated, times.dense].entries()) {
    measured.push(...found[way].map((time) => time / CALLS));
    measured.splice(0, Math.max(0, measured.length - MEDIAN_OF));
  }
  return { gated: median(times.gated), dense: median(times.dense) };
}

function portraitsOf({ model, digits, site }: Current): Portraits {
  const { count, features, labels, classes } = digits;
  const inputs = Float32Array.from(features).map((byte) => byte / 255);
  const { classes: answers, open } = compile(model, { mode: 'ensemble', samples: FEW }).predict(inputs);
  const { shares } = open[0];
  const blocks = blocksOf(model, site);
  const [{ examples, most }] = gateExamples(model, digits, { most: EXAMPLES, mode: 'sample' });
  const everyone = weightedMean(features, () => 1, count);
  return {
    wrong: answers.reduce((sum, answer, i) => sum + (answer === labels[i] ? 0 : 1), 0),
    blocks: Array.from({ length: blocks }, (_, block) => {
      const shareOf = (i: number): number => shares[i * blocks + block];
      const sums = new Float64Array(classes);
      const counts = new Float64Array(classes);
      labels.forEach((label, i) => {
        sums[label] += shareOf(i);
        counts[label]++;
      });
      return {
        rate: sums.reduce((sum, value) => sum + value, 0) / count,
        rates: Array.from(sums, (sum, label) => sum / Math.max(1, counts[label])),
        examples: [...examples.subarray(block * most, (block + 1) * most)],
        picture: portrait(weightedMean(features, shareOf, count), everyone),
      };
    }),
  };
}

/** Of pictures; nothing where all weights are 0. */
function weightedMean(features: ArrayLike<number>, weightOf: (i: number) => number, count: number): Float64Array {
  const mean = new Float64Array(WIDTH);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const weight = weightOf(i);
    if (weight === 0) continue;
    total += weight;
    for (let p = 0; p < WIDTH; p++) mean[p] += weight * features[i * WIDTH + p];
  }
  return total === 0 ? mean : mean.map((value) => value / total);
}
