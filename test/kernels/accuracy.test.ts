import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { MAPS, type MapName } from '../../src/kernels/maps.ts';
import { logit, normalCdf, normalQuantile, sigmoid, sigmoidSlope, softplus } from '../../src/math/special.ts';
import { builds, integers } from '../helpers/engines.ts';
import { assertClose } from '../helpers/numbers.ts';

type Numbers = readonly number[];

/** Evenly spaced Float32 numbers. */
const grid = (from: number, to: number, count: number): Numbers =>
  Array.from({ length: count }, (_, i) => Math.fround(from + ((to - from) * i) / (count - 1)));

/** Both signs of numbers from 10⁻³⁷ to 10. */
const scales: Numbers = Array.from({ length: 380 }, (_, i) => Math.fround(10 ** (i / 10 - 37))).flatMap((x) => [x, -x]);

/** Numbers of the uniforms' grid, odd multiples of 2⁻²⁴: the lowest, those about ½, the highest, and some of all. */
const uniforms: Numbers = [0, 2 ** 22 - 1000, 2 ** 23 - 2000]
  .flatMap((start) => Array.from({ length: 2000 }, (_, i) => start + i))
  .concat(Array.from({ length: 40_000 }, (_, i) => i * 209))
  .map((k) => (2 * k + 1) / 2 ** 24);

/** A neuron's fire kernel without noise. */
function fired(engine: Engine, kernel: string, logits: Numbers): Float32Array {
  engine.beginStep();
  const [a, h] = [engine.tensor(logits), engine.allocate([logits.length], 'outputs')];
  engine.backend.runNeuron(kernel, 1, logits.length, [a.pointer, 0, h.pointer, 1, logits.length, 0]);
  return h.toArray();
}

/** dh·slope for dh = 1, by a neuron's pullback kernel. */
function slopes(engine: Engine, kernel: string, logits: Numbers): Float32Array {
  engine.beginStep();
  const a = engine.tensor(logits);
  const dh = engine.tensor(logits.map(() => 1));
  const out = engine.allocate([logits.length], 'slopes');
  const pointers = [a.pointer, 0, a.pointer, 0, dh.pointer, out.pointer];
  engine.backend.runNeuron(kernel, 1, logits.length, [...pointers, 1, logits.length, 0]);
  return out.toArray();
}

function sampled(engine: Engine, kernel: 'logistic' | 'normal', u: Numbers): Float32Array {
  engine.beginStep();
  const [from, out] = [engine.tensor(u), engine.allocate([u.length], 'noise')];
  engine.backend.run(kernel, from.pointer, out.pointer, u.length, 1);
  return out.toArray();
}

/** Losses and probabilities of rows of logits, each with label 0. */
function softmax(engine: Engine, rows: readonly Numbers[]): { losses: Float32Array; probabilities: Float32Array } {
  engine.beginStep();
  const shape = [rows.length, rows[0].length];
  const labels = integers(engine, new Int32Array(rows.length));
  const losses = engine.allocate([rows.length], 'losses');
  const probabilities = engine.allocate(shape, 'probabilities');
  const pointers = [engine.tensor(rows.flat(), shape).pointer, labels.pointer, losses.pointer, probabilities.pointer];
  engine.backend.run('softmaxCrossEntropy', ...(pointers as [number, number, number, number]), shape[0], shape[1]);
  return { losses: losses.toArray(), probabilities: probabilities.toArray() };
}

/** A function of single elements by its kernel. */
function mapped(engine: Engine, name: MapName, x: Numbers): Float32Array {
  engine.beginStep();
  const out = engine.allocate([x.length], 'outputs');
  const operation = MAPS.findIndex((map) => map.name === name);
  engine.backend.run('mapElements', engine.tensor(x).pointer, out.pointer, x.length, operation, 0, 0);
  return out.toArray();
}

