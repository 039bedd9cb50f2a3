import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Writes a text file as a whole, or not at all; folders that are missing are made. */
export function writeFile(path: string, text: string): void {
  const whole = resolve(path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(`${whole}.part`, text);
  renameSync(`${whole}.part`, whole);
}
