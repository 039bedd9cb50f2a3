import {
  chmodSync,
  fstatSync,
  lstatSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { makeFolders } from '../src/platform/node/make-folders.ts';
import { explained } from '../src/platform/node/storage-reason.ts';
import { UsageError } from './exit.ts';

/**
 * Writes a file that the user names as a whole, or not at all; folders that are missing are made. What a link leads to is written, not the
 * link; a pipe or a device is written to, and stays one. What this process has open, as /dev/stdout or /dev/fd/3, is written on from where it is.
 * @throws UsageError as `checkOut`; StorageError that names the file and why it cannot be written
 */
export function writeFile(path: string, content: string | Uint8Array): void {
  try {
    write(path, content);
  } catch (error) {
    throw explained(error, path, 'written');
  }
}

function write(path: string, content: string | Uint8Array): void {
  const facts = checkOut(path);
  const stream = facts && streamOf(facts);
  if (stream) {
    stream.write(content);
    return;
  }
  const descriptor = facts && descriptorOf(path);
  if (descriptor !== undefined || (facts && !facts.isFile())) {
    writeFileSync(descriptor ?? path, content);
    return;
  }
  const whole = facts ? realpathSync(path) : ledTo(resolve(path));
  const part = `${whole}.${process.pid}.part`;
  makeFolders(dirname(whole));
  try {
    writeFileSync(part, content, facts ? { mode: facts.mode } : {});
    // Also the rights that the umask takes from new files.
    if (facts) chmodSync(part, facts.mode);
    renameSync(part, whole);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

/** Can a file be written there? For commands that work long before they write. @throws UsageError where there is a folder, or no name */
export function checkOut(path: string | undefined): Stats | undefined {
  if (path === undefined) return undefined;
  if (path === '') throw new UsageError('The name of the file to write is empty. Expected the path of a file.');
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts?.isDirectory()) throw new UsageError(`${path} is a folder. Expected the path of a file.`);
  return facts;
}

/** The standard stream that writes to this file already. A socket cannot be opened by its path; a file that is appended to must not be replaced. */
function streamOf({ dev, ino }: Stats): NodeJS.WriteStream | undefined {
  return [process.stdout, process.stderr].find((_, i) => {
    try {
      const own = fstatSync(i + 1);
      return own.dev === dev && own.ino === ino;
    } catch {
      // Closed.
      return false;
    }
  });
}

/** The number by which a path names what this process has open: /dev/fd/3, /proc/self/fd/3. */
function descriptorOf(path: string): number | undefined {
  const folder = realpathSync(dirname(resolve(path)));
  const isOwn = folder === '/dev/fd' || (folder.startsWith(`/proc/${process.pid}/`) && folder.endsWith('/fd'));
  return isOwn ? Number(basename(path)) : undefined;
}

/** Where a link leads, though nothing is there yet. */
function ledTo(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? ledTo(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}
