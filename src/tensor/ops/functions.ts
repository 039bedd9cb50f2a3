/** Functions of single elements. */
import type { MapName } from '../../kernels/maps.ts';
import { type Formula, f } from '../../neurons/formula.ts';
import { defineOp, type OpDefinition } from '../define-op.ts';
import { type MapParameters, mapped, slopes } from '../strided.ts';
import type { Operand, Tensor } from '../tensor.ts';
import { told } from '../told.ts';

/** An operation on one operand that gives its shape. */
export interface UnaryOp {
  (x: Operand): Tensor;
  readonly definition: OpDefinition<MapParameters>;
}

function unary(name: MapName, formula: Formula | ((parameters: MapParameters) => Formula)): UnaryOp {
  const op = defineOp<MapParameters>({
    name,
    causal: () => true,
    forward: (engine, [x], parameters) => ({ output: mapped(engine, name, x, parameters) }),
    pullback: (engine, { inputs: [x], attributes }, dy) => [slopes(engine, name, x, dy, attributes)],
    lower: (to, [x], { attributes }) =>
      to.elementwise(typeof formula === 'function' ? formula(attributes) : formula, x),
  });
  return Object.assign((x: Operand) => op(x, {}), { definition: op.definition });
}

/** e^x */
export const exp = unary('exp', f.exp(f.logit));
/** The natural logarithm; −∞ at 0, NaN below. */
export const log = unary('log', f.log(f.logit));
/** √x; NaN below 0. */
export const sqrt = unary('sqrt', f.sqrt(f.logit));
/** |x|; the slope at 0 is 0. */
export const abs = unary('abs', f.max(f.logit, f.subtract(0, f.logit)));
/** x² */
export const square = unary('square', f.multiply(f.logit, f.logit));
/** σ(x) = 1/(1+e^−x) */
export const sigmoid = unary('sigmoid', f.sigmoid(f.logit));
/** The hyperbolic tangent. */
export const tanh = unary('tanh', f.tanh(f.logit));
/** log(1+e^x), in full precision on both sides. */
export const softplus = unary('softplus', f.softplus(f.logit));

const clipOp = unary('clip', ({ p, q }) => f.clip(f.logit, p as number, q as number)).definition;
/**
 * x between two bounds; its slope is 1 from the one to the other, the bounds included, and 0 beyond.
 * @throws RangeError unless low ≤ high
 */
export function clip(x: Tensor, low: number, high: number): Tensor {
  if (!(typeof low === 'number' && typeof high === 'number' && low <= high))
    throw new RangeError(
      `clip: the bounds are ${told(low)} and ${told(high)}. Expected two numbers, the lower first, and not NaN; −Infinity or Infinity leaves a side without a bound.`,
    );
  return x.tape.apply(clipOp, [x], { p: low, q: high });
}
