/** Functions of single elements. */
import type { MapName } from '../../kernels/maps.ts';
import { defineOp, type OpDefinition } from '../define-op.ts';
import { type MapParameters, mapped, slopes } from '../strided.ts';
import type { Operand, Tensor } from '../tensor.ts';

/** An operation on one operand that gives its shape. */
export interface UnaryOp {
  (x: Operand): Tensor;
  readonly definition: OpDefinition<MapParameters>;
}

function unary(name: MapName): UnaryOp {
  const op = defineOp<MapParameters>({
    name,
    forward: (engine, [x], parameters) => ({ output: mapped(engine, name, x, parameters) }),
    pullback: (engine, { inputs: [x], attributes }, dy) => [slopes(engine, name, x, dy, attributes)],
  });
  return Object.assign((x: Operand) => op(x, {}), { definition: op.definition });
}

/** e^x */
export const exp = unary('exp');
/** The natural logarithm; −∞ at 0, NaN below. */
export const log = unary('log');
/** √x; NaN below 0. */
export const sqrt = unary('sqrt');
/** |x|; the slope at 0 is 0. */
export const abs = unary('abs');
/** x² */
export const square = unary('square');
/** σ(x) = 1/(1+e^−x) */
export const sigmoid = unary('sigmoid');
/** The hyperbolic tangent. */
export const tanh = unary('tanh');
/** log(1+e^x), in full precision on both sides. */
export const softplus = unary('softplus');

const clipOp = unary('clip').definition;
/**
 * x between two bounds; its slope is 1 from the one to the other, the bounds included, and 0 beyond.
 * @throws RangeError unless low ≤ high
 */
export function clip(x: Tensor, low: number, high: number): Tensor {
  if (!(low <= high))
    throw new RangeError(
      `clip: the bounds are ${low} and ${high}. Expected the lower one first, and none that is NaN.`,
    );
  return x.tape.apply(clipOp, [x], { p: low, q: high });
}
