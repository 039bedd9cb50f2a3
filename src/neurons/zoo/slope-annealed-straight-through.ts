import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, fireEach, type NeuronState, pullbackEach } from '../contract.ts';
import { bit } from '../parts/bernoulli.ts';

/** Before training the slope is 1. */
const slopeOf = ({ slope }: NeuronState): number => slope?.[0] ?? 1;

// The paper's boundary detectors have the hard sigmoid and a slope that grows by the epoch; here it is σ and grows by the update.
export const slopeAnnealedStraightThrough = defineNeuron({
  name: 'slope-annealed-straight-through',
  source:
    'Chung, Ahn, Bengio 2017, "Hierarchical Multiscale Recurrent Neural Networks", §2.3, the slope annealing trick',
  summary: "h = 1[u < σ(s·a)], the slope s grows with the updates; ĝ = δ·s·σ'(s·a)",
  options: {
    growth: { minimum: 0, maximum: 1, default: 1e-4, meaning: 'what an update adds to the slope, 1 at first' },
    steepest: { minimum: 1, maximum: 100, default: 5, meaning: 'the slope at which it stops growing' },
  },
  rule: ({ growth, steepest }) => ({
    noise: 1,
    reads: 'cotangent',
    range: 'unit-interval',
    claims: { unbiased: false },
    cells: (logit) => [sigmoid(logit)],
    state: { slope: { size: () => 1, start: () => 1 } },
    fire({ logits, noise, h, state }) {
      for (let i = 0; i < h.length; i++) h[i] = bit(slopeOf(state) * logits[i], noise[i]);
    },
    pullback(pullback) {
      const s = slopeOf(pullback.state);
      pullbackEach((logit) => s * sigmoidSlope(s * logit))(pullback);
    },
    update({ state }) {
      state.slope[0] = Math.min(steepest, state.slope[0] + growth);
    },
    expect: sigmoid,
    settle(firing) {
      const s = slopeOf(firing.state);
      fireEach((logit) => sigmoid(s * logit))(firing);
    },
    whenOpen: () => 1,
    formulas: 'none',
    twin: { fire: 'fireSteepBernoulli', pullback: 'pullbackSteep' },
  }),
});
