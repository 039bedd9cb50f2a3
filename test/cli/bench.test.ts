import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { INK } from '../../charts/figure.ts';
import { benchCommand } from '../../cli/bench.ts';
import type { CrossoverCurve } from '../../src/index.ts';
import { createEngine, readCalibration } from '../../src/platform/node/index.ts';
import { full } from '../helpers/extent.ts';
import { assertLinear, pathsOf, textsOf } from '../helpers/picture.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere, runHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-bench-'));
after(() => rmSync(folder, { recursive: true }));

/** Has a picture a panel a shape, with the times of open blocks as they were measured? */
function checkPicture(svg: string, curves: readonly CrossoverCurve[]): void {
  const texts = textsOf(svg);
  const drawn = pathsOf(svg, INK.blue);
  assert.equal(drawn.length, curves.length);
  for (const [i, { units, size, points }] of curves.entries()) {
    assert.ok(texts.includes(`${units} units in ${units / size} blocks of ${size}`), texts.join('|'));
    assertLinear(
      points.map(({ density }) => density),
      drawn[i].map(([x]) => x),
    );
    assertLinear(
      points.map(({ blocks }) => blocks),
      drawn[i].map(([, y]) => y),
    );
  }
}

describe('flipgrad bench', () => {
  it('measures crossovers and a waterfall whose parts add up, draws, and keeps a calibration that engines use', async () => {
    const sizes = full ? [1, 16] : [16];
    const file = join(folder, 'calibration.json');
    const plot = join(folder, 'deep/picture.svg');
    const small = ['--units', '64', '--sizes', sizes.join(), '--rows', '20', '--inputs', '50', '--threads', '1'];
    const { code, stderr, lines } = await runCliHere(['bench', ...small, '--plot', plot, '--calibrate'], {
      env: { FLIPGRAD_CALIBRATION: file },
    });
    assert.equal(code, 0, stderr);
    const events = lines() as (Record<string, number> & { event: never })[];
    const eventsOf = (name: string) => events.filter(({ event }) => event === name);
    assert.deepEqual(
      events.map(({ event }) => event),
      sizes.flatMap(() => ['crossover', 'waterfall']),
    );
    for (const fall of eventsOf('waterfall')) {
      const parts = fall.ideal + fall.gater + fall.compaction + fall.memory + fall.uneven;
      assert.ok(Math.abs(parts - fall.measured) < 1e-9 * Math.max(1, fall.measured));
    }
    for (const curve of eventsOf('crossover')) assert.ok(curve.crossover >= 0 && curve.crossover <= 1);
    checkPicture(readFileSync(plot, 'utf8'), eventsOf('crossover') as unknown as CrossoverCurve[]);
    assert.ok(existsSync(file));
    process.env.FLIPGRAD_CALIBRATION = file;
    const kept = readCalibration({ threads: 1, simd: 'auto', blas: 'off' });
    const engine = await createEngine({ threads: 1, simd: 'auto', blas: 'off' });
    const other = await createEngine({ threads: 1, simd: 'simd', blas: 'off' });
    delete process.env.FLIPGRAD_CALIBRATION;
    assert.deepEqual(engine.crossovers, Object.fromEntries(sizes.map((size, i) => [size, events[2 * i].crossover])));
    assert.deepEqual(kept, engine.crossovers);
    assert.notDeepEqual(other.crossovers, engine.crossovers, 'another build was not calibrated');
    engine.close();
    other.close();
  });

  it('tells the time of a training step of a network of a file by operation, and parts add up to the step', async () => {
    const net = join(folder, 'net.mjs');
    writeFileSync(
      net,
      `export default ({ inputs }) => [
        { layer: 'dense', units: inputs, neuron: 'rectifier' },
        { layer: 'gated', units: 64, blocks: 16, neuron: 'noisy-top-k', rate: 0.125, compute: 'blocks' },
      ];`,
    );
    const { code, stderr, lines } = await runCliHere([
      'bench',
      ...['--step', net, '--inputs', '20', '--rows', '6', '--classes', '5', '--threads', '1'],
    ]);
    assert.equal(code, 0, stderr);
    const events = lines() as { event: string; [name: string]: unknown }[];
    const step = events.at(-1);
    const { rows, milliseconds, multiplyAdds, optimizer } = step as Record<string, number>;
    // 20 · 20, the gater 20 · 64 + 64 · 16, two open blocks of four units on both sides.
    assert.deepEqual([rows, multiplyAdds, optimizer], [6, 6 * (400 + 1280 + 1024 + 8 * 20 + 8 * 5), 'adam']);
    assert.ok(milliseconds > 0);
    // Of one thread: what other programs take does not count.
    assert.equal((step as Record<string, unknown>).clock, 'processor');
    const activities = events.slice(0, -1) as unknown as {
      event: string;
      part: string;
      layer: string;
      name: string;
      calls: number;
      milliseconds: number;
      kernels: number;
    }[];
    assert.ok(activities.every(({ event }) => event === 'activity'));
    const told = activities.map(({ part, layer, name }) => `${part} ${layer} ${name}`);
    for (const expected of [
      'forward dense0 matmul',
      'forward gated1 penalty',
      'forward gated1 choice of blocks',
      'forward gated1 denseToBlocks',
      'backward gated1 denseToBlocks',
      'backward output blocksToDense',
      'backward dense0 matmul',
    ])
      assert.ok(told.includes(expected), `${expected} is missing in\n${told.join('\n')}`);
    assert.ok(
      told.every((name) => !name.includes('scatterBlocks')),
      'open blocks were scattered',
    );
    assert.equal(told.at(-1), 'rest  other');
    assert.equal(new Set(told).size, told.length);
    for (const { calls, milliseconds: own, kernels, name } of activities)
      assert.ok(calls >= 1 && Number.isInteger(calls) && own >= kernels && kernels >= 0, name);
    // A gater of two layers: hidden and logits.
    assert.equal(
      activities.find(({ part, layer, name }) => `${part} ${layer} ${name}` === 'forward gated1 matmul')?.calls,
      2,
    );
  });

  it('refuses a place for the picture before it measures', async () => {
    const small = ['--units', '8', '--sizes', '8', '--rows', '2', '--inputs', '2', '--threads', '1', '--json'];
    for (const [plot, message] of [
      [folder, /is a folder\. Expected the path of a file/],
      ['', /name of the file to write is empty/],
    ] as const) {
      const { code, stderr, stdout } = await runHere(benchCommand(), [...small, '--plot', plot]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    }
  });

  it('refuses widths that are no numbers, blocks that divide nothing, and more than all blocks', async () => {
    const cases: [string[], RegExp][] = [
      [['--units', 'many'], /--units/],
      [
        ['--units', '65', '--sizes', '8'],
        /No block of 8 units divides 65 units\. Expected --sizes that divide --units/,
      ],
      [['--step', join(folder, 'none.ts')], /none.ts/],
      [['--step', 'x.ts', '--units', '64'], /--step measures a training step, and --units is for crossovers/],
      [['--classes', '4'], /--classes is for a training step. Expected --step FILE with it/],
      [['--density', '2'], /'2' is invalid. Expected a number over 0, and 1 at most/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await refused(benchCommand(), args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
