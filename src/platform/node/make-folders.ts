import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are not there. Node's own `recursive` never ends, nor hears a signal, where a file system says
 * ENOENT of a folder whose parent is there, as /proc and automounted places do.
 * @param mode of those that are made
 * @returns the topmost one that was made; undefined where all were there
 * @throws the error of the system where it cannot be made, as below a drive that is not there
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  try {
    mkdirSync(path, { mode });
    return path;
  } catch (error) {
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && above !== path && !existsSync(above)) {
      const first = makeFolders(above, mode);
      const own = makeFolders(path, mode);
      return first ?? own;
    }
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    throw error;
  }
}
