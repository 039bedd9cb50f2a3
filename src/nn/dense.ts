import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Affine } from './affine.ts';
import { checkUnits } from './check.ts';
import { FiringSite } from './firing-site.ts';
import type { Layer, LayerContext } from './layer.ts';

/** A dense layer: h = neuron(x·W + b). Any neuron of the zoo can be its unit. */
export interface DenseSpec {
  readonly layer: 'dense';
  readonly units: number;
  /** Default `linear`. */
  readonly neuron?: NeuronSpec;
  readonly name?: string;
}

/** Shorthand for a `DenseSpec`. */
export function dense(units: number, neuron: NeuronSpec = 'linear', name?: string): DenseSpec {
  return { layer: 'dense', units, neuron, ...(name && { name }) };
}

/** @throws RangeError for units that are not a whole number ≥ 1, or an unknown neuron */
export function buildDense(spec: DenseSpec, context: LayerContext): Layer {
  checkUnits(context.name, spec.units);
  const { name, inputs, engine } = context;
  const stream = context.index * 8;
  const neuron = resolveNeuron(spec.neuron ?? 'linear');
  const affine = new Affine(context, { name, inputs, units: spec.units, group: 'main', stream });
  const site = neuron.identity ? undefined : new FiringSite(engine, neuron, { name, units: spec.units, layer: stream });
  return {
    name,
    inputs,
    outputs: spec.units,
    parameters: affine.parameters,
    sites: site ? [site] : [],
    cost: { dense: affine.multiplyAdds, gater: 0 },
    blueprint: affine.blueprint(site),
    apply(pass, x): Tensor {
      const logits = affine.apply(pass, x);
      return site ? site.fire(pass, logits) : logits;
    },
    afterStep() {
      if (site?.stochastic) site.countLast();
    },
  };
}
