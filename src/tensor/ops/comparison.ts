/** Comparisons, which give 1 or 0 and have no gradient, and what chooses by them. */
import type { Combination } from '../../kernels/strided.ts';
import { type Formula, f } from '../../neurons/formula.ts';
import { defineOp } from '../define-op.ts';
import { broadcastShape, extentsOf, rowShape, withRows } from '../shape.ts';
import { combine, combineThree, summedBack, whole } from '../strided.ts';
import type { Operand, Tensor } from '../tensor.ts';
import type { BinaryOp } from './arithmetic.ts';

const [A, B, C] = [f.operand(0), f.operand(1), f.operand(2)];

function comparison(name: Combination, formula: Formula): BinaryOp {
  return defineOp({
    name,
    causal: () => true,
    ignoresCotangent: () => true,
    forward(engine, inputs, _attributes, layout) {
      const shape = broadcastShape(
        name,
        inputs.map((x, i) => rowShape(x, layout, i)),
      );
      const [a, b] = inputs.map((array, i) => ({ array, extents: extentsOf(array, layout, i, shape.length) }));
      return { output: combine(engine, name, a, b, withRows(shape, layout)) };
    },
    pullback: () => [null, null],
    lower: (to, [a, b]) => to.elementwise(formula, a, b),
  });
}

/** 1 where a > b, else 0. @throws RangeError where the shapes do not broadcast */
export const greater = comparison('greater', f.pick(A, B, 1, 0));
/** 1 where a ≥ b, else 0. @throws RangeError where the shapes do not broadcast */
export const greaterEqual = comparison('greaterEqual', f.pick(B, A, 0, 1));
/** 1 where a = b, else 0. @throws RangeError where the shapes do not broadcast */
export const equal = comparison('equal', f.pick(A, B, 0, f.pick(B, A, 0, 1)));
/** 1 where a and b differ, else 0. @throws RangeError where the shapes do not broadcast */
export const notEqual = comparison('notEqual', f.pick(A, B, 1, f.pick(B, A, 1, 0)));
/** 1 where a < b, else 0. @throws RangeError where the shapes do not broadcast */
export const less = (a: Operand, b: Operand): Tensor => greater(b, a);
/** 1 where a ≤ b, else 0. @throws RangeError where the shapes do not broadcast */
export const lessEqual = (a: Operand, b: Operand): Tensor => greaterEqual(b, a);

const whereOp = defineOp({
  name: 'where',
  causal: () => true,
  showsThrough: true,
  forward(engine, inputs, _attributes, layout) {
    const shape = broadcastShape(
      'where',
      inputs.map((x, i) => rowShape(x, layout, i)),
    );
    const [c, a, b] = inputs.map((array, i) => ({ array, extents: extentsOf(array, layout, i, shape.length) }));
    return { output: combineThree(engine, 'where', [c, a, b], withRows(shape, layout)) };
  },
  pullback(engine, { tensors: [condition], inputs, layout, needs, output: { shape: to } }, dy) {
    const rank = layout.rows === undefined ? to.length : to.length - 1;
    // The choice is that of the forward pass, whatever pullbacks are shown.
    const chosen = { array: condition.array, extents: extentsOf(condition.array, layout, 0, rank) };
    const gradient = (name: Combination, i: number) =>
      needs[i] ? summedBack(engine, combine(engine, name, chosen, whole(dy), to), inputs[i], layout, i, rank) : null;
    return [null, gradient('keep', 1), gradient('drop', 2)];
  },
  lower: (to, [condition, a, b]) => to.elementwise(f.pick(A, 0, B, f.pick(0, A, B, C)), condition, a, b),
});

/** a where the condition is not 0, else b; no gradient goes to the condition. @throws RangeError where the shapes do not broadcast */
export const where = (condition: Operand, a: Operand, b: Operand): Tensor => whereOp(condition, a, b);
where.definition = whereOp.definition;

/** x as it is; no gradient comes back through it. */
export const stopGradient: (x: Tensor) => Tensor = defineOp({
  name: 'stopGradient',
  moves: true,
  withholds: true,
  causal: () => true,
  showsThrough: true,
  ignoresCotangent: () => true,
  forward: (_engine, [x]) => ({ output: x }),
  pullback: () => [null],
  lower: (_to, [x]) => x,
});
