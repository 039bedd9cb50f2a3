/** Calls of the operations of flipgrad/tensor, for the tests of their gradients, kernels and rows. */
import fc from 'fast-check';
import * as t from '../../src/tensor/index.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { type Draw, normal, uniform } from '../helpers/numbers.ts';

/** An argument of a call: shape of one row, and how its elements are drawn. */
export interface Argument {
  readonly shape: readonly number[];
  readonly draw?: Draw;
  /** Whole numbers below this. */
  readonly below?: number;
  /** Stands on no plate, whatever others do. */
  readonly shared?: true;
}

export interface Call {
  readonly inputs: readonly Argument[];
  run(...tensors: Tensor[]): Tensor;
}

/**
 * Numbers that differ by 2⁻¹⁰ or more, none of them near 0: the two points of a difference lie on one side of every kink. Times 1.25 (a second
 * draw) they keep 2⁻¹³ from those of `between` and from whole numbers.
 */
export const distinct: Draw = (random, i) => random.integer(8) - 4 + (i + 0.5) / 1024;
/** The same, and between those. */
const between: Draw = (random, i) => random.integer(8) - 4 + (i + 0.25) / 1024;
const positive: Draw = (random) => 0.3 + 2 * random.uniform();

const extent = fc.constantFrom(0, 1, 2, 3, 5);
const some = fc.constantFrom(1, 2, 3, 5);
const shapes = (element: fc.Arbitrary<number>, least = 0, most = 3) =>
  fc.array(element, { minLength: least, maxLength: most });
const shape = shapes(extent);

/** Shapes that broadcast to one: without some of its first extents, with 1 in the place of others. */
const broadcasting = (count: number): fc.Arbitrary<number[][]> =>
  shape.chain((to) =>
    fc
      .array(fc.tuple(fc.nat(to.length), fc.nat(2 ** to.length - 1)), { minLength: count, maxLength: count })
      .map((cuts) => cuts.map(([drop, ones]) => to.map((n, d) => ((ones >> d) & 1 ? 1 : n)).slice(drop))),
  );

const binary = (op: (a: Tensor, b: Tensor) => Tensor, ...draws: readonly Draw[]): fc.Arbitrary<Call> =>
  broadcasting(2).map((two) => ({
    inputs: two.map((of, i) => ({ shape: of, draw: draws[i] ?? normal() })),
    run: (a, b) => op(a, b),
  }));

const unary = (op: (x: Tensor) => Tensor, draw: Draw = normal()): fc.Arbitrary<Call> =>
  shape.map((of) => ({ inputs: [{ shape: of, draw }], run: (x) => op(x) }));

/** A shape and some of its axes, counted from either end; no axes at all are all of them. */
const axes = (extents: fc.Arbitrary<number>) =>
  shapes(extents).chain((of) =>
    fc
      .tuple(fc.option(fc.subarray(of.map((_, d) => d)), { nil: undefined }), fc.boolean(), fc.boolean())
      .map(([list, negative, keepDims]) => ({
        shape: of,
        axes: list?.map((axis) => (negative ? axis - of.length : axis)),
        keepDims,
      })),
  );

const reduction = (op: t.ReductionOp, extents = extent, draw: Draw = normal()): fc.Arbitrary<Call> =>
  axes(extents).map(({ shape: of, axes: list, keepDims }) => ({
    inputs: [{ shape: of, draw }],
    run: (x) => op(x, list, { keepDims }),
  }));

const alongAxis = (op: (x: Tensor, axis?: number) => Tensor): fc.Arbitrary<Call> =>
  shapes(some, 1).chain((of) =>
    fc
      .integer({ min: -of.length, max: of.length - 1 })
      .map((axis) => ({ inputs: [{ shape: of, draw: normal(2) }], run: (x) => op(x, axis) })),
  );

const loss = (op: (a: Tensor, b: Tensor) => Tensor): fc.Arbitrary<Call> =>
  shape.map((of) => ({
    inputs: [
      { shape: of, draw: distinct },
      { shape: of, draw: between },
    ],
    run: (a, b) => op(a, b),
  }));

/** Shapes that a matrix product takes: vectors, matrices and batches that broadcast. */
const products: fc.Arbitrary<Call> = fc
  .tuple(broadcasting(2), extent, extent, extent, fc.constantFrom(0, 0, 0, 1, 2, 3), fc.nat(7))
  .map(([[leadA, leadB], m, n, k, vectors, options]): Call => {
    const [transposeA, transposeB, biased] = [1, 2, 4].map((bit) => (options & bit) !== 0);
    const a = vectors & 1 ? [k] : [...leadA.slice(0, 2), ...(transposeA ? [k, m] : [m, k])];
    const b = vectors & 2 ? [k] : [...leadB.slice(0, 2), ...(transposeB ? [n, k] : [k, n])];
    const bias = biased && !(vectors & 2) ? [{ shape: [n] }] : [];
    return {
      inputs: [{ shape: a }, { shape: b }, ...bias],
      run: (x, y, z) => t.matmul(x, y, z, { transposeA, transposeB }),
    };
  })
  .filter(({ inputs: [a, b] }) => leadsFit(a.shape.slice(0, -2), b.shape.slice(0, -2)));

