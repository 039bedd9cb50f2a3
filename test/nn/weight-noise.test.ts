import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import type { Parameter } from '../../src/nn/parameter.ts';
import { adaptiveWeightNoise, fixedWeightNoise, WeightNoise, type WeightNoiseSpec } from '../../src/nn/weight-noise.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

const SHAPES = [[7, 5], [5]] as const;

function parametersOf(engine: Engine): Parameter[] {
  return SHAPES.map((shape, i) => {
    const tensor = engine.parameter(shape, 'a test parameter');
    tensor.values.set(drawn(normal(0.5), tensor.size, 6, i));
    return { name: `p${i}`, tensor, group: 'main', kind: 'weights', axes: ['inputs', 'units'], learningRateScale: 1 };
  });
}

const source = (step: number) => ({ key: [5, 6] as const, step, draw: 0 });
const valuesOf = (parameters: readonly Parameter[]): number[] => parameters.flatMap(({ tensor }) => [...tensor.values]);

/** The weights of one draw, and after it. */
function drawOf(engine: Engine, spec: WeightNoiseSpec, step: number): { during: number[]; after: number[] } {
  const parameters = parametersOf(engine);
  const noise = new WeightNoise(engine, parameters, spec, 10);
  noise.begin();
  engine.beginStep();
  noise.draw(source(step));
  const during = valuesOf(parameters);
  noise.collect(() => undefined);
  return { during, after: valuesOf(parameters) };
}

test('a draw is the weights plus noise of the given σ, fresh for every step; after it the weights are the same bits', () => {
  const engine = builds[0];
  const clean = valuesOf(parametersOf(engine));
  const standard = Array.from({ length: 400 }, (_, step) => {
    const { during, after } = drawOf(engine, fixedWeightNoise(0.3), step);
    assert.deepEqual(after, clean);
    return during.map((w, i) => (w - clean[i]) / 0.3);
  });
  // 16,000 standard normal numbers: mean within 4.5 and mean square within 4.5 standard errors (two false alarms in 100,000).
  const all = standard.flat();
  assert.ok(Math.abs(all.reduce((sum, z) => sum + z, 0) / all.length) < 4.5 / Math.sqrt(all.length));
  assert.ok(Math.abs(all.reduce((sum, z) => sum + z * z, 0) / all.length - 1) < 4.5 * Math.sqrt(2 / all.length));
  assert.equal(new Set(all.map((z) => z.toFixed(5))).size > 0.9 * all.length, true, 'draws repeat');
});

test('a draw depends on its step alone, and is the same on every engine', () => {
  const expected = drawOf(reference, adaptiveWeightNoise(0.2), 3).during;
  for (const engine of builds) {
    assertClose(drawOf(engine, adaptiveWeightNoise(0.2), 3).during, expected, { absolute: 1e-6 }, engine.name);
    assert.notDeepEqual(
      drawOf(engine, adaptiveWeightNoise(0.2), 4).during,
      drawOf(engine, adaptiveWeightNoise(0.2), 3).during,
    );
  }
});

test('fixed noise gives the sum of the cases’ gradients', () => {
  const parameters = parametersOf(reference);
  const noise = new WeightNoise(reference, parameters, fixedWeightNoise(0.1), 10);
  noise.begin();
  for (let step = 0; step < 3; step++) {
    reference.beginStep();
    noise.draw(source(step));
    noise.collect((tensor) => reference.tensor(new Float64Array(tensor.size).fill(step + 1), tensor.shape));
  }
  for (const gradient of noise.gradients()) assert.ok(gradient.values.every((g) => g === 6));
  assert.equal(noise.complexity(), undefined);
});

/** Σ over weights of KL(N(μ, σ²) ‖ N(m, s²)), m and s² the best ones. */
function descriptionLength(mean: readonly number[], logVariance: readonly number[]): number {
  const count = mean.length;
  const m = mean.reduce((sum, x) => sum + x, 0) / count;
  const s = mean.reduce((sum, x, i) => sum + Math.exp(logVariance[i]) + (x - m) ** 2, 0) / count;
  return mean.reduce(
    (sum, x, i) => sum + 0.5 * (Math.log(s) - logVariance[i]) + ((x - m) ** 2 + Math.exp(logVariance[i]) - s) / (2 * s),
    0,
  );
}

const fill = (tensors: readonly NdArray[], values: readonly number[]): void => {
  let at = 0;
  for (const tensor of tensors) tensor.values.set(values.slice(at, (at += tensor.size)));
};

