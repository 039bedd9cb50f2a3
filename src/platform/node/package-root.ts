import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name of this package, in its package.json. */
const NAME = 'flipgrad';

/**
 * The folder of the package that this file belongs to, the same from source and when built: the nearest one above with a package.json. Undefined in
 * a bundle, which lies in another package or in none.
 */
export function packageRoot(): string | undefined {
  // CommonJS bundles have no address.
  const here = import.meta.url as string | undefined;
  if (here === undefined) return undefined;
  for (let folder = dirname(fileURLToPath(here)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return nameIn(file) === NAME ? folder : undefined;
    if (folder === dirname(folder)) return undefined;
  }
}

function nameIn(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown } | null)?.name;
  } catch {
    // Another package's, which may be anything.
    return undefined;
  }
}
