import fc from 'fast-check';
import { blockMask } from '../../src/backend/block-mask.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { defineOp } from '../../src/tensor/define-op.ts';
import { allocateState } from '../../src/tensor/fire.ts';
import { allBlocks } from '../../src/tensor/ops/all-blocks.ts';
import { add, multiply, scale } from '../../src/tensor/ops/arithmetic.ts';
import { bernoulliDivergence, sigmoidCrossEntropy } from '../../src/tensor/ops/bernoulli.ts';
import { gateBlocks, scatterBlocks } from '../../src/tensor/ops/block-gates.ts';
import { type BlockShape, openBlocks } from '../../src/tensor/ops/block-shape.ts';
import { blocksToBlocks, blocksToDense, denseToBlocks } from '../../src/tensor/ops/blocks.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { gate } from '../../src/tensor/ops/gate.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { penalty } from '../../src/tensor/ops/penalty.ts';
import { meanRows, sumRows } from '../../src/tensor/ops/plates.ts';
import { ctc, lstm } from '../../src/tensor/ops/sequences.ts';
import { softmaxCrossEntropy } from '../../src/tensor/ops/softmax-cross-entropy.ts';
import type { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { examples, type OpCall } from '../helpers/gradient-check.ts';
import { type Draw, drawn, normal, uniform } from '../helpers/numbers.ts';
import { drawGates } from '../kernels/blocks-cases.ts';
import { offsetsOf, pointsOf, labelsOf as stringLengthOf } from '../kernels/sequence-cases.ts';

export interface OpCase {
  readonly calls: fc.Arbitrary<OpCall>;
  /** Calls that have a derivative, where not all have. */
  readonly smooth?: fc.Arbitrary<OpCall>;
  /**
   * A call with shapes that do not fit, and what the error must say; null for operations that take any shape, or that
   * only layers use, with shapes that fit.
   */
  readonly mistake: { readonly call: OpCall; readonly says: RegExp } | null;
  /** Which input is descended in place, where one is. */
  readonly descends?: number;
}

/** Extents, with 0, 1 and odd numbers among them. */
const extent = fc.nat(9);
const some = fc.integer({ min: 1, max: 9 });

/** An input with a row an example. */
const perExample = (...shape: number[]) => ({ shape, plate: examples(shape[0]) });
/** Whole numbers below a bound, one an example. */
export function labelsOf(tape: Tape, rows: number, classes: number, seed: number): Tensor {
  const labels = tape.engine.allocate([rows], 'labels');
  labels.integers.set(drawn((random) => random.integer(classes), rows, seed, 50));
  return tape.input(labels, tape.plates.examples(rows));
}

const matmulCall = (m: number, n: number, k: number, transposeB: boolean, bias: boolean, shared: boolean): OpCall => ({
  inputs: [
    { shape: [m, k], ...(!shared && { plate: examples(m) }) },
    { shape: transposeB ? [n, k] : [k, n] },
    ...(bias ? [{ shape: [n] }] : []),
  ],
  apply: ([a, b, c]) => matmul(a, b, c, { transposeB }),
});

/** Normal numbers that keep away from 0, where the rectifier has a kink. */
const offZero: Draw = (random) => {
  const x = random.normal();
  return x + Math.sign(x) * 0.05;
};

/** As many units as asked for, or the next number below that a neuron can have in a layer. */
function unitsFor({ mostUnits = Number.POSITIVE_INFINITY, group = 1 }: Neuron, asked: number): number {
  return Math.floor(Math.min(asked, mostUnits) / group) * group;
}

/** One layer of neurons, with all their draws. */
export function fireCall(spec: string, rows: number, asked: number, step: number): OpCall<NdArray | undefined> {
  const neuron = resolveNeuron(spec);
  const units = unitsFor(neuron, asked);
  return {
    prepare: ({ engine }) => allocateState(engine, neuron, units),
    inputs: [{ ...perExample(rows, units), draw: offZero }],
    apply: ([logits], state) =>
      fireTensor(logits, { neuron, mode: 'train', source: { key: [1, 2], step, layer: 3, draw: 4 }, state }),
    lossRows: rows,
  };
}

/** A layer of blocks: how many, of how many units, and which of them are open for which rows. */
interface Opening {
  readonly rows: number;
  readonly blocks: number;
  readonly size: number;
  readonly gates: Float32Array;
  readonly pairs: number;
}

const few = fc.constantFrom(0, 1, 2, 3, 5, 7);
/** Sixteenths that are open: none, few, many, and all of every row. Some rows and blocks are empty, see `drawGates`. */
const open = fc.constantFrom(0, 2, 8, 12, 40);
const sizes = fc.constantFrom(1, 2, 3, 8, 20);

const opening = (
  rows: number,
  { blocks, size, share, seed }: Record<'blocks' | 'size' | 'share' | 'seed', number>,
): Opening => {
  const gates = drawGates(rows, blocks, share, seed);
  return { rows, blocks, size, gates, pairs: gates.filter((gate) => gate !== 0).length };
};
const layerOfBlocks = fc.record({ blocks: fc.integer({ min: 1, max: 4 }), size: sizes, share: open, seed: fc.nat() });
export const openings = fc.tuple(few, layerOfBlocks).map(([rows, layer]) => opening(rows, layer));

/** The mask, on a tape's arena. */
export function shapeOf(tape: Tape, { rows, blocks, size, gates }: Opening): BlockShape {
  const fired = tape.engine.tensor(gates, [rows, blocks]);
  return openBlocks(tape.input(fired, tape.plates.examples(rows)), blockMask(tape.engine, fired), size);
}

const pairsOf = (_tape: Tape, { pairs }: BlockShape) => pairs;
const onBlocks = (
  o: Opening,
  inputs: OpCall<BlockShape>['inputs'],
  apply: OpCall<BlockShape>['apply'],
): OpCall<BlockShape> => ({ prepare: (tape) => shapeOf(tape, o), inputs, apply });

/** gateBlocks, with weights on the gates' gradient or not. */
const gateBlocksCall = (o: Opening, isWeighted: boolean): OpCall<BlockShape> => ({
  prepare: (tape) => ({
    ...shapeOf(tape, o),
    ...(isWeighted && {
      gradientWeights: tape.engine.tensor(drawn(normal(), o.rows * o.blocks, o.pairs, 51), [o.rows, o.blocks]),
    }),
  }),
  inputs: [perExample(o.rows, o.blocks), { shape: [o.pairs, o.size], plate: pairsOf }],
  apply: ([gates, values], shape) => gateBlocks(gates, values, shape),
});

/** Every neuron of the zoo, and those with options that change their kernels. */
export const neurons: readonly string[] = [
  ...Object.keys(zoo),
  'noisy-rectifier:noise=logistic,scale=0.5',
  'noisy-sigmoid:scale=2',
  'stochastic-binary:baseline=moving-average',
  'stochastic-binary:baseline=none',
  'stochastic-times-smooth:variant=code',
];

const both = (shape: [number, number], apply: OpCall['apply']): OpCall => ({
  inputs: [perExample(...shape), perExample(...shape)],
  apply,
});

/** Points of sequences that begin at these offsets. */
const pointsAt = (offsets: ArrayLike<number>) => (tape: Tape) => tape.plates.points(Int32Array.from(offsets));

/** Σ_c (mean of column c)³: a column's elements pull on one another. */
function cubedMeans({ values, rows, columns }: NdArray, { values: gradient }: NdArray): number {
  let total = 0;
  for (let c = 0; c < columns; c++) {
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += values[r * columns + c];
    const mean = rows === 0 ? 0 : sum / rows;
    total += mean ** 3;
    for (let r = 0; r < rows; r++) gradient[r * columns + c] = (3 * mean ** 2) / rows;
  }
  return total;
}

/** Draws rows several times, of which each weighs 1. */
const drawnRows = defineOp<{ readonly count: number }>({
  name: 'drawn',
  forward: (engine, [x], { count }) => ({
    output: engine.tensor(new Float32Array(count * x.rows)),
    draws: {
      count,
      byRow: false,
      weigh(loss, weights, total) {
        weights.values.fill(1);
        total.values.fill(0);
        const sums = total.values;
        loss.values.forEach((value, i) => {
          sums[i % sums.length] += value;
        });
      },
    },
  }),
  pullback: () => [null],
});

/** One row an operation. */
export const opCases = {
  matmul: {
    calls: fc
      .tuple(extent, extent, extent, fc.boolean(), fc.boolean(), fc.boolean())
      .map(([m, n, k, transposeB, bias, shared]) => matmulCall(m, n, k, transposeB, bias, shared)),
    mistake: {
      call: { inputs: [perExample(2, 3), { shape: [4, 5] }], apply: ([a, b]) => matmul(a, b) },
      says: /^matmul: the shapes \[3\] and \[4, 5\] do not fit\. Expected/,
    },
    descends: 1,
  },
  add: {
    calls: fc.tuple(extent, extent).map((shape) => both(shape, ([a, b]) => add(a, b))),
    mistake: {
      call: { inputs: [perExample(2, 3), perExample(2, 2)], apply: ([a, b]) => add(a, b) },
      says: /^add: the shapes \[3\] and \[2\] do not broadcast\. Expected/,
    },
  },
  'add, a bias': {
    calls: fc.tuple(extent, some).map(([rows, columns]) => ({
      inputs: [perExample(rows, columns), { shape: [columns] }],
      apply: ([x, bias]) => add(x, bias),
    })),
    mistake: null,
  },
  multiply: {
    calls: fc.tuple(extent, extent).map((shape) => both(shape, ([a, b]) => multiply(a, b))),
    mistake: {
      call: { inputs: [{ shape: [6] }, { shape: [2, 3] }], apply: ([a, b]) => multiply(a, b) },
      says: /^multiply: the shapes \[6\] and \[2, 3\] do not broadcast\. Expected/,
    },
  },
  scale: {
    calls: fc.tuple(extent, extent, fc.constantFrom(0, 1, -2.5, 0.375)).map(([rows, columns, factor]) => ({
      inputs: [perExample(rows, columns)],
      apply: ([x]) => scale(x, { factor }),
    })),
    mistake: null,
  },
  fire: {
    calls: fc.tuple(fc.constantFrom(...neurons), some, some, fc.nat()).map((a) => fireCall(...a)),
    smooth: fc
      .tuple(fc.constantFrom('tanh', 'sigmoid', 'rectifier', 'linear'), extent, some, fc.nat())
      .map((a) => fireCall(...a)),
    mistake: null,
  },
  gate: {
    calls: fc.tuple(extent, some, some).map(([rows, blocks, size]) => ({
      inputs: [perExample(rows, blocks), perExample(rows, blocks * size)],
      apply: ([gates, values]) => gate(gates, values, { size }),
    })),
    mistake: {
      call: {
        inputs: [perExample(2, 3), perExample(2, 13)],
        apply: ([gates, values]) => gate(gates, values, { size: 4 }),
      },
      says: /^gate: 2×3 gates of blocks of 4 do not fit values of 2×13\.$/,
    },
  },
  softmaxCrossEntropy: {
    calls: fc.tuple(extent, some, fc.nat()).map(([rows, columns, seed]) => ({
      prepare: (tape: Tape) => labelsOf(tape, rows, columns, seed),
      inputs: [{ ...perExample(rows, columns), draw: normal(3) }],
      apply: ([logits], labels: Tensor) => softmaxCrossEntropy(logits, labels),
    })),
    mistake: {
      call: {
        prepare: (tape: Tape) => tape.input(tape.engine.tensor([0, 0, 0])),
        inputs: [perExample(2, 3)],
        apply: ([logits], labels: Tensor) => softmaxCrossEntropy(logits, labels),
      },
      says: /^softmaxCrossEntropy: labels of the shape \[3\] do not fit logits of \[3\]\. Expected/,
    },
  },
  sigmoidCrossEntropy: {
    calls: fc.tuple(extent, extent).map((shape) => ({
      inputs: [
        { ...perExample(...shape), draw: normal(3) },
        { ...perExample(...shape), draw: uniform },
      ],
      apply: ([logits, targets]) => sigmoidCrossEntropy(logits, targets),
    })),
    mistake: {
      call: { inputs: [perExample(2, 3), { shape: [4, 3] }], apply: ([a, b]) => sigmoidCrossEntropy(a, b) },
      says: /^sigmoidCrossEntropy: predictions of the shape \[3\] and targets of \[4, 3\] differ\. Expected/,
    },
  },
  bernoulliDivergence: {
    calls: fc.tuple(extent, extent).map((shape) => ({
      inputs: [{ ...perExample(...shape), draw: normal(3) }],
      apply: ([logits]) => bernoulliDivergence(logits),
    })),
    mistake: null,
  },
  penalty: {
    calls: fc.tuple(extent, some).map((shape) => ({
      inputs: [perExample(...shape)],
      apply: ([x]) => penalty(x, { evaluate: cubedMeans }),
    })),
    mistake: null,
  },
  'lift to draws': {
    calls: fc.tuple(extent, extent, some).map(([rows, columns, count]) => ({
      inputs: [perExample(rows, columns)],
      apply([x]) {
        drawnRows(x, { count });
        return x.tape.atDraws(x);
      },
      lossRows: rows,
    })),
    mistake: null,
  },
  'lift to points': {
    calls: fc.tuple(extent, extent).map(([count, columns]) => {
      const offsets = offsetsOf((s) => (3 * s + 2) % 5, count);
      return {
        inputs: [{ ...perExample(count, columns) }],
        apply: ([x]) => x.tape.lift(x, x.tape.plates.points(Int32Array.from(offsets))),
      };
    }),
    mistake: null,
  },
  sumRows: {
    calls: fc.tuple(extent, extent).map(([count, columns]) => {
      const offsets = offsetsOf((s) => (3 * s + 2) % 5, count);
      return { inputs: [{ shape: [offsets[count], columns], plate: pointsAt(offsets) }], apply: ([x]) => sumRows(x) };
    }),
    mistake: {
      call: { inputs: [{ shape: [3] }], apply: ([x]) => sumRows(x) },
      says: /^sumRows: values that all rows share were given\. Expected rows/,
    },
  },
  meanRows: {
    calls: fc.tuple(extent, extent).map(([count, columns]) => {
      const offsets = offsetsOf((s) => (3 * s + 2) % 5, count);
      return { inputs: [{ shape: [offsets[count], columns], plate: pointsAt(offsets) }], apply: ([x]) => meanRows(x) };
    }),
    mistake: null,
  },
  allBlocks: {
    calls: fc.tuple(few, extent, fc.integer({ min: 1, max: 4 }), sizes).map(([rows, inputs, blocks, size]) => ({
      inputs: [perExample(rows, inputs), { shape: [blocks, inputs, size] }, { shape: [blocks * size] }],
      apply: ([x, weights, bias]) => allBlocks(x, weights, bias, { blocks, size }),
    })),
    mistake: null,
    descends: 1,
  },
  denseToBlocks: {
    calls: fc
      .tuple(openings, extent)
      .map(([o, inputs]) =>
        onBlocks(
          o,
          [perExample(o.rows, inputs), { shape: [o.blocks, inputs, o.size] }, { shape: [o.blocks * o.size] }],
          ([x, weights, bias], shape) => denseToBlocks(x, weights, bias, shape),
        ),
      ),
    mistake: null,
    descends: 1,
  },
  blocksToDense: {
    calls: fc
      .tuple(openings, extent)
      .map(([o, outputs]) =>
        onBlocks(
          o,
          [{ shape: [o.pairs, o.size], plate: pairsOf }, { shape: [o.blocks * o.size, outputs] }, { shape: [outputs] }],
          ([values, weights, bias], shape) => blocksToDense(values, weights, bias, shape),
        ),
      ),
    mistake: null,
    descends: 1,
  },
  blocksToBlocks: {
    calls: fc.tuple(few, layerOfBlocks, layerOfBlocks).map(([rows, below, above]) => {
      const [from, to] = [opening(rows, below), opening(rows, above)];
      return {
        prepare: (tape: Tape) => ({ from: shapeOf(tape, from), to: shapeOf(tape, to) }),
        inputs: [
          {
            shape: [from.pairs, from.size],
            plate: (_tape: Tape, shapes: { readonly from: BlockShape }) => shapes.from.pairs,
          },
          { shape: [to.blocks, from.blocks * from.size, to.size] },
          { shape: [to.blocks * to.size] },
        ],
        apply: ([values, weights, bias], shapes: { readonly from: BlockShape; readonly to: BlockShape }) =>
          blocksToBlocks(values, weights, bias, shapes),
      };
    }),
    mistake: null,
    descends: 1,
  },
  gateBlocks: {
    calls: fc.tuple(openings, fc.boolean()).map(([o, isWeighted]) => gateBlocksCall(o, isWeighted)),
    smooth: openings.map((o) => gateBlocksCall(o, false)),
    mistake: null,
  },
  scatterBlocks: {
    calls: openings.map((o) =>
      onBlocks(o, [{ shape: [o.pairs, o.size], plate: pairsOf }], ([values], shape) => scatterBlocks(values, shape)),
    ),
    mistake: null,
  },
  lstm: {
    calls: fc.tuple(fc.nat(5), some, fc.boolean()).map(([count, units, backwards]) => {
      const offsets = offsetsOf((s) => (3 * s + 2) % 5, count);
      return {
        inputs: [
          { shape: [offsets[count], 4 * units], plate: pointsAt(offsets) },
          { shape: [units, 4 * units], draw: normal(0.4) },
        ],
        apply: ([x, recurrent]) => lstm(x, recurrent, { backwards }),
      };
    }),
    mistake: {
      call: { inputs: [perExample(3, 8), { shape: [2, 8] }], apply: ([x, recurrent]) => lstm(x, recurrent) },
      says: /^lstm reads sequences, and the rows of 3 examples were given\. Expected points of sequences\.$/,
    },
  },
  ctc: {
    calls: fc.tuple(fc.nat(5), fc.integer({ min: 2, max: 6 }), fc.nat()).map(([count, columns, seed]) => {
      const [offsets, places] = [offsetsOf(pointsOf, count), offsetsOf(stringLengthOf, count)];
      const labels = Int32Array.from(drawn((random) => random.integer(columns - 1), places[count], seed, 52));
      return {
        inputs: [{ shape: [offsets[count], columns], plate: pointsAt(offsets), draw: normal(2) }],
        apply: ([logits]) => ctc(logits, { labels, offsets: Int32Array.from(places) }),
      };
    }),
    mistake: {
      call: {
        inputs: [{ shape: [3, 4], plate: pointsAt(Int32Array.of(0, 3)) }],
        apply: ([logits]) => ctc(logits, { labels: Int32Array.of(2, 2, 0), offsets: Int32Array.of(0, 3) }),
      },
      says: /^ctc: sequence 0 has 3 points; its 3 labels need 4 or more\.$/,
    },
  },
} satisfies Record<string, OpCase>;
