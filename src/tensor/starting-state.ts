import type { NeuronRule } from '../neurons/contract.ts';

/** The state that a layer of so many units starts with. */
export function startingState({ state = {} }: Pick<NeuronRule, 'state'>, units: number): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(state).map(([name, spec]) => {
      if (typeof spec === 'number') return [name, new Float64Array(units).fill(spec)];
      const values = new Float64Array(spec.size(units));
      for (let i = 0; i < values.length; i++) values[i] = spec.start(i, units);
      return [name, values];
    }),
  );
}
