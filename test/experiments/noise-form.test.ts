import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { softmaxOf } from '../../experiments/why-slow/curvature.ts';
import { noiseForm } from '../../experiments/why-slow/noise-form.ts';
import { randomStream } from '../../src/index.ts';
import { drawn, normal } from '../helpers/numbers.ts';

const UNITS = 4;
const CLASSES = 3;
const p = [0.3, 0.8, 0.55, 0.1];
const readout = { weights: drawn(normal(1), UNITS * CLASSES, 2), bias: drawn(normal(1), CLASSES, 3) };
const label = 1;
const example = { p, label };
const near = (value: number, expected: number, relative: number, what: string): void =>
  assert.ok(Math.abs(value - expected) < relative * Math.abs(expected), `${what}: ${value}, not ${expected}`);

describe('noiseForm', () => {
  it('measures what the sum over all states says: mean shift, and trace and bias of the gradient', () => {
    const states = Array.from({ length: 2 ** UNITS }, (_, state) => {
      const h = p.map((_, i) => (state >> i) & 1);
      return { h, weight: h.reduce((product, bit, i) => product * (bit ? p[i] : 1 - p[i]), 1) };
    });
    const gradient = (h: readonly number[]): number[] => {
      const q = softmaxOf(h, readout);
      return h.map((_, i) =>
        q.reduce((sum, x, c) => sum + readout.weights[i * CLASSES + c] * (x - (c === label ? 1 : 0)), 0),
      );
    };
    const loss = (h: readonly number[]): number => -Math.log(softmaxOf(h, readout)[label]);
    const over = (f: (h: readonly number[]) => number): number =>
      states.reduce((sum, { h, weight }) => sum + weight * f(h), 0);
    const shift = over(loss) - loss(p);
    const means = p.map((_, i) => over((h) => gradient(h)[i]));
    const trace = means.reduce((sum, mean, i) => sum + over((h) => (gradient(h)[i] - mean) ** 2), 0);
    const bias = means.reduce((sum, mean, i) => sum + (mean - gradient(p)[i]) ** 2, 0) / trace;

    const { uniform } = randomStream(5);
    const form = noiseForm([example, example], readout, { samples: 20_000, uniform });
    near(form.shift.measured, shift, 0.03, 'mean shift');
    near(form.trace.measured, trace, 0.03, 'trace');
    assert.ok(Math.abs(form.bias - bias) < 0.01, `bias ${form.bias}, not ${bias}`);
  });

  it('comes to the second order as bits get many', () => {
    const { uniform } = randomStream(6);
    const form = noiseForm([example], readout, { samples: 4000, m: 64, uniform });
    near(form.shift.measured, form.shift.predicted, 0.05, 'mean shift');
    near(form.trace.measured, form.trace.predicted, 0.08, 'trace');
    assert.ok(form.cosine > 0.995 && form.cosine < 1 + 1e-9, `${form.cosine}`);
  });
});
