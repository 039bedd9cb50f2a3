import type { Neuron } from '../neurons/contract.ts';
import { estimatePoints } from './grid.ts';

/** No logit is 0 or near it: there deterministic units may have a kink, and ½ hides a bias by symmetry. */
const LOGITS = [0.7, -1.3, 2.1, -0.4, 1.6, -2.7, 0.25, -0.9];

/** Logits that neurons are measured at; coupled units stand near enough to each other for noise to change their order. */
export function auditLogits({ jointNoise }: Neuron, units: number): Float64Array {
  return Float64Array.from({ length: units }, (_, i) => {
    const logit = LOGITS[i % LOGITS.length] * 0.7 ** Math.floor(i / LOGITS.length);
    return jointNoise ? logit / 4 : logit;
  });
}

/** About how many points the grid has that integrates over the noise of so many units. */
export function gridPoints(neuron: Neuron, units: number): number {
  return estimatePoints(neuron, auditLogits(neuron, units));
}

/** The most units, in whole groups, up to `most` or one group, whose grid has at most so many points; 0 where none has. */
export function integrableUnits(neuron: Neuron, most: number, points: number): number {
  const { group = 1 } = neuron;
  let units = group * Math.max(1, Math.floor(most / group));
  while (units > 0 && gridPoints(neuron, units) > points) units -= group;
  return units;
}
