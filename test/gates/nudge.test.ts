import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BiasNudge } from '../../src/gates/nudge.ts';

test('a unit is nudged while the moving average of its rate is under its share of the target, others never', () => {
  const nudge = new BiasNudge(3, 0.1, { below: 0.5, step: 0.25, decay: 0.5 });
  const bias = new Float64Array(3);
  const averages: number[][] = [];
  for (let step = 0; step < 4; step++) {
    nudge.apply([0, 0.1, 1], bias);
    averages.push([...nudge.rates]);
  }
  // The dead unit: 0.1 → 0.05 (not under 0.05), 0.025, 0.0125, 0.00625: nudged three times.
  assert.deepEqual(
    averages.map(([dead]) => dead),
    [0.05, 0.025, 0.0125, 0.00625],
  );
  assert.deepEqual([...bias], [0.75, 0, 0]);
  nudge.apply([1, 0.1, 1], bias);
  assert.deepEqual([...bias], [0.75, 0, 0], 'it fires again');
});

test('the defaults: under a tenth of the target, by 0.02, with a decay of 0.99', () => {
  const nudge = new BiasNudge(1, 0.1, {});
  const bias = new Float64Array(1);
  let steps = 0;
  while (bias[0] === 0) {
    nudge.apply([0], bias);
    steps++;
  }
  // 0.99^steps < 0.1
  assert.equal(steps, Math.ceil(Math.log(0.1) / Math.log(0.99)));
  assert.equal(bias[0], 0.02);
});
