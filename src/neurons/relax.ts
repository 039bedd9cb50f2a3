import { sigmoid } from '../math/special.ts';
import { defineNeuron, type Update } from './contract.ts';
import { addControlGradient, descend, factorOf, learnedControl, learnedState } from './learned-control.ts';
import { rebarParts } from './rebar-parts.ts';
import { fireRelaxed, relaxed, relaxedBits, relaxedGiven, relaxedGivenSlope } from './relaxed-bits.ts';

/** ĝ of every row, and with it z, z̃, ∂z̃/∂a, b − p and ∂ĝ/∂η: one number a unit. */
function rowsOf(update: Update, lambda: number) {
  const { rows, units, logits, noise, h, state } = update;
  const [a, b] = rebarParts(update, lambda);
  return Array.from({ length: rows }, (_, row) => {
    const each = (f: (i: number) => number) => Float64Array.from({ length: units }, (_, unit) => f(row * units + unit));
    const z = each((i) => relaxed(logits[i], noise[2 * i]));
    const given = each((i) => relaxedGiven(h[i], logits[i], noise[2 * i + 1]));
    const slope = each((i) => relaxedGivenSlope(h[i], logits[i], noise[2 * i + 1]));
    const score = each((i) => h[i] - sigmoid(logits[i]));
    const [r, rGiven] = [learnedControl(state, z), learnedControl(state, given)];
    const concrete = b.subarray(row * units, (row + 1) * units);
    const g = concrete.map((value, j) => {
      const learned = r.slope[j] - rGiven.slope[j] * slope[j] - rGiven.value * score[j];
      return a[row * units + j] + factorOf(state) * value + learned;
    });
    return { g, z, given, slope, score, concrete };
  });
}

export const relax = defineNeuron({
  name: 'relax',
  source:
    'Grathwohl, Choi, Wu, Roeder, Duvenaud 2018, "Backpropagation through the void", §3.2, Eq. 9, r of 10 tanh units',
  summary:
    'h = b = 1[u < p], p = σ(a), c(z) = ηf(σ(z/λ)) + r(z); ĝ = (f(b) − c(z̃))(b − p) + ∂c(z)/∂a − ∂c(z̃)/∂a, z and z̃ | b as in REBAR',
  options: {
    lambda: { minimum: 0.01, maximum: 100, default: 0.5, meaning: 'λ: temperature, which divides the relaxed logit' },
  },
  rule: ({ lambda }) => ({
    ...relaxedBits,
    state: learnedState,
    fire: (firing) => fireRelaxed(firing, lambda),
    pullback: (pullback) =>
      rowsOf(pullback, lambda).forEach(({ g }, row) => {
        for (let j = 0; j < g.length; j++) pullback.gradient[row * g.length + j] = g[j];
      }),
    // Down the gradient of Σ ĝ² / 2: the mean of ĝ does not depend on r and η, so that it is that of the variance.
    update(update) {
      const { state } = update;
      const total = new Float64Array(state.learned.length);
      for (const { g, z, given, slope, score, concrete } of rowsOf(update, lambda)) {
        const dot = (x: Float64Array): number => g.reduce((sum, value, j) => sum + value * x[j], 0);
        addControlGradient(state, z, 0, g, total);
        addControlGradient(
          state,
          given,
          -dot(score),
          g.map((value, j) => -value * slope[j]),
          total,
        );
        total[total.length - 1] += dot(concrete);
      }
      descend(state, total);
    },
  }),
});
