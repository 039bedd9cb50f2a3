import fc from 'fast-check';
import { ADAM_RULE, MOMENTUM_RULE } from '../../src/kernels/optimizers.ts';
import { randomStream } from '../../src/random/stream.ts';
import { blockMask } from '../helpers/naive-mask.ts';
import { normal, wide } from '../helpers/numbers.ts';
import type { ArrayCase, Case } from './cases.ts';

type Scalars = Record<string, number>;
type Arrays = Record<string, ArrayCase>;

const sizes = fc.constantFrom(1, 2, 3, 4, 5, 8, 20, 64);
const widths = fc.oneof(fc.constantFrom(0, 1, 3, 4, 7, 13, 64, 65, 97), fc.nat(30));
const few = fc.oneof(fc.constantFrom(0, 1, 2, 5, 6, 7, 13), fc.nat(25));
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
/** How many of the pairs are open, in sixteenths; by block, so that some are empty and some are full. */
const opening = { seed: fc.nat(), open: fc.constantFrom(0, 2, 8, 16, 40) };
const layer = fc.record({ ...opening, rows: few, blocks: few, size: sizes });
/** Around the shapes that blocksToDense computes by stretches of examples: 24 pairs a block or more, and 49 to 512 outputs. */
const stretched = fc.record({
  ...opening,
  rows: fc.integer({ min: 24, max: 200 }),
  blocks: fc.integer({ min: 1, max: 3 }),
  size: sizes.filter((size) => size > 3),
  outputs: fc.oneof(fc.constantFrom(49, 64, 511, 512, 513), fc.integer({ min: 49, max: 513 })),
});
const gradient = { alpha: fc.constantFrom(1, -0.375), accumulate: fc.nat(1) };

/** Random gates: each block has a rate of its own, and one row in eight has nothing open. */
export function drawGates(rows: number, blocks: number, open: number, seed: number): Float32Array {
  const random = randomStream(seed, 99);
  const rates = Array.from({ length: blocks }, () => (open / 16) * (open < 16 ? 2 * random.uniform() : 1));
  return Float32Array.from({ length: rows * blocks }, (_, i) => {
    const r = Math.floor(i / Math.max(1, blocks));
    if (open < 40 && (seed + r) % 8 === 7) return 0;
    return random.uniform() < rates[i % blocks] ? 0.5 + random.uniform() : 0;
  });
}

/** The lists of a mask as the kernels want them. */
export function maskLists(gates: ArrayLike<number>, rows: number, blocks: number) {
  const mask = blockMask(gates, rows, blocks);
  const pairRow = [...mask.byBlock.index];
  const pairBlock = pairRow.map(() => 0);
  const rowLists = Array.from({ length: rows }, (): number[] => []);
  for (let k = 0; k < blocks; k++)
    for (let p = mask.byBlock.start[k]; p < mask.byBlock.start[k + 1]; p++) {
      pairBlock[p] = k;
      rowLists[pairRow[p]].push(p);
    }
  return {
    pairs: mask.pairs,
    blockStart: [...mask.byBlock.start],
    pairRow,
    pairBlock,
    rowStart: [...mask.byRow.start],
    rowPair: rowLists.flat(),
  };
}

/** The lists as arrays of a case, their names ending in `suffix`; only those that the kernel takes count. */
function lists({ seed, open, rows, blocks }: Scalars, suffix = ''): Arrays {
  const { pairs: _, ...all } = maskLists(drawGates(rows, blocks, open, seed), rows, blocks);
  return Object.fromEntries(
    Object.entries(all).map(([name, list]) => [
      `${name}${suffix}#`,
      { length: list.length, draw: (_, i) => list[i], integers: true },
    ]),
  );
}

export const pairsOf = ({ seed, open, rows, blocks }: Scalars): number =>
  maskLists(drawGates(rows, blocks, open, seed), rows, blocks).pairs;

