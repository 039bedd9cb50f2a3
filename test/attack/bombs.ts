import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { giveHostile, honestRun, hostileData, LIMITS } from '../helpers/hostile-data.ts';
import { goodRuns, hostileRuns, makeHostile } from '../helpers/hostile-runs.ts';
import { runCli } from '../helpers/run-cli.ts';
import { type Attack, INTERNALS, tally } from './attack.ts';
import { wordsOf } from './commands.ts';

const notHere = process.platform === 'linux' ? undefined : '`ulimit -d` limits memory on Linux alone.';

/** Data that inflate, claim, block or never end, in processes with 1.5 GB and two minutes. */
export const data: Attack = async (folder) => {
  const name = 'hostile data, each in a process with 1.5 GB and 120 s';
  if (notHere) return { name, attacks: 0, found: '', skipped: notHere };
  const run = await honestRun(folder);
  const ends: string[] = [];
  for (const hostile of hostileData) {
    const { code, stderr } = await giveHostile(hostile, folder, run);
    assert.equal(code, hostile.refusal ? 2 : 0, `${hostile.name}: ${stderr}`);
    if (hostile.refusal) assert.match(stderr, hostile.refusal, hostile.name);
    assert.doesNotMatch(stderr, INTERNALS, hostile.name);
    ends.push(hostile.refusal ? 'refused' : 'read: merely small');
  }
  return { name, attacks: ends.length, found: `an honest run passes; ${tally(ends)}` };
};

/** Records that ask for the impossible, in such processes too. */
export const records: Attack = async (folder) => {
  const name = 'run.json that asks for too much, each in a process with 1.5 GB and 120 s';
  if (notHere) return { name, attacks: 0, found: '', skipped: notHere };
  const good = await goodRuns(folder);
  const ends: string[] = [];
  for (const kind of hostileRuns.filter((one) => one.name.startsWith('run.json asks')))
    for (const reader of kind.readers.filter((one) => ['runs', 'evaluate', 'resume'].includes(one))) {
      const place = mkdtempSync(join(folder, 'hostile-'));
      const made = makeHostile(kind, good, place);
      assert.ok(made);
      const { code, stderr } = await runCli(wordsOf(reader, made.run, good), LIMITS);
      assert.equal(code, reader === 'runs' ? 0 : 2, `${reader}, ${kind.name}: ${stderr}`);
      assert.match(stderr, kind.refusal);
      assert.doesNotMatch(stderr, INTERNALS);
      ends.push(code === 0 ? 'left out of a list' : 'refused');
      rmSync(place, { recursive: true });
    }
  return { name, attacks: ends.length, found: tally(ends) };
};
