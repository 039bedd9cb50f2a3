/** Layers of deep networks, by themselves and behind gates: gradients, engines, what they compute. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { sum as total } from '../../src/math/statistics.ts';
import { attention } from '../../src/nn/attention.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { convolution } from '../../src/nn/convolution.ts';
import { dense } from '../../src/nn/dense.ts';
import { depthwise } from '../../src/nn/depthwise.ts';
import { dropout } from '../../src/nn/dropout.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { norm } from '../../src/nn/norm.ts';
import type { Mode, Pass } from '../../src/nn/pass.ts';
import { pool } from '../../src/nn/pool.ts';
import { positions } from '../../src/nn/positions.ts';
import { reshape } from '../../src/nn/reshape.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { noiseKey } from '../../src/random/stream.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { rotary } from '../../src/tensor/ops/attention.ts';
import { sum } from '../../src/tensor/ops/reductions.ts';
import { reshape as reshaped } from '../../src/tensor/ops/reshaping.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, assertSameBits, drawn, normal } from '../helpers/numbers.ts';

const threads = await createEngine({ threads: 2, simd: 'simd' });
after(() => threads.close());

interface Options {
  readonly mode?: Mode;
  readonly step?: number;
  readonly offsets?: readonly number[] | undefined;
}

function run(model: Model, rows: Float64Array, { mode = 'train', step = 0, offsets }: Options = {}) {
  const { engine } = model;
  engine.beginStep();
  const tape = new Tape(engine);
  tape.watch(model.parameters.map(({ tensor }) => tensor));
  const count = rows.length / model.inputs;
  const plate = offsets ? tape.plates.points(Int32Array.from(offsets)) : tape.plates.examples(count);
  const x = tape.input(engine.tensor(rows, [count, model.inputs]), plate, true);
  const pass: Pass = { tape, mode, source: { key: noiseKey(3), step, draw: 0 }, penalties: [] };
  const output = model.apply(pass, x);
  const flat = reshaped(output, [output.columns]);
  const loss = sum(multiply(flat, new Float32Array(drawn(normal(), output.columns, 8))), -1);
  return { tape, x, output, loss };
}

const lossOf = (model: Model, rows: Float64Array, options: Options): number =>
  total(run(model, rows, options).loss.values);

function gradientsOf(model: Model, rows: Float64Array, options: Options): Map<string, Float64Array> {
  const { tape, x, loss } = run(model, rows, options);
  tape.backward([{ tensor: loss, cotangent: 1 }]);
  return new Map(
    [
      ...model.parameters.map(({ name, tensor }) => [name, tape.gradient(tensor), tensor.size] as const),
      ['x', tape.gradient(x), x.size] as const,
    ].map(([name, gradient, size]) => [name, Float64Array.from(gradient?.values ?? new Float64Array(size))]),
  );
}

interface Case {
  readonly inputs: number;
  readonly rows: number;
  readonly layers: readonly LayerSpec[];
  readonly offsets?: readonly number[];
}

/** What is put behind gates that a rectifier opens for some rows. */
const behind = (...layers: readonly LayerSpec[]): LayerSpec =>
  conditional({ neuron: 'rectifier', rate: 'none', gater: [] }, [sequential(...layers), sequential(...layers)]);
const both = (inputs: number, rows: number, layers: readonly LayerSpec[], offsets?: readonly number[]) => ({
  plain: { inputs, rows, layers, ...(offsets && { offsets }) },
  'behind gates': { inputs, rows, layers: [behind(...layers)], ...(offsets && { offsets }) },
});

