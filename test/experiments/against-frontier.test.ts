import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bestBy,
  controlFinding,
  controlPairs,
  ratioOutcome,
  timesAsLong,
} from '../../experiments/kit/against-frontier.ts';
import { bootstrap } from '../../experiments/kit/bootstrap.ts';
import { modeOf } from '../../experiments/kit/control-gates.ts';
import { mean } from '../../experiments/kit/statistics.ts';

const finding = (...pairs: readonly (readonly [own: number[], control: number[]])[]) =>
  controlFinding(
    'learnt is better',
    pairs.map(([runs, controlRuns], i) => ({ shape: `net ${i}`, gates: 'own', control: 'random', runs, controlRuns })),
    mean,
    'Nats',
  );

test('a control is beaten where one net shows it over seeds, and by no point estimate of a single seed', () => {
  assert.equal(
    finding([
      [1, 1.1, 0.9],
      [2, 2.1, 1.9],
    ]).outcome,
    'holds',
  );
  assert.equal(finding([[1], [2]]).outcome, 'not shown');
  // Their seeds lie on both sides of each other.
  assert.equal(
    finding([
      [1, 2, 3],
      [1.1, 2.2, 2.9],
    ]).outcome,
    'not shown',
  );
  assert.equal(
    finding([
      [2, 2.1, 1.9],
      [1, 1.1, 0.9],
    ]).outcome,
    'refuted',
  );
  // One of the nets is enough against a control, and one that is not enough does not refute.
  assert.equal(
    finding(
      [
        [1, 1.1, 0.9],
        [2, 2.1, 1.9],
      ],
      [
        [2, 3, 1],
        [2, 2.1, 1.9],
      ],
    ).outcome,
    'holds',
  );
  assert.equal(
    finding(
      [
        [2, 2.1, 1.9],
        [1, 1.1, 0.9],
      ],
      [
        [1, 2, 3],
        [1.1, 2.2, 2.9],
      ],
    ).outcome,
    'not shown',
  );
  assert.match(
    finding([
      [1, 1.1, 0.9],
      [2, 2.1, 1.9],
    ]).evidence,
    /Nats .*\. net 0: own against random 1\.000 \(0\.\d+ to 1\.\d+\), p = 0\.00050\./,
  );
});

test('controls stand beside the gates that learn in nets of their shape, and the shape is named once', () => {
  const nets = [
    { shape: 'wide', gates: 'own', runs: [1, 1.1] },
    { shape: 'wide', gates: 'other', runs: [1, 1.2] },
    { shape: 'deep', gates: 'own', runs: [1, 1.3] },
    { shape: 'wide', gates: 'random', runs: [2, 2.1] },
    { shape: 'deep', gates: 'random', runs: [3, 3.1] },
    { shape: 'flat', gates: 'random', runs: [3, 3.1] },
  ];
  const pairs = controlPairs<number, (typeof nets)[number]>(nets, {
    shapeOf: ({ shape }) => shape,
    gatesOf: ({ gates }) => gates,
    isControl: ({ gates }) => gates === 'random',
  });
  assert.deepEqual(
    pairs.map(({ shape, gates, control, controlRuns }) => [shape, gates, control, controlRuns[0]]),
    [
      ['wide', 'own', 'random', 2],
      ['wide', 'other', 'random', 2],
      ['deep', 'own', 'random', 3],
    ],
  );
  const { evidence } = controlFinding('learnt is better', pairs, mean, 'Nats');
  assert.match(evidence, /\. wide: own against random .*; other against random .*\. deep: own against random [^;]*\.$/);
});

test('a measure that no net has a figure for is not the best of them, and shows nothing', () => {
  const none = bootstrap([[1, 2]], () => Number.NaN, 1);
  const some = bootstrap([[2, 3]], ([own]) => mean(own), 1);
  assert.equal(bestBy([{ factors: [none] }, { factors: [some] }], 0)?.factors[0], some);
  assert.equal(bestBy([{ factors: [none] }], 0), undefined);
  assert.equal(ratioOutcome(some, 2, true), 'holds');
  assert.equal(ratioOutcome(some, 1, true), 'not shown');
  assert.equal(ratioOutcome(some, 2, false), 'not tested');
  assert.equal(ratioOutcome({ ...some, p: 0.2 }, 2, true), 'not shown');
  assert.equal(ratioOutcome({ value: 0.5, low: 0.4, high: 0.6, p: 1 }, 2, true), 'refuted');
});

test('times are compared on the fastest engine of each net', () => {
  const of = (gated: number, dense: number) => ({ gated, dense: [dense], times: [dense / gated] });
  const on = (engine: string, gated: number, dense: number) => {
    const own = of(gated, dense);
    return { engine, one: own, hundred: own, step: own };
  };
  assert.equal(timesAsLong([on('a', 2, 12), on('b', 4, 8)], 'one', 0), 4);
  assert.ok(Number.isNaN(timesAsLong([], 'one', 0)));
});

test('a net without gates, or with gates that learn, is tested with a threshold', () => {
  assert.deepEqual([undefined, 'rloo', 'hash', 'random', 'coin', 'toString'].map(modeOf), [
    ...['threshold', 'threshold', 'threshold', 'sample', 'sample', 'threshold'],
  ]);
});
