import { type Engine, generate, loadModel, type Model, nextToken, predictTask, windows } from '../../../src/index.ts';
import { letterOf } from '../letters.ts';
import { unpackText } from '../text-file.ts';
import { CONTEXT } from '../text-page.ts';
import { makeEngine } from './make-engine.ts';
import { unzipped } from './shipped.ts';

/** A network that reads text, whose blocks wake for every letter. */
export interface TextFacts {
  /** Which of those that were opened: what `closeText` takes. */
  readonly number: number;
  /** Its gated layers: the blocks of each, numbered through all of them, and how many a letter wakes (top-k). */
  readonly layers: readonly { readonly site: string; readonly blocks: number; readonly woken: number }[];
}

/** A letter (byte) of a text, as the network read it. */
export interface LetterView {
  readonly byte: number;
  /** The blocks that woke. */
  readonly open: readonly number[];
  /** Bits that it came as a surprise by, after those before it; undefined of the first. */
  readonly surprise?: number;
  /** What the network expects next: the most probable bytes. */
  readonly next: readonly { readonly byte: number; readonly p: number }[];
}

export interface TextView {
  readonly letters: readonly LetterView[];
  /** Of one letter on average, the gaters' included; and of the whole network. */
  readonly multiplyAdds: number;
  readonly dense: number;
}

/** What opens a block, on text that the network has not been trained on. */
export interface BlockOfText {
  /** Share of the letters that open it. */
  readonly rate: number;
  /** The letters that open it most often, and how often each does. */
  readonly letters: readonly { readonly byte: number; readonly rate: number }[];
  /** Places where it woke, with what stands around the letter. */
  readonly places: readonly { readonly before: string; readonly at: string; readonly after: string }[];
}

/** Letters that are expected next, letters of a block, and places of one, that are told. */
const [NEXT, LETTERS, PLACES] = [5, 6, 6];
/** Of the excerpt, a letter that is rarer tells nothing. */
const RARE = 12;
/** Characters around a place. */
const AROUND = 14;
const BYTES = 256;

interface Current {
  readonly number: number;
  readonly engine: Engine;
  readonly model: Model;
  readonly excerpt: Uint8Array;
}
let current: Current | undefined;
/** Openings begun. */
let opened = 0;

function now(): Current {
  if (!current) throw new RangeError('There is no text network yet. Expected one that was opened.');
  return current;
}

/** Answers of the page "Text". */
export const textAnswers = {
  /** Opens the network that is shipped with the lab. @throws Error when its file does not come, or another opening began meanwhile */
  async openText(address: string): Promise<TextFacts> {
    const number = ++opened;
    const { model: bytes, excerpt } = unpackText(
      await unzipped(address, 'The text network that is shipped with the lab'),
    );
    const engine = await makeEngine();
    try {
      const model = loadModel(engine, bytes, { where: 'the text network' });
      if (number !== opened) throw new Error('Another network was opened meanwhile.');
      current?.engine.close();
      current = { number, engine, model, excerpt };
      return { number, layers: layersOf(model) };
    } finally {
      if (current?.engine !== engine) engine.close();
    }
  },

  /** Lets go of the network and its threads, if it is the one with that number. */
  async closeText(number: number): Promise<void> {
    if (current?.number !== number) return;
    current.engine.close();
    current = undefined;
  },

  /** Reads a text. @param text its bytes, `CONTEXT` at most */
  async readText(text: Uint8Array): Promise<TextView> {
    const { model } = now();
    const { values, opens, multiplyAdds } = read(model, text);
    const { dense, gater } = model.cost;
    return {
      letters: [...text].map((byte, i) => ({
        byte,
        open: opens[i],
        ...(i > 0 && { surprise: -Math.log2(values[BYTES * (i - 1) + byte]) }),
        next: largest(values.subarray(BYTES * i, BYTES * (i + 1)), NEXT),
      })),
      multiplyAdds: text.length === 0 ? 0 : multiplyAdds / text.length,
      dense: dense + gater,
    };
  },

  /** The byte that the network writes after a text. */
  async writeText({
    text,
    temperature,
    seed,
  }: {
    text: Uint8Array;
    temperature: number;
    seed: number;
  }): Promise<number> {
    const options = { bytes: 1, temperature, seed, context: CONTEXT };
    const [{ byte }] = generate(now().model, text.length === 0 ? options : { ...options, prompt: text });
    return byte;
  },

  /** What opens each block, part by part of the excerpt: others get their turn. */
  async *blocksOfText(
    _: null,
  ): AsyncGenerator<{ readonly share: number; readonly blocks?: readonly BlockOfText[] }, void> {
    const { model, excerpt } = now();
    const opens: (readonly number[])[] = [];
    for (let from = 0; from < excerpt.length; from += CONTEXT) {
      if (current?.model !== model) return;
      opens.push(...read(model, excerpt.subarray(from, from + CONTEXT)).opens);
      yield { share: opens.length / excerpt.length };
    }
    yield { share: 1, blocks: blocksOf(model, excerpt, opens) };
  },
};

