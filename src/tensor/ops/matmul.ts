import type { Engine } from '../../backend/engine.ts';
import { multiplyMatrices } from '../../backend/matmul.ts';
import { columnSums, flip, type Matrix, operand, product, targetOf } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, like } from '../define-op.ts';
import type { Operand, Tensor } from '../tensor.ts';

/** Take the transposes of the last two extents. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** a·b (+ bias): rows×inner · inner×columns, the rows of a all of its rows together. */
const matmulOp = defineOp<MatmulOptions>({
  name: 'matmul',
  cost: ([a, b], { transposeB = false }) => a.size * (transposeB ? b.rows : b.columns),
  forward(engine, [a, b, bias], { transposeA = false, transposeB = false }) {
    return { output: product(engine, operand(a, transposeA), operand(b, transposeB), bias) };
  },
  pullback(engine, { inputs, attributes: { transposeA = false, transposeB = false }, needs }, dy, { descend }) {
    const a = operand(inputs[0], transposeA);
    const b = operand(inputs[1], transposeB);
    const d = operand(dy, false);
    // The gradient of a comes first: b may change under its own.
    const da = needs[0] ? (transposeA ? product(engine, b, flip(d)) : product(engine, d, flip(b))) : null;
    const dBias = needs[2] ? columnSums(engine, dy) : null;
    if (!needs[1]) return [da, null, dBias];
    const factor = transposeB ? undefined : descend(inputs[1]);
    if (factor !== undefined) {
      descendMatrix(engine, a, dy, inputs[1], factor);
      return [da, null, dBias];
    }
    return [da, transposeB ? product(engine, flip(d), a) : product(engine, flip(a), d), dBias];
  },
});

/** weights += factor·aᵀ·dy */
function descendMatrix(engine: Engine, a: Matrix, dy: NdArray, weights: NdArray, factor: number): void {
  const scaled = like(engine, dy, 'a scaled cotangent');
  engine.backend.run('scale', dy.pointer, scaled.pointer, dy.size, factor);
  const size = { m: a.columns, n: dy.columns, k: dy.rows, accumulate: true };
  multiplyMatrices(engine, flip(a), operand(scaled, false), targetOf(weights), size);
}

/**
 * The matrix product a·b (+ bias, one number a column).
 * @throws RangeError when shapes do not fit
 */
export const matmul = (a: Operand, b: Operand, bias?: Operand, options: MatmulOptions = {}): Tensor =>
  matmulOp(a, b, bias, options);
matmul.definition = matmulOp.definition;
