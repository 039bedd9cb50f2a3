import type { Tensor } from '../engine/tensor.ts';
import { glorotUniform } from './initialize.ts';
import type { LayerContext, Parameter, Pass } from './layer.ts';

/** x·W + b with its parameters: what dense layers, experts and gaters are made of. */
export class Affine {
  readonly weights: Tensor;
  readonly bias: Tensor;
  readonly parameters: readonly Parameter[];

  /** @param initialize fills the weights (inputs × units); default Glorot uniform */
  constructor(
    context: LayerContext,
    options: {
      name: string;
      inputs: number;
      units: number;
      group: Parameter['group'];
      stream: number;
      learningRateScale?: number;
      initialize?: (weights: Tensor, seed: number, stream: number) => void;
    },
  ) {
    const { name, inputs, units, group, stream, learningRateScale = 1, initialize = glorotUniform } = options;
    this.weights = context.engine.parameter([inputs, units], `${name}.weights`);
    this.bias = context.engine.parameter([units], `${name}.bias`);
    initialize(this.weights, context.seed, stream);
    this.parameters = [
      { name: `${name}.weights`, tensor: this.weights, group, kind: 'weights', learningRateScale },
      { name: `${name}.bias`, tensor: this.bias, group, kind: 'bias', learningRateScale },
    ];
  }

  /** rows×inputs → rows×units */
  apply({ tape }: Pass, x: Tensor): Tensor {
    return tape.apply('matmul', [x, this.weights, this.bias], {});
  }

  /** Multiply-adds for one example. */
  get multiplyAdds(): number {
    return this.weights.size;
  }
}
