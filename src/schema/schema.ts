import * as v from 'valibot';
import { shorten, suggest } from '../math/text.ts';
import { oneOfWords } from './names.ts';

/** What a value has to be, and what an error says of it. */
export type Schema<T = unknown> = v.GenericSchema<T>;
export type { InferInput, InferOutput } from 'valibot';

type Entries = Readonly<Record<string, v.GenericSchema>>;

/** A finite number. */
export const number = v.pipe(v.number('a number'), v.finite('a number'));
export const text = v.pipe(
  v.string('a text'),
  v.check((value) => !value.includes('\0'), 'a text without the character 0'),
);
export const flag = v.boolean('true or false');

/** A whole number in a range. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  const expected =
    most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least} up` : `a whole number from ${least} to ${most}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => Number.isSafeInteger(value) && value >= least && value <= most, expected),
  );
}

/** A number over `least`, and under or equal to `most` where there is one. */
export function over(least: number, most?: number) {
  const expected = most === undefined ? `a number over ${least}` : `a number over ${least}, and ${most} at most`;
  return v.pipe(
    v.number(expected),
    v.check((value) => Number.isFinite(value) && value > least && (most === undefined || value <= most), expected),
  );
}

/** A number between two, neither included. */
export function between(least: number, most: number) {
  const expected = `a number between ${least} and ${most}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => value > least && value < most, expected),
  );
}

/** A number from one to another, both included. */
export function within(least: number, most: number) {
  const expected = `a number from ${least} to ${most}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => value >= least && value <= most, expected),
  );
}

/** A text with at most this many characters. */
export const atMostLong = (most: number) => v.pipe(text, v.maxLength(most, `a text of ${most} characters at most`));

/** A number from `least` up. */
export function from(least: number) {
  const expected = `a number from ${least} up`;
  return v.pipe(
    v.number(expected),
    v.check((value) => Number.isFinite(value) && value >= least, expected),
  );
}

/** One of some words. */
export const oneOf = <const T extends readonly string[]>(words: T) =>
  v.picklist(words, (issue) => oneOfWords(issue.input, words));

/** A list of at most `most` values. */
export function list<T extends v.GenericSchema>(of: T, what: string, most = 1000) {
  const expected = `a list of ${what}, ${most} at most`;
  return v.pipe(v.array(of, expected), atMost<v.InferOutput<T>[]>(most));
}

const atMost = <T extends readonly unknown[]>(most: number) =>
  v.maxLength<T, number, string>(most, `${ENTRIES}${most}`);

/** Nothing but a limit on how many entries a list has; what is no list fits too. */
export const bounded = (most = 1000) =>
  v.pipe(
    v.unknown(),
    v.check((value) => !Array.isArray(value) || value.length <= most, `${ENTRIES}${most}`),
  );

/** A list with something in it. */
export const filled = <T extends v.GenericSchema<unknown, readonly unknown[]>>(of: T, expected: string) =>
  v.pipe(
    of,
    v.check((values) => (values as readonly unknown[]).length > 0, expected),
  );

/** A value that a function takes. */
export const that = <T>(fits: (value: unknown) => value is T, expected: string) => v.custom<T>(fits, expected);

/** One of several forms. */
export const either = <const T extends readonly v.GenericSchema[]>(forms: T, expected: string) =>
  v.union(forms as unknown as v.UnionOptions, expected) as v.GenericSchema<v.InferInput<T[number]>>;

/** Values by name: names are anybody's. */
export const byName = <T extends v.GenericSchema>(of: T) => v.record(v.string(), of, 'an object');

/** An object with at least these fields; others are of one form. */
export const openTo = <const T extends Entries, const R extends v.GenericSchema>(fields: T, rest: R) =>
  v.objectWithRest(fields, rest, missing(fields));

/** An object with at least these fields; others are kept. */
export const open = <const T extends Entries>(fields: T) => v.looseObject(fields, missing(fields));

/** An object with these fields and no other; the error for another name gives the nearest known one. */
export function closed<const T extends Entries>(fields: T) {
  const names = Object.keys(fields);
  return v.strictObject(fields, (issue) => {
    const key = issue.path?.at(-1)?.key;
    const unknown = issue.expected === 'never' && typeof key === 'string';
    return unknown ? `${UNKNOWN}${suggest(key, names)}` : missing(fields)(issue);
  });
}

export interface Issue {
  readonly expected: string | null;
  readonly path?: readonly { readonly key?: unknown }[] | undefined;
}

/** What an object lacks: what the field should be; of what is no object, that it should be one. */
const missing =
  (fields: Entries) =>
  ({ expected, path }: Issue): string => {
    if (expected === 'Object') return 'an object';
    const field = fields[String(path?.at(-1)?.key)] as
      | { readonly type?: string; readonly message?: unknown }
      | undefined;
    const told = typeof field?.message === 'string' ? field.message : undefined;
    return `${MISSING}${told ?? (field?.type?.includes('object') ? 'an object' : 'a value')}`;
  };
const UNKNOWN = 'unknown: ';
const MISSING = 'missing: ';
const ENTRIES = 'entries: ';

/** The same, where more holds of the whole. */
export const where = <T extends v.GenericSchema>(
  of: T,
  holds: (value: v.InferOutput<T>) => boolean,
  expected: string,
) => v.pipe(of, v.check(holds, expected));

export { optional, unknown } from 'valibot';
export { suggest };

/** @param what has the options, for messages: `train`. @throws RangeError for an option that is not known, or is what it cannot be */
export function checkOptions(of: v.GenericSchema, options: unknown, what: string): void {
  const problem = problemOf(of, options, what);
  if (problem !== undefined) throw new RangeError(problem);
}

/** What is wrong with a value, in a sentence; undefined where nothing is. @param where what has it: `run.json` */
export function problemOf(schema: v.GenericSchema, value: unknown, where: string): string | undefined {
  const { issues } = v.safeParse(schema, value, { abortPipeEarly: true });
  if (!issues) return undefined;
  // A name that is not known may be that of the field which is not there.
  const { message, path = [] } = issues.find((issue) => issue.message.startsWith(UNKNOWN)) ?? issues[0];
  const name = path.map(({ key }, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('');
  if (message.startsWith(UNKNOWN)) {
    const at = name.lastIndexOf('.');
    const inside = at < 0 ? where : `\`${name.slice(0, at)}\` of ${where}`;
    return `${inside} has no option "${name.slice(at + 1)}". ${message.slice(UNKNOWN.length)}`;
  }
  if (message.startsWith(MISSING))
    return `\`${name}\` of ${where} is not there. Expected ${message.slice(MISSING.length)}.`;
  const given = valueAt(value, path);
  if (message.startsWith(ENTRIES) && Array.isArray(given))
    return `\`${name}\` of ${where} has ${given.length} entries. Expected ${message.slice(ENTRIES.length)} at most.`;
  const shown = typeof given === 'number' ? String(given) : shorten(given);
  // Some messages are questions already.
  const end = message.endsWith('?') ? '' : '.';
  return `${name === '' ? where : `\`${name}\` of ${where}`} is ${shown}. Expected ${message}${end}`;
}

function valueAt(value: unknown, path: readonly { readonly key: unknown }[]): unknown {
  return path.reduce<unknown>(
    (at, { key }) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[String(key)] : at),
    value,
  );
}

/** The same fields, each of which may be left out. */
export const eachOptional = <T extends Entries>(fields: T) =>
  Object.fromEntries(Object.entries(fields).map(([name, of]) => [name, v.optional(of)])) as {
    [N in keyof T]: v.OptionalSchema<T[N], undefined>;
  };
