import type { NeuronSpec } from '../neurons/resolve.ts';
import { affine } from './affine.ts';
import { checkUnits } from './check.ts';
import { type LayerText, neuron, units } from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';

/** A dense layer: h = neuron(x·W + b). Any neuron of the zoo can be its unit. */
export interface DenseSpec extends LayerDescription {
  readonly layer: 'dense';
  readonly units: number;
  /** Default `linear`. */
  readonly neuron?: NeuronSpec;
}

/** Shorthand for a `DenseSpec`. */
export function dense(units: number, neuron: NeuronSpec = 'linear', name?: string): DenseSpec {
  return { layer: 'dense', units, neuron, ...(name && { name }) };
}

export const denseText: LayerText<DenseSpec> = {
  words: [units(), neuron('neuron', { usual: 'linear', silent: true })],
};

/** Shape [inputs] → [units]. @throws RangeError for units that are not a whole number ≥ 1, or an unknown neuron */
export const applyDense: LayerKind<DenseSpec> = (scope, { units, neuron: spec = 'linear' }, x) => {
  const neuron = scope.keep('neuron', () => {
    checkUnits(scope.name, units);
    return scope.neuron(spec);
  });
  const logits = affine(scope, x, { units, stream: scope.stream });
  if (neuron.identity) return logits;
  const site = scope.site(neuron, units, { stream: scope.stream, input: x });
  if (site.stochastic) scope.afterStep(() => site.countLast());
  return site.fire(scope.pass, logits, x);
};
