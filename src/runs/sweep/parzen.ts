import { normalCdf, normalDensity, normalQuantile } from '../../math/special.ts';
import type { RandomStream } from '../../random/stream.ts';
import { type Dimension, isRange } from './space.ts';

/** A density over the places in [0, 1] of one dimension. */
export interface Parzen {
  draw(random: RandomStream): number;
  density(place: number): number;
}

/** No bump is wider than the range, and none narrower than this share of it. */
const NARROWEST = 1 / 100;

/**
 * The density that some places of a dimension seem to be drawn from: over a range an equal mixture of the uniform density and a
 * truncated normal at every place, each as wide as the larger distance to its neighbours (or the ends); over listed values one more than
 * their count. Source: Bergstra, Bardenet, Bengio and Kégl 2011, section 4.2.
 */
export function parzen(dimension: Dimension, places: readonly number[]): Parzen {
  return isRange(dimension) ? mixture(places) : counts(dimension.length, places);
}

function counts(values: number, places: readonly number[]): Parzen {
  const weights = new Array<number>(values).fill(1);
  const at = (place: number) => Math.min(values - 1, Math.floor(place * values));
  for (const place of places) weights[at(place)]++;
  const total = values + places.length;
  return {
    draw(random) {
      let left = random.uniform() * total;
      const index = weights.findIndex((weight) => (left -= weight) < 0);
      return ((index < 0 ? values - 1 : index) + 0.5) / values;
    },
    density: (place) => (weights[at(place)] * values) / total,
  };
}

function mixture(places: readonly number[]): Parzen {
  const sorted = [...places].sort((a, b) => a - b);
  const least = Math.max(NARROWEST, 1 / (sorted.length + 2) ** 2);
  const bumps = sorted.map((centre, i) => {
    const width = Math.max(centre - (sorted[i - 1] ?? 0), (sorted[i + 1] ?? 1) - centre, least);
    const [low, high] = [normalCdf(-centre / width), normalCdf((1 - centre) / width)];
    return { centre, width, low, mass: high - low };
  });
  return {
    draw(random) {
      const bump = bumps[random.integer(bumps.length + 1)];
      const u = random.uniform();
      if (!bump) return u;
      const { centre, width, low, mass } = bump;
      return Math.min(1, Math.max(0, centre + width * normalQuantile(low + u * mass)));
    },
    density(place) {
      const sum = bumps.reduce(
        (total, { centre, width, mass }) => total + normalDensity((place - centre) / width) / (width * mass),
        1,
      );
      return sum / (bumps.length + 1);
    },
  };
}
