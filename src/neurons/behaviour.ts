import type { Neuron } from './contract.ts';

const units = new WeakMap<Neuron, Neuron>();

/** The behaviour that a neuron trains: one draw at a time, no learning rule. Every call returns the same value. */
export function behaviourOf(learner: Neuron): Neuron {
  const known = units.get(learner);
  if (known) return known;
  const { weigh: _weigh, sample, twin, ...neuron } = learner;
  // The kernels are those of all draws.
  const own = sample ? { fire: sample } : { ...(twin && { twin }) };
  const unit: Neuron = { ...neuron, ...own, draws: 1, pullback: ({ gradient }) => gradient.fill(0) };
  units.set(learner, unit);
  return unit;
}