const input = (length: number): ArrayCase => ({ length, draw: normal() });
const output = (length: number): ArrayCase => ({ length, written: true });
const sum = (length: number, accumulate: number): ArrayCase => ({
  length,
  written: true,
  ...(accumulate ? { draw: normal() } : {}),
});

/** Which rule of an update. */
const kind = fc.constantFrom(MOMENTUM_RULE, ADAM_RULE);

const ruleOf = (which: number): number[] =>
  [
    ...(which === ADAM_RULE ? [ADAM_RULE, 0.125, 0.01, 0.9, 0.999, 1.5, 1e-8] : [MOMENTUM_RULE, 0.1, 0.9]),
    0,
    0,
    0,
    0,
    0,
  ]
    .slice(0, 8)
    .map(Math.fround);

/**
 * Weights, what an optimizer keeps of them, and its rule. Some first moments are 0, and some so small that they are flushed.
 * @param zeros of seven second moments, how many are 0: then the sign of a sum that cancels would decide
 */
const updated = (length: number, which: number, zeros = 0): Arrays => ({
  'weights*': { length, draw: normal(), written: true },
  'first*': {
    length,
    draw: (random, i) => (i % 7 === 0 ? 0 : i % 7 === 1 ? 1.02e-30 : random.normal()),
    written: true,
  },
  'second*': { length, draw: (random, i) => (i % 7 < zeros ? 0 : 0.5 + random.uniform()), written: true },
  'rule*': { length: 8, draw: (_, i) => ruleOf(which)[i] },
});

const withPairs = (scalars: Scalars): Scalars => ({ ...scalars, pairs: pairsOf(scalars) });

/** A kernel on one mask: adds its pairs to the scalars and its lists to the arrays. */
function onMask(
  extra: Record<string, fc.Arbitrary<number>>,
  large: Scalars,
  arrays: (scalars: Scalars) => Arrays,
  exact = false,
): Case {
  return {
    scalars: fc.tuple(layer, fc.record(extra)).map(([shape, rest]) => withPairs({ ...shape, ...rest })),
    large: withPairs({ seed: 5, open: 8, ...large }),
    arrays: (scalars) => ({ ...arrays(scalars), ...lists(scalars) }),
    relative: exact ? 6e-8 : 1e-6,
    scale: (scalars) => ({ ...scalars, alpha: Math.abs(scalars.alpha) }),
  };
}

/** A weight is a difference, and the sums that move it may cancel: their terms are all about 1. */
const ofUpdates = <T extends Record<string, Case>>(cases: T): T =>
  Object.fromEntries(Object.entries(cases).map(([name, row]) => [name, { ...row, absolute: 2e-6 }])) as T;

/** blocksToDense cuts its work in three ways: `large` by stretches, `larger` by panels of outputs and by rows. */
const cutInThreeWays = (row: Case): Case => ({
  ...row,
  scalars: fc.oneof(row.scalars, stretched.map(withPairs)),
  larger: [
    { rows: 101, blocks: 7, size: 33, outputs: 603 },
    { rows: 401, blocks: 7, size: 33, outputs: 40 },
  ].map((shape) => withPairs({ seed: 5, open: 8, ...shape })),
});

/** A kernel between two masks. */
function onTwoMasks(
  extra: Record<string, fc.Arbitrary<number>>,
  large: Scalars,
  arrays: (scalars: Scalars) => Arrays,
): Case {
  const side = ({ seed, open, rows, ...rest }: Scalars, which: 1 | 2): Scalars => ({
    seed: seed + which,
    open,
    rows,
    blocks: rest[`blocks${which}`],
  });
  const complete = (scalars: Scalars): Scalars => ({
    ...scalars,
    pairs1: pairsOf(side(scalars, 1)),
    pairs2: pairsOf(side(scalars, 2)),
  });
  const shape = fc.record({
    ...opening,
    rows: few,
    blocks1: fc.nat(9),
    blocks2: fc.nat(9),
    size1: sizes,
    size2: fc.constantFrom(1, 3, 8, 20),
    ...extra,
  });
  return {
    scalars: shape.map(complete),
    large: complete({ seed: 5, open: 8, rows: 101, blocks1: 7, blocks2: 9, size1: 24, size2: 33, ...large }),
    arrays: (scalars) => ({
      ...arrays(scalars),
      ...lists(side(scalars, 1), '1'),
      ...lists(side(scalars, 2), '2'),
    }),
    relative: 1e-6,
    scale: (scalars) => ({ ...scalars, alpha: Math.abs(scalars.alpha) }),
  };
}

