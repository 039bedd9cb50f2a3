import type { NeuronRule } from '../neurons/contract.ts';

/** The state that a layer of so many units starts with. @param inputs of the layer; default: the logits stand for them */
export function startingState(
  { state = {} }: Pick<NeuronRule, 'state'>,
  units: number,
  inputs = units,
): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(state).map(([name, spec]) => {
      if (typeof spec === 'number') return [name, new Float64Array(units).fill(spec)];
      const values = new Float64Array(spec.size(units, inputs));
      for (let i = 0; i < values.length; i++) values[i] = spec.start(i, units, inputs);
      return [name, values];
    }),
  );
}
