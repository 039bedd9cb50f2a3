/** What a bundler makes of the core: a budget in bytes, and no dependency. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Gzipped bytes that `createModel, dense, gated, train` may come to. */
const BUDGET = 100_000;
const ENTRY = 'virtual:core';
const CODE = `export { createModel, dense, gated, train } from ${JSON.stringify(`${root}src/index.ts`)};`;

test('createModel, dense, gated and train come to less than 100 KB gzipped', async () => {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'core',
        resolveId: (id: string) => (id === ENTRY ? `\0${ENTRY}` : undefined),
        load: (id: string) => (id === `\0${ENTRY}` ? CODE : undefined),
      },
    ],
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      rollupOptions: { input: ENTRY, preserveEntrySignatures: 'strict' },
    },
  });
  const { output } = Array.isArray(built)
    ? built[0]
    : (built as { output: readonly { type: string; code?: string }[] });
  const chunks = output.flatMap((chunk) => ('code' in chunk && chunk.code ? [chunk.code] : []));
  const bytes = chunks.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
  assert.ok(chunks.length > 0 && chunks.join('').includes('RangeError'), 'nothing was bundled');
  assert.ok(bytes < BUDGET, `${bytes} bytes`);
});
