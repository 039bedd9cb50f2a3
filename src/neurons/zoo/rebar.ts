import { defineNeuron } from '../contract.ts';
import { learnTemperature, temperatureOf, temperatureState } from '../parts/adaptive-temperature.ts';
import { coefficientState, combine, learnCoefficients } from '../parts/control-variates.ts';
import { rebarParts } from '../parts/rebar-parts.ts';
import { fireRelaxed, relaxedBits, startingTemperature } from '../parts/relaxed-bits.ts';

// The paper moves η and λ by gradient steps on the variance. Here η is what makes the moving average of ĝ² least, in closed form. The
// variance's gradient at λ has second derivatives of the loss in it, which a neuron is not given: λ goes down finite differences. The
// relaxation is the concrete one; the authors' code adds λ/(λ + 1)·a to z/λ, which ends at the mean-field pass for large λ.
export const rebar = defineNeuron({
  name: 'rebar',
  source: 'Tucker, Mnih, Maddison, Lawson, Sohl-Dickstein 2017, "REBAR", §3, Eq. 6 and 7',
  summary:
    'h = b = 1[u < p], p = σ(a); ĝ = (f(b) − ηf(σ(z̃/λ)))(b − p) + η(∂f(σ(z/λ)) − ∂f(σ(z̃/λ)))/∂a, z | u logistic, z̃ | b, v',
  options: {
    lambda: startingTemperature,
  },
  rule: ({ lambda }) => ({
    ...relaxedBits,
    state: { ...coefficientState([1]), ...temperatureState },
    fire: (firing) => fireRelaxed(firing, temperatureOf(firing.state, lambda)),
    pullback: (pullback) =>
      combine(pullback.state, rebarParts(pullback, temperatureOf(pullback.state, lambda)), pullback.gradient),
    update(update) {
      const { state } = update;
      const parts = rebarParts(update, temperatureOf(state, lambda));
      const gradient = new Float64Array(parts[0].length);
      combine(state, parts, gradient);
      learnCoefficients(state, parts);
      learnTemperature(state, lambda, gradient, parts[0]);
    },
  }),
});
