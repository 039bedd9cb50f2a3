import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Test files of a process: loading the library takes as long as most of them. */
const FILES = 8;

/**
 * Writes modules into `folder` that each import some neighbouring test files, and returns their paths; those of the largest folders come
 * first, so that the last ones are short. A module's tests begin when all of its files are loaded.
 */
export function groupFiles(files: readonly string[], root: string, folder: string): string[] {
  const folders = Map.groupBy(files.toSorted(), dirname);
  const groups = [...folders]
    .toSorted(([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1))
    .flatMap(([name, all]) => {
      const count = Math.ceil(all.length / FILES);
      return Array.from({ length: count }, (_, i) => ({
        name: `${name.replaceAll(/[\\/]/g, '-')}-${i + 1}.test.mjs`,
        files: all.slice(Math.floor((i * all.length) / count), Math.floor(((i + 1) * all.length) / count)),
      }));
    });
  mkdirSync(folder, { recursive: true });
  return groups.map((group) => {
    const path = join(folder, group.name);
    const imports = group.files.map((file) => `  await import('${pathToFileURL(join(root, file)).href}');`);
    const lines = ["import { before } from 'node:test';", 'const { promise, resolve } = Promise.withResolvers();'];
    writeFileSync(
      path,
      [...lines, 'before(() => promise);', 'try {', ...imports, '} finally {', '  resolve();', '}', ''].join('\n'),
    );
    return path;
  });
}
