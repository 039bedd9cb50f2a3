import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Test files of a process, at most: loading the library takes as long as most of them. */
const FILES = 18;

/** Lists of at most FILES neighbouring files: a large folder is cut into equal parts, small ones come together. */
function partsOf(files: readonly string[]): (readonly string[])[] {
  const parts: string[][] = [];
  for (const folder of Map.groupBy(files.toSorted(), dirname).values()) {
    const count = Math.ceil(folder.length / FILES);
    for (let i = 0; i < count; i++) {
      const part = folder.slice(Math.floor((i * folder.length) / count), Math.floor(((i + 1) * folder.length) / count));
      const open = parts.find((other) => other.length + part.length <= FILES);
      if (open && count === 1) open.push(...part);
      else parts.push(part);
    }
  }
  return parts;
}

/**
 * Writes modules into `folder` that each import some test files, and returns their paths; the largest come first, so that the last ones are
 * short. A module's tests begin when all of its files are loaded, and their compiled code is in the cache then for the modules that come later.
 */
export function groupFiles(files: readonly string[], root: string, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return partsOf(files)
    .toSorted((a, b) => b.length - a.length)
    .map((part, i) => {
      const path = join(folder, `${dirname(part[0]).replaceAll(/[\\/]/g, '-')}-${i + 1}.test.mjs`);
      const imports = part.map((file) => `  await import('${pathToFileURL(join(root, file)).href}');`);
      const lines = [
        "import { flushCompileCache } from 'node:module';",
        "import { before } from 'node:test';",
        'const { promise, resolve } = Promise.withResolvers();',
        'before(() => promise);',
        'try {',
        ...imports,
        '  flushCompileCache();',
        '} finally {',
        '  resolve();',
        '}',
        '',
      ];
      writeFileSync(path, lines.join('\n'));
      return path;
    });
}
