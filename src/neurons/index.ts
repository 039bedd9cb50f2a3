/** The zoo. Adding a neuron: one file beside this one, and one line here. */

import { arm } from './arm.ts';
import { arms } from './arms.ts';
import { asIfDeterministic } from './as-if-deterministic.ts';
import { binomial } from './binomial.ts';
import { bitflip } from './bitflip.ts';
import { categoricalConcrete } from './categorical-concrete.ts';
import { categoricalExact } from './categorical-exact.ts';
import { categoricalGapped } from './categorical-gapped.ts';
import { categoricalRaoBlackwellGumbel } from './categorical-rao-blackwell-gumbel.ts';
import { categoricalReinforce } from './categorical-reinforce.ts';
import { categoricalReinmax } from './categorical-reinmax.ts';
import { categoricalRloo } from './categorical-rloo.ts';
import { categoricalStraightThrough } from './categorical-straight-through.ts';
import { categoricalStraightThroughGumbel } from './categorical-straight-through-gumbel.ts';
import { clippedStraightThrough } from './clipped-straight-through.ts';
import { concrete } from './concrete.ts';
import type { NeuronDefinition } from './contract.ts';
import { disarm } from './disarm.ts';
import { doubleCv } from './double-cv.ts';
import { exact } from './exact.ts';
import { gappedStraightThrough } from './gapped-straight-through.ts';
import { gaussianMatched } from './gaussian-matched.ts';
import { hardConcrete } from './hard-concrete.ts';
import { leakyRectifier } from './leaky-rectifier.ts';
import { linear } from './linear.ts';
import { localExpectation } from './local-expectation.ts';
import { measureValued } from './measure-valued.ts';
import { multiplicativeSigmoid } from './multiplicative-sigmoid.ts';
import { muprop } from './muprop.ts';
import { noisyRectifier } from './noisy-rectifier.ts';
import { noisySigmoid } from './noisy-sigmoid.ts';
import { noisyTopK } from './noisy-top-k.ts';
import { nvil } from './nvil.ts';
import { raoBlackwellGumbel } from './rao-blackwell-gumbel.ts';
import { rebar } from './rebar.ts';
import { rectifier } from './rectifier.ts';
import { reinmax } from './reinmax.ts';
import { relax } from './relax.ts';
import { rloo } from './rloo.ts';
import { rodeo } from './rodeo.ts';
import { sigmoid } from './sigmoid.ts';
import { slopeAnnealedStraightThrough } from './slope-annealed-straight-through.ts';
import { spsa } from './spsa.ts';
import { stochasticBinary } from './stochastic-binary.ts';
import { stochasticTimesSmooth } from './stochastic-times-smooth.ts';
import { straightThrough } from './straight-through.ts';
import { straightThroughDerivative } from './straight-through-derivative.ts';
import { straightThroughGumbel } from './straight-through-gumbel.ts';
import { tanh } from './tanh.ts';
import { threshold } from './threshold.ts';
import { topK } from './top-k.ts';
import { vimco } from './vimco.ts';

/** Every shipped neuron by name. */
export const zoo = {
  'straight-through': straightThrough,
  'straight-through-derivative': straightThroughDerivative,
  'clipped-straight-through': clippedStraightThrough,
  'slope-annealed-straight-through': slopeAnnealedStraightThrough,
  'straight-through-gumbel': straightThroughGumbel,
  'rao-blackwell-gumbel': raoBlackwellGumbel,
  'gapped-straight-through': gappedStraightThrough,
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
  threshold,
  rectifier,
  'leaky-rectifier': leakyRectifier,
  sigmoid,
  tanh,
  linear,
} satisfies Record<string, NeuronDefinition<never> | NeuronDefinition>;

/** Name of a shipped neuron. */
export type NeuronName = keyof typeof zoo;
