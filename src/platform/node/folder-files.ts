import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of a folder of data. */
export interface FolderFile {
  readonly name: string;
  readonly path: string;
}

const isFolder = (path: string): Promise<boolean | undefined> =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => undefined,
  );

/** The first folder inside a folder whose name fits. @returns its path */
export async function folderIn(folder: string, names: RegExp): Promise<string | undefined> {
  for (const name of (await readdir(folder)).sort())
    if (names.test(name) && (await isFolder(join(folder, name)))) return join(folder, name);
}

/**
 * The files of a folder, by name; folders among them are left out, but for one that holds a file of its own name, as some programs unpack
 * archives: that file comes after all others.
 */
export async function filesIn(folder: string): Promise<FolderFile[]> {
  const [files, nested]: [FolderFile[], FolderFile[]] = [[], []];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    // What cannot be looked at, such as a link that leads nowhere, says so when it is read.
    if ((await isFolder(path)) !== true) files.push({ name, path });
    else if ((await isFolder(join(path, name))) === false) nested.push({ name, path: join(path, name) });
  }
  return [...files, ...nested];
}
