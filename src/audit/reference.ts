import { sigmoid, sigmoidSlope } from '../math/special.ts';
import type { Neuron, NeuronRule } from '../neurons/contract.ts';
import { rloo } from '../neurons/zoo/rloo.ts';

/** Most units of which every state is evaluated. */
const ENUMERATED = 8;
/** Most units that are flipped one by one. */
const FLIPPED = 600;

/**
 * An unbiased neuron of little noise for units that are 1 with probability σ(a), to hold others against: every state weighed by its
 * probability (up to 8 units; no noise at all unless layers above have some); every unit flipped in turn (up to 600); else 16
 * independent draws.
 */
export function referenceFor(units: number): Neuron {
  if (units <= ENUMERATED) return named('every state', everyState(units));
  if (units <= FLIPPED) return named('every unit flipped', everyUnitFlipped);
  return named('16 draws', rloo.rule({ K: 16 }));
}

function named(name: string, rule: NeuronRule): Neuron {
  return { ...rule, name, source: 'this file', summary: name, options: {} };
}

const common = { reads: 'loss', range: 'unit-interval', expect: sigmoid, whenOpen: () => 1 } as const;
const claims = { unbiased: true } as const;

/** Draw s is the state whose bits are those of s; ĝ = Σ_h P(h)·f(h)·(h − p). */
function everyState(units: number): NeuronRule {
  const states = 2 ** units;
  const probability = (logits: ArrayLike<number>, row: number, state: number): number => {
    let product = 1;
    for (let unit = 0; unit < units; unit++) {
      const p = sigmoid(logits[row * units + unit]);
      product *= (state >> unit) & 1 ? p : 1 - p;
    }
    return product;
  };
  return {
    ...common,
    claims,
    noise: 0,
    draws: states,
    fire({ rows, h }) {
      for (let state = 0, at = 0; state < states; state++)
        for (let i = 0; i < rows * units; i++, at++) h[at] = (state >> (i % units)) & 1;
    },
    weigh({ rows, logits, loss, weights, total }) {
      total.fill(0);
      for (let i = 0; i < loss.length; i++) {
        weights[i] = probability(logits, i % rows, Math.floor(i / rows));
        total[i % rows] += weights[i] * loss[i];
      }
    },
    pullback({ rows, logits, loss, gradient }) {
      gradient.fill(0);
      for (let i = 0; i < loss.length; i++) {
        const [row, state] = [i % rows, Math.floor(i / rows)];
        const share = probability(logits, row, state) * loss[i];
        for (let unit = 0; unit < units; unit++) {
          const at = row * units + unit;
          gradient[at] += share * (((state >> unit) & 1) - sigmoid(logits[at]));
        }
      }
    },
  };
}

/** Draw 0 is a draw of the bits, draw k + 1 the same with unit k flipped; ĝ_k = p(1 − p)(f(h_k = 1) − f(h_k = 0)). */
const everyUnitFlipped: NeuronRule = {
  ...common,
  claims,
  noise: 1,
  draws: (units) => units + 1,
  fire({ units, logits, noise, h }) {
    const size = logits.length;
    for (let at = 0; at < h.length; at++) {
      const i = at % size;
      const drawn = noise[i] < sigmoid(logits[i]) ? 1 : 0;
      h[at] = Math.floor(at / size) === (i % units) + 1 ? 1 - drawn : drawn;
    }
  },
  weigh({ rows, loss, weights, total }) {
    weights.fill(0);
    weights.fill(1, 0, rows);
    total.set(loss.subarray(0, rows));
  },
  pullback({ rows, units, logits, h, loss, gradient }) {
    for (let i = 0; i < logits.length; i++) {
      const row = Math.floor(i / units);
      const change = loss[((i % units) + 1) * rows + row] - loss[row];
      gradient[i] = sigmoidSlope(logits[i]) * (h[i] === 1 ? -change : change);
    }
  },
};
