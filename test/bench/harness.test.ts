import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Entry, runAlternating } from '../../bench/harness.ts';

const entry = (name: string, script: string): Entry => ({ name, command: [process.execPath, '-e', script] });

test('rounds alternate, figures are medians, ratios are within a round', async () => {
  const log = join(mkdtempSync(join(tmpdir(), 'flipgrad-harness-')), 'log');
  appendFileSync(log, '');
  const logging = (name: string, factor: number) =>
    entry(
      name,
      `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(log)}, '${name}');
       const round = Math.ceil(fs.readFileSync(${JSON.stringify(log)}, 'utf8').length / 2);
       console.log('a warning'); console.log(JSON.stringify({ milliseconds: ${factor} * round, version: '1' }));`,
    );
  const records = await runAlternating([logging('a', 1), logging('b', 3)], { rounds: 3 });
  assert.equal(readFileSync(log, 'utf8'), 'abbaab');
  assert.deepEqual(
    records.map(({ name, milliseconds, rounds, ratio }) => ({ name, milliseconds, rounds, ratio })),
    [
      { name: 'a', milliseconds: 2, rounds: [1, 2, 3], ratio: 1 },
      { name: 'b', milliseconds: 6, rounds: [3, 6, 9], ratio: 3 },
    ],
  );
  assert.equal(records[1].facts.version, '1');
});

test('an entry that skips says why and runs once', async () => {
  const records = await runAlternating([
    entry('here', 'console.log(\'{"milliseconds":2}\')'),
    entry('absent', 'console.log(\'{"skipped":"no such library"}\')'),
  ]);
  assert.equal(records[1].skipped, 'no such library');
  assert.ok(Number.isNaN(records[1].milliseconds));
});

test('an entry without a figure is an error that names it', async () => {
  await assert.rejects(runAlternating([entry('silent', '')], { rounds: 1 }), /^Error: silent: the last line/);
  await assert.rejects(runAlternating([], { rounds: 0 }), /rounds is 0/);
});
