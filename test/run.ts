/**
 * Runs the tests, as many files at once as there are cores:
 *
 *     npm test                          # everything quick, and one of each slow kind
 *     npm run test:full                 # everything
 *     npm test -- test/data/idx.test.ts # some files; flags are those of `node --test`
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2).filter((word) => word !== '--full');
const full = process.argv.includes('--full');
const flags = given.filter((word) => word.startsWith('-'));
const files = given.filter((word) => !word.startsWith('-'));
const { status } = spawnSync(
  process.execPath,
  [
    `--import=${new URL('helpers/compile-cache.js', import.meta.url).href}`,
    '--conditions=flipgrad-source',
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${full ? 900_000 : 300_000}`,
    ...flags,
    ...(files.length > 0 ? files : ['test/**/*.test.ts']),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...(full && { FLIPGRAD_TESTS: 'full' }) } },
);
process.exitCode = status ?? 1;
