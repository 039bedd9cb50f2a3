/** What the lab's build says of the packages that are bundled in it. */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import { licenses } from '../../lab/licenses.ts';
import { full } from '../helpers/extent.ts';
import { builtLab } from './build.ts';

const root = join(import.meta.dirname, '../..');

/** What the lab's sources and the library import of packages. */
function importedPackages(): string[] {
  const names = globSync(['lab/src/**/*.{ts,svelte}', 'src/**/*.ts'], { cwd: root })
    .filter((file) => !/^src\/(platform\/node|kernels\/(assembly|generated))\//.test(file.replaceAll('\\', '/')))
    .flatMap((file) => [
      ...readFileSync(join(root, file), 'utf8').matchAll(
        /^\s*import (?!type )[^'"]*?from '((?:@[\w-]+\/)?[\w-]+[^']*)'/gm,
      ),
    ])
    .map(([, name]) => name);
  return [...new Set(names)].filter((name) => !name.startsWith('node:')).sort();
}

/** What the list says of a page that imports some packages, and a worker of it that imports others: a tenth of the time of the lab's own build. */
async function listOf(page: readonly string[], worker: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(root, 'test/.page-'));
  const importing = (packages: readonly string[]): string =>
    `${packages.map((name, i) => `import * as n${i} from '${name}';`).join('\n')}
console.log(${packages.map((_, i) => `n${i}`).join(', ')});\n`;
  try {
    writeFileSync(join(folder, 'worker.js'), importing(worker));
    const start = "new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });\n";
    writeFileSync(join(folder, 'page.js'), `${importing(page)}${start}`);
    const { list, ofWorkers } = licenses('licenses.md');
    const built = await build({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      plugins: [list],
      worker: { format: 'es', plugins: ofWorkers },
      build: { write: false, minify: false, rollupOptions: { input: join(folder, 'page.js') } },
    });
    const { output } = built as { output: readonly { fileName: string; source?: string | Uint8Array }[] };
    return String(output.find(({ fileName }) => fileName === 'licenses.md')?.source);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Packages in a list, in its order. */
const listedIn = (text: string): { readonly name: string; readonly licence: string }[] =>
  [...text.matchAll(/^## (\S+) - (\S+) \(([^)]+)\)$/gm)].map(([, name, , licence]) => ({ name, licence }));

test('a package that a worker alone imports is listed, by the nearest package.json that has a name', async () => {
  // The folder of its modules has a package.json without one.
  const names = listedIn(await listOf(['valibot'], ['@noble/hashes/sha2.js'])).map(({ name }) => name);
  assert.deepEqual(names, ['@noble/hashes', 'valibot']);
});

test('the build of the lab lists every package in it with its licence and the text of it', async () => {
  const imported = importedPackages();
  const text = full ? readFileSync(join(builtLab(), 'licenses.md'), 'utf8') : await listOf(imported, []);
  const listed = listedIn(text);
  const names = listed.map(({ name }) => name);
  assert.ok(imported.includes('svelte') && imported.includes('d3-scale'), imported.join());
  for (const specifier of imported) {
    const [, name] = /^((?:@[\w-]+\/)?[\w-]+)/.exec(specifier) ?? [];
    assert.ok(names.includes(name as string), `${name} is not in licenses.md, which has ${names}`);
  }
  for (const { name, licence } of listed) assert.match(licence, /^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0)$/, name);
  // What comes with d3-scale is listed too, and the texts of the licences are there.
  assert.ok(names.includes('d3-format'), names.join());
  assert.equal(
    text
      .split(/^## /m)
      .slice(1)
      .filter((part) => /Permission/.test(part)).length,
    listed.length,
  );
});
