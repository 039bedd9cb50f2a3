/** The zoo. Adding a neuron: one file of zoo, and one line here. */

import type { NeuronDefinition } from './contract.ts';
import { arm } from './zoo/arm.ts';
import { arms } from './zoo/arms.ts';
import { asIfDeterministic } from './zoo/as-if-deterministic.ts';
import { binomial } from './zoo/binomial.ts';
import { bitflip } from './zoo/bitflip.ts';
import { categoricalConcrete } from './zoo/categorical-concrete.ts';
import { categoricalExact } from './zoo/categorical-exact.ts';
import { categoricalGapped } from './zoo/categorical-gapped.ts';
import { categoricalRaoBlackwellGumbel } from './zoo/categorical-rao-blackwell-gumbel.ts';
import { categoricalReinforce } from './zoo/categorical-reinforce.ts';
import { categoricalReinmax } from './zoo/categorical-reinmax.ts';
import { categoricalRloo } from './zoo/categorical-rloo.ts';
import { categoricalStraightThrough } from './zoo/categorical-straight-through.ts';
import { categoricalStraightThroughGumbel } from './zoo/categorical-straight-through-gumbel.ts';
import { clippedStraightThrough } from './zoo/clipped-straight-through.ts';
import { concrete } from './zoo/concrete.ts';
import { decoupledStraightThrough } from './zoo/decoupled-straight-through.ts';
import { disarm } from './zoo/disarm.ts';
import { doubleCv } from './zoo/double-cv.ts';
import { exact } from './zoo/exact.ts';
import { gappedStraightThrough } from './zoo/gapped-straight-through.ts';
import { gaussianMatched } from './zoo/gaussian-matched.ts';
import { hardConcrete } from './zoo/hard-concrete.ts';
import { implicitMle } from './zoo/implicit-mle.ts';
import { kSubset } from './zoo/k-subset.ts';
import { leakyRectifier } from './zoo/leaky-rectifier.ts';
import { linear } from './zoo/linear.ts';
import { localExpectation } from './zoo/local-expectation.ts';
import { measureValued } from './zoo/measure-valued.ts';
import { multiplicativeSigmoid } from './zoo/multiplicative-sigmoid.ts';
import { muprop } from './zoo/muprop.ts';
import { noisyRectifier } from './zoo/noisy-rectifier.ts';
import { noisySigmoid } from './zoo/noisy-sigmoid.ts';
import { noisyTopK } from './zoo/noisy-top-k.ts';
import { nvil } from './zoo/nvil.ts';
import { raoBlackwellGumbel } from './zoo/rao-blackwell-gumbel.ts';
import { rebar } from './zoo/rebar.ts';
import { rectifier } from './zoo/rectifier.ts';
import { reinmax } from './zoo/reinmax.ts';
import { relax } from './zoo/relax.ts';
import { rloo } from './zoo/rloo.ts';
import { rodeo } from './zoo/rodeo.ts';
import { sigmoid } from './zoo/sigmoid.ts';
import { slopeAnnealedStraightThrough } from './zoo/slope-annealed-straight-through.ts';
import { sparsemax } from './zoo/sparsemax.ts';
import { spsa } from './zoo/spsa.ts';
import { stochasticBinary } from './zoo/stochastic-binary.ts';
import { stochasticTimesSmooth } from './zoo/stochastic-times-smooth.ts';
import { straightThrough } from './zoo/straight-through.ts';
import { straightThroughDerivative } from './zoo/straight-through-derivative.ts';
import { straightThroughGumbel } from './zoo/straight-through-gumbel.ts';
import { tanh } from './zoo/tanh.ts';
import { threshold } from './zoo/threshold.ts';
import { topK } from './zoo/top-k.ts';
import { unorderedSet } from './zoo/unordered-set.ts';
import { vimco } from './zoo/vimco.ts';

/** Every shipped neuron by name. */
export const zoo = {
  'straight-through': straightThrough,
  'straight-through-derivative': straightThroughDerivative,
  'clipped-straight-through': clippedStraightThrough,
  'slope-annealed-straight-through': slopeAnnealedStraightThrough,
  'straight-through-gumbel': straightThroughGumbel,
  'rao-blackwell-gumbel': raoBlackwellGumbel,
  'gapped-straight-through': gappedStraightThrough,
  'decoupled-straight-through': decoupledStraightThrough,
  'implicit-mle': implicitMle,
  reinmax,
  concrete,
  'as-if-deterministic': asIfDeterministic,
  binomial,
  'stochastic-binary': stochasticBinary,
  'stochastic-times-smooth': stochasticTimesSmooth,
  'noisy-rectifier': noisyRectifier,
  'noisy-sigmoid': noisySigmoid,
  'multiplicative-sigmoid': multiplicativeSigmoid,
  'gaussian-matched': gaussianMatched,
  rloo,
  arm,
  disarm,
  'double-cv': doubleCv,
  muprop,
  rebar,
  relax,
  rodeo,
  vimco,
  arms,
  'unordered-set': unorderedSet,
  bitflip,
  'local-expectation': localExpectation,
  'measure-valued': measureValued,
  spsa,
  nvil,
  exact,
  'categorical-straight-through': categoricalStraightThrough,
  'categorical-straight-through-gumbel': categoricalStraightThroughGumbel,
  'categorical-rao-blackwell-gumbel': categoricalRaoBlackwellGumbel,
  'categorical-gapped': categoricalGapped,
  'categorical-reinmax': categoricalReinmax,
  'categorical-concrete': categoricalConcrete,
  'categorical-reinforce': categoricalReinforce,
  'categorical-rloo': categoricalRloo,
  'categorical-exact': categoricalExact,
  'hard-concrete': hardConcrete,
  'top-k': topK,
  'noisy-top-k': noisyTopK,
  'k-subset': kSubset,
  sparsemax,
  threshold,
  rectifier,
  'leaky-rectifier': leakyRectifier,
  sigmoid,
  tanh,
  linear,
} satisfies Record<string, NeuronDefinition<never> | NeuronDefinition>;

/** Name of a shipped neuron. */
export type NeuronName = keyof typeof zoo;
