/** What is known of a block (or a gate, which opens one), in words. */
import { favouriteClasses } from './favourite-classes.ts';
import { shortPercent } from './percent.ts';

/** As in the health statistics of the library: under the first share a block is dead, over the second it is always on. */
const [DEAD, ALWAYS_ON] = [0.001, 0.999];

export type BlockHealth = 'dead' | 'always on' | 'alive';

/** @param rate share of the examples that open it, in [0, 1] */
export const healthOf = (rate: number): BlockHealth =>
  rate < DEAD ? 'dead' : rate > ALWAYS_ON ? 'always on' : 'alive';

/** @param rates shares of the examples of each class that open it, in [0, 1] @param classes names of the classes; default: digits */
export function openingSentence(
  { rate, rates }: { readonly rate: number; readonly rates: readonly number[] },
  classes?: readonly string[],
): string {
  const health = healthOf(rate);
  if (health === 'dead') return 'No digit opens it: it is dead.';
  const labels = favouriteClasses({ rate, rates }).map((label) => classes?.[label] ?? `${label}s`);
  const favourites =
    labels.length > 0 ? `, mostly ${labels.join(labels.length === 2 ? ' and ' : ', ')}` : ', of every kind';
  return `Opens for ${shortPercent(rate)} of all digits${favourites}${health === 'always on' ? ': always on' : ''}.`;
}

/** For screen readers. @param way how it is held; undefined: it is free */
export const blockLabel = (name: string, way: boolean | undefined, said: string): string =>
  `${name}${way === undefined ? '' : `, held ${way ? 'open' : 'closed'}`}. ${said}`;
