/** CTC against its meaning: the sum over every path that is read as the labels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { fitsScratch, leastPoints, roomOf } from '../../src/kernels/ctc.ts';
import { ctc } from '../../src/tensor/ops/sequences.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, integers, reference } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

/** Repeats merged, then blanks removed. */
function readOf(path: readonly number[], blank: number): string {
  return path.filter((class_, t) => class_ !== blank && class_ !== path[t - 1]).join();
}

/** Every path of so many points, with its probability. */
function* pathsOf(probabilities: readonly (readonly number[])[]): Generator<[number[], number]> {
  if (probabilities.length === 0) {
    yield [[], 1];
    return;
  }
  const [first, ...rest] = probabilities;
  for (const [path, p] of pathsOf(rest)) for (let k = 0; k < first.length; k++) yield [[k, ...path], first[k] * p];
}

function softmaxRows(logits: Float64Array, columns: number): number[][] {
  return Array.from({ length: logits.length / columns }, (_, t) => {
    const powers = Array.from(logits.subarray(t * columns, (t + 1) * columns), Math.exp);
    const total = powers.reduce((sum, x) => sum + x, 0);
    return powers.map((x) => x / total);
  });
}

/** Where one sequence is worked on: in scratch memory. */
const scratch = (engine: Engine): number => integers(engine, [-1]).pointer;

const CASES = [
  { labels: [], points: 3, columns: 3 },
  { labels: [0], points: 1, columns: 3 },
  { labels: [1], points: 5, columns: 3 },
  { labels: [0, 1], points: 5, columns: 3 },
  { labels: [1, 1], points: 5, columns: 3 },
  { labels: [1, 1], points: 3, columns: 2 + 1 },
  { labels: [0, 0, 0], points: 6, columns: 2 },
  { labels: [0, 2, 2], points: 6, columns: 4 },
];

for (const engine of [reference, ...builds])
  test(`the loss is −log of the sum over all paths, and its gradient p less the posterior, on ${engine.name}`, () => {
    for (const { labels, points, columns } of CASES) {
      const logits = drawn(normal(1.5), points * columns, 77, points * 10 + columns);
      const probabilities = softmaxRows(logits, columns);
      let total = 0;
      const through = new Float64Array(points * columns);
      for (const [path, p] of pathsOf(probabilities))
        if (readOf(path, columns - 1) === labels.join()) {
          total += p;
          path.forEach((class_, t) => {
            through[t * columns + class_] += p;
          });
        }
      engine.beginStep();
      const [loss, gradient] = [engine.allocate([1], 'a loss'), engine.allocate([points, columns], 'a gradient')];
      const [offsets, marks, places] = [[0, points], labels, [0, labels.length]].map((list) => integers(engine, list));
      const made = [loss.pointer, gradient.pointer] as const;
      const at = engine.tensor(logits).pointer;
      engine.backend.run(
        'ctc',
        at,
        offsets.pointer,
        marks.pointer,
        places.pointer,
        ...made,
        0,
        scratch(engine),
        1,
        columns,
      );
      assertClose(loss.values, [-Math.log(total)], { relative: 1e-7, absolute: 1e-12 }, `loss of [${labels}]`);
      const expected = probabilities.flat().map((p, i) => p - through[i] / total);
      assertClose(gradient.values, expected, { relative: 1e-7, absolute: 1e-7 }, `gradient of [${labels}]`);
    }
  });

test('the fewest points that labels need', () => {
  assert.deepEqual([[], [3], [1, 2], [1, 1], [2, 2, 2], [1, 2, 2, 1]].map(leastPoints), [1, 1, 2, 3, 5, 5]);
});

test('NaN and infinite logits give a loss of NaN', () => {
  for (const engine of builds)
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      engine.beginStep();
      const [loss, gradient] = [engine.allocate([1], 'a loss'), engine.allocate([3, 2], 'a gradient')];
      const [offsets, marks, places] = [[0, 3], [0], [0, 1]].map((list) => integers(engine, list));
      const logits = engine.tensor([0, 1, bad, 0, 1, 0]);
      const given = [logits.pointer, offsets.pointer, marks.pointer, places.pointer] as const;
      engine.backend.run('ctc', ...given, loss.pointer, gradient.pointer, 0, scratch(engine), 1, 2);
      assert.ok(Number.isNaN(loss.values[0]), `${bad} on ${engine.name}`);
    }
});

test('long sequences of confident, wrong logits neither overflow nor become infinite', () => {
  for (const engine of builds) {
    engine.beginStep();
    const points = 400;
    const [loss, gradient] = [engine.allocate([1], 'a loss'), engine.allocate([points, 3], 'a gradient')];
    const [offsets, marks, places] = [
      [0, points],
      [0, 1],
      [0, 2],
    ].map((list) => integers(engine, list));
    // Class 1 everywhere, by 80 nats: the labels 0, 1 are read with class 0 at the first point alone.
    const logits = engine.tensor(Float64Array.from({ length: points * 3 }, (_, i) => (i % 3 === 1 ? 80 : 0)));
    const given = [logits.pointer, offsets.pointer, marks.pointer, places.pointer] as const;
    engine.backend.run('ctc', ...given, loss.pointer, gradient.pointer, 0, scratch(engine), 1, 3);
    assertClose(loss.values, [80], { relative: 1e-6 }, 'the loss');
    assertClose(gradient.values.subarray(0, 3), [-1, 1, 0], { absolute: 1e-6 }, 'the gradient at the first point');
  }
});

test('sequences that scratch memory does not hold, beside one that it does, are as the definition has them', () => {
  const columns = 11;
  const lengths = [
    [400, 199],
    [5, 2],
    [700, 120],
  ];
  assert.deepEqual(
    lengths.map(([points, labels]) => fitsScratch(roomOf(points, labels, columns))),
    [false, true, false],
  );
  const sumTo = (of: 0 | 1) =>
    Int32Array.from([0, 1, 2, 3], (n) => lengths.slice(0, n).reduce((sum, l) => sum + l[of], 0));
  const [rows, places] = [sumTo(0), sumTo(1)];
  const labels = Int32Array.from({ length: places[3] }, (_, i) => (7 * i) % (columns - 1));
  const logits = drawn(normal(1.5), rows[3] * columns, 78, 4);
  const [expected, ...made] = [reference, ...builds].map((engine) => {
    engine.beginStep();
    const tape = new Tape(engine);
    const x = tape.input(engine.tensor(logits, [rows[3], columns]), tape.plates.points(rows), true);
    const losses = ctc(x, { labels, offsets: places });
    tape.backward([{ tensor: losses, cotangent: 1 }]);
    return [Float64Array.from(losses.values), Float64Array.from(tape.gradient(x)?.values ?? [])];
  });
  for (const [losses, gradient] of made) {
    assertClose(losses, [...expected[0]], { relative: 1e-6 }, 'losses');
    assertClose(gradient, [...expected[1]], { relative: 1e-6, absolute: 1e-6 }, 'gradients');
  }
});
