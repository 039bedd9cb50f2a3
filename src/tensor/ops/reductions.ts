/** Sums and other reductions over the axes of a row. */

import type { Engine } from '../../backend/engine.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import type { ReductionName } from '../../kernels/axes.ts';
import { f } from '../../neurons/formula.ts';
import { checkNames, type NamesOf } from '../../schema/names.ts';
import { defineOp, type Forward, type OpDefinition, type OpRecord } from '../define-op.ts';
import type { Portable, PortableValue } from '../portable.ts';
import { seenOutput } from '../seen-output.ts';
import { axesOf, rowShape, type Shape, sizeOf, withRows } from '../shape.ts';
import { type Broadcast, combine, combineThree, reducedOver, repeated, scaled, whole } from '../strided.ts';
import type { Tensor } from '../tensor.ts';

/** `keepDims` leaves extents of 1 where the axes were. */
export interface ReductionOptions {
  readonly keepDims?: boolean;
}

const NAMES: NamesOf<ReductionOptions> = { keepDims: true };

/** A reduction over axes (negative ones count from the end); over a whole row where none is given. */
export interface ReductionOp {
  (x: Tensor, axes?: number | readonly number[], options?: ReductionOptions): Tensor;
  readonly definition: OpDefinition<Attributes>;
}

interface Attributes extends ReductionOptions {
  readonly axes?: number | readonly number[] | undefined;
}

/** What is reduced: axes of the whole array, elements that become one, and the output's extents with and without those axes. */
interface Plan {
  readonly axes: readonly number[];
  readonly count: number;
  readonly kept: Shape;
  readonly shape: Shape;
}

function planOf(
  name: string,
  { inputs: [x], attributes, layout }: Pick<OpRecord<Attributes>, 'inputs' | 'attributes' | 'layout'>,
): Plan {
  const row = rowShape(x, layout, 0);
  const axes = axesOf(name, attributes.axes, row);
  const gone = new Set(axes);
  const kept = row.map((extent, d) => (gone.has(d) ? 1 : extent));
  const shape = attributes.keepDims ? kept : kept.filter((_, d) => !gone.has(d));
  return {
    axes: axes.map((axis) => axis + Number(layout.plated[0])),
    count: sizeOf(axes.map((axis) => row[axis])),
    kept: withRows(kept, layout),
    shape: withRows(shape, layout),
  };
}

interface Reduction extends Pick<OpDefinition, 'showsThrough'> {
  readonly kernel: ReductionName;
  /** What else becomes of the reduced array. @throws RangeError where nothing is to be reduced and that has no meaning */
  finish?(engine: Engine, output: NdArray, plan: Plan): NdArray;
  /** The gradient; y and its cotangent dy have extents of 1 where the axes were. `y` is made when it is asked for. */
  gradient(engine: Engine, x: NdArray, y: () => Broadcast, dy: Broadcast, plan: Plan): NdArray;
  /** For exports; extents of 1 stay where the axes were. `count` elements become one. */
  lower(to: Portable, x: PortableValue, axes: readonly number[], count: number): PortableValue;
}

function reduction(name: string, { kernel, finish, gradient, lower, ...options }: Reduction): ReductionOp {
  const op = defineOp<Attributes>({
    name,
    causal: () => true,
    ...options,
    forward(engine, inputs, attributes, layout): Forward {
      const plan = planOf(name, { inputs, attributes, layout });
      const output = reducedOver(engine, kernel, inputs[0], plan.axes);
      return { output: (finish?.(engine, output, plan) ?? output).reshaped(plan.shape) };
    },
    pullback(engine, record, dy) {
      const plan = planOf(name, record);
      const kept = (array: NdArray): Broadcast => ({ array, extents: plan.kept });
      return [gradient(engine, record.inputs[0], () => kept(seenOutput(engine, record)), kept(dy), plan)];
    },
    lower(to, [x], { attributes, result }) {
      const axes = axesOf(name, attributes.axes, x.shape);
      return to.reshape(lower(to, x, axes, sizeOf(axes.map((axis) => x.shape[axis]))), result.shape);
    },
  });
  const apply = (x: Tensor, axes?: number | readonly number[], options: ReductionOptions = {}) => {
    checkNames(name, options, NAMES);
    const { keepDims = false } = options;
    return op(x, { axes, keepDims });
  };
  return Object.assign(apply, { definition: op.definition });
}

/** The sum; 0 of nothing. @throws RangeError for an axis that is not there */
export const sum = reduction('sum', {
  kernel: 'sum',
  showsThrough: true,
  gradient: (engine, x, _y, dy) => repeated(engine, dy, x.shape),
  lower: (to, x, axes) => to.reduce('sum', x, axes),
});

/** The mean; NaN of nothing. @throws RangeError for an axis that is not there */
export const mean = reduction('mean', {
  kernel: 'sum',
  showsThrough: true,
  finish: (engine, output, { count }) => scaled(engine, output, 1 / count),
  gradient: (engine, x, _y, { array, extents }, { count }) =>
    repeated(engine, { array: scaled(engine, array, 1 / count), extents }, x.shape),
  lower: (to, x, axes, count) => to.elementwise(f.multiply(1 / count, f.logit), to.reduce('sum', x, axes)),
});

/** The largest; NaN where one is. Equal ones share the gradient. @throws RangeError for an axis that is not there, or without elements */
export const max = reduction('max', {
  kernel: 'max',
  finish(_engine, output, { count }) {
    if (count === 0 && output.size > 0)
      throw new RangeError('max: an axis has no elements, and nothing is the largest of none. Expected at least one.');
    return output;
  },
  gradient(engine, x, y, dy, { axes, kept }) {
    const largest = combine(engine, 'equal', whole(x), y(), x.shape);
    const ties = { array: reducedOver(engine, 'sum', largest, axes), extents: kept };
    const shares = { array: combine(engine, 'divide', dy, ties, kept), extents: kept };
    return combine(engine, 'multiply', whole(largest), shares, x.shape);
  },
  lower: (to, x, axes) => to.reduce('max', x, axes),
});

/** log Σ e^x, without overflow; −∞ of nothing. @throws RangeError for an axis that is not there */
export const logSumExp = reduction('logSumExp', {
  kernel: 'logSumExp',
  gradient: (engine, x, y, dy) => combineThree(engine, 'shareOfSum', [whole(x), y(), dy], x.shape),
  lower: lowerLogSumExp,
});

/** largest + log Σ e^(x − largest) */
export function lowerLogSumExp(to: Portable, x: PortableValue, axes: readonly number[]): PortableValue {
  const largest = to.reduce('max', x, axes);
  const terms = to.elementwise(f.exp(f.subtract(f.logit, f.operand(1))), x, largest);
  return to.elementwise(f.add(f.logit, f.log(f.operand(1))), largest, to.reduce('sum', terms, axes));
}
