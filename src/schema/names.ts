import { suggest } from '../math/text.ts';

/** The names of a type's fields, each of them: a field without its line here is a type error. */
export type NamesOf<T> = { readonly [K in keyof T]-?: true };

/**
 * Checks the names of options from a caller without types.
 * @param what has them, for messages: `evaluate`
 * @throws RangeError for a name that is not known, with the nearest that is
 */
export function checkNames(what: string, options: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined)
    throw new RangeError(`${what} has no option "${unknown}". ${suggest(unknown, Object.keys(known))}`);
}
