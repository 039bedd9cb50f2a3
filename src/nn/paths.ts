import { crossoverAt } from '../backend/crossovers.ts';
import type { Engine } from '../backend/engine.ts';
import type { Neuron } from '../neurons/contract.ts';

/** How a gated layer computes: every block, or open blocks alone. `auto` takes what is faster at the density at hand. */
export type Compute = 'auto' | 'dense' | 'blocks';
export const COMPUTES = ['auto', 'dense', 'blocks'] as const satisfies readonly Compute[];

/**
 * May closed blocks be left out while training? By what the gates' neuron declares that it reads: the loss alone, or the cotangent
 * of open gates. A neuron that wants ⟨H_k, ∂L/∂y_k⟩ of closed gates too needs their blocks computed.
 */
export function skipsInTraining({ reads }: Neuron): boolean {
  return reads === 'loss' || reads === 'cotangent-when-open';
}

/** How a minibatch is computed: all blocks, open blocks alone by kernels, or open blocks alone by BLAS on gathered rows. */
export type Path = 'dense' | 'blocks' | 'gathered';

/** The fastest path for `pairs` open pairs of rows and blocks, by the engine's crossovers. */
export function fastestPath(
  { backend, crossovers }: Engine,
  { rows, blocks, size }: { readonly rows: number; readonly blocks: number; readonly size: number },
  pairs: number,
  compute: Compute = 'auto',
): Path {
  const { upTo, gatherFrom = Number.POSITIVE_INFINITY } = crossoverAt(crossovers, size);
  if (compute === 'dense' || (compute === 'auto' && pairs > upTo * rows * blocks)) return 'dense';
  return backend.runByBlas && pairs >= gatherFrom * blocks ? 'gathered' : 'blocks';
}
