/** What docs/counterexamples.md says, for every probability. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEngine } from '../../src/platform/node/index.ts';
import { fire, square, subtract, sum, valueAndGradient } from '../../src/tensor/index.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const UNITS = 20_000;
const P = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9];

/** What each of many units of one probability has as gradient of Σ(h − at)². */
function gradients(neuron: string, p: number, at: number): Float32Array {
  const logits = new Float32Array(UNITS).fill(Math.log(p / (1 - p)));
  const { gradient } = valueAndGradient(engine, (x) => sum(square(subtract(fire(neuron, x.logits), [at]))), { logits });
  return gradient.logits;
}
const mean = (values: Float32Array): number => values.reduce((total, x) => total + x, 0) / values.length;

test('the mean of straight-through is 2(p − c) where the true slope is σ′(1 − 2c): another sign for p under c', () => {
  for (const p of P) {
    assert.ok(Math.abs(mean(gradients('straight-through', p, 0.45)) - 2 * (p - 0.45)) < 0.03, String(p));
    const slope = p * (1 - p) * (1 - 2 * 0.45);
    assert.ok(Math.abs(mean(gradients('reinmax', p, 0.45)) - slope) < 0.01, String(p));
    const biased = mean(gradients('straight-through-derivative', p, 0.45));
    assert.ok(Math.abs(biased - p * (1 - p) * 2 * (p - 0.45)) < 0.01, String(p));
  }
});

test('stochastic times smooth has no gradient where its bit is 0, whatever the loss', () => {
  for (const p of P) {
    const logits = new Float32Array(UNITS).fill(Math.log(p / (1 - p)));
    let open: number[] = [];
    const { gradient } = valueAndGradient(
      engine,
      (x) => {
        const h = fire('stochastic-times-smooth', x.logits);
        open = Array.from(h.values);
        return sum(square(subtract(h, [10])));
      },
      { logits },
    );
    assert.ok(gradient.logits.every((slope, i) => (slope === 0) === (open[i] === 0)));
    assert.ok(open.some((h) => h === 0) && open.some((h) => h > 0));
  }
});
