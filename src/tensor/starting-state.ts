import type { NeuronRule } from '../neurons/contract.ts';

/** The state that a layer of so many units starts with. */
export function startingState({ state = {} }: Pick<NeuronRule, 'state'>, units: number): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(state).map(([name, spec]) => [
      name,
      typeof spec === 'number'
        ? new Float64Array(units).fill(spec)
        : Float64Array.from({ length: spec.size(units) }, (_, i) => spec.start(i, units)),
    ]),
  );
}
