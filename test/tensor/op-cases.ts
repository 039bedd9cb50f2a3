import fc from 'fast-check';
import { blockMask } from '../../src/backend/block-mask.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { NdArray } from '../../src/backend/nd-array.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import type { BlockShape } from '../../src/tensor/block-ops.ts';
import { drawsOf } from '../../src/tensor/draws.ts';
import { allocateState } from '../../src/tensor/fire.ts';
import type { OpName } from '../../src/tensor/ops.ts';
import { wholeNumbers } from '../../src/tensor/sequence-ops.ts';
import { integers } from '../helpers/engines.ts';
import type { OpCall } from '../helpers/gradient-check.ts';
import { type Draw, drawn, normal, uniform } from '../helpers/numbers.ts';
import { drawGates } from '../kernels/blocks-cases.ts';
import { offsetsOf, pointsOf, labelsOf as stringLengthOf } from '../kernels/sequence-cases.ts';

export interface OpCase<N extends OpName> {
  readonly calls: fc.Arbitrary<OpCall<N>>;
  /** Calls that have a derivative, where not all have. */
  readonly smooth?: fc.Arbitrary<OpCall<N>>;
  /**
   * A call with shapes that do not fit, and what the error must say; null for operations that take any shape, or that
   * only layers use, with shapes that fit.
   */
  readonly mistake: { readonly call: OpCall<N>; readonly says: RegExp } | null;
}

/** Extents, with 0, 1 and odd numbers among them. */
const extent = fc.nat(9);
const some = fc.integer({ min: 1, max: 9 });
const none = () => ({});

/** Whole numbers below a bound, as a tensor. */
export function labelsOf(engine: Engine, rows: number, classes: number, seed: number): NdArray {
  const values = drawn((random) => random.integer(classes), rows, seed, 50);
  return new NdArray(engine.backend.heap, integers(engine, values).pointer, [rows]);
}

