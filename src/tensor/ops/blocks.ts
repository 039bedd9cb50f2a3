/** Operations on block-sparse activations. */

import { type BlockProduct, fitsScratch, fitsUpdate } from '../../backend/blas-blocks.ts';
import type { BlockMask } from '../../backend/block-mask.ts';
import type { Engine } from '../../backend/engine.ts';
import { multiplyMatrices } from '../../backend/matmul.ts';
import { columnSums, flip, type Matrix, operand, targetOf } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { fitsGradient } from '../../kernels/blocks-update.ts';
import type { KernelArguments } from '../../kernels/catalogue.ts';
import type { UpdatePlace } from '../../kernels/optimizers.ts';
import { f } from '../../neurons/formula.ts';
import { defineOp, type PullbackContext } from '../define-op.ts';
import type { Plate } from '../plate.ts';
import { Tensor } from '../tensor.ts';

/** A mask, the units of one of its blocks, and what its rows and pairs stand for. */
export interface BlockShape {
  readonly mask: BlockMask;
  readonly size: number;
  readonly rows: Plate;
  readonly pairs: Plate;
  /** Products of these blocks with dense rows or to them go through BLAS, on gathered rows, where the engine has one and the blocks fit. */
  readonly gathered?: boolean;
}

const byBlock = ({ blockStart, pairRow }: BlockMask) => [blockStart, pairRow] as const;
const byRow = ({ rowStart, rowPair, pairBlock }: BlockMask) => [rowStart, rowPair, pairBlock] as const;

const compact = (engine: Engine, { mask, size }: BlockShape, purpose: string): NdArray =>
  engine.allocate([mask.pairs, size], purpose);

/** Is a product of open blocks with dense rows (of so many elements), or to them, done by BLAS? */
const byBlas = ({ backend }: Engine, { gathered, size }: BlockShape, width: number): boolean =>
  gathered === true && backend.runByBlas !== undefined && fitsScratch(width, size);

/** Can a weight gradient be made and used up in one, where rows of weights have so many elements? */
const fits = (engine: Engine, shape: BlockShape, width: number, rowOfWeights: number): boolean =>
  byBlas(engine, shape, width) ? fitsUpdate(rowOfWeights) : fitsGradient(rowOfWeights);

const placeOf = ({ weights, first, second, rule }: UpdatePlace) => [weights, first, second, rule] as const;

/** A product of open blocks with dense rows (of so many elements), or to them: by its kernel, or by BLAS where the shape says so. */
function blockProduct<N extends BlockProduct>(
  engine: Engine,
  shape: BlockShape,
  width: number,
  name: N,
  ...args: KernelArguments<N>
): void {
  if (byBlas(engine, shape, width)) engine.backend.runByBlas?.(name, ...args);
  else engine.backend.run(name, ...args);
}

/** How the gradient of weights in blocks is made. */
interface WeightGradient {
  /** Fills a gradient (factor 1), or adds to what stands there. */
  fill(target: number, factor: number, accumulate: number): void;
  /** Gradient and update in one, where there is a kernel for it. */
  update?: ((place: UpdatePlace) => void) | undefined;
}

/**
 * The gradient of weights of which blocks are open: returned, or used up here where the context says how. Blocks that no example opened
 * are then not touched.
 */
function weightGradient(
  engine: Engine,
  weights: NdArray,
  mask: BlockMask,
  { descend, updateOf }: Pick<PullbackContext, 'descend' | 'updateOf'>,
  { fill, update }: WeightGradient,
): NdArray | null {
  const descent = descend(weights);
  if (descent !== undefined) {
    fill(weights.pointerOfBlocks(mask), descent, 1);
    return null;
  }
  const by = updateOf(weights);
  if (by && update) {
    by(mask, update);
    return null;
  }
  const gradient = engine.allocate(weights.shape, 'a weight gradient');
  fill(gradient.pointer, 1, 0);
  if (!by) return gradient;
  by(mask, ({ weights: to, first, second, rule }) => {
    const extents = [mask.blocks, weights.size / mask.blocks] as const;
    engine.backend.run('updateBlocks', to, gradient.pointer, first, second, rule, mask.blockStart, ...extents);
  });
  return null;
}

