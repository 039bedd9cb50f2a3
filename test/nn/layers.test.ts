/** Layers of deep networks, by themselves and behind gates: gradients, engines, what they compute. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { sum as total } from '../../src/math/statistics.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { dense } from '../../src/nn/dense.ts';
import { dropout } from '../../src/nn/dropout.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { norm } from '../../src/nn/norm.ts';
import type { Mode, Pass } from '../../src/nn/pass.ts';
import { pool } from '../../src/nn/pool.ts';
import { reshape } from '../../src/nn/reshape.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { seedToKey } from '../../src/random/stream.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { sum } from '../../src/tensor/ops/reductions.ts';
import { reshape as reshaped } from '../../src/tensor/ops/reshaping.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
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
  const pass: Pass = { tape, mode, source: { key: seedToKey(3), step, draw: 0 }, penalties: [] };
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

const CASES: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  norm: both(6, 5, [norm(), dense(4, 'tanh'), norm()]),
  'norm of pictures': both(24, 4, [reshape([2, 4, 3]), norm()]),
  dropout: both(6, 5, [dropout(0.3), dense(5, 'tanh'), dropout(0.5)]),
  'the largest of windows': both(40, 4, [reshape([4, 5, 2]), pool([2, 3], { stride: [1, 2] })]),
  'means of windows': both(40, 4, [reshape([4, 5, 2]), pool(2, { by: 'mean' }), pool('all', { by: 'mean' }), dense(3)]),
};

for (const [kind, forms] of Object.entries(CASES))
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

      test(`${form}: gradients are central differences`, () => {
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

test('layers of pictures are refused on rows that are none, in a sentence', () => {
  for (const [layer, message] of [
    [pool(2), /pool0: a row has the shape \[12\]\. Expected \[height, width, channels\]: `reshape 28x28x1`/],
    [sequential(reshape([2, 2, 3]), pool(3)), /pool: no window of 3×3 fits into a picture of 2×2/],
    [reshape([5]), /reshape/],
  ] as const)
    assert.throws(() => createModel(reference, { inputs: 12, layers: [layer] }), { name: 'RangeError', message });
});
