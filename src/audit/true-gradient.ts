import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron } from '../neurons/contract.ts';
import { randomStream } from '../random/stream.ts';
import { startingState } from '../tensor/starting-state.ts';
import { integrate, type Loss } from './integrate.ts';
import { derivative } from './quadrature.ts';

/** Step of the central differences: with noise of scale 0.1 and up, the error of the eighth-order stencil is under 1e-11. */
const STEP = 0.005;

export { behaviourOf };

/**
 * ∂E[loss]/∂logits (units) of the behaviour, without the neuron's own learning rule: for units that emit 0 or 1 by the sum over their 2ⁿ
 * states with p the declared rate, for others by central differences of the integrated E[loss].
 */
export function trueGradient(learner: Neuron, logits: ArrayLike<number>, loss: Loss): Float64Array {
  const neuron = behaviourOf(learner);
  const { rate } = neuron.claims;
  if (rate && Array.from(logits).every((logit) => emitsBits(neuron, logit))) return overStates(logits, rate, loss);
  return Float64Array.from(logits, (logit, unit) => {
    const shifted = Float64Array.from(logits);
    const expected = (x: number): number => {
      shifted[unit] = x;
      return integrate(neuron, shifted, loss).loss;
    };
    return derivative(expected, logit, STEP);
  });
}

/** Rows of noise that a unit is probed with. */
const PROBES = 64;

/** Does a unit with noise emit nothing but 0 and 1? Probed. */
export function emitsBits(neuron: Neuron, logit: number): boolean {
  const random = randomStream(1, 0x62697473);
  const h = new Float64Array(PROBES);
  const noise = Float64Array.from({ length: PROBES * neuron.noise }, () => random.uniform());
  const logits = new Float64Array(PROBES).fill(logit);
  neuron.fire({ rows: PROBES, units: 1, logits, noise, h, state: startingState(neuron, 1) });
  return neuron.noise > 0 && h.every((value) => value === 0 || value === 1);
}

/** ∂/∂a_i Σ_h P(h)·loss(h) = p'(a_i)·(E[loss | h_i = 1] − E[loss | h_i = 0]), p the rate. */
function overStates(logits: ArrayLike<number>, rate: (logit: number) => number, loss: Loss): Float64Array {
  const units = logits.length;
  const p = Float64Array.from(logits, rate);
  const gradient = new Float64Array(units);
  const h = new Float64Array(units);
  for (let state = 0; state < 2 ** units; state++) {
    for (let unit = 0; unit < units; unit++) h[unit] = (state >> unit) & 1;
    const value = loss(h).loss;
    for (let unit = 0; unit < units; unit++) {
      let others = h[unit] ? 1 : -1;
      for (let k = 0; k < units; k++) if (k !== unit) others *= h[k] ? p[k] : 1 - p[k];
      gradient[unit] += others * value;
    }
  }
  return gradient.map((difference, unit) => difference * derivative(rate, logits[unit], STEP));
}
