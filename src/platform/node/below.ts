import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { shorten } from '../../io/json.ts';
import { StorageError } from '../../runs/folder.ts';
import { checkPlain } from './plain-file.ts';
import { codeOf } from './storage-reason.ts';

/**
 * Places below a folder whose contents may come from a stranger. The folder itself may be reached over links; within it none is
 * followed, since it may lead out, and what is opened is a plain file: a FIFO would block, a device never ends.
 */

/** A name that leads nowhere else on any system. */
const PLAIN = /^[^/\\\0:]+$/;
/** Windows has neither; there the facts before and after opening are compared alone. */
const CAREFULLY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * The path of a name with `/` below a folder, its folders checked: those that exist are folders and no links.
 * @throws StorageError for a link, or a name that may lead out
 */
export async function pathBelow(root: string, name: string): Promise<string> {
  const names = name === '.' ? [] : name.split('/');
  for (const part of names)
    if (part === '.' || part === '..' || !PLAIN.test(part))
      throw new StorageError(
        `${shorten(name)} is no place within ${root}. Expected plain names with "/" between them.`,
      );
  let path = root;
  for (const part of names.slice(0, -1)) {
    path = join(path, part);
    if ((await factsOf(path))?.isSymbolicLink()) throw linkError(path, root, 'folder');
  }
  return join(root, ...names);
}

/** The path of a folder below a folder, as `pathBelow`; the last name is no link either. @throws StorageError */
export async function folderBelow(root: string, name: string): Promise<string> {
  const path = await pathBelow(root, name);
  if (path !== root && name !== '.' && (await factsOf(path))?.isSymbolicLink()) throw linkError(path, root, 'folder');
  return path;
}

/**
 * Opens a plain file below a folder; the caller closes it.
 * @param flags as of open(2)
 * @throws StorageError for a link or what is no plain file; the system's error otherwise, also where there is none
 */
export async function openBelow(root: string, name: string, flags: number): Promise<FileHandle> {
  const path = await pathBelow(root, name);
  const before = await factsOf(path);
  if (before) checkFile(before, path, root);
  const file = await open(path, flags | CAREFULLY);
  try {
    const facts = await file.stat();
    checkFile(facts, path, root);
    if (before && (facts.dev !== before.dev || facts.ino !== before.ino))
      throw new StorageError(`${path} was replaced while it was opened. Expected a file that stays.`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What stands at a path, links not followed; undefined where there is nothing. */
async function factsOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  });
}

function checkFile(facts: Stats, path: string, root: string): void {
  if (facts.isSymbolicLink()) throw linkError(path, root, 'file');
  checkPlain(facts, path);
}

const linkError = (path: string, root: string, expected: string): StorageError =>
  new StorageError(
    `${path} is a symbolic link. Expected a ${expected}: links within ${root} are not followed, since they may lead out of it.`,
  );
