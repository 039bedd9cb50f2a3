import type { NeuronRule, Weighing } from '../neurons/contract.ts';

/** Evaluations of the loss that a layer of so many units asks for. */
export function drawsOf({ draws = 1 }: Pick<NeuronRule, 'draws'>, units: number): number {
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
