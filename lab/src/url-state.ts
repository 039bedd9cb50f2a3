import { atMostLong, oneOf, problemOf, type Schema, suggest, whole, within } from '../../src/schema/schema.ts';

/** One setting of a page: what it may be, and what it has where the address does not say. */
export interface Setting<T extends string | number = string | number> {
  readonly usual: T;
  readonly of: Schema;
  /** Of a number. */
  readonly bounds?: readonly [least: number, most: number];
}
export type Fields = Readonly<Record<string, Setting>>;
export type Settings<F extends Fields = Fields> = { -readonly [N in keyof F]: F[N]['usual'] };

/** The most characters of a text in an address. */
const MOST_TEXT = 2000;

export const wholeNumber = (usual: number, least: number, most: number): Setting<number> => ({
  usual,
  of: whole(least, most),
  bounds: [least, most],
});
export const numberIn = (usual: number, least: number, most: number): Setting<number> => ({
  usual,
  of: within(least, most),
  bounds: [least, most],
});
export const choice = (usual: string, words: readonly string[]): Setting<string> => ({ usual, of: oneOf(words) });
export const words = (usual: string, most: number = MOST_TEXT): Setting<string> => ({ usual, of: atMostLong(most) });

/** What an address says of a page. */
export interface Address<F extends Fields> {
  readonly page: string;
  /** All that the page knows: a number that is out of bounds is the nearest bound, what does not do otherwise is the usual value. */
  readonly settings: Settings<F>;
  /** A sentence for each piece of the address that was not taken as it stands. */
  readonly problems: readonly string[];
}

/** A page's settings stand in the address's fragment, after the page's name: `#microscope?logit=0.5&seed=1`. */
export function readAddress<F extends Fields>(hash: string, fields: F): Address<F> {
  const [page, ...rest] = hash.replace(/^#/, '').split('?');
  const given = new URLSearchParams(rest.join('?'));
  const problems: string[] = [];
  for (const name of new Set(given.keys()))
    if (!Object.hasOwn(fields, name))
      problems.push(
        `The address has a setting "${name.slice(0, 60)}". ${suggest(name.slice(0, 60), Object.keys(fields))}`,
      );
  const settings = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const text = given.get(name);
      if (text === null) return [name, field.usual];
      const value =
        typeof field.usual === 'number' && text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
      const problem = problemOf(field.of, value, `\`${name}\` in the address`);
      if (problem === undefined) return [name, value];
      const taken = nearest(field, value);
      problems.push(`${problem} Here it is ${taken === '' ? 'left out' : taken}.`);
      return [name, taken];
    }),
  );
  return { page, settings: settings as Settings<F>, problems };
}

/** The bound that a number is beyond, or the usual value. */
function nearest({ usual, bounds }: Setting, value: string | number): string | number {
  if (!bounds || typeof value !== 'number') return usual;
  if (value < bounds[0]) return bounds[0];
  return value > bounds[1] ? bounds[1] : usual;
}

/** The fragment that `readAddress` reads back. */
export function writeAddress(page: string, settings: Readonly<Record<string, string | number>>): string {
  const query = new URLSearchParams(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  return `#${page}?${query}`;
}
