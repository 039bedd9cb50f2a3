import type { Neuron, NeuronDefinition } from '../neurons/contract.ts';
import { zoo } from '../neurons/index.ts';
import { instantiate, type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import { drawsOf } from '../tensor/draws.ts';

/** Names of the zoo's neurons whose gradient, with their options at the defaults, needs nothing but losses. */
export const lossReaders = (): string[] =>
  (Object.values(zoo) as unknown as NeuronDefinition[])
    .map((definition) => instantiate(definition, {}))
    .filter(({ reads }) => reads === 'loss')
    .map(({ name }) => name);

/**
 * The neuron that a spec asks for, where a black box can train it.
 * @throws RangeError for a spec that `resolveNeuron` refuses, or a neuron that reads more than the loss
 */
export function resolveLossReader(spec: NeuronSpec): Neuron {
  const neuron = resolveNeuron(spec);
  if (neuron.reads !== 'loss')
    throw new RangeError(
      `The neuron "${neuron.name}" reads ∂loss/∂h, which a black box does not give. Expected a neuron that reads only the loss: ${lossReaders().join(', ')}.`,
    );
  return neuron;
}

/**
 * Evaluations of the loss that one row of so many units asks for.
 * @throws RangeError where the neuron cannot stand in a row of so many units
 */
export function evaluationsPerRow(neuron: Neuron, units: number): number {
  const { group = 1 } = neuron;
  if (units % group !== 0)
    throw new RangeError(
      `A row has ${units} units, and "${neuron.name}" has groups of ${group}. Expected a multiple of ${group}, such as ${Math.ceil(units / group) * group}.`,
    );
  return drawsOf(neuron, units);
}