const leadsFit = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((n, i) => {
    const other = b[i + b.length - a.length];
    return other === undefined || n === 1 || other === 1 || n === other;
  });

const transposes: fc.Arbitrary<Call> = shape.chain((of) =>
  fc
    .option(
      fc.shuffledSubarray(
        of.map((_, d) => d),
        { minLength: of.length },
      ),
      { nil: undefined },
    )
    .map((order) => ({ inputs: [{ shape: of }], run: (x) => t.transpose(x, order) })),
);

const slices: fc.Arbitrary<Call> = shape.chain((of) =>
  fc
    .tuple(
      fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: of.length }),
      fc.array(fc.option(fc.integer({ min: -4, max: 6 }), { nil: undefined }), { maxLength: of.length }),
    )
    .map(([starts, ends]) => ({ inputs: [{ shape: of }], run: (x) => t.slice(x, starts, ends) })),
);

const joins: fc.Arbitrary<Call> = shapes(extent, 1).chain((of) =>
  fc.tuple(fc.nat(of.length - 1), fc.array(extent, { minLength: 1, maxLength: 3 })).map(([axis, lengths]) => ({
    inputs: lengths.map((length) => ({ shape: of.with(axis, length) })),
    run: (...tensors) => t.concatenate(tensors, axis - of.length),
  })),
);

const stacks: fc.Arbitrary<Call> = shapes(extent, 0, 2).chain((of) =>
  fc.tuple(fc.integer({ min: -of.length - 1, max: of.length }), some).map(([axis, count]) => ({
    inputs: Array.from({ length: count }, () => ({ shape: of })),
    run: (...tensors) => t.stack(tensors, axis),
  })),
);

const gathers: fc.Arbitrary<Call> = fc
  .tuple(some, shapes(extent, 0, 2), shapes(extent, 0, 2))
  .map(([rows, rest, of]) => ({
    inputs: [
      { shape: [rows, ...rest], shared: true },
      { shape: of, below: rows },
    ],
    run: (table, indices) => t.gather(table, indices),
  }));

const scatters: fc.Arbitrary<Call> = fc
  .tuple(some, shapes(extent, 0, 2), shapes(extent, 0, 2))
  .map(([rows, rest, of]) => ({
    inputs: [{ shape: [...of, ...rest] }, { shape: of, below: rows }],
    run: (values, indices) => t.scatterAdd(values, indices, rows),
  }));

/** Windows that fit into pictures, over each other and apart. */
const pools: fc.Arbitrary<Call> = fc
  .tuple(fc.nat(3), fc.nat(3), some, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.nat(3))
  .map(([more, wider, channels, rows, columns, options]) => ({
    inputs: [{ shape: [...(options & 1 ? [2] : []), rows + more, columns + wider, channels], draw: distinct }],
    run: (x) =>
      t.pool(x, { size: [rows, columns], stride: [1 + (more % 2), columns], by: options & 2 ? 'max' : 'mean' }),
  }));

/** Pictures, windows that fit into them with zeros around, and strides. */
const convolutions = fc
  .record({
    size: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    more: fc.tuple(fc.nat(3), fc.nat(3)),
    channels: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(fc.nat(1), fc.nat(2)),
  })
  .map(({ size, more, channels, outputs, stride, padding }) => ({
    size,
    outputs,
    picture: [size[0] + more[0], size[1] + more[1], channels],
    options: { stride, padding },
  }));

/** Shapes of positions × classes. */
const classified = (
  targets: (positions: number[], classes: number) => Argument,
  op: (x: Tensor, y: Tensor) => Tensor,
) =>
  fc.tuple(shapes(extent, 0, 2), some).map(([of, classes]) => ({
    inputs: [{ shape: [...of, classes], draw: normal(3) }, targets(of, classes)],
    run: (x: Tensor, y: Tensor) => op(x, y),
  }));

