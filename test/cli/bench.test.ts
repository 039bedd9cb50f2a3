import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { benchCommand } from '../../cli/bench.ts';
import { createEngine, readCalibration } from '../../src/platform/node/index.ts';
import { refused } from '../helpers/refused.ts';
import { runCli } from '../helpers/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-bench-'));
after(() => rmSync(folder, { recursive: true }));

describe('flipgrad bench', () => {
  it('measures crossovers and a waterfall whose parts add up, draws, and keeps a calibration that engines use', async () => {
    const file = join(folder, 'calibration.json');
    const plot = join(folder, 'deep/picture.svg');
    const small = ['--units', '64', '--sizes', '1,16', '--rows', '20', '--inputs', '50', '--threads', '1'];
    const { code, stderr, lines } = await runCli(['bench', ...small, '--plot', plot, '--calibrate'], {
      env: { FLIPGRAD_CALIBRATION: file },
    });
    assert.equal(code, 0, stderr);
    const events = lines() as (Record<string, number> & { event: never })[];
    const eventsOf = (name: string) => events.filter(({ event }) => event === name);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['crossover', 'waterfall', 'crossover', 'waterfall'],
    );
    for (const fall of eventsOf('waterfall')) {
      const parts = fall.ideal + fall.gater + fall.compaction + fall.memory + fall.uneven;
      assert.ok(Math.abs(parts - fall.measured) < 1e-9 * Math.max(1, fall.measured));
    }
    for (const curve of eventsOf('crossover')) assert.ok(curve.crossover >= 0 && curve.crossover <= 1);
    assert.match(readFileSync(plot, 'utf8'), /^<svg[\s\S]*blocks of 16[\s\S]*<\/svg>\n$/);
    assert.ok(existsSync(file));
    process.env.FLIPGRAD_CALIBRATION = file;
    const kept = readCalibration({ threads: 1, simd: 'auto', blas: 'off' });
    const engine = await createEngine({ threads: 1, simd: 'auto', blas: 'off' });
    const other = await createEngine({ threads: 1, simd: 'simd', blas: 'off' });
    delete process.env.FLIPGRAD_CALIBRATION;
    assert.deepEqual(engine.crossovers, { 1: events[0].crossover, 16: events[2].crossover });
    assert.deepEqual(kept, engine.crossovers);
    assert.notDeepEqual(other.crossovers, engine.crossovers, 'another build was not calibrated');
    engine.close();
    other.close();
  });

  it('refuses widths that are no numbers, blocks that divide nothing, and more than all blocks', async () => {
    const cases: [string[], RegExp][] = [
      [['--units', 'many'], /--units/],
      [['--units', '65', '--sizes', '8'], /No block of 8 units divides 65 units; --sizes that divide --units would do/],
      [['--density', '2'], /'2' is invalid. A number over 0, and 1 at most, would do/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await refused(benchCommand(), args);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
