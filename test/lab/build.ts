import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist/lab');
/** Says of what source dist/lab was built; another build empties the folder, and so removes it. */
const STAMP = join(DIST, '.source');
const LOCK = join(ROOT, 'dist/lab.lock');
const PAUSE = 200;
/** Of a build on a busy machine; a lock that is older is of a process that was killed. */
const LONGEST = 300_000;

/** Builds the lab into dist/lab from its source as it is now, once for all test files that run at the same time; returns the folder. */
export function builtLab(): string {
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  takeLock();
  try {
    const source = sourceNow();
    if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === source) return DIST;
    execFileSync(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], {
      cwd: join(ROOT, 'lab'),
      stdio: 'inherit',
    });
    writeFileSync(STAMP, source);
    return DIST;
  } finally {
    rmdirSync(LOCK);
  }
}

function sourceNow(): string {
  const files = globSync(['lab/{src,public}/**/*', 'lab/*', 'src/**/*.ts', 'experiments/**/*.ts'], {
    cwd: ROOT,
  }).sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const path = join(ROOT, file);
    if (statSync(path).isFile()) hash.update(file).update('\0').update(readFileSync(path));
  }
  return hash.digest('hex');
}

function takeLock(): void {
  const start = Date.now();
  while (Date.now() - start < 2 * LONGEST) {
    try {
      mkdirSync(LOCK);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > LONGEST) rmdirSync(LOCK);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
  throw new Error(`${LOCK} is there all the time. Remove it.`);
}
