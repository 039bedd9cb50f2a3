import {
  chmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './exit.ts';

/**
 * Writes a file that the user names as a whole, or not at all; folders that are missing are made. What a link leads to is written, not the
 * link; a pipe or a device is written to, and stays one. What this process has open, as /dev/stdout or /dev/fd/3, is written on from where it is.
 * @throws UsageError as `checkOut`
 */
export function writeFile(path: string, content: string | Uint8Array): void {
  const facts = checkOut(path);
  const stream = facts && streamOf(facts);
  if (stream) {
    stream.write(content);
    return;
  }
  if (facts && (!facts.isFile() || isDescriptor(path))) {
    writeFileSync(path, content, { flag: facts.isFile() ? 'a' : 'w' });
    return;
  }
  const whole = facts ? realpathSync(path) : ledTo(resolve(path));
  const part = `${whole}.${process.pid}.part`;
  mkdirSync(dirname(whole), { recursive: true });
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

/** Standard output or standard error, where a file is what it writes to: a socket cannot be opened by its path, and a file that is appended to is not to be replaced. */
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

/** Is it a file that a process has open, by its number? */
function isDescriptor(path: string): boolean {
  try {
    return /^\/proc\/\d+\/(task\/\d+\/)?fd$/.test(realpathSync(dirname(resolve(path))));
  } catch {
    return false;
  }
}

/** Where a link leads, though nothing is there yet. */
function ledTo(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? ledTo(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}
