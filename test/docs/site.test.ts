/** The site: `npm run docs:build` makes it, and every link and anchor of every page leads somewhere in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { before, describe, it } from 'node:test';
import { slow } from '../helpers/extent.ts';
import { root } from '../helpers/page.ts';

const site = join(root, 'site/dist');

/** The file of the site at an address: a page has its own name, with .html, or is the index of a folder. */
function fileAt(address: string): string | undefined {
  const path = decodeURIComponent(address).replace(/^\//, '');
  return [path, `${path}.html`, posix.join(path, 'index.html')].find(
    (file) => /\.\w+$/.test(file) && existsSync(join(site, file)),
  );
}

/** Addresses of a page, without those elsewhere. */
function* addressesOf(page: string, html: string): Generator<{ path: string; anchor: string | undefined }> {
  for (const [, target] of html.matchAll(/<(?:a|img|link|script)\b[^>]*?\b(?:href|src)="([^"]+)"/g)) {
    if (/^(https?:|mailto:|data:|\/\/)/.test(target)) continue;
    const [path, anchor] = target.replaceAll('&amp;', '&').split('#');
    yield {
      path: path === '' ? `/${page}` : path.startsWith('/') ? path : posix.join('/', dirname(page), path),
      anchor,
    };
  }
}

describe('the site', { skip: slow }, () => {
  before(() => {
    execFileSync(process.execPath, [join(root, 'scripts/site.ts'), 'build'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  });

  it('has the front page, all pages of docs and the API of every subpath', () => {
    const pages = globSync('docs/*.md', { cwd: root }).map((page) => page.replace(/\.md$/, '.html'));
    const api = ['index', 'neurons', 'tensor', 'estimate', 'platform/node', 'platform/browser'];
    for (const page of ['index.html', ...pages, ...api.map((name) => `docs/api/${name}.html`)])
      assert.ok(existsSync(join(site, page)), page);
  });

  it('every link, picture and anchor is there', () => {
    const texts = new Map(
      globSync('**/*.html', { cwd: site }).map((page) => [page, readFileSync(join(site, page), 'utf8')]),
    );
    const missing: string[] = [];
    for (const [page, html] of texts) {
      if (page.startsWith('results/') && !html.includes('VPContent')) continue; // reports with charts, which stand alone
      for (const { path, anchor } of addressesOf(page, html)) {
        const file = fileAt(path);
        if (file === undefined) missing.push(`${page}: ${path}`);
        else if (anchor && texts.get(file)?.includes(` id="${decodeURIComponent(anchor)}"`) === false)
          missing.push(`${page}: ${path}#${anchor}`);
      }
    }
    assert.ok(texts.size > 40, `${texts.size} pages`);
    assert.deepEqual([...new Set(missing)], []);
  });
});
