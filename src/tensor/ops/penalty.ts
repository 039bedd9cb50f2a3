import type { NdArray } from '../../backend/nd-array.ts';
import { defineOp, like } from '../define-op.ts';

/** A penalty's value, and its gradient written into `gradient` (rows × columns, like `values`). */
export type PenaltyFunction = (values: NdArray, gradient: NdArray) => number;

/** A penalty on all rows of x together, with a gradient of its own: one number, shape []. */
export const penalty = defineOp<{ readonly evaluate: PenaltyFunction }>({
  name: 'penalty',
  plates: ([x]) => ({ inputs: [x.plate], output: undefined }),
  forward(engine, [x], { evaluate }) {
    const output = engine.allocate([], 'a penalty');
    const gradient = like(engine, x, 'the gradient of a penalty');
    output.values[0] = evaluate(x, gradient);
    return { output, saved: [gradient] };
  },
  pullback(engine, { saved: [gradient] }, dy) {
    const output = like(engine, gradient, 'the gradient of a penalty');
    engine.backend.run('scale', gradient.pointer, output.pointer, gradient.size, dy.values[0]);
    return [output];
  },
});
