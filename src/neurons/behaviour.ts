import type { Neuron } from './contract.ts';

const units = new WeakMap<Neuron, Neuron>();

/** The behaviour that a neuron trains: one draw at a time, no learning rule. Every call returns the same value. */
export function behaviourOf(learner: Neuron): Neuron {
  const known = units.get(learner);
  if (known) return known;
  const { weigh: _weigh, sample, twin, rowCells, ...neuron } = learner;
  // The kernels are those of all draws.
  const own = sample ? { fire: sample } : { ...(twin && { twin }) };
  // Of units that are not coupled, the cells of rows are those of draws that are joint.
  const coupled = learner.jointNoise && rowCells ? { rowCells } : {};
  const unit: Neuron = { ...neuron, ...own, ...coupled, draws: 1, pullback: ({ gradient }) => gradient.fill(0) };
  units.set(learner, unit);
  return unit;
}
