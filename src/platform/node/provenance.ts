import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { ownPackage, packageVersion } from './own-package.ts';

/** Where a result is from: for run records. */
export interface Provenance {
  /** Of flipgrad, Node and V8. */
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Of flipgrad's repository, where it runs from one; with "+" where files were changed. */
  readonly commit?: string;
}

/** The commit of the code that runs: asked once, since the code is loaded once. */
let code: { readonly commit: string | undefined } | undefined;

/** This program, this machine, this commit. */
export function provenance(): Provenance {
  const { commit } = (code ??= { commit: commitOf(ownPackage()?.folder) });
  return {
    versions: { flipgrad: packageVersion(), node: process.versions.node, v8: process.versions.v8 },
    machine: {
      host: hostname(),
      platform: process.platform,
      architecture: process.arch,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memory: totalmem(),
    },
    ...(commit !== undefined && { commit }),
  };
}

function commitOf(root: string | undefined): string | undefined {
  if (root === undefined || !existsSync(join(root, '.git'))) return undefined;
  try {
    // The whole name of the commit, never a tag's.
    const describe = ['describe', '--always', '--abbrev=40', '--exclude=*', '--dirty=+'];
    return execFileSync('git', ['-C', root, ...describe], {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // No git here.
    return undefined;
  }
}
