import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { curvature, type Readout, softmaxOf } from '../../experiments/why-slow/curvature.ts';
import { curvatureTask } from '../../experiments/why-slow/curvature-objective.ts';
import { createEngine, createModel, dense, makeDataset, sgd, train } from '../../src/index.ts';
import { drawn, normal, uniform } from '../helpers/numbers.ts';

const UNITS = 5;
const CLASSES = 3;
const p = Array.from(drawn(uniform, UNITS, 1));
const readout = {
  weights: Array.from(drawn(normal(1.5), UNITS * CLASSES, 2)),
  bias: Array.from(drawn(normal(1), CLASSES, 3)),
};
const loss = (h: readonly number[], label: number): number => -Math.log(softmaxOf(h, readout)[label]);

describe('curvature', () => {
  it('is half the sum of p(1 − p) times the second difference of the loss, for every label', () => {
    const step = 1e-4;
    for (let label = 0; label < CLASSES; label++) {
      const expected = p.reduce((sum, x, i) => {
        const at = (h: number): number => loss(p.with(i, x + h), label);
        return sum + (0.5 * x * (1 - x) * (at(step) + at(-step) - 2 * at(0))) / step ** 2;
      }, 0);
      assert.ok(Math.abs(curvature(p, readout) - expected) < 1e-6);
    }
  });

  it('has the gradient of central differences, in p, weights and biases', () => {
    const gradient = {
      p: new Float64Array(UNITS),
      weights: new Float64Array(UNITS * CLASSES),
      bias: new Float64Array(CLASSES),
    };
    curvature(p, readout, gradient, 2);
    const slope = (f: (h: number) => number): number => (f(1e-5) - f(-1e-5)) / 1e-5;
    const near = (values: Float64Array, at: (i: number, h: number) => number, what: string): void =>
      values.forEach((value, i) => {
        assert.ok(Math.abs(value - slope((h) => at(i, h))) < 1e-7, `${what} ${i}: ${value}`);
      });
    const moved = (part: keyof Readout, i: number, h: number): Readout => ({
      ...readout,
      [part]: readout[part].with(i, readout[part][i] + h),
    });
    near(gradient.p, (i, h) => curvature(p.with(i, p[i] + h), readout), 'p');
    near(gradient.weights, (i, h) => curvature(p, moved('weights', i, h)), 'weight');
    near(gradient.bias, (i, h) => curvature(p, moved('bias', i, h)), 'bias');
  });
});

describe('curvatureObjective', () => {
  it('descends the loss plus the penalty: a step of SGD is that of central differences', async () => {
    const engine = await createEngine({ threads: 1 });
    const rows = 6;
    const part = makeDataset({
      name: 'points',
      features: Float32Array.from(drawn(normal(1), 2 * rows, 4)),
      scale: 1,
      labels: Uint8Array.from({ length: rows }, (_, i) => i % CLASSES),
      width: 2,
      classes: CLASSES,
    });
    const layers = [dense(4, 'sigmoid'), dense(CLASSES)];
    const model = createModel(engine, { inputs: 2, seed: 3, layers });
    for (const { tensor } of model.parameters) tensor.values.set(tensor.values.map((x, i) => 2 * x + 0.1 * i));
    const before = model.parameters.map(({ tensor }) => Array.from(tensor.values));
    const objective = (parameters: readonly (readonly number[])[]): number => {
      const [w, b, weights, bias] = parameters;
      let total = 0;
      for (let row = 0; row < rows; row++) {
        const x = part.features.subarray(2 * row, 2 * row + 2);
        const h = b.map((bias, i) => 1 / (1 + Math.exp(-(x[0] * w[i] + x[1] * w[4 + i] + bias))));
        total += -Math.log(softmaxOf(h, { weights, bias })[part.labels[row]]) + curvature(h, { weights, bias });
      }
      return total / rows;
    };
    const options = { epochs: 1, batch: rows, optimizer: sgd({ learningRate: 1 }), task: curvatureTask };
    const training = train(model, { train: part, valid: part, test: part }, options);
    while (!(await training.next()).done);
    model.parameters.forEach(({ tensor, name }, k) => {
      before[k].forEach((value, i) => {
        const at = (h: number): number => objective(before.with(k, before[k].with(i, value + h)));
        const slope = (at(1e-4) - at(-1e-4)) / 2e-4;
        assert.ok(
          Math.abs(tensor.values[i] - (value - slope)) < 2e-5,
          `${name} ${i}: ${tensor.values[i] - value}, ${-slope}`,
        );
      });
    });
    engine.close();
  });
});
