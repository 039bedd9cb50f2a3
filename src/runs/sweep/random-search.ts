import { randomStream } from '../../random/stream.ts';
import { type Space, valueAt } from './space.ts';
import type { Settings } from './train-settings.ts';

/** A configuration drawn from a space: the same for the same seed and number, however many others are drawn. */
export function randomSettings(space: Space, seed: number, number: number): Settings {
  const random = randomStream(seed, 1, number);
  return Object.fromEntries(
    Object.entries(space).map(([name, dimension]) => [name, valueAt(dimension, random.uniform())]),
  );
}
