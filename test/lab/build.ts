import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from '../helpers/lock.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist/lab');
/** Says of what source dist/lab was built; another build empties the folder, and so removes it. */
const STAMP = join(DIST, '.source');

/** Builds the lab into dist/lab from its source as it is now, once for all test files that run at the same time; returns the folder. */
export function builtLab(): string {
  const release = takeLock(join(ROOT, 'node_modules/.cache/flipgrad-tests-lab'));
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
    release();
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
