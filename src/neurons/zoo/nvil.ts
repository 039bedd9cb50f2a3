import { sigmoid } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, fireBits } from '../parts/bernoulli.ts';
import {
  baselineScale,
  baselineState,
  centred,
  DECAY,
  HIDDEN,
  learnBaseline,
  STEP,
} from '../parts/learned-baseline.ts';

// The paper's c and v hold the minibatch at hand. Here they are those of the steps before, so that the gradient keeps its direction.
export const nvil = defineNeuron({
  name: 'nvil',
  source: 'Mnih, Gregor 2014, "Neural variational inference and learning in belief networks", §2.2–2.3, Algorithm 1',
  summary:
    'h = 1[u < σ(a)]; ĝ = (h − σ(a))(f − C(x) − c)/max(1, s), x the layer’s input, C learned, c and s² running mean and variance of f − C',
  options: {
    baseline: {
      choices: ['linear', 'network'],
      default: 'linear',
      meaning: `C: linear in x, or a network of ${HIDDEN} tanh units as in the paper, which takes longer`,
    },
  },
  rule: ({ baseline }) => ({
    ...bernoulli,
    noise: 1,
    reads: 'loss',
    readsInput: true,
    claims: { unbiased: true, scale: baselineScale, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    state: baselineState(baseline),
    fire: fireBits,
    pullback(pullback) {
      const { units, logits, h, gradient, state } = pullback;
      const signal = centred(pullback, pullback.loss).map((f) => (f - state.mean[0]) / baselineScale(state));
      for (let i = 0; i < h.length; i++) gradient[i] = (h[i] - sigmoid(logits[i])) * signal[Math.floor(i / units)];
    },
    update: (update) => learnBaseline(update, update.loss),
    twin: {
      fire: 'fireBernoulli',
      expect: 'fireSigmoid',
      ...(baseline === 'linear' && { pullback: 'pullbackCentred', update: 'updateCentred', numbers: [STEP, DECAY] }),
    },
  }),
});
