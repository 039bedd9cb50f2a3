import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('README', () => {
  it('its TypeScript example runs as printed, with three epochs for twenty', () => {
    const [, code] = readme.match(/```ts\n([\s\S]*?)```/) ?? [];
    assert.ok(code, 'README.md has a TypeScript example');
    assert.ok(code.trim().split('\n').length <= 20, 'about fifteen lines');
    assert.match(code, /epochs: 20/);
    const folder = mkdtempSync(join(root, 'test', '.readme-'));
    try {
      writeFileSync(join(folder, 'example.ts'), code.replace('epochs: 20', 'epochs: 3'));
      const args = ['--conditions=flipgrad-source', join(folder, 'example.ts')];
      const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
      assert.match(output, /epoch 3: validation error 0\.\d+/);
      assert.match(output, /test error 0\.\d+ with \d+(\.\d+)?% of the gates open/);
      assert.match(output, /401408 weights/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('every file that it links to exists', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link);
    assert.ok(links.length > 3);
    for (const link of links) assert.doesNotThrow(() => readFileSync(join(root, link)), link);
  });
});
