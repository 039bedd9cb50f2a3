/** What is known of the estimators with one draw beyond their claims. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integrate } from '../../src/audit/integrate.ts';
import { linearProblem, networkProblem, quadraticProblem } from '../../src/audit/problems.ts';
import { trueGradient } from '../../src/audit/true-gradient.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { allocateState } from '../../src/tensor/fire.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

test('ReinMax without temperature is exact in the mean for quadratic losses, and only for those', () => {
  const neuron = resolveNeuron('reinmax');
  const logits = [0.7, -1.3, 2.1];
  for (const { name, loss } of [linearProblem(3), quadraticProblem(3)])
    assertClose(integrate(neuron, logits, loss).gradient, trueGradient(neuron, logits, loss), { absolute: 1e-9 }, name);
  const { loss } = networkProblem(3);
  const truth = trueGradient(neuron, logits, loss);
  assert.ok(integrate(neuron, logits, loss).gradient.some((g, i) => Math.abs(g - truth[i]) > 1e-3));
});

test('Rao-Blackwellised straight-through Gumbel: the same mean, and less variance with every relaxation', () => {
  const { loss } = networkProblem(1);
  const one = integrate(resolveNeuron('straight-through-gumbel'), [0.7], loss);
  const [same, two] = [1, 2].map((K) => integrate(resolveNeuron({ name: 'rao-blackwell-gumbel', K }), [0.7], loss));
  for (const { gradient } of [same, two]) assertClose(gradient, one.gradient, { absolute: 1e-9 }, 'mean');
  assertClose(same.variance, one.variance, { absolute: 1e-9 }, 'variance with one relaxation');
  // Var = V + W/K: the part V of h stays.
  assert.ok(two.variance[0] < one.variance[0]);
  assert.ok(two.variance[0] > one.variance[0] / 2);
});

test('a gap of 0 is straight-through with temperature and derivative; a wide one leaves the same slope everywhere', () => {
  const { loss } = linearProblem(1);
  const slope = (spec: string, logit: number): number => integrate(resolveNeuron(spec), [logit], loss).gradient[0];
  const plain = slope('straight-through-derivative', 1.3);
  // With gap 0 and h = 1 at a > 0 the slope is σ'(a); with h = 0 it is σ'(0).
  const p = 1 / (1 + Math.exp(-1.3));
  const expected = p * plain + (1 - p) * 0.25 * slope('straight-through', 1.3);
  assertClose([slope('gapped-straight-through:gap=0,temperature=1', 1.3)], [expected], { absolute: 1e-12 }, 'gap 0');
  const wide = [-1, 2].map((logit) => slope('gapped-straight-through:gap=5', logit));
  assert.equal(wide[0], wide[1]);
});

test('the slope grows with the updates up to its end, and the kernels fire and pull back with it', () => {
  const neuron = resolveNeuron('slope-annealed-straight-through:growth=0.5,steepest=2.2');
  const [rows, units] = [40, 6];
  const logits = drawn(normal(1), rows * units, 5);
  const runs = [reference, ...builds].map((engine) => {
    engine.beginStep();
    const state = allocateState(engine, neuron, units);
    assert.ok(state);
    const passes = [1, 1.5, 2, 2.2, 2.2].map((slope, step) => {
      assert.equal(Math.fround(state.values[0]), Math.fround(slope));
      const tape = new Tape(engine);
      const a = tape.input(engine.tensor(logits, [rows, units]), tape.plates.examples(rows), true);
      const source = { key: [1, 2], step, layer: 0, draw: 0 } as const;
      const h = fireTensor(a, { neuron, mode: 'train', source, state });
      tape.backward([{ tensor: h, cotangent: 1 }]);
      const settled = fireTensor(a, { neuron, mode: 'mean-field', source, state });
      return [h.array.toArray(), tape.gradient(a)?.toArray() ?? [], settled.array.toArray()];
    });
    return passes.flat();
  });
  for (const run of runs.slice(1))
    run.forEach((values, i) => {
      assertClose(values, runs[0][i], { absolute: 2e-6 }, `array ${i}`);
    });
  assertClose([runs[0][14][0]], [1 / (1 + Math.exp(-2.2 * logits[0]))], { absolute: 1e-6 }, 'E[h] with the last slope');
});
