import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

/** The version of flipgrad, as in its package.json; `bundled` in a bundle, which has none of it. */
export function packageVersion(): string {
  const root = packageRoot();
  if (root === undefined) return 'bundled';
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}
