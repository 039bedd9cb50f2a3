import { contexts, lastContext, windows } from '../data/text.ts';
import type { Model } from '../nn/model.ts';
import { randomStream } from '../random/stream.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { classification } from '../tasks/classification.ts';
import { largestOf } from '../tasks/link.ts';
import { nextToken } from '../tasks/next-token.ts';
import type { InferenceMode } from './compile.ts';
import { predictTask, type TaskPrediction } from './predict.ts';

/** A byte that a model wrote. */
export interface GeneratedByte {
  readonly byte: number;
  /** By the model, before the temperature. */
  readonly probability: number;
  /** Share of the gates of all gated layers that were open for it; 1 without such layers. */
  readonly open: number;
  /** The gates that were open, by site. */
  readonly gates: readonly { readonly site: string; readonly units: number; readonly fired: readonly number[] }[];
  /** Executed for it; a model of sequences reads all of its points again. */
  readonly multiplyAdds: number;
  /** Points that the model read for it: 1, or those of a sequence. */
  readonly points: number;
}

/** Options of `generate`. */
export interface GenerateOptions {
  /** What the text goes on from; default: a newline. */
  readonly prompt?: Uint8Array;
  /** How many bytes; default 200. */
  readonly bytes?: number;
  /** Probabilities are raised to 1 over this; 0: always the most probable byte. Default 1. */
  readonly temperature?: number;
  /** Of the draws; default 1. */
  readonly seed?: number;
  /** How gates decide; default `threshold`. */
  readonly mode?: Exclude<InferenceMode, 'ensemble' | 'sample'>;
  /** Bytes that a model which takes one at a time is shown, from the last one back; default 128. */
  readonly context?: number;
}

const NAMES: NamesOf<GenerateOptions> = {
  ...{ prompt: true, bytes: true, temperature: true },
  ...{ seed: true, mode: true, context: true },
};
const BYTES = 256;
const NEWLINE = 10;
/** The word "text" in ASCII. */
const STREAM = 0x74657874;

/**
 * Writes a text, byte by byte, each drawn from what the model says of it after those before. A model of one input reads the bytes as a
 * sequence (task next-token); one of n inputs is shown the last n (contexts of a text).
 * @throws RangeError for a model that does not tell 256 bytes apart, or options that do not fit
 */
export function* generate(model: Model, options: GenerateOptions = {}): Generator<GeneratedByte, void> {
  checkNames('generate', options, NAMES);
  const { prompt = Uint8Array.of(NEWLINE), bytes = 200, temperature = 1, seed = 1, context = 128 } = options;
  if (model.outputs !== BYTES)
    throw new RangeError(`The model gives ${model.outputs} logits. Expected ${BYTES}, one a byte.`);
  if (!Number.isInteger(bytes) || bytes < 1)
    throw new RangeError(`\`bytes\` is ${bytes}. Expected a whole number of 1 or more.`);
  if (!(temperature >= 0)) throw new RangeError(`\`temperature\` is ${temperature}. Expected a number of 0 or more.`);
  if (!Number.isInteger(context) || context < 1)
    throw new RangeError(`\`context\` is ${context}. Expected a whole number of 1 or more.`);
  const random = randomStream(seed, STREAM);
  const most = model.inputs === 1 ? context : model.inputs;
  let text = model.inputs === 1 ? prompt.slice(-most) : lastContext(prompt, most);
  if (text.length === 0) text = Uint8Array.of(NEWLINE);
  for (let i = 0; i < bytes; i++) {
    const prediction = ask(model, text, options.mode ?? 'threshold');
    const last = prediction.values.subarray(prediction.values.length - BYTES);
    const byte = drawn(last, temperature, random.uniform());
    const points = model.inputs === 1 ? text.length : 1;
    yield { byte, probability: last[byte], ...gatesOf(prediction), multiplyAdds: prediction.multiplyAdds, points };
    text = Uint8Array.of(...text.subarray(text.length >= most ? 1 : 0), byte);
  }
}

/** What the model says after a text. One more byte stands for the one that is asked for. */
function ask(model: Model, text: Uint8Array, mode: 'threshold' | 'mean-field'): TaskPrediction {
  const more = Uint8Array.of(...text, 0);
  const [prediction] =
    model.inputs === 1
      ? predictTask(model, windows('the text', more, more.length), nextToken, { mode })
      : predictTask(model, contexts('the text', more, model.inputs), classification, { mode });
  return prediction;
}

/** The gates of the last point. */
function gatesOf({ open }: TaskPrediction): Pick<GeneratedByte, 'open' | 'gates'> {
  const gates = open.map(({ site, units, shares }) => {
    const last = shares.subarray(shares.length - units);
    return { site, units, fired: [...last.keys()].filter((unit) => last[unit] > 0) };
  });
  const all = gates.reduce((sum, { units }) => sum + units, 0);
  return { open: all === 0 ? 1 : gates.reduce((sum, { fired }) => sum + fired.length, 0) / all, gates };
}

/** A byte by its probabilities, raised to 1 over the temperature. @param u in [0, 1) */
function drawn(probabilities: Float64Array, temperature: number, u: number): number {
  if (temperature === 0) return largestOf(probabilities);
  const weights = probabilities.map((p) => p ** (1 / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let left = u * total;
  for (let byte = 0; byte < weights.length; byte++) {
    left -= weights[byte];
    if (left < 0 && weights[byte] > 0) return byte;
  }
  return largestOf(probabilities);
}
