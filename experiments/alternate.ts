/** Milliseconds of processor time of several ways in turn, round after round: `times[way][round]`. */
export type RoundTimes = readonly (readonly number[])[];

/** Milliseconds that this process has had a processor: the clock does not run on while other processes have it. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Runs all ways once a round, each time in another order, so that what else the machine does to caches and clock rate falls on all of
 * them; the first rounds do not count. Times are of the processor, of all threads: on a machine with nothing else to do that is the time
 * on the wall where there is one thread, and on a busy one a long way is not interrupted more often than a short one.
 * @param work called with the number of the round, from 0
 */
export async function alternate(
  ways: readonly ((round: number) => unknown)[],
  { rounds, warmUp = 3 }: { readonly rounds: number; readonly warmUp?: number },
): Promise<RoundTimes> {
  const times: number[][] = ways.map(() => []);
  for (let round = 0; round < warmUp + rounds; round++)
    for (let i = 0; i < ways.length; i++) {
      const way = (i + round) % ways.length;
      const start = processorTime();
      await ways[way](round);
      if (round >= warmUp) times[way].push(processorTime() - start);
    }
  return times;
}

/** The median. @throws RangeError for no numbers */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('No numbers have no median; one or more would do.');
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** How many times the second way takes the first one's time: the median over rounds of their ratios. */
export const ratioOf = (times: RoundTimes, first: number, second: number): number =>
  median(times[first].map((time, round) => times[second][round] / time));
