import { randomStream } from '../../random/stream.ts';
import { parzen } from './parzen.ts';
import { Known, randomSettings } from './random-search.ts';
import { placeOf, type Space, valueAt } from './space.ts';
import type { Setting, Settings } from './train-settings.ts';

/** A configuration that was tried, with its loss: smaller is better, NaN is worst. */
export interface Tried {
  readonly settings: Settings;
  readonly loss: number;
}

/** So many times the root of their number of configurations count as good, and so many draws are looked at. */
const GOOD = 0.5;
const CANDIDATES = 24;
/** So often it is looked for a configuration that was not tried yet. */
const TRIES = 20;
/** First word of the path of the streams of candidates: the word "tpes" in ASCII. */
const STREAM = 0x74706573;

/**
 * Configurations worth a try after some that were tried: for each setting, of 24 draws from the density of good ones l the one with the
 * largest l/g, g being the density of the others. What is chosen counts among the others for what is chosen after it, so that
 * configurations of one generation lie apart; none is chosen that was tried, while the space has another. Source: Bergstra, Bardenet, Bengio and Kégl 2011, section 4 (independent settings).
 * @param first number of the first configuration, which its draws depend on
 */
export function treeParzen(
  space: Space,
  tried: readonly Tried[],
  count: number,
  seed: number,
  first: number,
): Settings[] {
  const cost = ({ loss }: Tried) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss);
  // Infinite losses are equal; sorting is stable.
  const sorted = [...tried].sort((a, b) => (cost(a) === cost(b) ? 0 : cost(a) - cost(b)));
  const border = Math.max(1, Math.ceil(GOOD * Math.sqrt(sorted.length)));
  const good = sorted.slice(0, border).map(({ settings }) => settings);
  const others = sorted.slice(border).map(({ settings }) => settings);
  const chosen: Settings[] = [];
  const known = new Known(tried.map(({ settings }) => settings));
  for (let i = 0; i < count; i++) {
    const axes = Object.entries(space).map(([name, dimension], axis) => {
      const random = randomStream(seed, STREAM, first + i, axis);
      const places = (all: readonly Settings[]) => all.map((one) => placeOf(dimension, one[name]));
      const [l, g] = [parzen(dimension, places(good)), parzen(dimension, places([...others, ...chosen]))];
      const worth = (place: number) => l.density(place) / g.density(place);
      return (): [string, Setting] => {
        const draws = Array.from({ length: CANDIDATES }, () => l.draw(random));
        const best = draws.reduce((best, place) => (worth(place) > worth(best) ? place : best));
        return [name, valueAt(dimension, best)];
      };
    });
    let settings: Settings = {};
    for (let time = 0; time < TRIES && (time === 0 || known.has(settings)); time++)
      settings = Object.fromEntries(axes.map((draw) => draw()));
    // All that is thought good has been tried.
    if (known.has(settings)) settings = randomSettings(space, seed, first + i, known);
    known.add(settings);
    chosen.push(settings);
  }
  return chosen;
}
