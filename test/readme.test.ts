import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertClose } from './helpers/numbers.ts';

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

  it('its example of a loss over bits gives the exact value and gradient', () => {
    const [, [, code]] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)];
    const folder = mkdtempSync(join(root, 'test', '.readme-'));
    try {
      writeFileSync(join(folder, 'bits.js'), code);
      const args = ['--conditions=flipgrad-source', join(folder, 'bits.js')];
      const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
      // Of a bit b and a target t: E[(b − t)²] = p(1 − 2t) + t², and its slope at the logit p(1 − p)(1 − 2t).
      const p = [0.5, -1, 2].map((logit) => 1 / (1 + Math.exp(-logit)));
      const targets = [0.45, 0.2, 0.9];
      const value = p.reduce((sum, p, i) => sum + p * (1 - 2 * targets[i]) + targets[i] ** 2, 0);
      const slopes = p.map((q, i) => q * (1 - q) * (1 - 2 * targets[i]));
      const printed = (output.match(/-?\d+\.\d+/g) ?? []).map(Number);
      assertClose(printed, [value, ...slopes], { absolute: 1e-6 }, output);
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
