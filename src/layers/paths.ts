import type { Engine } from '../engine/engine.ts';
import type { Neuron } from '../neurons/contract.ts';

/** How a gated layer computes: every block, or open blocks alone. `auto` takes what is faster at the density at hand. */
export type Compute = 'auto' | 'dense' | 'blocks';

/**
 * May closed blocks be left out while training? By what the gates' neuron declares that it reads: the loss alone, or the cotangent
 * of open gates. A neuron that wants ⟨H_k, ∂L/∂y_k⟩ of closed gates too needs their blocks computed.
 */
export function skipsInTraining({ reads }: Neuron): boolean {
  return reads === 'loss' || reads === 'cotangent-when-open';
}

/** Density up to which open blocks alone are faster than all blocks, for blocks of so many units on this engine. */
export function crossover({ crossovers }: Engine, size: number): number {
  const sizes = Object.keys(crossovers)
    .map(Number)
    .sort((a, b) => a - b);
  const at = sizes.findLast((known) => known <= size) ?? sizes[0];
  return at === undefined ? 0 : crossovers[at];
}
