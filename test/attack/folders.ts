import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { goodRuns, hostileRuns, makeHostile, type Reader } from '../helpers/hostile-runs.ts';
import { runHere } from '../helpers/run-here.ts';
import { treeOf } from '../helpers/tree.ts';
import { type Attack, INTERNALS, tally, within } from './attack.ts';
import { commandOf, READERS, wordsOf } from './commands.ts';

/** Run folders with links, FIFOs, devices, giants and lies, each given to every command that reads one. */
export const folders: Attack = async (folder) => {
  const good = await goodRuns(folder);
  const ends: string[] = [];
  let kinds = 0;
  for (const kind of hostileRuns) {
    let made = true;
    for (const reader of READERS) {
      const place = mkdtempSync(join(folder, 'hostile-'));
      const hostile = makeHostile(kind, good, place);
      made &&= hostile !== undefined;
      if (!hostile) continue;
      const { run, outside } = hostile;
      const before = { all: treeOf(dirname(run)), outside: treeOf(outside) };
      const [, ...args] = wordsOf(reader, run, good);
      const what = `${reader} of a run where ${kind.name}`;
      const { code, stdout, stderr } = await within(60, what, runHere(commandOf(reader), args));
      assert.ok([0, 1, 2].includes(code), `${what}: code ${code}, ${stderr}`);
      assert.doesNotMatch(stderr, INTERNALS, `${what}: ${stderr}`);
      assert.doesNotMatch(stdout + stderr, /secret/, what);
      assert.deepEqual(treeOf(outside), before.outside, `${what} changed what is outside`);
      if (kind.readers.includes(reader as Reader)) {
        assert.match(stderr, kind.refusal, `${what}: ${stderr}`);
        assert.equal(code, reader === 'runs' ? 0 : 2, what);
        assert.deepEqual(treeOf(dirname(run)), before.all, `${what} changed the folder`);
      }
      ends.push(code === 2 ? 'refused' : reader === 'runs' && stderr !== '' ? 'left out of a list' : 'did without it');
      rmSync(place, { recursive: true });
    }
    if (made) kinds++;
  }
  const found = `${kinds} kinds × ${READERS.length} commands: ${tally(ends)}; nothing outside changed`;
  return { name: 'hostile run folders', attacks: ends.length, found };
};