const OFFSETS = [0, 4, 4, 9, 10];
const CASES: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  norm: both(6, 5, [norm(), dense(4, 'tanh'), norm()]),
  'norm of pictures': both(24, 4, [reshape([2, 4, 3]), norm()]),
  dropout: both(6, 5, [dropout(0.3), dense(5, 'tanh'), dropout(0.5)]),
  'the largest of windows': both(40, 4, [reshape([4, 5, 2]), pool([2, 3], { stride: [1, 2] })]),
  attention: both(8, 10, [attention(2)], OFFSETS),
  'attention to all points, without positions': both(
    6,
    10,
    [attention(3, { positions: 'none', bidirectional: true })],
    OFFSETS,
  ),
  'a transformer block on learnt positions': both(
    8,
    10,
    [
      positions(5),
      residual(sequential(norm(), attention(2, { positions: 'none' }))),
      residual(sequential(norm(), dense(12, 'tanh'), dense(8))),
    ],
    OFFSETS,
  ),
  convolution: both(40, 3, [
    reshape([4, 5, 2]),
    convolution(3, 3, 'tanh'),
    convolution(2, [2, 1], 'linear', { padding: 'valid', stride: [2, 1] }),
  ]),
  'a convolution of one place, and each channel by itself': both(40, 3, [
    reshape([4, 5, 2]),
    convolution(3, 1, 'tanh'),
    depthwise([3, 1], 'tanh', { stride: [1, 2] }),
    pool('all', { by: 'mean' }),
  ]),
  'means of windows': both(40, 4, [reshape([4, 5, 2]), pool(2, { by: 'mean' }), pool('all', { by: 'mean' }), dense(3)]),
};

for (const [i, [kind, forms]] of Object.entries(CASES).entries())
  describe(kind, () => {
    for (const [form, { inputs, rows, layers, offsets }] of Object.entries(forms)) {
      const build = (engine: Engine): Model => {
        const model = createModel(engine, { inputs, layers: [...layers], seed: 4 });
        model.parameters.forEach(({ name, tensor }, i) => {
          model.setWeights(name, drawn(normal(0.7), tensor.size, 50, i));
        });
        return model;
      };
      const x = Float64Array.from(drawn(normal(), rows * inputs, 51), Math.fround);

      test(`${form}: gradients are central differences`, { skip: (form !== 'plain' || i % 2 > 0) && slow }, () => {
        const model = build(reference);
        const gradients = gradientsOf(model, x, { offsets });
        const arrays = [
          ...model.parameters.map(({ name, tensor }) => [name, tensor.values] as const),
          ['x', x] as const,
        ];
        for (const [name, values] of arrays) {
          const expected = Array.from(values, (before, i) => {
            const slope = derivative(
              (value) => {
                values[i] = value;
                return lossOf(model, x, { offsets });
              },
              before,
              1e-4,
            );
            values[i] = before;
            return slope;
          });
          assertClose(gradients.get(name) as Float64Array, expected, { relative: 1e-5, absolute: 1e-6 }, name);
        }
      });

      test(`${form}: kernels give what their definitions give, on any number of threads`, () => {
        const model = build(reference);
        const output = Float64Array.from(run(model, x, { offsets }).output.values);
        const gradients = gradientsOf(model, x, { offsets });
        for (const engine of builds) {
          const own = build(engine);
          assertClose(run(own, x, { offsets }).output.values, output, { relative: 1e-5, absolute: 1e-5 }, engine.name);
          for (const [name, gradient] of gradientsOf(own, x, { offsets }))
            assertClose(gradient, gradients.get(name) as Float64Array, { relative: 1e-4, absolute: 1e-4 }, name);
        }
        const [one, two] = [builds[0], threads].map((engine) => gradientsOf(build(engine), x, { offsets }));
        for (const [name, gradient] of two)
          assertSameBits(Float32Array.from(gradient), Float32Array.from(one.get(name) ?? []), name);
      });

      test(`${form}: is JSON, and the same again from it`, () => {
        const model = build(builds[0]);
        const again = createModel(builds[0], JSON.parse(JSON.stringify(model.description)));
        again.restore(model.snapshot());
        const mode = 'mean-field';
        assert.deepEqual(
          run(again, x, { mode, offsets }).output.values,
          run(model, x, { mode, offsets }).output.values,
        );
      });
    }
  });

