import type { NdArray } from '../backend/nd-array.ts';
import { allBlocks, type BlockShape, blocksToBlocks, denseToBlocks } from '../tensor/ops/blocks.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { glorotUniform } from './initialize.ts';
import { type Activation, isBlocks, type LayerContext, type Parameter, type Pass, toDense } from './layer.ts';

/** The experts of a gated layer: x·W + b with the weights stored block by block, so that an open block is one stretch of memory. */
export class Experts {
  /** blocks × inputs × size. */
  readonly weights: NdArray;
  readonly bias: NdArray;
  readonly parameters: readonly Parameter[];
  private readonly blocks: number;
  private readonly size: number;

  constructor(
    context: LayerContext,
    {
      name,
      inputs,
      blocks,
      size,
      stream,
    }: { name: string; inputs: number; blocks: number; size: number; stream: number },
  ) {
    this.blocks = blocks;
    this.size = size;
    this.weights = context.engine.parameter([blocks, inputs, size], `${name}.weights`);
    this.bias = context.engine.parameter([blocks * size], `${name}.bias`);
    glorotUniform(this.weights, context.seed, stream, 1, [inputs, blocks * size]);
    const common = { group: 'main' as const, learningRateScale: 1 };
    const layout = { count: blocks, inputs, size };
    this.parameters = [
      {
        ...common,
        name: `${name}.weights`,
        tensor: this.weights,
        kind: 'weights',
        axes: ['inputs', 'units'],
        blocks: layout,
      },
      { ...common, name: `${name}.bias`, tensor: this.bias, kind: 'bias', axes: ['units'] },
    ];
  }

  /** Multiply-adds for one example with every block open. */
  get multiplyAdds(): number {
    return this.weights.size;
  }

  /** Every block: shape [inputs] → [units]. */
  all(pass: Pass, input: Activation): Tensor {
    const { blocks, size } = this;
    return allBlocks(toDense(pass, input), ...this.on(pass), { blocks, size });
  }

  /** The open blocks alone: shape [inputs] → [size] for every open pair. */
  open(pass: Pass, x: Activation, shape: BlockShape): Tensor {
    return isBlocks(x) && x.rows === shape.rows
      ? blocksToBlocks(x.values, ...this.on(pass), { from: x, to: shape })
      : denseToBlocks(toDense(pass, x), ...this.on(pass), shape);
  }

  private on({ tape }: Pass): [Tensor, Tensor] {
    return [tape.parameter(this.weights), tape.parameter(this.bias)];
  }
}
