import type { Neuron } from '../neurons/contract.ts';
import { checkNeuron } from './checks.ts';
import { testClaims, type Verdict } from './claims.ts';
import { withFoundCells } from './found-cells.ts';

/**
 * Holds a neuron against everything that it declares and has to do: its claims by exact integration (where `cells` are not declared,
 * they are found), or by sampling where its grid is too large, and the checks that the neurons of the zoo pass too.
 */
export function certify(neuron: Neuron): Verdict[] {
  const checked = checkNeuron(neuron);
  // What throws or forgets an output cannot be measured.
  if (checked[0].verdict === 'refuted') return checked;
  return [...testClaims(withFoundCells(neuron)), ...checked];
}