/** The gradient of a bias with one element a unit: sums over the pairs of each block. */
function blockBiasGradient(engine: Engine, dValues: NdArray, { mask, size }: BlockShape): NdArray {
  const gradient = engine.allocate([mask.blocks * size], 'the gradient of a bias');
  const extents = [mask.pairs, mask.blocks, size, 1, 0] as const;
  engine.backend.run('blockBiasGradient', dValues.pointer, gradient.pointer, mask.blockStart, ...extents);
  return gradient;
}

/** x (rows×inputs) times W (blocks×inputs×size) plus bias, for open pairs only → values pairs×size. */
export const denseToBlocks = defineOp<BlockShape>({
  name: 'denseToBlocks',
  causal: () => true,
  plates: (_inputs, { rows, pairs }) => ({ inputs: [rows, undefined, undefined], output: pairs }),
  cost: ([x], { mask, size }) => mask.pairs * x.columns * size,
  forward(engine, [x, weights, bias], shape) {
    const { mask, size } = shape;
    const output = compact(engine, shape, 'block values');
    const pointers = [x.pointer, weights.pointerOfBlocks(mask), bias.pointer, output.pointer] as const;
    const extents = [mask.pairs, mask.blocks, x.columns, size] as const;
    blockProduct(engine, shape, x.columns, 'denseToBlocks', ...pointers, ...byBlock(mask), ...extents);
    return { output };
  },
  pullback(engine, { inputs: [x, weights], attributes: shape, needs }, dy, context) {
    const { mask, size } = shape;
    const extents = [mask.blocks, x.columns, size] as const;
    const dx = needs[0] ? engine.allocate(x.shape, 'an input gradient') : null;
    if (dx) {
      const blocks = weights.pointerOfBlocks(mask);
      const pointers = [dy.pointer, blocks, dx.pointer, ...byBlock(mask), ...byRow(mask)] as const;
      const counts = [mask.pairs, mask.rows] as const;
      blockProduct(engine, shape, x.columns, 'denseToBlocksInputs', ...pointers, ...counts, ...extents);
    }
    const dBias = needs[2] ? blockBiasGradient(engine, dy, shape) : null;
    const dWeights = needs[1]
      ? weightGradient(engine, weights, mask, context, {
          fill(target, factor, accumulate) {
            const pointers = [x.pointer, dy.pointer, target, ...byBlock(mask)] as const;
            const rest = [mask.pairs, ...extents, factor, accumulate] as const;
            blockProduct(engine, shape, x.columns, 'denseToBlocksWeights', ...pointers, ...rest);
          },
          ...(fits(engine, shape, x.columns, size) && {
            update(place) {
              const pointers = [x.pointer, dy.pointer, ...placeOf(place), ...byBlock(mask)] as const;
              blockProduct(engine, shape, x.columns, 'denseToBlocksUpdate', ...pointers, mask.pairs, ...extents);
            },
          }),
        })
      : null;
    return [dx, dWeights, dBias];
  },
});

/** Values pairs×size times W (blocks·size × outputs) plus bias → rows×outputs; closed blocks count as zeros. */
export const blocksToDense = defineOp<BlockShape>({
  name: 'blocksToDense',
  causal: () => true,
  plates: (_inputs, { rows, pairs }) => ({ inputs: [pairs, undefined, undefined], output: rows }),
  cost: ([values, weights], _shape) => values.size * weights.columns,
  forward(engine, [values, weights, bias], shape) {
    const { mask, size } = shape;
    const outputs = weights.columns;
    const y = engine.allocate([mask.rows, outputs], 'a product with blocks');
    const pointers = [values.pointer, weights.pointerOfBlocks(mask), bias.pointer, y.pointer] as const;
    const extents = [mask.pairs, mask.rows, mask.blocks, size, outputs] as const;
    blockProduct(engine, shape, outputs, 'blocksToDense', ...pointers, ...byBlock(mask), ...byRow(mask), ...extents);
    return { output: y };
  },
  pullback(engine, { inputs: [values, weights], attributes: shape, needs }, dy, context) {
    const { mask, size } = shape;
    const outputs = weights.columns;
    const extents = [mask.pairs, mask.blocks, size, outputs] as const;
    const dValues = needs[0] ? compact(engine, shape, 'the gradient of block values') : null;
    if (dValues) {
      const pointers = [dy.pointer, weights.pointerOfBlocks(mask), dValues.pointer, ...byBlock(mask)] as const;
      blockProduct(engine, shape, outputs, 'blocksToDenseValues', ...pointers, ...extents);
    }
    const dBias = needs[2] ? columnSums(engine, dy) : null;
    const dWeights = needs[1]
      ? weightGradient(engine, weights, mask, context, {
          fill(target, factor, accumulate) {
            const pointers = [values.pointer, dy.pointer, target, ...byBlock(mask)] as const;
            blockProduct(engine, shape, outputs, 'blocksToDenseWeights', ...pointers, ...extents, factor, accumulate);
          },
          ...(fits(engine, shape, outputs, outputs) && {
            update(place) {
              const pointers = [values.pointer, dy.pointer, ...placeOf(place), ...byBlock(mask)] as const;
              blockProduct(engine, shape, outputs, 'blocksToDenseUpdate', ...pointers, ...extents);
            },
          }),
        })
      : null;
    return [dValues, dWeights, dBias];
  },
});

