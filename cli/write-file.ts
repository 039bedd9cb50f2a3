import {
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
 * link; a pipe or a device is written to, and stays one.
 * @throws UsageError as `checkOut`
 */
export function writeFile(path: string, content: string | Uint8Array): void {
  const facts = checkOut(path);
  if (facts && !facts.isFile()) {
    writeFileSync(path, content);
    return;
  }
  const whole = facts ? realpathSync(path) : ledTo(resolve(path));
  const part = `${whole}.${process.pid}.part`;
  mkdirSync(dirname(whole), { recursive: true });
  try {
    writeFileSync(part, content, facts ? { mode: facts.mode } : {});
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

/** Where a link leads, though nothing is there yet. */
function ledTo(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? ledTo(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}
