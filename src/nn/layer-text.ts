import type { NeuronDefinition } from '../neurons/contract.ts';
import { type NeuronSpec, neuronText, resolveNeuron } from '../neurons/resolve.ts';
import type { LayerSpec } from './layer-kinds.ts';

/** Names that a text may use besides the shipped ones. */
export interface TextContext {
  /** Neurons of one's own, known by name. */
  readonly neurons?: readonly NeuronDefinition[];
}

/** A word in the text of a layer, and the fields of the description that it stands for. */
export interface TextWord<S> {
  /** As the form of the kind has it: `UNITS`, `[NEURON]`. */
  readonly form: string;
  readonly required?: true;
  /** Does it begin with a key, so that no other word can be it? */
  readonly keyed?: true;
  /** Fields that it stands for where it is left out. */
  readonly usual?: Partial<S>;
  /** Is a word meant as this one, by its looks? */
  takes(word: string): boolean;
  /** @throws RangeError for a value that it cannot have */
  read(word: string, context: TextContext): Partial<S>;
  /** Undefined: omitted from the text. */
  write(spec: S): string | undefined;
}

/**
 * The text form of a kind of layer, as `--layers` takes it. Words without a key stand in their order; the others anywhere.
 */
export interface LayerText<S> {
  readonly words?: readonly TextWord<S>[];
  /** Layers in parentheses. */
  readonly inside?: {
    read(layers: readonly LayerSpec[]): Partial<S>;
    write(spec: S): readonly LayerSpec[];
  };
}

type FieldsOf<S, T> = { [K in keyof S]-?: S[K] extends T | undefined ? K : never }[keyof S];

/** A count in a text. @throws RangeError for something else */
export const whole = (word: string, what: string): number => {
  const value = Number(word);
  if (!/^\d+$/.test(word) || value < 1 || !Number.isSafeInteger(value))
    throw new RangeError(`"${word}" is no number of ${what}. Expected a whole number from 1 up.`);
  return value;
};

const looksLikeNumber = (word: string): boolean => /^[-+.\d]/.test(word) && !word.endsWith('%');

/** `UNITS`. */
export function units<S extends { readonly units: number }>(): TextWord<S> {
  return {
    form: 'UNITS',
    required: true,
    takes: looksLikeNumber,
    read: (word) => ({ units: whole(word, 'units') }) as Partial<S>,
    write: (spec) => String(spec.units),
  };
}

/** `UNITS`, or `UNITS/BLOCKS`. */
export function unitsAndBlocks<S extends { readonly units: number; readonly blocks?: number }>(): TextWord<S> {
  return {
    form: 'UNITS[/BLOCKS]',
    required: true,
    takes: looksLikeNumber,
    read(word) {
      const [units, blocks] = word.split(/\/(.*)/s);
      const fields = { units: whole(units, 'units'), ...(blocks !== undefined && { blocks: whole(blocks, 'blocks') }) };
      return fields as Partial<S>;
    },
    write: ({ units, blocks }) => (blocks === undefined ? String(units) : `${units}/${blocks}`),
  };
}

/** A neuron with its options. @param silent is its default left out of the text? */
export function neuron<S>(
  field: FieldsOf<S, NeuronSpec> & string,
  { form = 'NEURON', usual, silent = false }: { form?: string; usual: string; silent?: boolean },
): TextWord<S> {
  return {
    form: `[${form}]`,
    usual: { [field]: usual } as Partial<S>,
    takes: (word) => /^[a-z]/i.test(word) && !/^[^:]*=/.test(word),
    read(word, { neurons = [] }) {
      resolveNeuron(word, undefined, neurons);
      return { [field]: word } as Partial<S>;
    },
    write(spec) {
      const text = neuronText((spec[field] ?? usual) as NeuronSpec);
      return silent && text === usual ? undefined : text;
    },
  };
}