test('without a loss, the adaptive gradient is that of the description length, prior included', () => {
  const parameters = parametersOf(reference);
  const noise = new WeightNoise(reference, parameters, adaptiveWeightNoise(0.3), 8);
  const [means, logVariances] = [noise.trained.slice(0, 2), noise.trained.slice(2)];
  const values = [...valuesOf(parameters), ...drawn(normal(0.7), 40, 9).map((x) => x - 2)];
  fill(noise.trained, values);
  noise.spread();
  noise.begin();
  for (let step = 0; step < 2; step++) {
    reference.beginStep();
    noise.draw(source(step));
    noise.collect(() => undefined);
  }
  const length = (): number =>
    descriptionLength(
      means.flatMap((tensor) => [...tensor.values]),
      logVariances.flatMap((tensor) => [...tensor.values]),
    );
  assertClose([noise.complexity() as number], [length()], { relative: 1e-12 }, 'the complexity');
  const gradients = noise.gradients();
  noise.trained.forEach((tensor, t) => {
    const differences = Array.from(tensor.values, (before, i) => {
      tensor.values[i] = before + 1e-5;
      const above = length();
      tensor.values[i] = before - 1e-5;
      const below = length();
      tensor.values[i] = before;
      // Two cases of eight: a quarter of the description length.
      return (0.25 * (above - below)) / 2e-5;
    });
    assertClose(gradients[t].values, differences, { relative: 1e-6, absolute: 1e-8 }, `gradient ${t}`);
  });
});

test('the loss pulls σ by the empirical Fisher information: ½σ²·Σg² at log σ²', () => {
  const gradientWith = (g: number): readonly number[] => {
    const noise = new WeightNoise(reference, parametersOf(reference), adaptiveWeightNoise(0.3), 8);
    noise.begin();
    for (let step = 0; step < 2; step++) {
      reference.beginStep();
      noise.draw(source(step));
      noise.collect((tensor) => reference.tensor(new Float64Array(tensor.size).fill(g * (step + 1)), tensor.shape));
    }
    return noise.gradients().flatMap(({ values }) => [...values]);
  };
  const [none, some] = [gradientWith(0), gradientWith(2)];
  const pull = some.map((value, i) => value - none[i]);
  assertClose(pull.slice(0, 40), new Array(40).fill(2 + 4), { relative: 1e-12 }, 'the mean');
  assertClose(pull.slice(40), new Array(40).fill(0.5 * 0.09 * (4 + 16)), { relative: 1e-12 }, 'log σ²');
});

test('learning the means of Gaussian numbers ends where its equations say', () => {
  // Weight i is to be the mean of y_ni, n = 1 … N: the loss of case n is ½Σ_i(w_i − y_ni)², so that Σ_n E[g²] = N·(scatter + σ²).
  const parameters = parametersOf(reference);
  const N = 20;
  const targets = drawn(normal(2), 40, 13);
  const data = Array.from({ length: N }, (_, n) => drawn(normal(1), 40, 14, n).map((y, i) => y + targets[i]));
  const means = targets.map((_, i) => data.reduce((sum, y) => sum + y[i], 0) / N);
  const scatter = means.map((mean, i) => data.reduce((sum, y) => sum + (y[i] - mean) ** 2, 0) / N);
  const noise = new WeightNoise(reference, parameters, adaptiveWeightNoise(0.5), N);
  for (let round = 0; round < 600; round++) {
    noise.begin();
    data.forEach((y, n) => {
      reference.beginStep();
      noise.draw(source(round * N + n));
      let at = 0;
      noise.collect((tensor) => {
        const from = at;
        at += tensor.size;
        return reference.tensor(
          tensor.values.map((w, i) => w - y[from + i]),
          tensor.shape,
        );
      });
    });
    const gradients = noise.gradients().map(({ values }) => values.slice());
    noise.trained.forEach((tensor, t) => {
      tensor.values.forEach((value, i) => {
        tensor.values[i] = value - 0.01 * gradients[t][i];
      });
    });
    noise.spread();
  }
  const found = valuesOf(parameters);
  const center = found.reduce((sum, mu) => sum + mu, 0) / 40;
  const priorVariance = noise.deviation() ** 2 + found.reduce((sum, mu) => sum + (mu - center) ** 2, 0) / 40;
  // 0 = N·(scatter + σ²) + 1/s² − 1/σ², a quadratic in σ².
  const variance = scatter.map((a) => {
    const linear = N * a + 1 / priorVariance;
    return (-linear + Math.sqrt(linear * linear + 4 * N)) / (2 * N);
  });
  const expected = Math.exp(variance.reduce((sum, v) => sum + 0.5 * Math.log(v), 0) / 40);
  assertClose(found, means, { absolute: 0.15 }, 'μ');
  assertClose([noise.deviation()], [expected], { relative: 0.05 }, 'the geometric mean of σ');
});

test('a deviation that is not over 0 is refused in a sentence', () => {
  for (const deviation of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => new WeightNoise(reference, parametersOf(reference), fixedWeightNoise(deviation), 1), {
      name: 'RangeError',
      message: /^Weight noise: `deviation` is .*. Expected a number over 0, e\.g\. 0\.075\.$/,
    });
});
