import { suggest } from '../math/text.ts';
import { told } from '../tensor/told.ts';
import { type LayerSpec, layerKinds } from './layer-kinds.ts';
import { type LayerText, option, type TextContext, type TextWord } from './layer-text.ts';
import type { NormLimit } from './parameter.ts';

type Kind = keyof typeof layerKinds;
type AnyText = LayerText<LayerSpec>;

/** Those that have a text. */
const KINDS = (Object.keys(layerKinds) as Kind[]).filter((kind) => layerKinds[kind].text);
/** Deeper nesting is nothing that a person writes. */
const DEEPEST = 32;
/** Words that a layer of any kind may have. */
const COMMON: readonly TextWord<LayerSpec>[] = [
  option<LayerSpec, NormLimit>('maxNorm', 'R', {
    read(word) {
      const limit = Number(word);
      if (word === 'none' || (limit > 0 && Number.isFinite(limit))) return word === 'none' ? word : limit;
      throw new RangeError(`The maxNorm is "${word}". Expected a number over 0, or maxNorm=none.`);
    },
    write: String,
  }),
];
const NAME = /[A-Za-z_][\w.-]*/y;
const WORD = /[^\s,()]+/y;
/** Behind a comma: one more option of the word before it. */
const MORE_OPTIONS = /,\s*(?=[A-Za-z][\w-]*=)/y;

/**
 * Layers from a text: `dense 256 rectifier, gated 1024/32 noisy-top-k 6%, out: residual(dense 64 tanh), dense 64`. Between two commas
 * stand a layer's kind and its words; before them, with a colon, its name.
 * @throws RangeError that names the character at which the text is wrong, and what was expected there
 */
export function parseLayers(text: string, context: TextContext = {}): LayerSpec[] {
  if (typeof text !== 'string')
    throw new RangeError(`The text of layers is ${told(text)}. Expected a text, such as 'dense:10'.`);
  return new Reader(text, context).all();
}

/** The text of layers, which `parseLayers` reads back. */
export const layersText = (layers: readonly LayerSpec[]): string => layers.map(layerText).join(', ');

function layerText(spec: LayerSpec): string {
  const { words = [], inside } = textOf(spec.layer);
  const said = [...words, ...COMMON].flatMap((word) => word.write(spec) ?? []);
  const own = `${[spec.layer, ...said].join(' ')}${inside ? `${said.length > 0 ? ' ' : ''}(${layersText(inside.write(spec))})` : ''}`;
  return spec.name === undefined ? own : `${spec.name}: ${own}`;
}

/** How every kind is written, for help; beside it any may have `maxNorm=R`. */
export const layerForms = (): string[] => KINDS.map(formOf);

const textOf = (kind: Kind): AnyText => (layerKinds[kind].text as AnyText | undefined) ?? {};

function formOf(kind: Kind): string {
  const { words = [], inside } = textOf(kind);
  const said = [kind, ...words.map(({ form }) => form)].join(' ');
  return inside ? `${said}${words.length > 0 ? ' ' : ''}(LAYER, …)` : said;
}

/** Reads a text from left to right. */
class Reader {
  private readonly text: string;
  private readonly context: TextContext;
  private at = 0;
  private depth = 0;

  constructor(text: string, context: TextContext) {
    this.text = text;
    this.context = context;
  }

  all(): LayerSpec[] {
    const layers = this.list();
    const end = this.skip();
    if (this.text[end] === ')') this.fail(end, 'A parenthesis closes that none opens. Expected a comma or the end');
    if (end < this.text.length) this.fail(end, `${this.found()}. Expected a comma or the end`);
    return layers;
  }

  /** Layers up to a closing parenthesis or the end. */
  private list(): LayerSpec[] {
    const layers = [this.layer()];
    while (this.take(',')) layers.push(this.layer());
    return layers;
  }

  private layer(): LayerSpec {
    let start = this.skip();
    let word = this.match(NAME);
    const name = word !== undefined && this.take(':') ? word : undefined;
    if (name !== undefined) {
      start = this.skip();
      word = this.match(NAME);
    }
    if (word === undefined) this.fail(start, `${this.found()}. Expected a layer: ${KINDS.join(', ')}`);
    if (!(KINDS as readonly string[]).includes(word))
      this.fail(start, `There is no layer "${word}". ${suggest(word, KINDS)}`);
    const kind = word as Kind;
    const { words = [], inside } = textOf(kind);
    const fields = {
      ...this.words(kind, [...words, ...COMMON]),
      ...inside?.read(this.inside(kind)),
    };
    return { layer: kind, ...(name !== undefined && { name }), ...fields } as LayerSpec;
  }

  private inside(kind: Kind): LayerSpec[] {
    const start = this.skip();
    if (!this.take('(')) this.fail(start, `${this.found()}. Expected a parenthesis with layers: ${formOf(kind)}`);
    if (++this.depth > DEEPEST) this.fail(start, `Layers are nested deeper than ${DEEPEST}. Expected fewer`);
    const layers = this.list();
    const end = this.skip();
    if (!this.take(')')) this.fail(end, `${this.found()}. Expected a comma, or the parenthesis that closes ${kind}`);
    this.depth--;
    return layers;
  }

  private words(kind: Kind, known: readonly TextWord<LayerSpec>[]): Partial<LayerSpec> {
    const left = [...known].sort((a, b) => Number(b.keyed ?? false) - Number(a.keyed ?? false));
    const fields = {};
    // Of a kind that has nothing but layers inside, anything else is a parenthesis that is missing.
    const { words: own = [], inside } = textOf(kind);
    const onlyParts = inside !== undefined && own.length === 0;
    for (let start = this.skip(); ; start = this.skip()) {
      const word = this.word();
      if (word === undefined) break;
      const i = left.findIndex((candidate) => candidate.takes(word));
      if (i < 0 && onlyParts) {
        this.at = start;
        break;
      }
      if (i < 0) this.fail(start, `"${word}" does not fit. Expected ${formOf(kind)}`);
      const [meant] = left.splice(i, 1);
      try {
        Object.assign(fields, meant.read(word, this.context));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.fail(start, error.message);
      }
    }
    const missing = left.find(({ required }) => required);
    if (missing) this.fail(this.at, `${this.found()}. Expected ${missing.form}: ${formOf(kind)}`);
    const usual = left.map(({ usual: fill }) => fill);
    return Object.assign({}, ...usual, fields);
  }

  /** A word, in which commas stand between options: `noisy-rectifier:noise=logistic,scale=0.5`. */
  private word(): string | undefined {
    let word = this.match(WORD);
    while (word?.includes(':') && this.match(MORE_OPTIONS) !== undefined) word += `,${this.match(WORD) ?? ''}`;
    return word;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  /** Goes on to what is no blank. */
  private skip(): number {
    this.match(/\s*/y);
    return this.at;
  }

  private take(character: string): boolean {
    this.skip();
    const there = this.text[this.at] === character;
    if (there) this.at++;
    return there;
  }

  /** What stands here, for messages. */
  private found(): string {
    const [character] = this.text.slice(this.at);
    return character === undefined ? 'The text ends' : `"${character}" stands there`;
  }

  private fail(at: number, message: string): never {
    throw new RangeError(`at character ${at + 1}: ${message}${message.endsWith('.') ? '' : '.'}`);
  }
}
