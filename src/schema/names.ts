import { shorten, suggest } from '../math/text.ts';
import { isObject } from './is-object.ts';

/** The names of a type's fields, each of them: a field without its line here is a type error. */
export type NamesOf<T> = { readonly [K in keyof T]-?: true };

/**
 * Checks the names of options from a caller without types. Operations call it in every step: it allocates nothing where all names are known.
 * @param what has them, for messages: `evaluate`
 * @param of what that belongs to, if anything
 * @throws RangeError for what is no object, and a name that is not known, with the nearest that is
 */
export function checkNames(what: string, options: object, known: Readonly<Record<string, true>>, of?: string): void {
  if (!isObject(options))
    throw new RangeError(
      `The options of ${what}${of === undefined ? '' : ` of ${of}`} are ${shorten(options)}. Expected an object with any of ${Object.keys(known).join(', ')}.`,
    );
  for (const name in options)
    if (known[name] !== true && Object.hasOwn(options, name))
      throw new RangeError(
        `${what}${of === undefined ? '' : ` of ${of}`} has no option "${name}". ${suggest(name, Object.keys(known))}`,
      );
}

/**
 * Checks a word from a caller without types.
 * @param where whose option it is, for messages: `compile`
 * @throws RangeError for another word, with the nearest of those that are known
 */
export function checkOneOf<W extends string>(option: string, value: W, words: readonly W[], where?: string): void {
  if (words.includes(value)) return;
  const expected = oneOfWords(value, words);
  throw new RangeError(
    `${where === undefined ? '' : `${where}: `}\`${option}\` is ${shorten(value)}. Expected ${expected}${expected.endsWith('?') ? '' : '.'}`,
  );
}

/** What a word should be, for messages: `one of rate, zero`; where one is near, `one of rate, zero; did you mean "zero"?`. */
export function oneOfWords(given: unknown, words: readonly string[]): string {
  const [, word] = typeof given === 'string' ? (/^Did you mean ("[^"]*")/.exec(suggest(given, words)) ?? []) : [];
  return `one of ${words.join(', ')}${word === undefined ? '' : `; did you mean ${word}?`}`;
}
