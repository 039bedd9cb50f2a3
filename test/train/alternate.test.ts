import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternate, alternateAwaited, median, type Prediction, ratioOf, timePredictions } from '../../src/index.ts';
import { corners } from './tiny.ts';

test('ways that are awaited take the same turns, by the clock that is given', async () => {
  let now = 0;
  const order: number[] = [];
  const way = (own: number) => async () => {
    order.push(own);
    await Promise.resolve();
    now += own + 1;
  };
  const times = await alternateAwaited([way(0), way(1), way(2)], { rounds: 2, warmUp: 1, clock: () => now });
  assert.deepEqual(order, [0, 1, 2, 1, 2, 0, 2, 0, 1]);
  assert.deepEqual(times, [
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test('ways take turns, the first rounds do not count, and ratios are of the same round', () => {
  const order: number[] = [];
  const times = alternate([() => order.push(0), () => order.push(1)], { rounds: 4, warmUp: 2 });
  assert.deepEqual(order, [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0]);
  assert.ok(times.length === 2 && times.every((own) => own.length === 4));
  assert.equal(median([3, 1, 2, 10]), 2.5);
  // The second round was slow for both.
  assert.equal(
    ratioOf(
      [
        [1, 100, 2],
        [3, 300, 6],
      ],
      0,
      1,
    ),
    3,
  );
});

test('networks classify the same rows in a round, others in the next, and times are of one example', () => {
  const data = corners(30);
  let now = 0;
  const net = (cost: number) => {
    const seen: number[][] = [];
    const predict = (features: ArrayLike<number>): Prediction => {
      seen.push([...Array.from(features)]);
      now += (cost * features.length) / data.width;
      return { classes: new Int32Array(), probabilities: new Float32Array(), multiplyAdds: 0, open: [] };
    };
    return { seen, predict };
  };
  for (const [rows, turn] of [
    [1, 4],
    [7, 1],
  ]) {
    const nets = [net(2), net(5)];
    const times = timePredictions(nets, data, { rows, turn, rounds: 3, warmUp: 1, clock: () => now });
    assert.deepEqual(times, [
      [2, 2, 2],
      [5, 5, 5],
    ]);
    const [{ seen }, other] = nets;
    assert.deepEqual(seen, other.seen);
    assert.equal(new Set(seen.slice(0, 4).map(String)).size, 4);
    assert.ok(seen.every((features) => features.length === rows * data.width));
  }
  assert.throws(
    () => timePredictions([net(1)], data, { rows: 31, rounds: 1 }),
    /corners has 30 examples\. Expected 31 or more/,
  );
});
