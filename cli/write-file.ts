import { mkdirSync, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Writes a file that the user names as a whole, or not at all; folders that are missing are made. What a link leads to is written, not the
 * link; a pipe or a device is written to, and stays one.
 */
export function writeFile(path: string, content: string | Uint8Array): void {
  const facts = factsOf(path);
  if (facts && !facts.isFile()) {
    writeFileSync(path, content);
    return;
  }
  const whole = facts ? realpathSync(path) : resolve(path);
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

/** What stands at a path, links followed; undefined where there is nothing. */
function factsOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
