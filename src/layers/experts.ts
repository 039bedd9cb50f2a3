import type { NdArray } from '../backend/nd-array.ts';
import type { BlockShape } from '../tensor/block-ops.ts';
import { glorotUniform } from './initialize.ts';
import {
  type Activation,
  countWork,
  isBlocks,
  type LayerContext,
  type Parameter,
  type Pass,
  toDense,
} from './layer.ts';

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

  /** Every block: rows×inputs → rows×units. */
  all(pass: Pass, input: Activation): NdArray {
    const x = toDense(pass, input);
    countWork(pass, x.rows * this.multiplyAdds, 'main');
    return pass.tape.apply('allBlocks', [x, this.weights, this.bias], { blocks: this.blocks, size: this.size });
  }

  /** The open blocks alone: rows×inputs → values pairs×size. */
  open(pass: Pass, x: Activation, shape: BlockShape): NdArray {
    const parameters = [this.weights, this.bias];
    if (!isBlocks(x)) {
      countWork(pass, shape.mask.pairs * x.columns * this.size, 'main');
      return pass.tape.apply('denseToBlocks', [x, ...parameters], shape);
    }
    countWork(pass, pairsOnBothSides(pass, x, shape) * x.size * this.size, 'main');
    return pass.tape.apply('blocksToBlocks', [x.values, ...parameters], { from: x, to: shape });
  }
}

/** Open (row, block below, block above) triples. */
function pairsOnBothSides({ tape }: Pass, below: BlockShape, above: BlockShape): number {
  const { memory } = tape.engine.backend.heap;
  const starts = (shape: BlockShape) => memory.integers(shape.mask.rowStart, shape.mask.rows + 1);
  const [a, b] = [starts(below), starts(above)];
  let triples = 0;
  for (let r = 0; r < below.mask.rows; r++) triples += (a[r + 1] - a[r]) * (b[r + 1] - b[r]);
  return triples;
}
