/** A path of a library in a file is native code of whoever wrote the file: nothing loads it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { predictCommand } from '../../cli/predict.ts';
import { recordOf } from '../../cli/run-folder.ts';
import { showCommand } from '../../cli/show.ts';
import { trainCommand } from '../../cli/train.ts';
import { DEFAULTS } from '../../cli/train-config.ts';
import { FormatError } from '../../src/io/format-error.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { trialProcess } from '../../src/platform/node/sweep/trial-process.ts';
import { decodeRecord, encodeRecord } from '../../src/runs/record.ts';
import { checkSweep } from '../../src/runs/sweep/definition.ts';
import type { Settings } from '../../src/runs/sweep/train-settings.ts';
import { resolveTask } from '../../src/tasks/index.ts';
import { runHere } from '../helpers/run-here.ts';
import { treeOf } from '../helpers/tree.ts';
import { digits } from '../train/tiny.ts';
import { temporaryFolder, tinyRecord, tinyRun } from './tiny-run.ts';

const engine = await createEngine({ threads: 1 });
engine.close();
const REFUSAL =
  /blas` of .* is .*\. Expected "auto" or "off": the path of a library comes from --blas or FLIPGRAD_BLAS alone/;

describe('the path of a library', () => {
  test('in run.json is refused by every command that would make an engine of it', async () => {
    const run = await tinyRun(engine);
    const { path } = run.folder;
    const file = join(path, 'run.json');
    const library = join(temporaryFolder(), 'library.so');
    writeFileSync(library, 'native code');
    for (const value of [library, './library.so', '', 'libopenblas.so.0', 'AUTO', null, 7, ['off']]) {
      const record = JSON.parse(readFileSync(file, 'utf8'));
      record.engine.blas = value;
      writeFileSync(file, JSON.stringify(record));
      const before = treeOf(path);
      for (const [command, args] of [
        [evaluateCommand(), [path]],
        [predictCommand(), [path, library]],
        [exportCommand(), [path]],
        [showCommand(), [path]],
        [trainCommand(), ['--resume', path]],
      ] as const) {
        const { code, stderr, stdout } = await runHere(command, args);
        assert.equal(code, 2, `${command.name()} took ${JSON.stringify(value)}`);
        assert.match(stderr, /`engine\.blas` of .*run\.json is /);
        if (typeof value === 'string') assert.match(stderr, REFUSAL);
        assert.equal(stdout, '');
      }
      assert.deepEqual(treeOf(path), before);
    }
  });

  test('from the command line is used, and is not written into the record', () => {
    const about = {
      source: 'digits',
      seed: 1,
      task: resolveTask('classification'),
      data: digits,
      model: tinyRecord(engine).model,
      engine,
      simd: 'simd',
    };
    for (const [blas, kept] of [
      ['/opt/own/libblas.so', 'auto'],
      ['auto', 'auto'],
      ['off', 'off'],
    ]) {
      const record = recordOf(DEFAULTS, { ...about, blas, logs: [] });
      assert.equal(record.engine.blas, kept);
      assert.equal(decodeRecord(encodeRecord(record), 'run.json').engine.blas, kept);
      assert.doesNotMatch(JSON.stringify(record), /libblas/);
    }
  });

  test('in the settings of a sweep is refused, in `train` and in `space`', () => {
    const space = { lr: [0.1, 0.2] };
    assert.throws(() => checkSweep({ space, train: { blas: './x.so' } }, 'x'), /`train\.blas` is "\.\/x\.so"/);
    assert.throws(() => checkSweep({ space: { blas: ['off', './x.so'] } }, 'x'), /`space\.blas` is "\.\/x\.so"/);
    assert.throws(() => checkSweep({ space: { blas: { from: 0, to: 1 } } }, 'x'), /`space\.blas` is \{"from"/);
    assert.equal(checkSweep({ space: { blas: ['off', 'auto'] } }, 'x').configurations, 2);
  });

  test('in the settings of a trial, which a database holds, fails the trial before a process begins', async () => {
    const run = trialProcess({ main: '/there/is/no/such/program.ts', threads: 1, checkpointEvery: 30 });
    for (const blas of ['/tmp/library.so', 7, true, ['auto']]) {
      const settings = { blas, seed: 1 } as unknown as Settings;
      const trial = { key: 'c000-s1', run: 'c000-s1', configuration: 0, seed: 1, settings };
      const end = await run(trial, join(temporaryFolder(), 'run'), new AbortController().signal);
      assert.equal(end.state, 'failed');
      assert.ok(end.state === 'failed');
      assert.match(end.reason, /`settings\.blas` is .*\. Expected "auto" or "off": the path of a library comes from/);
    }
  });
});

test('other facts of the engine that a file gives are checked too', () => {
  for (const crossovers of [{ 0: 0.5 }, { 8: 2 }, { 8: null }, { x: 0.5 }]) {
    const record = { ...tinyRecord(engine), engine: { ...tinyRecord(engine).engine, crossovers } };
    const bytes = new TextEncoder().encode(JSON.stringify(record));
    assert.throws(
      () => decodeRecord(bytes, 'run.json'),
      (error: Error) => error instanceof FormatError && /engine\.crossovers/.test(error.message),
    );
  }
});
