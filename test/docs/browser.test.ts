/** The app of docs/browser.md: Vite builds it as it stands there. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { blocksOf, PageFolder, readPage } from '../helpers/page.ts';

describe('docs/browser.md', () => {
  const folder = new PageFolder();
  after(() => folder.remove());

  it('its app is built: a page, a worker that trains, and a worker of the kernels', async () => {
    const files = blocksOf(readPage('docs/browser.md')).flatMap(({ code }) => {
      const [, name, text] = /^\/\/ (\S+\.js)[^\n]*\n([\s\S]*)$/.exec(code) ?? [];
      if (name !== undefined) folder.write(name, text);
      return name ?? [];
    });
    assert.deepEqual(files, ['network-worker.js', 'kernel-worker.js', 'main.js', 'vite.config.js']);
    folder.write('index.html', '<!doctype html><script type="module" src="./main.js"></script>\n');
    const { default: config } = await import(pathToFileURL(join(folder.path, 'vite.config.js')).href);
    await build({
      ...config,
      configFile: false,
      root: folder.path,
      logLevel: 'silent',
      resolve: { conditions: ['flipgrad-source', 'module', 'browser', 'production'] },
    });
    const assets = readdirSync(join(folder.path, 'dist/assets')).join(' ');
    for (const name of ['index', 'network-worker', 'kernel-worker'])
      assert.match(assets, new RegExp(`${name}-\\S+\\.js`));
    assert.equal(config.server.headers['Cross-Origin-Opener-Policy'], 'same-origin');
  });
});
