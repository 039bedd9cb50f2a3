import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RacePoint } from '../../src/index.ts';
import { heightsOf, readPanel } from '../helpers/picture.ts';
import { runCliHere } from '../helpers/run-here.ts';

test('`flipgrad race --plot` draws what it prints: a line an arm, means over seeds, and bands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-race-'));
  try {
    const file = join(folder, 'deep/race.svg');
    const arms = ['straight-through', 'rloo:K=3', 'sigmoid'];
    const flags = ['--budget', '12', '--points', '2', '--units', '6', '--examples', '40', '--valid', '50'];
    const { code, stderr, lines } = await runCliHere([
      ...['race', '--neuron', arms.join(','), ...flags, '--batch', '20', '--seeds', '2', '--threads', '1'],
      ...['--plot', file, '--json'],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Wrote .*race\.svg\.\n$/);
    const svg = readFileSync(file, 'utf8');
    assert.ok(svg.includes('Race by evaluations, 2 seeds; lines: means, bands: least to greatest'));
    const points = lines().filter(({ event }) => event === 'point') as unknown as RacePoint[];
    const expected = (of: (point: RacePoint) => number): number[][] =>
      arms.map((arm) =>
        [0, 1, 2].map((at) => {
          const own = points.filter((point) => point.arm === arm && point.point === at);
          assert.equal(own.length, 2);
          return (of(own[0]) + of(own[1])) / 2;
        }),
      );
    const near = (found: number[][], wanted: number[][], most: number): void => {
      assert.deepEqual(
        found.map(({ length }) => length),
        wanted.map(({ length }) => length),
      );
      for (const [i, line] of found.entries())
        for (const [j, value] of line.entries())
          assert.ok(Math.abs(value - wanted[i][j]) < most, `${value} ${wanted[i][j]}`);
    };
    near(
      heightsOf(svg, 'validation error, %, noise off'),
      expected(({ valid }) => 100 * valid.error),
      0.2,
    );
    near(
      heightsOf(svg, 'training loss, nats, noise off'),
      expected(({ train }) => train.loss),
      0.01,
    );
    // No variance without noise, and no loss as sampled before a step.
    assert.equal(heightsOf(svg, 'variance of one step’s gradient, per example').length, 2);
    assert.deepEqual(
      heightsOf(svg, 'training loss, nats, as sampled').map(({ length }) => length),
      [2, 2, 2],
    );
    assert.ok(readPanel(svg).bands >= arms.length);
    for (const arm of arms) assert.ok(svg.includes(`>${arm}</text>`), arm);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a race of one ends with a sentence and draws nothing', async () => {
  const { code, stderr } = await runCliHere([
    'race',
    '--neuron',
    'rloo',
    '--examples',
    '20',
    '--plot',
    '/nonexistent/x.svg',
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /The race has one neuron\. Expected two or more/);
});
