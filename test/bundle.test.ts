/** What a bundler makes of the core: a budget in bytes, and no dependency. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { logit, sigmoid, sigmoidSlope, softplus, softplusSlope } from '../src/index.ts';

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

/** A program on flipgrad/node, bundled into one file for Node. */
async function bundledForNode(folder: string, format: 'cjs' | 'es'): Promise<string> {
  const entry = join(folder, 'entry.ts');
  const code = `
    import { createModel, dense, resolveTask, sigmoidSlope } from ${JSON.stringify(`${root}src/index.ts`)};
    import { createEngine, loadTaskData, provenance } from ${JSON.stringify(`${root}src/platform/node/index.ts`)};
    createEngine({ threads: 2 }).then(async (engine) => {
      const model = createModel(engine, { inputs: 2, layers: [dense(3)] });
      const text = await loadTaskData(resolveTask('next-token'), 'moby-dick').catch((error) => error.message);
      const { versions, commit } = provenance();
      console.log(JSON.stringify([engine.threads, model.outputs, sigmoidSlope(0), versions.flipgrad, commit ?? 'none', text]));
      engine.close();
    });`;
  writeFileSync(entry, code);
  const built = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    // Other bundlers have no address for a CommonJS file.
    ...(format === 'cjs' && { define: { 'import.meta.url': 'undefined' } }),
    ssr: { noExternal: true, external: ['koffi'] },
    build: { write: false, ssr: true, rollupOptions: { input: entry, output: { format, codeSplitting: false } } },
  });
  const { output } = Array.isArray(built) ? built[0] : (built as { output: readonly { code?: string }[] });
  return output.map((chunk) => ('code' in chunk ? (chunk.code ?? '') : '')).join('\n');
}

for (const [format, ending] of [
  ['cjs', 'cjs'],
  ['es', 'mjs'],
] as const)
  test(`a bundle of flipgrad/node for Node (${format}) runs, on one thread, and says why`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flipgrad-bundle-'));
    try {
      const file = join(folder, `program.${ending}`);
      writeFileSync(file, await bundledForNode(folder, format));
      // The bundle of one lies in another package, that of the other in none.
      if (format === 'es') writeFileSync(join(folder, 'package.json'), '{ "name": "theirs", "version": "9.9.9" }');
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 120_000 });
      assert.equal(status, 0, stderr);
      const [threads, outputs, slope, version, commit, text] = JSON.parse(stdout);
      assert.deepEqual([threads, outputs, slope, version, commit], [1, 3, 0.25, 'bundled', 'none']);
      assert.match(
        text,
        /^The text "moby-dick" is a file of the package flipgrad, and this program is a bundle without it\. Expected/,
      );
      assert.match(stderr, /one thread here: it was bundled, .* Expected flipgrad left out of the bundle/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

test('σ, softplus and their slopes are public, and each is the slope of the other', () => {
  for (let a = -30; a <= 30; a += 0.7) {
    const slope = (f: (x: number) => number): number => (f(a + 1e-5) - f(a - 1e-5)) / 2e-5;
    assert.ok(Math.abs(sigmoidSlope(a) - slope(sigmoid)) < 1e-9);
    assert.ok(Math.abs(softplusSlope(a) - slope(softplus)) < 1e-9);
    assert.ok(Math.abs(logit(sigmoid(a / 3)) - a / 3) < 1e-9);
  }
});
