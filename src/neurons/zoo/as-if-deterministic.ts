import { defineNeuron } from '../contract.ts';
import { straightThroughDerivative } from './straight-through-derivative.ts';

export const asIfDeterministic = defineNeuron({
  name: 'as-if-deterministic',
  source: 'Hinton 2012, lecture 9c: "do the backward pass as if we had done the forward pass properly", read literally',
  summary: "h = 1[u < σ(a)]; ĝ = δ·σ'(a), and the weights above see p = σ(a) in the backward pass",
  options: {},
  rule: () => ({ ...straightThroughDerivative.rule({}), backwardSees: 'expectation' }),
});
