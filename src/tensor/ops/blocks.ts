/** Products of block-sparse activations. */
import { type BlockProduct, fitsScratch, fitsUpdate } from '../../backend/blas-block-items.ts';
import type { BlockMask } from '../../backend/block-mask.ts';
import type { Engine } from '../../backend/engine.ts';
import { columnSums } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { fitsGradient } from '../../kernels/blocks-update.ts';
import type { KernelArguments } from '../../kernels/catalogue.ts';
import type { UpdatePlace } from '../../kernels/optimizers.ts';
import { defineOp, type PullbackContext } from '../define-op.ts';
import { type BlockShape, byBlock, byRow, compact } from './block-shape.ts';

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

/** Open (row, block below, block above) triples of two masks over the same rows. */
function pairsOnBothSides(below: BlockMask, above: BlockMask): number {
  const [a, b] = [below.rowStarts(), above.rowStarts()];
  let triples = 0;
  for (let r = 0; r < below.rows; r++) triples += (a[r + 1] - a[r]) * (b[r + 1] - b[r]);
  return triples;
}

const bothExtents = (from: BlockShape, to: BlockShape) =>
  [from.mask.pairs, to.mask.pairs, from.mask.rows, from.mask.blocks, to.mask.blocks, from.size, to.size] as const;
