/** The options of `node bench/run.ts`: help, and a sentence for those that cannot be. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
const bench = (...args: string[]) => spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });

test('--help says what the options are', () => {
  const { status, stdout, stderr } = bench('--help');
  assert.deepEqual([status, stderr], [0, '']);
  for (const option of ['--only', '--rounds', '--json']) assert.ok(stdout.includes(option), stdout);
});

for (const [args, said] of [
  [['--round', '3'], /^bench: Unknown option '--round'\. .*Expected the options of --help\.\n$/],
  [['--rounds', '0.5'], /^bench: --rounds is 0\.5\. Expected a whole number from 1 up\.\n$/],
  [['--only', 'nothing'], /^bench: No comparison has "nothing" in its name\. Expected a part of one of: .*\n$/],
] as const)
  test(`${args.join(' ')} is refused in a sentence, with code 2`, () => {
    const { status, stdout, stderr } = bench(...args);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, said);
  });
