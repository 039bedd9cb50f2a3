import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrate } from '../../src/audit/integrate.ts';
import { problems, quadraticProblem } from '../../src/audit/problems.ts';
import { sigmoid } from '../../src/math/special.ts';
import type { NeuronState } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { allocateState } from '../../src/tensor/fire.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { reference } from '../helpers/engines.ts';

const optimal = resolveNeuron('stochastic-binary');
/** Probabilities 1/4, 1/2 and 3/4: on a grid of four uniforms a unit, every state comes with its exact share. */
const LOGITS = Float64Array.of(-Math.log(3), 0, Math.log(3));
const UNITS = LOGITS.length;

/** A minibatch that is the exact distribution: every combination of four uniforms a unit once, 64 rows. */
function everyState() {
  const rows = 4 ** UNITS;
  const noise = Float64Array.from({ length: rows * UNITS }, (_, i) => {
    const digit = Math.floor(Math.floor(i / UNITS) / 4 ** (i % UNITS)) % 4;
    return (digit + 0.5) / 4;
  });
  const logits = Float64Array.from({ length: rows * UNITS }, (_, i) => LOGITS[i % UNITS]);
  const firing = {
    rows,
    units: UNITS,
    logits,
    noise,
    h: new Float64Array(rows * UNITS),
    dh: new Float64Array(0),
    state: {},
  };
  optimal.fire(firing);
  return firing;
}

/** A constant baseline for all units, as state. */
const constant = (baseline: number): NeuronState => ({
  numerator: new Float64Array(UNITS).fill(baseline),
  denominator: new Float64Array(UNITS).fill(1),
});

test('the moving averages settle at the baseline of least variance, for each unit', () => {
  for (const { name, loss } of problems(UNITS)) {
    const firing = everyState();
    const losses = Float64Array.from({ length: firing.rows }, (_, row) => {
      return loss(firing.h.subarray(row * UNITS, (row + 1) * UNITS)).loss + 2;
    });
    const shifted = (h: Float64Array) => ({ loss: loss(h).loss + 2, dh: new Float64Array(UNITS) });
    const state = { numerator: new Float64Array(UNITS).fill(1e-6), denominator: new Float64Array(UNITS).fill(1e-6) };
    for (let step = 0; step < 400; step++) optimal.update?.({ ...firing, loss: losses, state });
    const best = integrate(optimal, LOGITS, shifted, state).variance;
    const varianceAt = (baseline: number): Float64Array =>
      integrate(optimal, LOGITS, shifted, constant(baseline)).variance;
    for (let baseline = -8; baseline <= 12; baseline += 0.25)
      varianceAt(baseline).forEach((variance, unit) => {
        assert.ok(variance >= best[unit] - 1e-12, `${name}, unit ${unit}, L̄ = ${baseline}`);
      });
    // The variance is a parabola in L̄: its minimiser follows from three points.
    const [left, middle, right] = [varianceAt(-1), varianceAt(0), varianceAt(1)];
    for (let unit = 0; unit < UNITS; unit++) {
      const curvature = left[unit] - 2 * middle[unit] + right[unit];
      const minimiser = (left[unit] - right[unit]) / (2 * curvature);
      const learnt = state.numerator[unit] / state.denominator[unit];
      assert.ok(Math.abs(learnt - minimiser) < 1e-9, `${name}, unit ${unit}: ${learnt}, not ${minimiser}`);
    }
  }
});

test('the moving-average baseline settles at the mean loss, and has more variance than the optimal one', () => {
  const neuron = resolveNeuron('stochastic-binary:baseline=moving-average');
  const firing = everyState();
  const { loss } = quadraticProblem(UNITS);
  const losses = Float64Array.from({ length: firing.rows }, (_, row) => {
    return loss(firing.h.subarray(row * UNITS, (row + 1) * UNITS)).loss;
  });
  const fresh = () => ({
    numerator: new Float64Array(UNITS).fill(1e-6),
    denominator: new Float64Array(UNITS).fill(1e-6),
  });
  const [average, best] = [fresh(), fresh()];
  for (let step = 0; step < 400; step++) {
    neuron.update?.({ ...firing, loss: losses, state: average });
    optimal.update?.({ ...firing, loss: losses, state: best });
  }
  const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
  for (let unit = 0; unit < UNITS; unit++)
    assert.ok(Math.abs(average.numerator[unit] / average.denominator[unit] - mean) < 1e-12);
  const more = integrate(neuron, LOGITS, loss, average).variance;
  const least = integrate(optimal, LOGITS, loss, best).variance;
  assert.ok(more.every((variance, unit) => variance >= least[unit] - 1e-12));
  assert.ok(more.some((variance, unit) => variance > least[unit] * 1.01));
});

test('without a baseline the gradient is (h − σ(a))·L and nothing is kept', () => {
  const neuron = resolveNeuron('stochastic-binary:baseline=none');
  assert.equal(neuron.state, undefined);
  assert.equal(neuron.update, undefined);
  const firing = everyState();
  const loss = Float64Array.from({ length: firing.rows }, (_, row) => row / 10 - 3);
  const gradient = new Float64Array(firing.h.length);
  neuron.pullback({ ...firing, loss, dh: new Float64Array(gradient.length), gradient, state: {} });
  for (let i = 0; i < gradient.length; i++)
    assert.equal(gradient[i], (firing.h[i] - sigmoid(LOGITS[i % UNITS])) * loss[Math.floor(i / UNITS)]);
});

test('the pullback uses the previous step’s baseline, as the 2013 code does, and starts at 1', () => {
  const state = allocateState(reference, optimal, 1);
  const gradients = [0, 1].map(() => {
    reference.beginStep();
    const tape = new Tape(reference);
    const logits = tape.input(reference.tensor([0.3, -0.6], [2, 1]), tape.plates.examples(2), true);
    const source = { key: [1, 2], step: 0, layer: 0, draw: 0 } as const;
    const h = fireTensor(logits, { neuron: optimal, mode: 'sample', source, state });
    tape.backward([{ tensor: h, cotangent: 1 }], tape.input(reference.tensor([2, 5]), h.plate));
    return { h: Array.from(h.values), gradient: Array.from(tape.gradient(logits)?.values ?? []) };
  });
  const score = gradients[0].h.map((h, row) => h - sigmoid([0.3, -0.6][row]));
  const averaged = (weights: number[]): number => 0.9 * 1e-6 + 0.1 * ((weights[0] + weights[1]) / 2);
  const squares = score.map((s) => s * s);
  const second = averaged([squares[0] * 2, squares[1] * 5]) / averaged(squares);
  for (const row of [0, 1]) {
    assert.ok(Math.abs(gradients[0].gradient[row] - score[row] * ([2, 5][row] - 1)) < 1e-6);
    assert.ok(Math.abs(gradients[1].gradient[row] - score[row] * ([2, 5][row] - second)) < 1e-6);
  }
});
