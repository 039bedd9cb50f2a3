/** Run folders of strangers: no command follows them out, waits for them, or writes before it refuses. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { predictCommand } from '../../cli/predict.ts';
import { runsCommand } from '../../cli/runs.ts';
import { showCommand } from '../../cli/show.ts';
import { trainCommand } from '../../cli/train.ts';
import { full, slow } from '../helpers/extent.ts';
import { argumentsOf, goodRuns, hostileRuns, makeHostile, type Reader } from '../helpers/hostile-runs.ts';
import { runHere } from '../helpers/run-here.ts';
import { treeOf } from '../helpers/tree.ts';
import { temporaryFolder } from './tiny-run.ts';

const commands: Readonly<Record<Reader, () => Command>> = {
  show: showCommand,
  runs: runsCommand,
  evaluate: evaluateCommand,
  predict: predictCommand,
  export: exportCommand,
  resume: trainCommand,
};
const readers = Object.keys(commands) as Reader[];
const good = await goodRuns(temporaryFolder());

test('the runs that the hostile ones are made of are read by every command', async () => {
  for (const run of [good.done, good.stopped])
    for (const reader of readers.filter((name) => name !== 'resume')) {
      const { code, stderr } = await runHere(commands[reader](), argumentsOf(reader, run, good));
      assert.equal(code, 0, `${reader} of ${run}: ${stderr}`);
    }
});

/** What a refusal may cost, in MB. */
const MOST_MEMORY = 300;

describe('a hostile folder', () => {
  for (const kind of hostileRuns)
    test(kind.name, { timeout: 60_000, skip: !isFirst(kind) && slow }, async (t) => {
      const memory = process.resourceUsage().maxRSS;
      for (const reader of quick(kind)) {
        const made = makeHostile(kind, good, temporaryFolder());
        if (!made) return t.skip('no right to make a device');
        const { run, outside } = made;
        const before = treeOf(dirname(run));
        const { code, stdout, stderr } = await runHere(commands[reader](), argumentsOf(reader, run, good));
        const after = treeOf(dirname(run));
        const told = `${reader}: code ${code}, ${stderr}`;
        assert.doesNotMatch(stderr, /\n\s+at /, told);
        assert.deepEqual(treeOf(outside), part(before, 'outside/'), `${reader} changed what is outside`);
        assert.doesNotMatch(stdout + stderr, /secret/);
        assert.match(stderr, kind.refusal, told);
        // A list goes on without what it cannot read.
        assert.equal(code, reader === 'runs' ? 0 : 2, told);
        assert.deepEqual(after, before, `${reader} changed the folder`);
        const megabytes = (process.resourceUsage().maxRSS - memory) / 1024;
        assert.ok(megabytes < MOST_MEMORY, `${reader} took ${megabytes} MB more`);
      }
    });
});

/** Is it the first of those that are refused for one reason? */
function isFirst(kind: (typeof hostileRuns)[number]): boolean {
  return hostileRuns.find(({ refusal }) => String(refusal) === String(kind.refusal)) === kind;
}

/**
 * Three commands read a run's model in one way: one of them stands for the others, but for links; in `npm test` one command and `--resume`
 * stand for all. `npm run attack` has them all.
 */
const quick = ({ readers: all, name }: (typeof hostileRuns)[number]): Reader[] =>
  full
    ? all.filter((reader) => /link|library/.test(name) || (reader !== 'predict' && reader !== 'export'))
    : all.filter((reader) => reader === all[0] || reader === 'resume');

/** Of a tree what is under a folder. */
const part = (tree: Record<string, string>, folder: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree).flatMap(([name, what]) =>
      name.startsWith(folder) ? [[name.slice(folder.length), what]] : [],
    ),
  );