const layersOf = (model: Model): TextFacts['layers'] =>
  model.sites.flatMap(({ name, units, rate }) =>
    rate === undefined ? [] : { site: name, blocks: units, woken: Math.round(rate * units) },
  );

/** Probabilities of the next byte after each, and the blocks that woke for each. */
function read(
  model: Model,
  text: Uint8Array,
): { readonly values: Float64Array; readonly opens: readonly (readonly number[])[]; readonly multiplyAdds: number } {
  if (text.length > CONTEXT) throw new RangeError(`The text has ${text.length} bytes. Expected ${CONTEXT} at most.`);
  if (text.length === 0) return { values: new Float64Array(0), opens: [], multiplyAdds: 0 };
  // One more byte stands for the one that is asked for.
  const more = Uint8Array.of(...text, 0);
  const [{ values, open, multiplyAdds }] = predictTask(model, windows('the text', more, more.length), nextToken, {
    mode: 'threshold',
  });
  const opens = [...text].map((_, point) => {
    let first = 0;
    return open.flatMap(({ units, shares }) => {
      const fired = Array.from({ length: units }, (_, unit) => unit).filter((unit) => shares[point * units + unit] > 0);
      first += units;
      return fired.map((unit) => first - units + unit);
    });
  });
  return { values, opens, multiplyAdds };
}

const largest = (p: Float64Array, most: number): { byte: number; p: number }[] =>
  Array.from(p, (value, byte) => ({ byte, p: value }))
    .sort((a, b) => b.p - a.p)
    .slice(0, most);

function blocksOf(model: Model, excerpt: Uint8Array, opens: readonly (readonly number[])[]): BlockOfText[] {
  const counts = new Uint32Array(BYTES);
  for (const byte of excerpt) counts[byte]++;
  const total = layersOf(model).reduce((sum, { blocks }) => sum + blocks, 0);
  const woken: number[][] = Array.from({ length: total }, () => []);
  for (const [at, blocks] of opens.entries()) for (const block of blocks) woken[block].push(at);
  const part = (from: number, to: number): string =>
    Array.from(excerpt.subarray(Math.max(0, from), to), letterOf)
      .join('')
      .replaceAll('␣', ' ');
  return woken.map((places) => {
    const own = new Uint32Array(BYTES);
    for (const at of places) own[excerpt[at]]++;
    // From all of the excerpt, and not its beginning alone.
    const every = Math.max(1, Math.floor(places.length / PLACES));
    return {
      rate: places.length / excerpt.length,
      letters: Array.from(counts, (count, byte) => ({ byte, rate: count < RARE ? 0 : own[byte] / count }))
        .filter(({ rate }) => rate > 0)
        .sort((a, b) => b.rate - a.rate)
        .slice(0, LETTERS),
      places: places
        .filter((_, i) => i % every === 0)
        .slice(0, PLACES)
        .map((at) => ({
          before: part(at - AROUND, at),
          at: letterOf(excerpt[at]),
          after: part(at + 1, at + 1 + AROUND),
        })),
    };
  });
}
