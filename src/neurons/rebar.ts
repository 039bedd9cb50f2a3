import { defineNeuron } from './contract.ts';
import { coefficientState, combine, learnCoefficients } from './control-variates.ts';
import { rebarParts } from './rebar-parts.ts';
import { fireRelaxed, relaxedBits } from './relaxed-bits.ts';

// The paper moves η and λ by gradient steps on the variance. Here η is what makes the moving average of ĝ² least, in closed form, and
// λ is an option: the variance's gradient at λ has second derivatives of the loss in it, which a neuron is not given. The relaxation is
// the concrete one; the authors' code adds λ/(λ + 1)·a to z/λ, which ends at the mean-field pass for large λ.
export const rebar = defineNeuron({
  name: 'rebar',
  source: 'Tucker, Mnih, Maddison, Lawson, Sohl-Dickstein 2017, "REBAR", §3, Eq. 6 and 7',
  summary:
    'h = b = 1[u < p], p = σ(a); ĝ = (f(b) − ηf(σ(z̃/λ)))(b − p) + η(∂f(σ(z/λ)) − ∂f(σ(z̃/λ)))/∂a, z | u logistic, z̃ | b, v',
  options: {
    lambda: { minimum: 0.01, maximum: 100, default: 0.5, meaning: 'λ: temperature, which divides the relaxed logit' },
  },
  rule: ({ lambda }) => ({
    ...relaxedBits,
    state: coefficientState([1]),
    fire: (firing) => fireRelaxed(firing, lambda),
    pullback: (pullback) => combine(pullback.state, rebarParts(pullback, lambda), pullback.gradient),
    update: (update) => learnCoefficients(update.state, rebarParts(update, lambda)),
  }),
});