const weights2 = ({ blocks1, blocks2, size1, size2 }: Scalars): number => blocks1 * blocks2 * size1 * size2;

/** One row a block-sparse kernel, but for countOpen and buildMask, whose results are whole numbers. */
export const blockCases = {
  denseToBlocks: onMask({ inputs: widths }, { rows: 101, blocks: 7, size: 33, inputs: 203 }, (s) => ({
    'x*': input(s.rows * s.inputs),
    'weights*': input(s.blocks * s.inputs * s.size),
    'bias*': input(s.blocks * s.size),
    'values*': output(s.pairs * s.size),
  })),
  denseToBlocksInputs: onMask({ inputs: widths }, { rows: 101, blocks: 7, size: 33, inputs: 203 }, (s) => ({
    'dValues*': input(s.pairs * s.size),
    'weights*': input(s.blocks * s.inputs * s.size),
    'dx*': output(s.rows * s.inputs),
  })),
  denseToBlocksWeights: onMask(
    { inputs: widths, ...gradient },
    { rows: 101, blocks: 7, size: 33, inputs: 403, alpha: -0.5, accumulate: 1 },
    (s) => ({
      'x*': input(s.rows * s.inputs),
      'dValues*': input(s.pairs * s.size),
      'weights*': sum(s.blocks * s.inputs * s.size, s.accumulate),
    }),
  ),
  ...ofUpdates({
    denseToBlocksUpdate: onMask(
      { inputs: widths, kind },
      { rows: 101, blocks: 7, size: 33, inputs: 403, kind: 2, open: 4 },
      (s) => ({
        'x*': input(s.rows * s.inputs),
        'dValues*': input(s.pairs * s.size),
        ...updated(s.blocks * s.inputs * s.size, s.kind),
      }),
    ),
    blocksToDenseUpdate: onMask(
      { outputs: widths, kind },
      { rows: 101, blocks: 7, size: 33, outputs: 403, kind: 1, open: 4 },
      (s) => ({
        'values*': input(s.pairs * s.size),
        'dy*': input(s.rows * s.outputs),
        ...updated(s.blocks * s.size * s.outputs, s.kind),
      }),
    ),
    updateBlocks: onMask({ kind }, { rows: 11, blocks: 70, size: 4099, kind: 2, open: 2 }, (s) => ({
      'gradient*': input(s.blocks * s.size),
      ...updated(s.blocks * s.size, s.kind),
    })),
    catchUp: onMask(
      { kind, now: fc.integer({ min: 3, max: 40 }), room: fc.integer({ min: 5, max: 9 }) },
      { rows: 11, blocks: 70, size: 4099, kind: 2, open: 2, now: 9, room: 8 },
      ({ blocks, size, kind, now, room }) => {
        const { 'rule*': rule, ...rest } = updated(blocks * size, kind, 2);
        const numbers = ruleOf(kind);
        return {
          ...rest,
          // Rates and corrections fall from step to step.
          'history*': {
            length: 8 * room,
            draw: (_, i) =>
              i % 8 === 2 || i % 8 === 5 ? Math.fround(numbers[i % 8] * 0.9 ** (i >> 3)) : numbers[i % 8],
          },
          'last#': {
            length: blocks,
            draw: (random) => now - Math.floor(random.uniform() * Math.min(now, room)),
            integers: true,
          },
        };
      },
    ),
  }),
  blocksToDense: cutInThreeWays(
    onMask({ outputs: widths }, { rows: 101, blocks: 7, size: 33, outputs: 203 }, (s) => ({
      'values*': input(s.pairs * s.size),
      'weights*': input(s.blocks * s.size * s.outputs),
      'bias*': input(s.outputs),
      'y*': output(s.rows * s.outputs),
    })),
  ),
  blocksToDenseValues: onMask({ outputs: widths }, { rows: 101, blocks: 7, size: 33, outputs: 403 }, (s) => ({
    'dy*': input(s.rows * s.outputs),
    'weights*': input(s.blocks * s.size * s.outputs),
    'dValues*': output(s.pairs * s.size),
  })),
  blocksToDenseWeights: onMask(
    { outputs: widths, ...gradient },
    { rows: 101, blocks: 7, size: 33, outputs: 403, alpha: -0.5, accumulate: 1 },
    (s) => ({
      'values*': input(s.pairs * s.size),
      'dy*': input(s.rows * s.outputs),
      'weights*': sum(s.blocks * s.size * s.outputs, s.accumulate),
    }),
  ),
  blocksToBlocks: onTwoMasks({}, {}, (s) => ({
    'values1*': input(s.pairs1 * s.size1),
    'weights*': input(weights2(s)),
    'bias*': input(s.blocks2 * s.size2),
    'values2*': output(s.pairs2 * s.size2),
  })),
  blocksToBlocksValues: onTwoMasks({}, {}, (s) => ({
    'dValues2*': input(s.pairs2 * s.size2),
    'weights*': input(weights2(s)),
    'dValues1*': output(s.pairs1 * s.size1),
  })),
  blocksToBlocksWeights: onTwoMasks(gradient, { alpha: -0.5, accumulate: 1 }, (s) => ({
    'values1*': input(s.pairs1 * s.size1),
    'dValues2*': input(s.pairs2 * s.size2),
    'weights*': sum(weights2(s), s.accumulate),
  })),
  blockBiasGradient: onMask(
    gradient,
    { rows: 401, blocks: 7, size: 33, open: 16, alpha: -0.5, accumulate: 1 },
    (s) => ({ 'dValues*': input(s.pairs * s.size), 'bias*': sum(s.blocks * s.size, s.accumulate) }),
  ),
  gateBlocks: onMask(
    {},
    { rows: 401, blocks: 7, size: 33 },
    (s) => ({
      'gates*': { length: s.rows * s.blocks, draw: wide },
      'values*': { length: s.pairs * s.size, draw: wide },
      'out*': output(s.pairs * s.size),
    }),
    true,
  ),
  blockGateGradient: onMask({}, { rows: 401, blocks: 7, size: 33 }, (s) => ({
    'values*': input(s.pairs * s.size),
    'dOut*': input(s.pairs * s.size),
    'dGates*': output(s.rows * s.blocks),
  })),
  scatterBlocks: onMask(
    {},
    { rows: 401, blocks: 7, size: 33 },
    (s) => ({ 'values*': { length: s.pairs * s.size, draw: wide }, 'out*': output(s.rows * s.blocks * s.size) }),
    true,
  ),
  gatherBlocks: onMask(
    {},
    { rows: 401, blocks: 7, size: 33 },
    (s) => ({
      'x*': { length: s.rows * s.blocks * s.size, draw: wide },
      'values*': output(s.pairs * s.size),
    }),
    true,
  ),
  blockUniforms: onMask(
    { key0: word, key1: word, step: word, stream: word },
    { rows: 401, blocks: 7, size: 33, key0: 1, key1: -2, step: 3, stream: 4 },
    (s) => ({ 'out*': output(s.pairs * s.size) }),
    true,
  ),
} satisfies Record<string, Case>;

export type BlockKernelName = keyof typeof blockCases;