/** A share as `6%`, or `FIELD=none`. */
export function percent<S>(field: keyof S & string, usual: number): TextWord<S> {
  return {
    form: `[${field.toUpperCase()}%]`,
    usual: { [field]: usual } as Partial<S>,
    takes: (word) => word.endsWith('%') || word.startsWith(`${field}=`),
    read(word) {
      const given = word.startsWith(`${field}=`) ? word.slice(field.length + 1) : word;
      if (given === 'none') return { [field]: 'none' } as Partial<S>;
      const share = given.endsWith('%') ? Number(given.slice(0, -1) || Number.NaN) / 100 : Number(given || Number.NaN);
      if (!(share > 0 && share < 1))
        throw new RangeError(`The ${field} is "${given}". Expected a share over 0% and under 100%, or ${field}=none.`);
      return { [field]: share } as Partial<S>;
    },
    write(spec) {
      const share = (spec[field] ?? usual) as number | string;
      if (typeof share === 'string') return `${field}=${share}`;
      const shown = Number((100 * share).toPrecision(12));
      return shown / 100 === share ? `${shown}%` : `${field}=${share}`;
    },
  };
}

/** `FIELD=VALUE`. @param code how the value reads; as it is by default */
export function option<S, V>(
  field: FieldsOf<S, V> & string,
  form: string,
  code: { read(text: string): V; write(value: V): string },
): TextWord<S> {
  return {
    form: `[${field}=${form}]`,
    keyed: true,
    takes: (word) => word.startsWith(`${field}=`),
    read: (word) => ({ [field]: code.read(word.slice(field.length + 1)) }) as Partial<S>,
    write(spec) {
      const value = spec[field] as V | undefined;
      return value === undefined ? undefined : `${field}=${code.write(value)}`;
    },
  };
}

/** One of these words. */
export const oneOf = <T extends string>(...known: readonly T[]) => ({
  read(text: string): T {
    if ((known as readonly string[]).includes(text)) return text as T;
    throw new RangeError(`"${text}" is no value of this option. Expected one of ${known.join(', ')}.`);
  },
  write: (value: T): string => value,
});

/** `FIELD=WORD`, one of these words. */
export const oneOfOption = <S, T extends string>(field: FieldsOf<S, T> & string, words: readonly T[]): TextWord<S> =>
  option<S, T>(field, words.join('|'), oneOf(...words));

/** Widths with + between them, or `none`. */
export const widths = {
  read: (text: string): readonly number[] =>
    text === 'none' ? [] : text.split('+').map((width) => whole(width, 'units')),
  write: (value: readonly number[]): string => (value.length === 0 ? 'none' : value.join('+')),
};

/** Extents separated by x: `count` of them, or one or more. */
export const extents = (count?: number) => ({
  read(text: string): readonly number[] {
    const values = text.split('x').map((extent) => whole(extent, 'elements'));
    if (count === undefined || values.length === count) return values;
    throw new RangeError(`"${text}" has ${values.length} extents. Expected ${count}, such as 3x3.`);
  },
  write: (value: readonly number[]): string => value.join('x'),
});

/** A probability. */
export const probability = {
  read(text: string): number {
    const value = Number(text || Number.NaN);
    if (value > 0 && value <= 1) return value;
    throw new RangeError(`"${text}" is no probability. Expected a number over 0, and 1 at most.`);
  },
  write: String,
};

/** The field's name alone, or with numbers: `nudge`, `nudge:below=0.1,step=0.02`. */
export function flag<S>(field: keyof S & string, options: readonly string[] = []): TextWord<S> {
  return {
    form: `[${field}]`,
    keyed: true,
    takes: (word) => word === field || (options.length > 0 && word.startsWith(`${field}:`)),
    read(word) {
      if (word === field) return { [field]: true } as Partial<S>;
      const pairs = word
        .slice(field.length + 1)
        .split(',')
        .map((pair): [string, number] => {
          const [, name, value] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
          if (name === undefined || !options.includes(name) || !Number.isFinite(Number(value)))
            throw new RangeError(`"${pair}" is no option of ${field}. Expected a number for ${options.join(' or ')}.`);
          return [name, Number(value)];
        });
      return { [field]: Object.fromEntries(pairs) } as Partial<S>;
    },
    write(spec) {
      const value = spec[field] as boolean | Readonly<Record<string, number>> | undefined;
      if (!value) return undefined;
      const pairs = value === true ? [] : Object.entries(value).map(([name, number]) => `${name}=${number}`);
      return pairs.length === 0 ? field : `${field}:${pairs.join(',')}`;
    },
  };
}
