/**
 * Runs the tests on all cores; one process more than there are cores, since tests of killed processes wait:
 *
 *     npm test                          # everything quick, and one of each slow kind
 *     npm run test:full                 # everything, each file in a process of its own
 *     npm test -- test/data/idx.test.ts # some files, each in a process of its own; flags are those of `node --test`
 */
import { spawnSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { groupFiles } from './helpers/groups.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2).filter((word) => word !== '--full');
const full = process.argv.includes('--full');
const flags = given.filter((word) => word.startsWith('-'));
const files = given.filter((word) => !word.startsWith('-'));
const groups = `${root}node_modules/.cache/flipgrad-tests-${process.pid}`;
const all = () => globSync('test/**/*.test.ts', { cwd: root });
const asked = files.length > 0 ? files : full ? all() : groupFiles(all(), root, groups);
try {
  const { status } = spawnSync(
    process.execPath,
    [
      `--import=${new URL('helpers/compile-cache.js', import.meta.url).href}`,
      '--conditions=flipgrad-source',
      '--test',
      `--test-concurrency=${availableParallelism() + 1}`,
      `--test-timeout=${full ? 900_000 : 300_000}`,
      ...flags,
      ...asked,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...(full && { FLIPGRAD_TESTS: 'full' }) } },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(groups, { recursive: true, force: true });
}
