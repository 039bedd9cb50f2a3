import type { NeuronRule, Weighing } from '../neurons/contract.ts';

/**
 * Evaluations of the loss that a layer of so many units asks for.
 * @throws RangeError when the neuron cannot stand in so large a layer
 */
export function drawsOf(
  { name, draws = 1, mostUnits }: NeuronRule & { readonly name?: string },
  units: number,
): number {
  if (mostUnits !== undefined && units > mostUnits)
    throw new RangeError(
      `The neuron "${name}" asks for too many evaluations of the loss in a layer of ${units} units. Expected at most ${mostUnits} units, or another neuron.`,
    );
  return typeof draws === 'number' ? draws : draws(units);
}

/** Fills weights and totals: the mean over the draws, unless the neuron says otherwise. */
export function weighDraws(neuron: NeuronRule, weighing: Weighing): void {
  if (neuron.weigh) {
    neuron.weigh(weighing);
    return;
  }
  const { rows, loss, weights, total } = weighing;
  const draws = loss.length / rows;
  weights.fill(1 / draws);
  total.fill(0);
  for (let i = 0; i < loss.length; i++) total[i % rows] += loss[i] / draws;
}
