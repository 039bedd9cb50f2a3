import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, pullbackEach } from '../contract.ts';
import { bernoulli, fireBits } from '../parts/bernoulli.ts';
import { temperature } from './concrete.ts';

// The paper's perturbation of logits (a, 0): the sampled one is raised to the largest, the other is lowered to `gap` below it. What is left
// between them is max(±a, gap), + where h = 1. As in the authors' code the gap is 1, and nothing is differentiated through the perturbation; their
// second choice, a gap of −log(1 − π)/π with π the probability of the sampled class, is left out, and their temperature is 1.
export const gappedStraightThrough = defineNeuron({
  name: 'gapped-straight-through',
  source:
    'Fan, Chi, Rudnicky, Ramadge 2022, "Training Discrete Deep Generative Models via Gapped Straight-Through Estimator", §4',
  summary: 'h = 1[u < σ(a)]; ĝ = δ·s(1 − s)/τ, s = σ(d/τ), d = max(a, gap) where h = 1, max(−a, gap) where h = 0',
  options: {
    temperature,
    gap: { minimum: 0, maximum: 20, default: 1, meaning: 'the least distance of the sampled logit from the other' },
  },
  rule: ({ temperature, gap }) => ({
    ...bernoulli,
    noise: 1,
    reads: 'cotangent',
    claims: { unbiased: false, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    fire: fireBits,
    pullback: pullbackEach((logit, h) => sigmoidSlope(Math.max((2 * h - 1) * logit, gap) / temperature) / temperature),
    twin: { fire: 'fireBernoulli', pullback: 'pullbackGapped', expect: 'fireSigmoid', numbers: [temperature, gap] },
  }),
});
