/** Checksums of certificates: over a file and the files of its own that it imports. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checksum } from '../../cli/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-certificate-'));
after(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('a text that names a folder, or nothing, adds nothing; an imported file does', () => {
  mkdirSync(join(folder, 'sub'));
  file('sub/inner.ts', 'export const a = 1;');
  const main = file(
    'main.ts',
    "// Taken from './sub', once from './gone.ts' and from './main.ts/below'.\nimport './sub/inner.ts';\n",
  );
  const first = checksum(main);
  assert.match(first, /^[0-9a-f]{64}$/);
  file('sub/other.ts', 'export const b = 1;');
  assert.equal(checksum(main), first);
  file('sub/inner.ts', 'export const a = 2;');
  assert.notEqual(checksum(main), first);
});
