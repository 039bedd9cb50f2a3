import { defineNeuron } from '../contract.ts';
import { learnTemperature, temperatureOf, temperatureState } from '../parts/adaptive-temperature.ts';
import { addControlGradient, descend, learnedState } from '../parts/learned-control.ts';
import { relaxRows } from '../parts/relax-parts.ts';
import { fireRelaxed, relaxedBits, startingTemperature } from '../parts/relaxed-bits.ts';

/** Hidden units of r. */
const HIDDEN = 10;

// Of the paper's r this one has 10 tanh units and sees z as σ(z/λ), which is in the draws already. λ goes down finite differences, as in rebar.
export const relax = defineNeuron({
  name: 'relax',
  source: 'Grathwohl, Choi, Wu, Roeder, Duvenaud 2018, "Backpropagation through the void", §3.2, Eq. 9 and Algorithm 2',
  summary:
    'h = b = 1[u < p], p = σ(a), c(z) = ηf(σ(z/λ)) + r(z); ĝ = (f(b) − c(z̃))(b − p) + ∂c(z)/∂a − ∂c(z̃)/∂a, z and z̃ | b as in REBAR',
  options: {
    lambda: startingTemperature,
  },
  rule: ({ lambda }) => ({
    ...relaxedBits,
    state: { ...learnedState(HIDDEN), ...temperatureState },
    fire: (firing) => fireRelaxed(firing, temperatureOf(firing.state, lambda)),
    pullback: (pullback) =>
      relaxRows(pullback, temperatureOf(pullback.state, lambda)).forEach(({ g }, row) => {
        for (let j = 0; j < g.length; j++) pullback.gradient[row * g.length + j] = g[j];
      }),
    // Down the gradient of Σ ĝ²/2, which is that of the variance: the mean of ĝ does not depend on r and η.
    update(update) {
      const { state, units, loss } = update;
      const total = new Float64Array(state.learned.length);
      const rows = relaxRows(update, temperatureOf(state, lambda));
      for (const { g, free, given, freeSlope, givenSlope, score, concrete } of rows) {
        const dot = (x: Float64Array): number => g.reduce((sum, value, j) => sum + value * x[j], 0);
        const along = (x: Float64Array, sign: number) => g.map((value, j) => sign * value * x[j]);
        addControlGradient(state, free, 0, along(freeSlope, 1), total);
        addControlGradient(state, given, -dot(score), along(givenSlope, -1), total);
        total[total.length - 1] += dot(concrete);
      }
      descend(state, total);
      const plain = Float64Array.from({ length: rows.length * units }, (_, i) => {
        const row = Math.floor(i / units);
        return loss[row] * rows[row].score[i % units];
      });
      const gradient = Float64Array.from(plain, (_, i) => rows[Math.floor(i / units)].g[i % units]);
      learnTemperature(state, lambda, gradient, plain);
    },
  }),
});
