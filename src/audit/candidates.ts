import { behaviourOf } from '../neurons/behaviour.ts';
import type { Neuron, NeuronDefinition } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import { randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { variants } from './variants.ts';

/**
 * Texts that ask for a neuron in every combination of its choices, and in the usual one with each of its numbers at half and twice its
 * default, within its bounds: baselines, temperatures, draws. Numbers that follow the layer's target rate stay with it.
 */
export function candidatesOf(definition: NeuronDefinition): { usual: string[]; others: string[] } {
  const numbers = Object.entries(definition.options).flatMap(([option, spec]) => {
    if ('choices' in spec || spec.follows) return [];
    const others = [spec.default / 2, 2 * spec.default].filter(
      (value) => value >= spec.minimum && value <= spec.maximum && value !== spec.default,
    );
    return others
      .filter((value) => !spec.whole || Number.isInteger(value))
      .map((value) => `${definition.name}:${option}=${value}`);
  });
  return {
    usual: variants(definition).map(({ text }) => text),
    others: numbers.filter((text) => isNeuron(text, definition)),
  };
}

/** Some numbers exclude each other. */
function isNeuron(text: string, definition: NeuronDefinition): boolean {
  try {
    resolveNeuron(text, undefined, [definition]);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * Can a neuron stand there: as gates, those that close (of a sample at logits under 0, some h is 0); as hidden units, those with
 * noise. Not those in groups, which want a number of units of their own.
 */
export function suits(neuron: Neuron, place: 'gates' | 'hidden units'): boolean {
  if (neuron.group !== undefined) return false;
  if (place === 'hidden units') return neuron.noise > 0;
  const [rows, units] = [32, 8];
  const unit = behaviourOf(neuron);
  const random = randomStream(1, 0x73756974);
  const noise = Float64Array.from({ length: rows * units * unit.noise }, () => random.uniform());
  const logits = Float64Array.from({ length: rows * units }, () => -3 * random.uniform());
  const h = new Float64Array(rows * units);
  unit.fire({ rows, units, logits, noise, h, state: startingState(unit, units) });
  return h.includes(0);
}

/** Does a neuron ask for at most so many evaluations of the loss in a layer of so many units? Some refuse large layers. */
export function affordable(neuron: Neuron, units: number, most: number): boolean {
  return (neuron.mostUnits ?? units) >= units && drawsOf(neuron, units) <= most;
}
