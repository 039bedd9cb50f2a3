import type { Neuron } from './contract.ts';

/** The unit that a neuron trains, as it fires in use: one draw at a time, without a learning rule. */
export function unitInUse({ weigh: _weigh, sample, twin, ...neuron }: Neuron): Neuron {
  // The kernels are those of all draws.
  const own = sample ? { fire: sample } : { ...(twin && { twin }) };
  return { ...neuron, ...own, draws: 1, pullback: ({ gradient }) => gradient.fill(0) };
}
