import { randomStream } from '../random/stream.ts';
import { type Dataset, makeDataset } from './dataset.ts';

/** The stream that bits are drawn with: the word "bits" in ASCII. */
const STREAM = 0x62697473;

/**
 * The data set with every feature (times its scale, in [0, 1]) replaced by a bit that is 1 with that probability, drawn once: the
 * same pictures in every epoch.
 */
export function binarized(dataset: Dataset, seed: number): Dataset {
  const { name, features, scale, labels, width, classes, image } = dataset;
  const random = randomStream(seed, STREAM);
  const bits = Uint8Array.from(features, (x) => (random.uniform() < x * scale ? 1 : 0));
  const facts = { name: `${name}, binarised`, features: bits, scale: 1, labels, width, classes };
  return makeDataset({ ...facts, ...(image && { image }) });
}
