import type { Neuron } from '../contract.ts';

/** The last three arguments of all kernels of a neuron, for a layer of `units` units. */
export function twinNumbers({ twin }: Pick<Neuron, 'twin'>, units: number): readonly [number, number, number] {
  const { numbers } = twin ?? {};
  const [first = 0, second = 0, third = 0] = (typeof numbers === 'function' ? numbers(units) : numbers) ?? [];
  return [first, second, third];
}
