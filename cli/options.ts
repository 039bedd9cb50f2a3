import { type Command, InvalidArgumentError } from 'commander';

import type { Hold } from '../src/index.ts';
import { suggest } from '../src/math/text.ts';
import { UsageError } from './exit.ts';

/** Parsers of option values: each gives the value or a sentence that says what was expected. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('Expected a whole number from 0 up.');
}

export function count(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected a whole number from 1 up.');
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

export function positive(text: string): number {
  const value = number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('Expected a number over 0.');
}

/** A share: over 0, and 1 at most. */
export function share(text: string): number {
  const value = number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number over 0, and 1 at most.');
}

/** Widths separated by commas, or `none`. */
export function widths(text: string): number[] {
  return text === 'none' ? [] : text.split(',').map(count);
}

/** A target rate in (0, 1), or `none`. */
export function rate(text: string): number | 'none' {
  if (text === 'none') return 'none';
  const value = number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Expected a number between 0 and 1 (both excluded), or "none".');
}

/** A time in seconds, from 0 up. */
export function seconds(text: string): number {
  const value = number(text);
  if (value >= 0) return value;
  throw new InvalidArgumentError('Expected a number of seconds from 0 up.');
}

/** A parser of some of these words, separated by commas; given again, of more of them. */
export function list<T extends string>(known: readonly T[]): (text: string, before: readonly T[]) => T[] {
  return (text, before) => {
    const words = text.split(',').map((word) => {
      if ((known as readonly string[]).includes(word)) return word as T;
      throw new InvalidArgumentError(`${suggest(word, known)}`);
    });
    return [...new Set([...before, ...words])];
  };
}

/** Refuses a second value of an option, which would silently replace the first. Options that collect values may be given several times. */
export function onceEach(command: Command): void {
  const seen = new Set<string>();
  for (const option of command.options) {
    const { long, required, optional, parseArg, argChoices } = option;
    const name = option.name();
    // A parser with a second parameter collects: it is given the earlier value. That of `choices` has one too, and ignores it.
    const collects = (parseArg?.length ?? 0) > 1 && argChoices === undefined;
    if ((!required && !optional) || collects) continue;
    command.on(`option:${name}`, () => {
      if (seen.has(name)) throw new UsageError(`${long} is given twice. Expected it once.`);
      seen.add(name);
    });
  }
}

/** Neurons separated by commas, each with options as name:option=value,option=value. */
export function neurons(text: string): string[] {
  return text.split(/,(?![^,:]+=)/);
}

/** Units to hold, separated by commas: SITE:UNIT=open or SITE:UNIT=closed. */
export function holds(text: string): Hold[] {
  return text.split(',').map((word) => {
    const [, site, unit, way] = /^(.+):(\d+)=(open|closed)$/.exec(word) ?? [];
    if (site === undefined)
      throw new InvalidArgumentError('Expected units as SITE:UNIT=open or SITE:UNIT=closed, separated by commas.');
    return { site, unit: Number(unit), open: way === 'open' };
  });
}
