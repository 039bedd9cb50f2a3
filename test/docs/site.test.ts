/** The site: `npm run docs:build` makes it, and every link and anchor of every page leads somewhere in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join, posix } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type PreviewServer, preview } from 'vite';
import { slow } from '../helpers/extent.ts';
import { root } from '../helpers/page.ts';
import { noBrowser, openBrowser } from '../lab/browser.ts';

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
    assert.ok(!existsSync(join(site, 'public')), 'a file that is served as it is became a page');
  });

  it('every link, picture and anchor is there', () => {
    const texts = new Map(
      globSync('**/*.html', { cwd: site }).map((page) => [page, readFileSync(join(site, page), 'utf8')]),
    );
    const missing: string[] = [];
    for (const [page, html] of texts) {
      if (page.startsWith('results/') && !html.includes('VPContent')) continue; // reports with charts, which stand alone
      for (const [picture] of html.matchAll(/<img\b[^>]*\.svg"[^>]*>/g))
        if (!html.includes(`.svg" target="_self">${picture}</a>`))
          missing.push(`${page}: no link to ${picture} in full size`);
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

  describe('figures of the lab in its pages', { skip: noBrowser }, () => {
    let server: PreviewServer;
    let browser: Browser;
    before(async () => {
      server = await preview({
        ...{ root: join(root, 'site'), configFile: false, logLevel: 'error', build: { outDir: 'dist' } },
        preview: { port: 0, host: '127.0.0.1' },
      });
      browser = await openBrowser();
    });
    after(async () => {
      await browser.close();
      await server.close();
    });
    const open = async (address: string): Promise<{ page: Page; said: string[] }> => {
      const page = await browser.newPage();
      page.setDefaultTimeout(60_000);
      const said: string[] = [];
      page.on('pageerror', (error) => said.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') said.push(message.text());
      });
      await page.goto(`http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}/${address}`);
      return { page, said };
    };

    it('compute with the library, and answer a hand', async () => {
      const { page, said } = await open('docs/tutorial.html');
      const answers = page.locator('flipgrad-figure[name=answers]');
      await answers.scrollIntoViewIfNeeded();
      const drawn = answers.getByRole('img').first();
      await drawn.waitFor();
      const before = await drawn.getAttribute('aria-label');
      const slider = answers.getByRole('slider').first();
      await slider.focus();
      for (let i = 0; i < 10; i++) await slider.press('ArrowRight');
      await page.waitForFunction(
        (label) =>
          document.querySelector('flipgrad-figure[name=answers]')?.shadowRoot?.querySelector('[role=img]')
            ?.ariaLabel !== label,
        before,
      );
      // The words for those who read the page elsewhere are not seen here.
      assert.equal(await page.getByText('On the site and in the lab').first().isVisible(), false);
      assert.deepEqual(said, []);
      await page.close();
    });

    it('have the network that is shipped with the lab, and give it back when the page is left', async () => {
      const { page, said } = await open('docs/concepts.html');
      const gates = page.locator('flipgrad-figure[name=gates]');
      await gates.scrollIntoViewIfNeeded();
      await gates.getByText(/open: \d+ of 32/).waitFor();
      await page.getByRole('link', { name: 'Design', exact: true }).first().click();
      await page.getByRole('heading', { level: 1, name: /Design/ }).waitFor();
      assert.equal(await page.locator('flipgrad-figure').count(), 0);
      assert.deepEqual(said, []);
      await page.close();
    });

    it('every figure that a page names is one of the lab', async () => {
      const names = globSync('docs/*.md', { cwd: root }).flatMap((page) =>
        [...readFileSync(join(root, page), 'utf8').matchAll(/<flipgrad-figure name="(\w+)"/g)].map(([, name]) => name),
      );
      assert.ok(names.length >= 5, names.join());
      const { page, said } = await open('docs/tutorial.html');
      await page.evaluate((all) => {
        for (const name of all) {
          const own = document.createElement('flipgrad-figure');
          own.setAttribute('name', name);
          document.body.prepend(own);
        }
      }, names);
      for (const name of names) {
        const figure = page.locator(`body > flipgrad-figure[name=${name}]`).first();
        await figure.scrollIntoViewIfNeeded();
        await figure.getByRole('button').or(figure.getByRole('slider')).first().waitFor();
        assert.equal(await figure.getByRole('alert').count(), 0, name);
      }
      assert.deepEqual(said, []);
      await page.close();
    });
  });
});
