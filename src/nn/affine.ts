import type { NdArray } from '../backend/nd-array.ts';
import { blocksToDense } from '../tensor/ops/blocks.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AffineBlueprint } from './blueprint.ts';
import type { FiringSite } from './firing-site.ts';
import { glorotUniform } from './initialize.ts';
import { type Activation, type Axis, isBlocks, type LayerContext, type Parameter, type Pass } from './layer.ts';

/** x·W + b with its parameters: what dense layers, experts and gaters are made of. */
export class Affine {
  readonly weights: NdArray;
  readonly bias: NdArray;
  readonly parameters: readonly Parameter[];

  /** @param initialize fills the weights (inputs × units); default Glorot uniform */
  constructor(
    context: LayerContext,
    options: {
      name: string;
      inputs: number;
      units: number;
      group: Parameter['group'];
      /** What inputs and units stand for; default inputs and units of the layer. */
      axes?: readonly [Axis, Axis];
      stream: number;
      learningRateScale?: number;
      initialize?: (weights: NdArray, seed: number, stream: number) => void;
    },
  ) {
    const { name, inputs, units, group, stream, learningRateScale = 1, initialize = glorotUniform } = options;
    const axes = options.axes ?? ['inputs', 'units'];
    this.weights = context.engine.parameter([inputs, units], `${name}.weights`);
    this.bias = context.engine.parameter([units], `${name}.bias`);
    initialize(this.weights, context.seed, stream);
    this.parameters = [
      { name: `${name}.weights`, tensor: this.weights, group, kind: 'weights', axes, learningRateScale },
      { name: `${name}.bias`, tensor: this.bias, group, kind: 'bias', axes: [axes[1]], learningRateScale },
    ];
  }

  /** rows×inputs → rows×units; of a block-sparse input only the open blocks are read. */
  apply({ tape }: Pass, x: Activation): Tensor {
    const [weights, bias] = [this.weights, this.bias].map((array) => tape.parameter(array));
    tape.inGater = this.parameters[0].group === 'gater';
    const logits = isBlocks(x) ? blocksToDense(x.values, weights, bias, x) : matmul(x, weights, bias);
    tape.inGater = false;
    return logits;
  }

  /** What this and the neurons on it compute. */
  blueprint(site?: FiringSite): AffineBlueprint {
    const [weights, bias] = this.parameters;
    return { kind: 'affine', weights, bias, site };
  }

  /** Multiply-adds for one example. */
  get multiplyAdds(): number {
    return this.weights.size;
  }
}