/** Values of one mask times W (blocks₂ × units₁ × size₂) plus bias → values of another; only pairs open on both sides. */
export const blocksToBlocks = defineOp<{ from: BlockShape; to: BlockShape }>({
  name: 'blocksToBlocks',
  causal: () => true,
  plates: (_inputs, { from, to }) => ({ inputs: [from.pairs, undefined, undefined], output: to.pairs }),
  cost: (_inputs, { from, to }) => pairsOnBothSides(from.mask, to.mask) * from.size * to.size,
  forward(engine, [values, weights, bias], { from, to }) {
    const output = compact(engine, to, 'block values');
    const pointers = [values.pointer, weights.pointerOfBlocks(to.mask), bias.pointer, output.pointer] as const;
    const masks = [...byBlock(from.mask), ...byRow(from.mask), ...byBlock(to.mask)] as const;
    engine.backend.run('blocksToBlocks', ...pointers, ...masks, ...bothExtents(from, to));
    return { output };
  },
  pullback(engine, { inputs: [values, weights], attributes: { from, to }, needs }, dy, context) {
    const dValues = needs[0] ? compact(engine, from, 'the gradient of block values') : null;
    if (dValues) {
      const pointers = [dy.pointer, weights.pointerOfBlocks(to.mask), dValues.pointer] as const;
      const masks = [...byBlock(from.mask), ...byBlock(to.mask), ...byRow(to.mask)] as const;
      engine.backend.run('blocksToBlocksValues', ...pointers, ...masks, ...bothExtents(from, to));
    }
    const dBias = needs[2] ? blockBiasGradient(engine, dy, to) : null;
    const dWeights = needs[1]
      ? weightGradient(engine, weights, to.mask, context, {
          fill(target, factor, accumulate) {
            const masks = [...byBlock(from.mask), ...byRow(from.mask), ...byBlock(to.mask)] as const;
            const extents = [...bothExtents(from, to), factor, accumulate] as const;
            engine.backend.run('blocksToBlocksWeights', values.pointer, dy.pointer, target, ...masks, ...extents);
          },
        })
      : null;
    return [dValues, dWeights, dBias];
  },
});

/** Gates (rows×blocks, dense) times values pairs×size. `weights` multiplies the gates' gradient element by element. */
export const gateBlocks = defineOp<BlockShape & { gradientWeights?: NdArray | undefined }>({
  name: 'gateBlocks',
  causal: () => true,
  showsThrough: true,
  plates: (_inputs, { rows, pairs }) => ({ inputs: [rows, pairs], output: pairs }),
  forward(engine, [gates, values], shape) {
    return { output: gateValues(engine, gates, values, shape) };
  },
  pullback(engine, { inputs: [gates, values], attributes: shape, needs }, dy) {
    const { mask, size, gradientWeights } = shape;
    const dGates = needs[0] ? engine.allocate(gates.shape, 'gate gradients') : null;
    if (dGates) {
      const pointers = [values.pointer, dy.pointer, dGates.pointer, ...byRow(mask)] as const;
      engine.backend.run('blockGateGradient', ...pointers, mask.pairs, mask.rows, mask.blocks, size);
      if (gradientWeights) {
        const { pointer, size: elements } = dGates;
        engine.backend.run('multiply', pointer, gradientWeights.pointer, pointer, elements);
      }
    }
    return [dGates, needs[1] ? gateValues(engine, gates, dy, shape) : null];
  },
});