describe('dropout', () => {
  const model = createModel(builds[0], { inputs: 400, layers: [dropout(0.25)] });
  const ones = new Float64Array(100 * 400).fill(1);

  test('drops its share while training, keeps the mean, and is nothing in other modes', () => {
    const { values } = run(model, ones).output;
    const dropped = values.filter((value) => value === 0).length / values.length;
    assert.ok(Math.abs(dropped - 0.25) < 0.02, `${dropped}`);
    assert.ok(values.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6));
    for (const mode of ['sample', 'mean-field', 'threshold'] as const)
      assert.ok(run(model, ones, { mode }).output.values.every((value) => value === 1));
  });

  test('draws anew in every step, and in every layer', () => {
    const pattern = (step: number) => run(model, ones, { step }).output.values.join('');
    assert.equal(pattern(1), pattern(1));
    assert.notEqual(pattern(1), pattern(2));
    const two = createModel(builds[0], { inputs: 400, layers: [residual(dropout(0.5)), residual(dropout(0.5))] });
    const seen = new Set(run(two, ones).output.values);
    // (1 + 0 or 2)·(1 + 0 or 2): a shared draw would leave 1 and 9 alone.
    assert.deepEqual([...seen].sort(), [1, 3, 9]);
  });

  test('a row has the numbers of its own wherever gates put it', () => {
    const layers = (compute: 'auto' | 'dense'): LayerSpec[] => [
      conditional({ neuron: 'rectifier', rate: 'none', gater: [], compute }, [dropout(0.5), dropout(0.5)]),
    ];
    const x = Float64Array.from(drawn(normal(), 9 * 30, 5));
    const [open, all] = (['auto', 'dense'] as const).map((compute) => [
      ...run(createModel(reference, { inputs: 30, layers: layers(compute), seed: 2 }), x).output.values,
    ]);
    assertClose(open, all, { absolute: 1e-12 }, 'outputs');
  });

  test('is refused where it would drop all', () => {
    assert.throws(() => createModel(reference, { inputs: 3, layers: [dropout(1)] }), {
      name: 'RangeError',
      message: /dropout0: `drop` is 1\. Expected a probability/,
    });
  });
});