for (const engine of builds)
  describe(`special functions of ${engine.name} against Float64`, () => {
    test('sigmoid from −87 to 90', () => {
      const x = grid(-87, 90, 50_000);
      assertClose(fired(engine, 'fireSigmoid', x), x.map(sigmoid), { relative: 2e-7 }, 'σ');
    });

    test('sigmoid of numbers near 0, and below −87, where it is almost 0 but never negative nor NaN', () => {
      assertClose(fired(engine, 'fireSigmoid', scales), scales.map(sigmoid), { relative: 2e-7 }, 'σ');
      const low = [...grid(-1e4, -87, 1000), -3e38];
      assertClose(fired(engine, 'fireSigmoid', low), low.map(sigmoid), { absolute: 5e-39 }, 'σ');
    });

    test('the slope of the sigmoid from −85 to 85', () => {
      const x = grid(-85, 85, 50_000);
      assertClose(slopes(engine, 'pullbackLogistic', x), x.map(sigmoidSlope), { relative: 5e-7 }, 'σ′');
    });

    test('tanh from −90 to 90, about the seam at 0.625, and near 0', () => {
      for (const x of [grid(-90, 90, 50_000), grid(0.62, 0.63, 5000), grid(-1, 1, 20_001), scales])
        assertClose(fired(engine, 'fireTanh', x), x.map(Math.tanh), { relative: 2e-7 }, 'tanh');
    });

    test('exp from −60 to 0, through the probability of the lesser of two logits', () => {
      const x = grid(-60, 0, 20_000);
      const { probabilities } = softmax(
        engine,
        x.map((logit) => [0, logit]),
      );
      const lesser = probabilities.filter((_, i) => i % 2 === 1);
      assertClose(lesser, x.map(sigmoid), { relative: 3e-7 }, 'e^x/(1+e^x)');
    });

    test('a probability is no denormal number: under 1e-26 it is 0', () => {
      const { probabilities } = softmax(engine, [[0, -60.01, -87, -104, -1e30]]);
      assert.deepEqual(Array.from(probabilities), [1, 0, 0, 0, 0]);
    });

    test('log from 1 to 3000, through the loss of equal logits', () => {
      for (const columns of [1, 2, 3, 4, 10, 100, 1000, 3000]) {
        const { losses } = softmax(engine, [new Array(columns).fill(1.5)]);
        assertClose(losses, [Math.log(columns)], { relative: 3e-7 }, `log ${columns}`);
      }
    });

    test('cross-entropy of logits up to ±90 apart', () => {
      const x = grid(-90, 90, 20_000);
      const { losses } = softmax(
        engine,
        x.map((logit) => [logit, 0]),
      );
      assertClose(
        losses,
        x.map((logit) => softplus(-logit)),
        { relative: 2e-7, absolute: 1.5e-7 },
        'log(1+e^−x)',
      );
    });

    test('normal quantile, from 2⁻²⁴ to 1 − 2⁻²⁴', () => {
      assertClose(sampled(engine, 'normal', uniforms), uniforms.map(normalQuantile), { relative: 5e-7 }, 'Φ⁻¹');
    });

    test('normal distribution, from −9 to 9, and 0 far below', () => {
      const x = [...grid(-9, 9, 50_000), 30];
      engine.beginStep();
      // Of two units without noise of which one is kept, the other is the border.
      const rows = engine.tensor(
        x.flatMap((a) => [a, 0]),
        [x.length, 2],
      );
      const noise = engine.tensor(new Float32Array(2 * x.length).fill(0.5), [x.length, 2]);
      const out = engine.allocate([x.length, 2], 'probabilities');
      const args = [rows.pointer, noise.pointer, out.pointer, x.length, 2, 0, 1, 0, 1];
      assert.ok(engine.backend.runNeuron('openLargest', x.length, 2, args));
      const found = out.toArray().filter((_, i) => i % 2 === 0);
      // x² has a relative error of 2⁻²³, and e^(−x²/2) x²/2 times that.
      assertClose(found, x.map(normalCdf), { relative: 8e-6, absolute: 1e-20 }, 'Φ');
      assertClose(
        found.map((p, i) => (x[i] > -1 ? p : 0.5)),
        x.map((a) => (a > -1 ? normalCdf(a) : 0.5)),
        { relative: 6e-7 },
        'Φ',
      );
    });

    test('logit, from 2⁻²⁴ to 1 − 2⁻²⁴', () => {
      const tolerance = { relative: 2e-7, absolute: 1.2e-7 };
      assertClose(sampled(engine, 'logistic', uniforms), uniforms.map(logit), tolerance, 'logit');
    });

    test('exp from −110 to 90: denormal numbers, 0 and ∞ at the ends', () => {
      const x = grid(-110, 90, 50_000);
      const expected = x.map((a) => Math.fround(Math.exp(a)));
      assertClose(mapped(engine, 'exp', x), expected, { relative: 3e-7, absolute: 3e-45 }, 'e^x');
      const ends = [-1e30, Number.NEGATIVE_INFINITY, 88.73, 1e30, Number.POSITIVE_INFINITY];
      assert.deepEqual([...mapped(engine, 'exp', ends)], [0, 0, ...new Array(3).fill(Number.POSITIVE_INFINITY)]);
    });

    test('log of all sizes, denormal numbers too, and at the ends', () => {
      const x = Array.from({ length: 8300 }, (_, i) => Math.fround(10 ** (i / 100 - 44.5)));
      const expected = x.map(Math.log);
      assertClose(mapped(engine, 'log', x), expected, { relative: 2e-7, absolute: 1e-9 }, 'log');
      assertClose(
        mapped(engine, 'log', grid(0.5, 2, 10_000)),
        grid(0.5, 2, 10_000).map(Math.log),
        { relative: 3e-7 },
        'log',
      );
      const ends = [0, -0, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const [none, all] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      assert.deepEqual([...mapped(engine, 'log', ends)], [none, none, Number.NaN, all, Number.NaN]);
    });

    test('softplus from −87 to 1000, in full relative precision', () => {
      const x = [...grid(-87, 90, 50_000), 1000];
      assertClose(mapped(engine, 'softplus', x), x.map(softplus), { relative: 3e-7 }, 'log(1+e^x)');
    });

    test('the maps that have no polynomial are exact', () => {
      const x = [0, -0, 1e-40, 2, 3, 1e38, Number.POSITIVE_INFINITY];
      assert.deepEqual(
        [...mapped(engine, 'sqrt', x)],
        x.map((a) => Math.fround(Math.sqrt(Math.fround(a)))),
      );
      assert.deepEqual([...mapped(engine, 'square', [-3, 0.1])], [9, Math.fround(Math.fround(0.1) ** 2)]);
    });

    test('NaN stays NaN', () => {
      for (const { name } of MAPS)
        assertClose(mapped(engine, name, [Number.NaN, 1]).subarray(0, 1), [Number.NaN], {}, name);
      const x = [Number.NaN, 1];
      for (const kernel of ['fireSigmoid', 'fireTanh', 'fireRectifier'])
        assertClose(fired(engine, kernel, x).subarray(0, 1), [Number.NaN], {}, kernel);
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
        assertClose(softmax(engine, [[1, bad, 2]]).losses, [Number.NaN], {}, `the loss of a logit of ${bad}`);
    });

    test('a logit of −∞ is a class that cannot be', () => {
      const masked = softmax(engine, [[1, Number.NEGATIVE_INFINITY, 2]]);
      const plain = softmax(engine, [[1, 2]]);
      assertClose(masked.losses, plain.losses, {}, 'the loss');
      assertClose(masked.probabilities, [plain.probabilities[0], 0, plain.probabilities[1]], {}, 'the probabilities');
    });
  });