/** Values pairs×size → rows×(blocks·size), zeros where closed. */
export const scatterBlocks = defineOp<BlockShape>({
  name: 'scatterBlocks',
  causal: () => true,
  showsThrough: true,
  plates: (_inputs, { rows, pairs }) => ({ inputs: [pairs], output: rows }),
  forward(engine, [values], { mask, size }) {
    const output = engine.allocate([mask.rows, mask.blocks * size], 'scattered blocks');
    const pointers = [values.pointer, output.pointer, ...byRow(mask)] as const;
    engine.backend.run('scatterBlocks', ...pointers, mask.pairs, mask.rows, mask.blocks, size);
    return { output };
  },
  pullback(engine, { attributes: shape }, dy) {
    const { mask, size } = shape;
    const output = compact(engine, shape, 'gathered blocks');
    const masks = [mask.pairRow, mask.pairBlock] as const;
    engine.backend.run('gatherBlocks', dy.pointer, output.pointer, ...masks, mask.pairs, mask.blocks, size);
    return [output];
  },
});

/** x (rows×inputs) times all blocks of W (blocks×inputs×size) plus bias → rows×(blocks·size): the dense path of a gated layer. */
export const allBlocks = defineOp<{ blocks: number; size: number }>({
  name: 'allBlocks',
  causal: () => true,
  cost: ([x, weights]) => x.rows * weights.size,
  forward(engine, [x, weights, bias], { blocks, size }) {
    const output = engine.allocate([x.rows, blocks * size], 'block values');
    const [inputs, units] = [x.columns, blocks * size];
    if (size === 1) {
      const shape = { m: x.rows, n: units, k: inputs, bias: bias.pointer };
      multiplyMatrices(engine, operand(x, false), unitWeights(weights, units, inputs), targetOf(output), shape);
    } else {
      const shape = { m: x.rows, n: size, k: inputs, bias: bias.pointer };
      const batch = { count: blocks, a: 0, b: inputs * size, c: size, bias: size };
      multiplyMatrices(engine, operand(x, false), rowsOf(weights, size), targetOf(output), shape, batch);
    }
    return { output };
  },
  pullback(engine, { inputs: [x, weights], attributes: { blocks, size }, needs }, dy, { descend }) {
    const dx = needs[0] ? allBlocksInputGradient(engine, x, weights, dy, blocks, size) : null;
    const dBias = needs[2] ? columnSums(engine, dy) : null;
    if (!needs[1]) return [dx, null, dBias];
    const factor = descend(weights);
    const accumulate = factor !== undefined;
    const target = accumulate ? weights : engine.allocate(weights.shape, 'a weight gradient');
    const cotangent = accumulate ? scaled(engine, dy, factor) : dy;
    const [inputs, units] = [x.columns, blocks * size];
    if (size === 1) {
      const left = flip(operand(cotangent, false));
      const shape = { m: units, n: inputs, k: x.rows, accumulate };
      multiplyMatrices(engine, left, operand(x, false), { pointer: target.pointer, rowStride: inputs }, shape);
    } else {
      const shape = { m: inputs, n: size, k: x.rows, accumulate };
      const batch = { count: blocks, a: 0, b: size, c: inputs * size, bias: 0 };
      const out = { pointer: target.pointer, rowStride: size };
      multiplyMatrices(engine, flip(operand(x, false)), operand(cotangent, false), out, shape, batch);
    }
    return [dx, accumulate ? null : target, dBias];
  },
  lower(to, [x, weights, bias], { attributes: { blocks, size } }) {
    const [inputs] = x.shape;
    // blocks × inputs × size → inputs × units
    const turned = to.view(weights, [inputs, blocks, size], [size, inputs * size, 1]);
    const products = to.product(x, to.reshape(turned, [inputs, blocks * size]));
    return to.elementwise(f.add(f.logit, f.operand(1)), products, bias);
  },
});
/** Weights of units with a block each, stored unit by unit, as inputs×units. */
const unitWeights = ({ pointer }: NdArray, units: number, inputs: number): Matrix => ({
  pointer,
  rows: inputs,
  columns: units,
  rowStride: 1,
  columnStride: inputs,
});

