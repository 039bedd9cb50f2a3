import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, unbiasedBits } from '../parts/bernoulli.ts';
import { fireStates, pullStates, weighStates } from '../parts/every-state.ts';

export const exact = defineNeuron({
  name: 'exact',
  source: 'the definition: E[f] is the sum over all states of the layer, each with its probability',
  summary: 'h = every state, P(h) = Π σ(±a); ĝ = Σ_h f(h)·P(h)·(h − σ(a)), without any noise',
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 1,
    draws: (units) => 2 ** units,
    mostUnits: 12,
    comparesRows: true,
    reads: 'loss',
    claims: unbiasedBits,
    cells: (logit) => [sigmoid(logit)],
    weigh: weighStates,
    fire: fireStates,
    pullback: pullStates,
  }),
});
