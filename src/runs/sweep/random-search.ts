import { randomStream } from '../../random/stream.ts';
import { configurationsOf, type Space, sizeOf, valueAt } from './space.ts';
import type { Settings } from './train-settings.ts';

/** Draws that may all have been there; then a space that has an end is gone through. */
const TRIES = 1000;
/** First word of the path of the streams of settings: the word "srch" in ASCII. */
const SEARCH = 0x73726368;

/** Configurations by what they hold: two that are equal train the same network, bit for bit. */
export class Known {
  private readonly texts: Set<string>;

  constructor(settings: readonly Settings[] = []) {
    this.texts = new Set(settings.map((one) => JSON.stringify(one)));
  }

  has(settings: Settings): boolean {
    return this.texts.has(JSON.stringify(settings));
  }

  add(settings: Settings): void {
    this.texts.add(JSON.stringify(settings));
  }
}

/**
 * A configuration drawn from a space, and none that is known already while the space has another: the same for the same seed, number and
 * known ones, however many others are drawn.
 */
export function randomSettings(space: Space, seed: number, number: number, known = new Known()): Settings {
  const random = randomStream(seed, SEARCH, number);
  const draw = (): Settings =>
    Object.fromEntries(Object.entries(space).map(([name, dimension]) => [name, valueAt(dimension, random.uniform())]));
  let settings = draw();
  for (let i = 1; i < TRIES && known.has(settings); i++) settings = draw();
  if (known.has(settings) && Number.isFinite(sizeOf(space)))
    for (const other of configurationsOf(space)) if (!known.has(other)) return other;
  return settings;
}
