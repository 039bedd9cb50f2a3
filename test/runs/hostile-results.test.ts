/** results.json of strangers: what a sweep's definition asks for is counted before any of it is planned. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runsCommand } from '../../cli/runs.ts';
import { encodeResults } from '../../cli/sweep-report.ts';
import { checkSweep } from '../../src/runs/sweep/definition.ts';
import { runHere } from '../helpers/run-here.ts';
import { treeOf } from '../helpers/tree.ts';
import { temporaryFolder } from './tiny-run.ts';

// biome-ignore lint/suspicious/noExplicitAny: a file that is made wrong on purpose
type Json = Record<string, any>;

const sweep = { space: { lr: { from: 0.001, to: 0.1 } }, configurations: 6, seeds: 6, train: { epochs: 9 } };
const good = (more: object = {}): Json =>
  JSON.parse(new TextDecoder().decode(encodeResults(checkSweep({ ...sweep, ...more }, 'small'), [], [])));
const shown = (folder: string) => runHere(runsCommand(), ['--sweep', 'small', '--folder', folder, '--json']);
/** What a refusal may cost, in MB. */
const MOST_MEMORY = 200;

/** Definitions that ask for far too much, and what is said of them. */
const BOMBS: Readonly<Record<string, { change: (definition: Json) => Json; says: RegExp; more?: object }>> = {
  '1e9 seeds': {
    change: (d) => ({ ...d, seeds: 1e9 }),
    says: /6 configurations of 1000000000 seeds are 6000000000 trials/,
  },
  '1e9 configurations': {
    change: (d) => ({ ...d, configurations: 1e9 }),
    says: /1000000000 configurations of 6 seeds are 6000000000 trials\. Expected 100000 at most/,
  },
  '1e9 configurations, four at a time': {
    change: (d) => ({ ...d, configurations: 1e9, search: 'tpe', generation: 1 }),
    says: /Expected 100000 at most/,
  },
  '1e9 steps': {
    change: ({ configurations: _, ...d }) => ({
      ...d,
      search: 'grid',
      space: { lr: { from: 0.1, to: 1, steps: 1e9 } },
    }),
    says: /The grid of `space` has 1000000000 configurations/,
  },
  '1e12 combinations': {
    change: ({ configurations: _, ...d }) => ({
      ...d,
      search: 'grid',
      space: Object.fromEntries(
        ['lr', 'gaterLr', 'decay', 'maxNorm'].map((name) => [name, { from: 0.1, to: 1, steps: 1000 }]),
      ),
    }),
    says: /The grid of `space` has 1000000000000 configurations/,
  },
  '1e8 rungs': {
    change: (d) => ({
      ...d,
      train: { ...d.train, epochs: 1e9 },
      pruning: { by: 'halving', epochs: 1, keep: 0.9999999 },
    }),
    says: /there are \d{8,} rungs\. Expected 100 at most/,
  },
  'tests of 10000 pairs': {
    change: (d) => ({ ...d, seeds: 10_000, pruning: { by: 'wilcoxon', p: 0.05 } }),
    says: /Wilcoxon's test goes through all seeds, and there are 10000\. Expected 100 at most/,
  },
  'no list of seeds': {
    change: (d) => ({ ...d, seeds: '6' }),
    says: /`seeds` is 6\. Expected a whole number from 1 up/,
  },
  'no space': { change: ({ space: _, ...d }) => d, says: /A sweep has a `space` of at least one setting/ },
};

describe('a results.json', () => {
  test('that is as it should be is read', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'results.json'), JSON.stringify(good()));
    const { code, stdout, stderr } = await shown(folder);
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).atMost, 36);
  });

  for (const [name, { change, says }] of Object.entries(BOMBS))
    test(`that asks for ${name} is refused at once`, { timeout: 20_000 }, async () => {
      const folder = temporaryFolder();
      const file = good();
      writeFileSync(join(folder, 'results.json'), JSON.stringify({ ...file, definition: change(file.definition) }));
      const before = treeOf(folder);
      const memory = process.resourceUsage().maxRSS;
      const { code, stderr } = await shown(folder);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /results\.json is no record of a sweep: /);
      assert.match(stderr, says);
      assert.deepEqual(treeOf(folder), before);
      const megabytes = (process.resourceUsage().maxRSS - memory) / 1024;
      assert.ok(megabytes < MOST_MEMORY, `${megabytes} MB more`);
    });

  test('whose contents are of another shape is refused in a sentence', async () => {
    for (const change of [
      { format: 'x' },
      { definition: 7 },
      { definition: null },
      { results: 7 },
      { results: [7] },
      { results: [{ key: 'c000-s1' }] },
      { results: [{ key: 'c000-s1', outcome: { state: 'done', result: {}, weights: 'x' } }] },
      { results: [{ key: 'c000-s1', outcome: { state: 'lost' } }] },
      { retried: {} },
      { retried: [null] },
      { retried: [{ key: 'c000-s1', attempt: 1 }] },
    ]) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'results.json'), JSON.stringify({ ...good(), ...change }));
      const { code, stderr } = await shown(folder);
      assert.equal(code, 2, JSON.stringify(change));
      assert.match(stderr, /^flipgrad: .*results\.json/);
      assert.doesNotMatch(stderr, /of undefined|is not a function|Cannot read|\n\s+at /, JSON.stringify(change));
    }
  });

  test('that is no plain file, or a giant, is refused', { timeout: 20_000 }, async () => {
    const outside = join(temporaryFolder(), 'results.json');
    writeFileSync(outside, JSON.stringify(good()));
    for (const [put, says] of [
      [(place: string) => symlinkSync(outside, place), /is a symbolic link/],
      [(place: string) => void execFileSync('mkfifo', [place]), /is a FIFO/],
      [(place: string) => mkdirSync(place), /is a folder/],
      [
        (place: string) => {
          writeFileSync(place, '');
          truncateSync(place, 2 ** 43);
        },
        /has 8796093022208 bytes; 134217728 is the most/,
      ],
    ] as const) {
      const folder = temporaryFolder();
      put(join(folder, 'results.json'));
      const { code, stderr } = await shown(folder);
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });
});
