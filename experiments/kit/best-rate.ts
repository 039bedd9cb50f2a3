import type { Finished, Trial } from './experiment.ts';
import { mean } from './statistics.ts';

/** The runs at the learning rate whose mean cost is lowest (the lower rate of two that are equal), by seed; none where there are none. */
export function bestRate<D extends Finished<Trial & { readonly rate: number }, unknown>>(
  runs: readonly D[],
  cost: (run: D) => number,
): D[] {
  const rates = [...Map.groupBy(runs, ({ trial }) => trial.rate).values()];
  const costOf = (own: readonly D[]): number => mean(own.map(cost));
  const [best = []] = rates.toSorted((a, b) => costOf(a) - costOf(b) || a[0].trial.rate - b[0].trial.rate);
  return best.toSorted((a, b) => a.trial.seed - b.trial.seed);
}
