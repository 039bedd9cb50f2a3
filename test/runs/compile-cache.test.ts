/** Where processes of trials keep compiled code, which they run: in folders that nobody else can write. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makePrivate } from '../../src/platform/node/private-folder.ts';
import { withCompileCache } from '../../src/platform/node/sweep/compile-cache.ts';
import { slow } from '../helpers/extent.ts';
import { temporaryFolder } from './tiny-run.ts';

const windows = process.platform === 'win32' && 'Windows has no modes';
const root = process.getuid?.() === 0 ? false : 'only root gives folders away';
const cacheIn = (home: string): string => join(home, '.cache', 'flipgrad', 'compile-cache');

/** Homes in which the cache is not the user's alone, by what is wrong. */
const hostile: Record<string, (cache: string, elsewhere: string) => void> = {
  'a link to a folder': (cache, elsewhere) => symlinkSync(elsewhere, cache),
  'a link to nothing': (cache, elsewhere) => symlinkSync(join(elsewhere, 'new'), cache),
  'a file': (cache) => writeFileSync(cache, ''),
  'a folder that others can write': (cache) => {
    mkdirSync(cache);
    chmodSync(cache, 0o777);
  },
  'a folder that a group can read': (cache) => {
    mkdirSync(cache);
    chmodSync(cache, 0o750);
  },
  'in a folder that others can write': (cache) => chmodSync(dirname(cache), 0o777),
};

function homeWith(prepare: (cache: string, elsewhere: string) => void) {
  const [home, elsewhere] = [temporaryFolder(), temporaryFolder()];
  mkdirSync(dirname(cacheIn(home)), { recursive: true, mode: 0o700 });
  prepare(cacheIn(home), elsewhere);
  return { home, elsewhere };
}

describe('compiled code of trials', { skip: windows }, () => {
  it('is kept in a folder of mode 0700 in the user’s cache, and found there again', async () => {
    const home = temporaryFolder();
    for (let time = 0; time < 2; time++)
      assert.equal(await withCompileCache(async (folder) => folder, { home, named: '' }), cacheIn(home));
    assert.equal(lstatSync(cacheIn(home)).mode & 0o777, 0o700);
  });

  for (const [name, prepare] of Object.entries(hostile))
    it(`is kept elsewhere where that is ${name}, in a private folder that goes`, async () => {
      const { home, elsewhere } = homeWith(prepare);
      let used = '';
      await withCompileCache(
        async (folder) => {
          used = folder;
          const facts = lstatSync(folder);
          assert.ok(facts.isDirectory() && (facts.mode & 0o777) === 0o700 && facts.uid === process.getuid?.());
          writeFileSync(join(folder, 'x'), '');
        },
        { home, named: '' },
      );
      assert.notEqual(used, cacheIn(home));
      assert.ok(!existsSync(used));
      assert.deepEqual(readdirSync(elsewhere), []);
    });

  it('is not kept in another user’s folder, nor below one', { skip: root }, async () => {
    for (const depth of [0, 1, 2]) {
      const path = join(temporaryFolder(), 'a', 'b', 'c');
      assert.ok(await makePrivate(path));
      let owned = path;
      for (let i = 0; i < depth; i++) owned = dirname(owned);
      chownSync(owned, 12345, 12345);
      assert.equal(await makePrivate(path), false, owned);
    }
  });

  it('of a sweep goes there, and nowhere that all users share', { skip: slow, timeout: 240_000 }, () => {
    const { home, elsewhere } = homeWith(() => {});
    const top = temporaryFolder();
    const train = { units: 4, model: 'dense', neuron: 'tanh', epochs: 1 };
    writeFileSync(
      join(top, 's.ts'),
      `export default ${JSON.stringify({ train, space: { lr: [0.1] }, search: 'grid' })};`,
    );
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
    const { NODE_COMPILE_CACHE: _, ...rest } = process.env;
    // The temporary folder is a shared one, as /tmp is, and somebody has been there before.
    const env = { ...rest, HOME: home, TMPDIR: elsewhere };
    mkdirSync(join(elsewhere, 'node-compile-cache'), { mode: 0o777 });
    const { status, stderr } = spawnSync(
      process.execPath,
      [main, 'sweep', join(top, 's.ts'), '--folder', join(top, 'out'), '--json'],
      { env, encoding: 'utf8', timeout: 200_000 },
    );
    assert.equal(status, 0, stderr);
    assert.ok(readdirSync(cacheIn(home)).length > 0, 'nothing is cached');
    assert.deepEqual(readdirSync(join(elsewhere, 'node-compile-cache')), []);
    assert.deepEqual(readdirSync(elsewhere), ['node-compile-cache']);
  });
});