/** The first block of weights, inputs×size. */
const rowsOf = ({ pointer }: NdArray, size: number) => ({ pointer, rowStride: size, columnStride: 1 });

function allBlocksInputGradient(
  engine: Engine,
  x: NdArray,
  weights: NdArray,
  dy: NdArray,
  blocks: number,
  size: number,
): NdArray {
  const dx = engine.allocate(x.shape, 'an input gradient');
  const [inputs, units] = [x.columns, blocks * size];
  if (size === 1) {
    const shape = { m: x.rows, n: inputs, k: units };
    multiplyMatrices(engine, operand(dy, false), flip(unitWeights(weights, units, inputs)), targetOf(dx), shape);
    return dx;
  }
  for (let k = 0; k < blocks; k++) {
    const left = { pointer: dy.pointer + 4 * k * size, rowStride: units, columnStride: 1 };
    const right = { pointer: weights.pointer + 4 * k * inputs * size, rowStride: 1, columnStride: size };
    multiplyMatrices(engine, left, right, targetOf(dx), { m: x.rows, n: inputs, k: size, accumulate: k > 0 });
  }
  return dx;
}

function scaled(engine: Engine, x: NdArray, factor: number): NdArray {
  const output = engine.allocate(x.shape, 'a scaled cotangent');
  engine.backend.run('scale', x.pointer, output.pointer, x.size, factor);
  return output;
}

function gateValues(engine: Engine, gates: NdArray, values: NdArray, shape: BlockShape): NdArray {
  const { mask, size } = shape;
  const output = compact(engine, shape, 'gated block values');
  const pointers = [gates.pointer, values.pointer, output.pointer, mask.pairRow, mask.pairBlock] as const;
  engine.backend.run('gateBlocks', ...pointers, mask.pairs, mask.blocks, size);
  return output;
}

/** Open (row, block below, block above) triples of two masks over the same rows. */
function pairsOnBothSides(below: BlockMask, above: BlockMask): number {
  const [a, b] = [below.rowStarts(), above.rowStarts()];
  let triples = 0;
  for (let r = 0; r < below.rows; r++) triples += (a[r + 1] - a[r]) * (b[r + 1] - b[r]);
  return triples;
}

/** A tensor of shape [blocks·size] of which only the values of open blocks are stored; the others are 0. */
export class BlockTensor extends Tensor {
  /** Shape [size], one row an open block of a row. */
  readonly open: Tensor;
  readonly blocks: BlockShape;
  private scattered: Tensor | undefined;

  constructor(values: Tensor, blocks: BlockShape) {
    super(values.tape, undefined, blocks.rows, values.tracked);
    this.open = values;
    this.blocks = blocks;
  }

  override get dense(): Tensor {
    this.scattered ??= scatterBlocks(this.open, this.blocks);
    return this.scattered;
  }

  override get array(): NdArray {
    return this.dense.array;
  }

  override get shape(): readonly number[] {
    return [this.columns];
  }

  override get columns(): number {
    return this.blocks.mask.blocks * this.blocks.size;
  }

  override get size(): number {
    return this.blocks.mask.rows * this.columns;
  }
}

/** What operations on the open blocks of rows are told. @param options.gathered see `BlockShape` */
export function openBlocks(
  { tape, plate }: Pick<Tensor, 'tape' | 'plate'>,
  mask: BlockMask,
  size: number,
  gathered = false,
): BlockShape {
  const rows = plate ?? tape.plates.examples(mask.rows);
  return { mask, size, gathered, rows, pairs: tape.plates.gathered(rows, mask.pairRows()) };
}

const bothExtents = (from: BlockShape, to: BlockShape) =>
  [from.mask.pairs, to.mask.pairs, from.mask.rows, from.mask.blocks, to.mask.blocks, from.size, to.size] as const;
