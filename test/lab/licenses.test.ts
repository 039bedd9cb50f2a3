/** What the lab's build says of the packages that are bundled in it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { builtLab } from './build.ts';

const root = join(import.meta.dirname, '../..');

/** Packages that the lab's sources and the library import by name. */
function importedPackages(): string[] {
  const names = globSync(['lab/src/**/*.{ts,svelte}', 'src/**/*.ts'], { cwd: root })
    .filter((file) => !/^src\/(platform\/node|kernels\/(assembly|generated))\//.test(file.replaceAll('\\', '/')))
    .flatMap((file) => [
      ...readFileSync(join(root, file), 'utf8').matchAll(/^\s*import (?!type )[^'"]*?from '((?:@[\w-]+\/)?[\w-]+)/gm),
    ])
    .map(([, name]) => name);
  return [...new Set(names)].filter((name) => name !== 'node').sort();
}

test('the build of the lab lists every package in it with its licence and the text of it', () => {
  const text = readFileSync(join(builtLab(), 'licenses.md'), 'utf8');
  const listed = [...text.matchAll(/^## (\S+) - (\S+) \(([^)]+)\)$/gm)].map(([, name, , licence]) => ({
    name,
    licence,
  }));
  const names = listed.map(({ name }) => name);
  const imported = importedPackages();
  assert.ok(imported.includes('svelte') && imported.includes('@observablehq/plot'), imported.join());
  for (const name of imported) assert.ok(names.includes(name), `${name} is not in licenses.md, which has ${names}`);
  for (const { name, licence } of listed) assert.match(licence, /^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0)$/, name);
  // What comes with Plot is listed too, and the texts of the licences are there.
  assert.ok(names.includes('d3-scale'), names.join());
  assert.equal(
    text
      .split(/^## /m)
      .slice(1)
      .filter((part) => /Permission/.test(part)).length,
    listed.length,
  );
});
