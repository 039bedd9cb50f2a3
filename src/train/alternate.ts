import { median } from '../math/statistics.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';

/** Times of several ways in turn, in milliseconds: `times[way][round]`. */
export type RoundTimes = readonly (readonly number[])[];

/** Rounds of `alternate`. */
export interface RoundOptions {
  readonly rounds: number;
  /** Rounds before these that do not count; default 3. */
  readonly warmUp?: number;
  /** Milliseconds; default: on the wall. */
  readonly clock?: () => number;
}

export const roundNames: NamesOf<RoundOptions> = { rounds: true, warmUp: true, clock: true };

/**
 * Whose turn it is: all ways once a round, each time in another order, so that what else the machine does to caches and clock rate falls on
 * all of them.
 */
function* turns(
  ways: number,
  { rounds, warmUp = 3 }: RoundOptions,
): Generator<{ way: number; round: number; counts: boolean }> {
  for (let round = 0; round < warmUp + rounds; round++)
    for (let i = 0; i < ways; i++) yield { way: (i + round) % ways, round, counts: round >= warmUp };
}

const onTheWall = (): number => performance.now();

/** Runs all ways in turn, round after round. @param ways called with the number of the round, from 0 */
export function alternate(ways: readonly ((round: number) => void)[], options: RoundOptions): RoundTimes {
  checkNames('alternate', options, roundNames);
  const { clock = onTheWall } = options;
  const times: number[][] = ways.map(() => []);
  for (const { way, round, counts } of turns(ways.length, options)) {
    const start = clock();
    ways[way](round);
    if (counts) times[way].push(clock() - start);
  }
  return times;
}

/** The same of ways that are awaited. */
export async function alternateAwaited(
  ways: readonly ((round: number) => Promise<unknown>)[],
  options: RoundOptions,
): Promise<RoundTimes> {
  checkNames('alternateAwaited', options, roundNames);
  const { clock = onTheWall } = options;
  const times: number[][] = ways.map(() => []);
  for (const { way, round, counts } of turns(ways.length, options)) {
    const start = clock();
    await ways[way](round);
    if (counts) times[way].push(clock() - start);
  }
  return times;
}

/** How many times the second way takes the first one's time: the median over rounds of their ratios. */
export const ratioOf = (times: RoundTimes, first: number, second: number): number =>
  median(times[first].map((time, round) => times[second][round] / time));