describe('attention', () => {
  const layers = [attention(2), residual(sequential(norm(), attention(4)))];
  const model = createModel(reference, { inputs: 8, layers, seed: 3 });
  const x = Float64Array.from(drawn(normal(), 12 * 8, 6), Math.fround);
  const offsets = [0, 7, 12];

  test('a point depends on those up to it in its sequence, and on no other', () => {
    const before = [...run(model, x, { offsets }).output.values];
    const changed = x.slice();
    changed[4 * 8 + 3] += 1;
    const after = [...run(model, changed, { offsets }).output.values];
    const moved = Array.from({ length: 12 }, (_, row) =>
      before.slice(8 * row, 8 * row + 8).some((y, c) => y !== after[8 * row + c]),
    );
    assert.deepEqual(
      moved,
      [4, 5, 6].reduce((rows, row) => rows.with(row, true), new Array<boolean>(12).fill(false)),
    );
  });

  test('rotary positions see how far points are from each other, not where they stand', () => {
    // A sequence after three points that nothing attends to: the same keys and queries, three places later.
    const one = createModel(reference, { inputs: 8, layers: [attention(2, { bidirectional: true })], seed: 3 });
    const scoresAt = (shift: number) => {
      reference.beginStep();
      const tape = new Tape(reference);
      const rows = Float64Array.from({ length: (5 + shift) * 24 }, (_, i) => x[(i + 24 * (5 - shift)) % x.length]);
      rows.set(x.subarray(0, 72), shift * 24);
      const points = tape.input(
        reference.tensor(rows, [5 + shift, 24]),
        tape.plates.points(Int32Array.of(0, 5 + shift)),
      );
      const { values } = rotary(points, { heads: 2 });
      const head = (row: number, part: number) =>
        values.slice((row + shift) * 24 + part * 8, (row + shift) * 24 + part * 8 + 4);
      return [0, 1, 2].map((j) => Array.from(head(2, 0)).reduce((dot, q, c) => dot + q * head(j, 1)[c], 0));
    };
    assert.equal(one.outputs, 8);
    assertClose(scoresAt(3), scoresAt(0), { relative: 1e-12, absolute: 1e-12 }, 'scores');
  });

  test('multiply-adds are those of the pairs that see each other', () => {
    const { tape } = run(createModel(reference, { inputs: 8, layers: [attention(2)] }), x, { offsets });
    const pairs = (7 * 8) / 2 + (5 * 6) / 2;
    assert.equal(tape.work.executed, 12 * (8 * 24 + 8 * 8) + 2 * pairs * 8);
  });

  test('points that a gate opened attend to each other, in the places that they had', () => {
    const gates = { neuron: 'rectifier', rate: 'none', gater: [] } as const;
    const own = createModel(reference, { inputs: 8, layers: [conditional(gates, [attention(2)])], seed: 5 });
    const { output } = run(own, x, { offsets });
    const values = [...output.values];
    const open = [...(own.sites[0].last?.h.values ?? [])].flatMap((g, row) => (g > 0 ? [{ g, row }] : []));
    assert.ok(open.length > 3 && open.length < 12);
    // The definition: keys and values of open points alone, by a loop.
    const weights = (name: string) =>
      own.parameters.find((parameter) => parameter.name.endsWith(name))?.tensor.values ?? [];
    const [w, b, v, c] = ['inputs.weights', 'inputs.bias', 'output.weights', 'output.bias'].map(weights);
    const product = (h: readonly number[], m: ArrayLike<number>, bias: ArrayLike<number>) =>
      Array.from(bias, (start, j) => h.reduce((total, value, i) => total + value * m[i * bias.length + j], start));
    const sequenceOf = (row: number) => (row < 7 ? 0 : 7);
    const turn = (z: readonly number[], position: number) =>
      z.map((value, i) => {
        if (i >= 16) return value;
        const angle = position * 10_000 ** (-(2 * ((i % 4) >> 1)) / 4);
        return value * Math.cos(angle) + (i % 2 === 0 ? -z[i + 1] : z[i - 1]) * Math.sin(angle);
      });
    const rows = open.map(({ g, row }) => ({
      g,
      row,
      z: turn(product([...x.subarray(8 * row, 8 * row + 8)], w, b), row - sequenceOf(row)),
    }));
    const expected = new Array<number>(values.length).fill(0);
    for (const { g, row, z } of rows) {
      const seen = rows.filter((other) => other.row <= row && sequenceOf(other.row) === sequenceOf(row));
      const mixed = [0, 4].flatMap((head) => {
        const scores = seen.map(({ z: key }) =>
          Math.exp([0, 1, 2, 3].reduce((dot, i) => dot + z[head + i] * key[8 + head + i], 0) / 2),
        );
        const sum_ = scores.reduce((total, score) => total + score, 0);
        return [0, 1, 2, 3].map((i) =>
          seen.reduce((total, { z: value }, n) => total + (scores[n] / sum_) * value[16 + head + i], 0),
        );
      });
      product(mixed, v, c).forEach((y, i) => {
        expected[8 * row + i] = g * y;
      });
    }
    assertClose(values, expected, { relative: 1e-10, absolute: 1e-10 }, 'outputs');
  });

  test('what does not fit is refused in a sentence', () => {
    for (const [layers_, offsets_, message] of [
      [[attention(3)], offsets, /attention0: 3 heads cannot share 8 numbers\. Expected a multiple of 6/],
      [[attention(8)], offsets, /attention0: 8 heads cannot share 8 numbers in pairs, which rotary positions turn/],
      [[attention(2)], undefined, /rotary in "attention0" reads sequences, and the rows of 12 examples were given/],
      [[positions(4)], offsets, /positions0: a sequence has 7 points\. Expected at most 4/],
    ] as const)
      assert.throws(() => run(createModel(reference, { inputs: 8, layers: layers_ }), x, { offsets: offsets_ }), {
        name: 'RangeError',
        message,
      });
  });
});

test('layers of pictures are refused on rows that are none, in a sentence', () => {
  for (const [layer, message] of [
    [pool(2), /pool0: a row has the shape \[12\]\. Expected \[height, width, channels\]: `reshape 28x28x1`/],
    [
      sequential(reshape([2, 2, 3]), pool(3)),
      /pool in "sequential0\.pool0": no window of 3×3 fits into a picture of 2×2/,
    ],
    [reshape([5]), /reshape/],
    [convolution(2, 3), /convolution0: a row has the shape \[12\]\. Expected \[height, width, channels\]/],
    [sequential(reshape([2, 2, 3]), convolution(2, 2)), /a window of 2×2 has no middle for padding "same"/],
    [
      sequential(reshape([2, 2, 3]), convolution(2, 3, 'tanh', { padding: 'valid' })),
      /convolution in "sequential0\.convolution0": no window of 3×3 fits into a picture of 2×2/,
    ],
  ] as const)
    assert.throws(() => createModel(reference, { inputs: 12, layers: [layer] }), { name: 'RangeError', message });
});
