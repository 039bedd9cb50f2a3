import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { adviseCommand } from '../../cli/advise.ts';
import type { Advice } from '../../src/index.ts';
import { full, slow } from '../helpers/extent.ts';
import { interrupted } from '../helpers/interrupted.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-advise-'));
after(() => rmSync(folder, { recursive: true }));

const data = twoClasses(join(folder, 'two.csv'));
const SMALL = ['--units', '32', '--blocks', '8', '--gater', '8', '--threads', '1', '--blas', 'off'];

describe('flipgrad advise', () => {
  it('measures, races and recommends one of the neurons asked about, with paired evidence', {
    skip: slow,
  }, async () => {
    const asked = ['straight-through', 'rloo', 'noisy-rectifier', 'exact', 'stochastic-binary:baseline=none'];
    const given = ['--seconds', '4', '--seeds', '3', '--neuron', asked.join(',')];
    const { code, stderr, lines } = await runCliHere(['advise', ...SMALL, ...given]);
    assert.equal(code, 0, stderr);
    const [advice] = lines() as unknown as (Advice & { event: string })[];
    assert.equal(advice.event, 'advice');
    assert.ok(asked.includes(advice.neuron));
    assert.equal(advice.neuron, advice.races[0].neuron);
    assert.ok(advice.because.length >= 2 && advice.because.some((sentence) => /Closed blocks/.test(sentence)));
    const { measured, races, heat } = advice;
    // Enumerating 8 gates takes 256 evaluations, which is too many; the noisy rectifier is no bit.
    assert.deepEqual(measured.map(({ neuron }) => neuron).sort(), [asked[1], asked[4], asked[0]].sort());
    assert.ok(heat.some(({ neuron }) => neuron === 'noisy-rectifier'));
    for (const row of measured) assert.ok(row.variance > 0 && row.points >= 1);
    assert.deepEqual(Object.fromEntries(measured.map(({ neuron, skips }) => [neuron, skips])), {
      [asked[0]]: false,
      [asked[1]]: true,
      [asked[4]]: true,
    });
    for (const { errors, error, behind, steps, executed } of races) {
      assert.equal(errors.length, 3);
      assert.ok(Math.abs(errors.reduce((sum, one) => sum + one, 0) / 3 - error) < 1e-12);
      assert.ok(steps >= 1 && executed > 0 && executed <= 1.001);
      if (behind) assert.ok(behind.least <= behind.value && behind.value <= behind.most && behind.value >= 0);
    }
    assert.ok(
      races.some(({ neuron }) => neuron === 'straight-through'),
      'the usual one races too',
    );
  });

  it('advises on hidden units of a trained run, and measures in it', async () => {
    const run = join(folder, 'run');
    const network = ['--data', data, '--model', 'dense', '--units', '12', '--threads', '1', '--blas', 'off'];
    const trained = await runCliHere(['train', ...network, '--neuron', 'rloo', '--epochs', '1', '--run', run]);
    assert.equal(trained.code, 0, trained.stderr);
    const given = [
      '--run',
      run,
      '--threads',
      '1',
      '--blas',
      'off',
      '--seconds',
      full ? '2' : '1',
      '--seeds',
      '3',
      '--neuron',
      'rloo',
    ];
    const { code, stderr, lines } = await runCliHere(['advise', ...given]);
    assert.equal(code, 0, stderr);
    const [advice] = lines() as unknown as Advice[];
    assert.equal(advice.neuron, 'rloo');
    assert.ok(advice.measured[0].points >= 2, 'the trained network and one point of a training');
    assert.ok(!advice.because.some((sentence) => /blocks/.test(sentence)));
    const both = await refused(adviseCommand(), [...given, '--units', '5']);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--units and --run both/);
  });

  it('interrupted it ends with 130', async () => {
    const given = [...SMALL, '--data', data, '--seconds', '60', '--neuron', 'rloo,straight-through'];
    assert.deepEqual(await interrupted(adviseCommand(), given), { text: 'Interrupted.', code: 130 });
  });

  it('refuses bad usage with exit code 2', async () => {
    for (const [args, message] of [
      [['--data', data, '--neuron', 'nobody'], /no neuron "nobody"/],
      [['--data', data, '--seeds', '2'], /`seeds` is 2/],
      [['--seconds', '0'], /--seconds/],
      [['--data', 'nowhere'], /nowhere/],
      [['--run', join(folder, 'none')], /none/],
      [['--data', data, '--model', 'vae'], /--model/],
    ] as const) {
      const { code, stderr } = await refused(adviseCommand(), [...SMALL, ...args]);
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, message);
    }
  });
});
