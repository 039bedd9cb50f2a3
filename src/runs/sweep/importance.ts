import { parzen } from './parzen.ts';
import { isRange, placeOf, type Space } from './space.ts';
import type { Tried } from './tpe.ts';

/** The share of configurations that counts as good, and the places at which densities over a range are compared. */
const GOOD = 0.25;
const PLACES = 200;

/**
 * How much each setting matters, as shares of 1: by how far the density of its values among good configurations lies from that among all,
 * ∫ (p_good/p_all − 1)²·p_all. Settings that matter only together with others show less than they are worth.
 * Source: Watanabe, Bansal and Hutter 2023 (PED-ANOVA), with the good quarter against all.
 * @returns NaN for every setting where fewer than four configurations are known
 */
export function importances(space: Space, tried: readonly Tried[]): Record<string, number> {
  const known = tried.filter(({ loss }) => !Number.isNaN(loss)).sort((a, b) => a.loss - b.loss);
  const names = Object.keys(space);
  if (known.length < 4) return Object.fromEntries(names.map((name) => [name, Number.NaN]));
  const good = known.slice(0, Math.max(2, Math.ceil(GOOD * known.length)));
  const distances = names.map((name) => {
    const dimension = space[name];
    const placesOf = (all: readonly Tried[]) => all.map(({ settings }) => placeOf(dimension, settings[name]));
    const [p, q] = [parzen(dimension, placesOf(good)), parzen(dimension, placesOf(known))];
    const count = isRange(dimension) ? PLACES : dimension.length;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const place = (i + 0.5) / count;
      sum += (p.density(place) / q.density(place) - 1) ** 2 * q.density(place);
    }
    return sum / count;
  });
  const total = distances.reduce((sum, distance) => sum + distance, 0);
  return Object.fromEntries(names.map((name, i) => [name, total > 0 ? distances[i] / total : 1 / names.length]));
}
