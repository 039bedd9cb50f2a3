import { randomStream } from '../random/stream.ts';
import type { Loss } from './integrate.ts';

/** A small loss of n units, for measuring bias and variance. */
export interface Problem {
  readonly name: string;
  readonly units: number;
  readonly loss: Loss;
}

/** First word of the path of the streams that the coefficients come from: the word "audt" in ASCII. */
const COEFFICIENTS = 0x61756474;

const normals = (count: number, stream: number, seed: number): Float64Array => {
  const random = randomStream(seed, COEFFICIENTS, stream);
  return Float64Array.from({ length: count }, () => random.normal());
};

/** L = Σ_i c_i·h_i: the straight-through gradient with the derivative is exact here. */
export function linearProblem(units: number, seed = 1): Problem {
  const c = normals(units, 1, seed);
  const loss: Loss = (h) => ({ loss: h.reduce((sum, value, i) => sum + c[i] * value, 0), dh: c });
  return { name: 'linear', units, loss };
}

/** L = ½·hᵀQh + cᵀh with a full symmetric Q: the units are coupled. */
export function quadraticProblem(units: number, seed = 1): Problem {
  const raw = normals(units * units, 2, seed);
  const c = normals(units, 3, seed);
  const q = raw.map((value, at) => {
    const transposed = (at % units) * units + Math.floor(at / units);
    return (value + raw[transposed]) / 2;
  });
  const loss: Loss = (h) => {
    const dh = c.map((value, i) => h.reduce((sum, hj, j) => sum + q[i * units + j] * hj, value));
    return { loss: h.reduce((sum, hi, i) => sum + (hi * (dh[i] + c[i])) / 2, 0), dh };
  };
  return { name: 'quadratic', units, loss };
}

/** L = Σ_k v_k·tanh(w_k·h + b_k): a random network with one hidden layer of five. */
export function networkProblem(units: number, seed = 1): Problem {
  const hidden = 5;
  const w = normals(hidden * units, 4, seed);
  const b = normals(hidden, 5, seed);
  const v = normals(hidden, 6, seed);
  const loss: Loss = (h) => {
    const dh = new Float64Array(units);
    let total = 0;
    for (let k = 0; k < hidden; k++) {
      let sum = b[k];
      for (let i = 0; i < units; i++) sum += w[k * units + i] * h[i];
      const out = Math.tanh(sum);
      total += v[k] * out;
      for (let i = 0; i < units; i++) dh[i] += v[k] * (1 - out * out) * w[k * units + i];
    }
    return { loss: total, dh };
  };
  return { name: 'network', units, loss };
}

const TARGET = 0.45;

/** L = Σ_i (h_i − 0.45)²: both states are nearly as good. Source: Tucker et al. 2017 (REBAR), §5.1. */
export function toyProblem(units: number): Problem {
  const loss: Loss = (h) => ({
    loss: h.reduce((sum, value) => sum + (value - TARGET) ** 2, 0),
    dh: h.map((value) => 2 * (value - TARGET)),
  });
  return { name: 'toy', units, loss };
}

/** Every kind by its name. */
export const problemKinds: Readonly<
  Record<'linear' | 'quadratic' | 'network' | 'toy', (units: number, seed?: number) => Problem>
> = {
  linear: linearProblem,
  quadratic: quadraticProblem,
  network: networkProblem,
  toy: toyProblem,
};

/** Name of a problem of `problemKinds`. */
export type ProblemName = keyof typeof problemKinds;

/** One of every kind. @param seed of their coefficients */
export function problems(units: number, seed = 1): readonly Problem[] {
  return Object.values(problemKinds).map((make) => make(units, seed));
}
