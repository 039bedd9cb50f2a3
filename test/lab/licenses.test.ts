/** What the lab's build says of the packages that are bundled in it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import config from '../../lab/vite.config.ts';
import { full } from '../helpers/extent.ts';
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

const ENTRY = 'virtual:packages';

/** What the lab's settings list of a bundle of the packages alone, which takes a tenth of the lab's own build. */
async function listOfPackages(): Promise<string> {
  const code = importedPackages()
    .map((name, i) => `export * as n${i} from '${name}';`)
    .join('\n');
  const built = await build({
    root: join(root, 'lab'),
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'packages',
        resolveId: (id: string) => (id === ENTRY ? join(root, 'lab/src', ENTRY) : undefined),
        load: (id: string) => (id.endsWith(ENTRY) ? code : undefined),
      },
    ],
    build: {
      write: false,
      minify: false,
      license: config.build?.license ?? false,
      rollupOptions: { input: ENTRY, preserveEntrySignatures: 'strict' },
    },
  });
  const { output } = built as { output: readonly { fileName: string; source?: string | Uint8Array }[] };
  const list = output.find(({ fileName }) => fileName === 'licenses.md');
  return String(list?.source);
}

test('the build of the lab lists every package in it with its licence and the text of it', async () => {
  const text = full ? readFileSync(join(builtLab(), 'licenses.md'), 'utf8') : await listOfPackages();
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