const matmulCall = (m: number, n: number, k: number, transposeA: boolean, transposeB: boolean, bias: boolean) =>
  ({
    inputs: [
      { shape: transposeA ? [k, m] : [m, k] },
      { shape: transposeB ? [n, k] : [k, n] },
      ...(bias ? [{ shape: [n] }] : []),
    ],
    attributes: () => ({ transposeA, transposeB }),
  }) satisfies OpCall<'matmul'>;

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
export function fireCall(spec: string, rows: number, asked: number, step: number): OpCall<'fire'> {
  const neuron = resolveNeuron(spec);
  const units = unitsFor(neuron, asked);
  return {
    inputs: [{ shape: [rows, units], draw: offZero }],
    attributes: (engine) => ({
      neuron,
      mode: 'train',
      source: { key: [1, 2], step, layer: 3, draw: 4 },
      state: allocateState(engine, neuron, units),
    }),
    lossRows: rows * drawsOf(neuron, units),
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

/** The mask, on an engine's arena. */
export function shapeOf(engine: Engine, { rows, blocks, size, gates }: Opening): BlockShape {
  return { mask: blockMask(engine, engine.tensor(gates, [rows, blocks])), size };
}

const onBlocks = (o: Opening, ...shapes: (readonly number[])[]) => ({
  inputs: shapes.map((shape) => ({ shape })),
  attributes: (engine: Engine) => shapeOf(engine, o),
});

/** gateBlocks, with weights on the gates' gradient or not. */
const gateBlocksCall = (o: Opening, weighted: boolean): OpCall<'gateBlocks'> => ({
  inputs: [{ shape: [o.rows, o.blocks] }, { shape: [o.pairs, o.size] }],
  attributes: (engine) => ({
    ...shapeOf(engine, o),
    ...(weighted && {
      gradientWeights: engine.tensor(drawn(normal(), o.rows * o.blocks, o.pairs, 51), [o.rows, o.blocks]),
    }),
  }),
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

/** One row an operation; a missing row is a compile error. */
export const opCases = {
  matmul: {
    calls: fc.tuple(extent, extent, extent, fc.boolean(), fc.boolean(), fc.boolean()).map((a) => matmulCall(...a)),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }, { shape: [4, 5] }], attributes: none },
      says: /^matmul: 2×3 times 4×5 does not fit\.$/,
    },
  },
  add: {
    calls: fc.tuple(extent, extent).map((shape) => ({ inputs: [{ shape }, { shape }], attributes: none })),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }, { shape: [3, 2] }], attributes: none },
      says: /^add: the shapes \[2, 3\] and \[3, 2\] differ\.$/,
    },
  },
  multiply: {
    calls: fc.tuple(extent, extent).map((shape) => ({ inputs: [{ shape }, { shape }], attributes: none })),
    mistake: {
      call: { inputs: [{ shape: [6] }, { shape: [2, 3] }], attributes: none },
      says: /^multiply: the shapes \[6\] and \[2, 3\] differ\.$/,
    },
  },
  scale: {
    calls: fc
      .tuple(extent, extent, fc.constantFrom(0, 1, -2.5, 0.375))
      .map(([rows, columns, factor]) => ({ inputs: [{ shape: [rows, columns] }], attributes: () => ({ factor }) })),
    mistake: null,
  },
  addBias: {
    calls: fc
      .tuple(extent, some)
      .map(([rows, columns]) => ({ inputs: [{ shape: [rows, columns] }, { shape: [columns] }], attributes: none })),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }, { shape: [2] }], attributes: none },
      says: /^addBias: the bias has 2 elements, the rows have 3\.$/,
    },
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
      inputs: [{ shape: [rows, blocks] }, { shape: [rows, blocks * size] }],
      attributes: () => ({ size }),
    })),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }, { shape: [2, 13] }], attributes: () => ({ size: 4 }) },
      says: /^gate: 2×3 gates of blocks of 4 do not fit values of 2×13\.$/,
    },
  },
  softmaxCrossEntropy: {
    calls: fc.tuple(extent, some, fc.nat()).map(([rows, columns, seed]) => ({
      inputs: [{ shape: [rows, columns], draw: normal(3) }],
      attributes: (engine) => ({ labels: labelsOf(engine, rows, columns, seed) }),
    })),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }], attributes: (engine) => ({ labels: labelsOf(engine, 3, 3, 1) }) },
      says: /^softmaxCrossEntropy: 3 labels do not fit 2 rows of logits\.$/,
    },
  },
  sigmoidCrossEntropy: {
    calls: fc.tuple(extent, extent).map((shape) => ({
      inputs: [
        { shape, draw: normal(3) },
        { shape, draw: uniform },
      ],
      attributes: none,
    })),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }, { shape: [4, 3] }], attributes: none },
      says: /^sigmoidCrossEntropy: 2×3 logits do not fit 4×3 targets\.$/,
    },
  },
  bernoulliDivergence: {
    calls: fc.tuple(extent, extent).map((shape) => ({ inputs: [{ shape, draw: normal(3) }], attributes: none })),
    mistake: null,
  },
  penalty: {
    calls: fc.tuple(extent, some).map((shape) => ({
      inputs: [{ shape }],
      // Σ_c (mean of column c)³: a column's elements pull on one another.
      attributes: () => ({
        evaluate(values, rows, columns, gradient) {
          let total = 0;
          for (let c = 0; c < columns; c++) {
            let sum = 0;
            for (let r = 0; r < rows; r++) sum += values[r * columns + c];
            const mean = rows === 0 ? 0 : sum / rows;
            total += mean ** 3;
            for (let r = 0; r < rows; r++) gradient[r * columns + c] = (3 * mean ** 2) / rows;
          }
          return total;
        },
      }),
    })),
    mistake: null,
  },
  repeatRows: {
    calls: fc.tuple(extent, extent, some).map(([rows, columns, times]) => ({
      inputs: [{ shape: [rows, columns] }],
      attributes: () => ({ times }),
    })),
    mistake: null,
  },

  allBlocks: {
    calls: fc.tuple(few, extent, fc.integer({ min: 1, max: 4 }), sizes).map(([rows, inputs, blocks, size]) => ({
      inputs: [{ shape: [rows, inputs] }, { shape: [blocks, inputs, size] }, { shape: [blocks * size] }],
      attributes: () => ({ blocks, size }),
    })),
    mistake: null,
  },
  denseToBlocks: {
    calls: fc
      .tuple(openings, extent)
      .map(([o, inputs]) => onBlocks(o, [o.rows, inputs], [o.blocks, inputs, o.size], [o.blocks * o.size])),
    mistake: null,
  },
  blocksToDense: {
    calls: fc
      .tuple(openings, extent)
      .map(([o, outputs]) => onBlocks(o, [o.pairs, o.size], [o.blocks * o.size, outputs], [outputs])),
    mistake: null,
  },
  blocksToBlocks: {
    calls: fc.tuple(few, layerOfBlocks, layerOfBlocks).map(([rows, below, above]) => {
      const [from, to] = [opening(rows, below), opening(rows, above)];
      return {
        inputs: [
          { shape: [from.pairs, from.size] },
          { shape: [to.blocks, from.blocks * from.size, to.size] },
          { shape: [to.blocks * to.size] },
        ],
        attributes: (engine) => ({ from: shapeOf(engine, from), to: shapeOf(engine, to) }),
      };
    }),
    mistake: null,
  },
  gateBlocks: {
    calls: fc.tuple(openings, fc.boolean()).map(([o, weighted]) => gateBlocksCall(o, weighted)),
    smooth: openings.map((o) => gateBlocksCall(o, false)),
    mistake: null,
  },
  lstm: {
    calls: fc.tuple(fc.nat(5), some, fc.boolean()).map(([count, units, backwards]) => {
      const offsets = offsetsOf((s) => (3 * s + 2) % 5, count);
      return {
        inputs: [{ shape: [offsets[count], 4 * units] }, { shape: [units, 4 * units], draw: normal(0.4) }],
        attributes: (engine: Engine) => ({ sequences: { count, offsets: wholeNumbers(engine, offsets) }, backwards }),
      };
    }),
    mistake: {
      call: {
        inputs: [{ shape: [3, 8] }, { shape: [2, 8] }],
        attributes: (engine) => ({
          sequences: { count: 2, offsets: wholeNumbers(engine, [0, 2, 4]) },
          backwards: false,
        }),
      },
      says: /^lstm: the offsets \[0, 2, 4\] do not divide 3 rows among 2 sequences\.$/,
    },
  },
  joinColumns: {
    calls: fc
      .tuple(extent, some, some)
      .map(([rows, a, b]) => ({ inputs: [{ shape: [rows, a] }, { shape: [rows, b] }], attributes: none })),
    mistake: {
      call: { inputs: [{ shape: [2, 3] }, { shape: [3, 3] }], attributes: none },
      says: /^joinColumns: 2 and 3 rows do not fit\.$/,
    },
  },
  ctc: {
    calls: fc.tuple(fc.nat(5), fc.integer({ min: 2, max: 6 }), fc.nat()).map(([count, columns, seed]) => {
      const [offsets, places] = [offsetsOf(pointsOf, count), offsetsOf(stringLengthOf, count)];
      const labels = drawn((random) => random.integer(columns - 1), places[count], seed, 52);
      return {
        inputs: [{ shape: [offsets[count], columns], draw: normal(2) }],
        attributes: (engine: Engine) => ({
          sequences: { count, offsets: wholeNumbers(engine, offsets) },
          strings: { labels: wholeNumbers(engine, labels), offsets: wholeNumbers(engine, places) },
        }),
      };
    }),
    mistake: {
      call: {
        inputs: [{ shape: [3, 4] }],
        attributes: (engine) => ({
          sequences: { count: 1, offsets: wholeNumbers(engine, [0, 3]) },
          strings: { labels: wholeNumbers(engine, [2, 2, 0]), offsets: wholeNumbers(engine, [0, 3]) },
        }),
      },
      says: /^ctc: sequence 0 has 3 points; its 3 labels need 4 or more\.$/,
    },
  },
  scatterBlocks: { calls: openings.map((o) => onBlocks(o, [o.pairs, o.size])), mistake: null },
} satisfies { [N in OpName]: OpCase<N> };