/** One row an operation of flipgrad/tensor that has a gradient; `test/tensor/nd-ops.test.ts` says which have none. */
export const calls: Record<string, fc.Arbitrary<Call>> = {
  add: binary(t.add),
  subtract: binary(t.subtract),
  multiply: binary(t.multiply),
  divide: binary(t.divide, normal(), positive),
  power: binary(t.power, positive, normal()),
  maximum: binary(t.maximum, distinct, between),
  minimum: binary(t.minimum, distinct, between),
  negate: unary(t.negate),
  scale: unary((x) => t.scale(x, { factor: -1.75 })),
  exp: unary(t.exp),
  log: unary(t.log, positive),
  sqrt: unary(t.sqrt, positive),
  abs: unary(t.abs, distinct),
  square: unary(t.square),
  clip: unary((x) => t.clip(x, -1, 2), distinct),
  sigmoid: unary(t.sigmoid, normal(3)),
  tanh: unary(t.tanh),
  softplus: unary(t.softplus, normal(3)),
  where: broadcasting(3).map((three) => ({
    inputs: three.map((of) => ({ shape: of, draw: distinct })),
    run: (c, a, b) => t.where(t.greater(c, 0), a, b),
  })),
  greater: binary((a, b) => t.multiply(t.greater(a, b), b), distinct, between),
  greaterEqual: binary((a, b) => t.multiply(t.greaterEqual(a, b), b), distinct, between),
  less: binary((a, b) => t.multiply(t.less(a, b), b), distinct, between),
  lessEqual: binary((a, b) => t.multiply(t.lessEqual(a, b), b), distinct, between),
  equal: binary((a, b) => t.add(t.equal(a, b), b), distinct, between),
  notEqual: binary((a, b) => t.multiply(t.notEqual(a, b), b), distinct, between),
  sum: reduction(t.sum),
  mean: reduction(t.mean, some),
  max: reduction(t.max, some, distinct),
  logSumExp: reduction(t.logSumExp, some),
  softmax: alongAxis(t.softmax),
  logSoftmax: alongAxis(t.logSoftmax),
  reshape: shape.map((of) => ({ inputs: [{ shape: of }], run: (x) => t.reshape(x, [...of].reverse()) })),
  expandDims: shape.chain((of) =>
    fc
      .integer({ min: -of.length - 1, max: of.length })
      .map((axis) => ({ inputs: [{ shape: of }], run: (x) => t.expandDims(x, axis) })),
  ),
  squeeze: shape.map((of) => ({ inputs: [{ shape: of }], run: (x) => t.squeeze(x) })),
  transpose: transposes,
  broadcastTo: broadcasting(1).chain(([of]) =>
    fc.tuple(shapes(extent, 0, 1), fc.nat(5)).map(([lead, n]) => ({
      inputs: [{ shape: of }],
      run: (x) => t.broadcastTo(x, [...lead, ...of.map((own) => (own === 1 ? n : own))]),
    })),
  ),
  slice: slices,
  concatenate: joins,
  stack: stacks,
  gather: gathers,
  scatterAdd: scatters,
  matmul: products,
  layerNorm: shapes(some, 1).map((of) => ({
    inputs: [
      { shape: of, draw: distinct },
      { shape: of.slice(-1), shared: true },
      { shape: of.slice(-1), shared: true },
    ],
    run: (x, gain, bias) => t.layerNorm(x, gain, bias, { epsilon: 0.5 }),
  })),
  pool: pools,
  convolution: convolutions.map(({ picture, size, options, outputs }) => ({
    inputs: [
      { shape: picture },
      { shape: [...size, picture[2], outputs], shared: true },
      { shape: [outputs], shared: true },
    ],
    run: (x, w, b) => t.convolution(x, w, b, options),
  })),
  depthwise: convolutions.map(({ picture, size, options }) => ({
    inputs: [
      { shape: picture },
      { shape: [...size, picture[2]], shared: true },
      { shape: picture.slice(2), shared: true },
    ],
    run: (x, w, b) => t.depthwise(x, w, b, options),
  })),
  squaredError: loss(t.squaredError),
  absoluteError: loss(t.absoluteError),
  huber: fc
    .constantFrom(undefined, 0.5, 3)
    .chain((delta) => loss((a, b) => t.huber(a, b, delta === undefined ? {} : { delta }))),
  crossEntropy: classified((of, classes) => ({ shape: [...of, classes], draw: uniform }), t.crossEntropy),
  softmaxCrossEntropy: classified((of, classes) => ({ shape: of, below: classes }), t.softmaxCrossEntropy),
  sigmoidCrossEntropy: shape.map((of) => ({
    inputs: [
      { shape: of, draw: normal(3) },
      { shape: of, draw: uniform },
    ],
    run: (a, b) => t.sigmoidCrossEntropy(a, b),
  })),
  bernoulliDivergence: unary((x) => t.bernoulliDivergence(x), normal(3)),
};
