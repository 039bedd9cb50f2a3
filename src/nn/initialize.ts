import type { NdArray } from '../backend/nd-array.ts';
import { randomStream } from '../random/stream.ts';

/** Fills weights (inputs × units) uniformly in ±gain·√(6/(inputs+units)). Source: Glorot and Bengio 2010, Eq. 16. */
export function glorotUniform(
  weights: NdArray,
  seed: number,
  stream: number,
  gain = 1,
  [inputs, units]: readonly number[] = weights.shape,
): void {
  const limit = gain * Math.sqrt(6 / (inputs + units));
  const random = randomStream(seed, WEIGHTS, stream);
  const { values } = weights;
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * limit;
}

/** Gives every unit `count` non-zero N(0, 1) weights. Source: Martens 2010; the noisy rectifier's gater in the 2013 code. */
export function sparseNormal(weights: NdArray, seed: number, stream: number, count = 15): void {
  const [inputs, units] = weights.shape;
  const random = randomStream(seed, WEIGHTS, stream);
  const { values } = weights;
  values.fill(0);
  const order = Array.from({ length: inputs }, (_, i) => i);
  for (let unit = 0; unit < units; unit++)
    for (let i = 0; i < Math.min(count, inputs); i++) {
      const j = i + random.integer(inputs - i);
      [order[i], order[j]] = [order[j], order[i]];
      values[order[i] * units + unit] = random.normal();
    }
}

/** First word of the path of all weight streams. */
const WEIGHTS = 1;
