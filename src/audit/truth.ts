import { sigmoid, sigmoidSlope } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { newGrid } from './grid.ts';
import { integrate, integrateOver, type Loss } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import type { Place } from './places.ts';
import { derivative } from './quadrature.ts';
import { unitOf } from './unit-of.ts';

/** The true gradient of the base loss at the active units, and what each number may be off by. */
export interface Truth {
  readonly gradient: Float64Array;
  readonly error: Float64Array;
}

const ROUNDING = 2 ** -52;
/** Of the central differences of the true gradient. */
const STEP = 0.005;
/** First word of the path of the stream of the other grid: the word "true" in ASCII. */
const TRUE = 0x74727565;

/** The gradient of E[loss] of the behaviour, the offset and size of the loss left out. */
export function truthAt(neuron: Neuron, place: Place): Truth {
  const logits = Float64Array.from(place.active, (unit) => place.logits[unit]);
  // The loss as its array holds it: what a neuron reads is that.
  const { size, offset, loss } = place;
  const rounded =
    place.arrays === 'Float64' || neuron.reads === 'cotangent' || neuron.reads === 'cotangent-when-open'
      ? loss
      : (h: Float64Array) => {
          const { loss: value, dh } = loss(h);
          return { loss: (Math.fround(offset + size * value) - offset) / size, dh };
        };
  if (unitOf(neuron) === 'bits') return overStates(logits, rounded);
  const unit = leanUnit(neuron);
  const expected = (at: Float64Array): number => integrate(unit, at, loss).loss;
  const { gradient, error } = differences(expected, logits);
  if (unit.noise === 0) return { gradient, error };
  // What the grid is off by, another grid shows; its difference quotient is off by as much over the step.
  const random = randomStream(place.seed, TRUE, place.number);
  const finer = newGrid(unit, logits, { finer: { random: () => random.uniform() } });
  const apart = Math.abs(expected(logits) - integrateOver(finer, unit, logits, loss).loss);
  return { gradient, error: error.map((one) => one + (2 * apart) / STEP) };
}

/** ∂/∂a_i Σ_h P(h)·loss(h) = p(1 − p)·(E[loss | h_i = 1] − E[loss | h_i = 0]) of bits, p = σ(a_i). */
function overStates(logits: Float64Array, loss: Loss): Truth {
  const units = logits.length;
  const gradient = new Float64Array(units);
  const error = new Float64Array(units);
  const h = new Float64Array(units);
  for (let state = 0; state < 2 ** units; state++) {
    for (let unit = 0; unit < units; unit++) h[unit] = (state >> unit) & 1;
    const value = loss(h).loss;
    for (let unit = 0; unit < units; unit++) {
      let others = sigmoidSlope(logits[unit]);
      for (let k = 0; k < units; k++) if (k !== unit) others *= sigmoid(h[k] ? logits[k] : -logits[k]);
      gradient[unit] += (h[unit] ? 1 : -1) * others * value;
      error[unit] += 16 * ROUNDING * others * Math.abs(value);
    }
  }
  return { gradient, error };
}

/** Central differences with two steps: what they differ by is their error, and the rounding of expectations, whose weights are sums too. */
export function differences(expected: (logits: Float64Array) => number, logits: Float64Array): Truth {
  const error = new Float64Array(logits.length);
  const gradient = logits.map((logit, i) => {
    const known = new Map<number, number>();
    // The two steps have places in common.
    const along = (x: number): number => {
      const value = known.get(x) ?? expected(logits.with(i, x));
      known.set(x, value);
      return value;
    };
    const [wide, narrow] = [derivative(along, logit, STEP), derivative(along, logit, STEP / 2)];
    const size = Math.max(Math.abs(along(logit + STEP)), 1e-3);
    error[i] = 2 * Math.abs(wide - narrow) + (64 * ROUNDING * size) / STEP;
    return wide;
  });
  return { gradient, error };
}
