import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name of this package, in its package.json. */
const NAME = 'flipgrad';

/** Where flipgrad lies, and what its package.json says of it. */
export interface OwnPackage {
  readonly folder: string;
  readonly version: string;
}

/** It is looked for once, since the code is loaded once. */
let found: { readonly own: OwnPackage | undefined } | undefined;

/**
 * The package that this file belongs to, the same from source and when built: that of the nearest package.json above. Undefined in
 * a bundle, which lies in another package or in none.
 */
export function ownPackage(): OwnPackage | undefined {
  found ??= { own: packageAbove() };
  return found.own;
}

/** The version of flipgrad, as in its package.json; `bundled` in a bundle, which has none of it. */
export const packageVersion = (): string => ownPackage()?.version ?? 'bundled';

function packageAbove(): OwnPackage | undefined {
  // CommonJS bundles have no address.
  const here = import.meta.url as string | undefined;
  if (here === undefined) return undefined;
  for (let folder = dirname(fileURLToPath(here)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return packageIn(file, folder);
    if (folder === dirname(folder)) return undefined;
  }
}

function packageIn(file: string, folder: string): OwnPackage | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: unknown; version: string };
    return name === NAME ? { folder, version } : undefined;
  } catch {
    // Another package's, which may be anything.
    return undefined;
  }
}
