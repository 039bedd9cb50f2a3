/** Products with all blocks, open or not. */
import type { Engine } from '../../backend/engine.ts';
import { multiplyMatrices } from '../../backend/matmul.ts';
import { columnSums, flip, type Matrix, operand, targetOf } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { f } from '../../neurons/formula.ts';
import { defineOp } from '../define-op.ts';

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
