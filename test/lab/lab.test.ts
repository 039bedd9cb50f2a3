import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { PAGE_TITLES } from '../../lab/src/page-titles.ts';
import { lookAtUnit, resolveNeuron, trainCheck, unitLosses } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { runCli } from '../helpers/run-cli.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';
import { builtLab } from './build.ts';

const PAGES = Object.keys(PAGE_TITLES);
/** Bytes, gzipped. */
const MOST_SCRIPT = 100_000;

const cell = (page: Page, neuron: string, row: string): Promise<string | null> =>
  page.locator(`section[aria-label="${neuron}"] tr`, { hasText: row }).locator('td').textContent();

/** Controls that a finger misses: under 24 pixels in either direction. In the page. */
function tooSmall(): string[] {
  const controls = 'button, input, select, summary, nav a, a.chip, [role="option"]';
  return Array.from(document.querySelectorAll(controls))
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && (Math.round(box.width) < 24 || Math.round(box.height) < 24))
    .map(({ element, box }) => `${element.outerHTML.slice(0, 80)} ${box.width} × ${box.height}`);
}

/** Tables that are cut and do not say so. In the page. */
function cutTables(): string[] {
  return Array.from(document.querySelectorAll('table'))
    .filter((table) => {
      const { right, width } = table.getBoundingClientRect();
      if (width === 0 || right <= innerWidth) return false;
      const place = table.closest('section.wide');
      return !(
        place instanceof HTMLElement &&
        place.tabIndex === 0 &&
        place.previousElementSibling?.classList.contains('hint')
      );
    })
    .map((table) => table.outerHTML.slice(0, 80));
}

describe('the lab in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  test('trains to the same bits as Node, with other threads', async () => {
    const { page, said } = await lab.page('#machine?seed=3');
    await page.getByRole('button', { name: 'Train 200 steps' }).click();
    const shown = await page.locator('#checksum').textContent();
    const engine = await createEngine({ simd: 'simd', threads: 1 });
    const checksum = createHash('sha256')
      .update(await trainCheck(engine, 3))
      .digest('hex');
    engine.close();
    assert.equal(shown, checksum);
    // Every core, though engines of other pages leave one to the page.
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    assert.match((await page.locator('main').textContent()) as string, new RegExp(`wasm-simd, ${cores} thread`));
    assert.deepEqual(said, []);
  });

  test('the microscope shows what the library finds, and its address restores it', async () => {
    const { page, said } = await lab.page(
      '#microscope?neurons=noisy-rectifier,rloo&logit=1.2&loss=saturating&t=0.3&units=1&seed=5',
    );
    const check = async (logit: number): Promise<void> => {
      for (const neuron of ['noisy-rectifier', 'rloo']) {
        const view = lookAtUnit(resolveNeuron(neuron), { logit, loss: unitLosses.saturating(0.3), seed: 5 });
        await page
          .locator(`section[aria-label="${neuron}"] tr`, { hasText: 'exact gradient' })
          .locator('td', { hasText: view.truth.toPrecision(3) })
          .waitFor();
        assert.equal(await cell(page, neuron, 'variance'), view.variance.toPrecision(3));
        assert.equal(await cell(page, neuron, 'P(h > 0)'), view.positive.toPrecision(3));
        // One, or this throws.
        await page.locator(`section[aria-label="${neuron}"] svg`).waitFor();
      }
    };
    await check(1.2);
    const slider = page.getByRole('slider', { name: /pre-activation/ });
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await check(1.25);
    assert.match(page.url(), /logit=1\.25/);
    assert.match(
      (await page.locator('pre').textContent()) as string,
      /microscope --neuron noisy-rectifier,rloo --logit 1\.25/,
    );
    await page.reload();
    await check(1.25);
    await page.getByRole('button', { name: 'remove rloo' }).click();
    await page.locator('section[aria-label="rloo"]').waitFor({ state: 'detached' });
    assert.deepEqual(said, []);
  });

  test('the noise of a neuron is a slider: the views follow, and its address and command line say it', async () => {
    const { page, said } = await lab.page('#microscope?neurons=noisy-rectifier,sigmoid&logit=0.4&units=1&seed=2');
    const slider = page.getByRole('slider', { name: /scale = 1/ });
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    const text = 'noisy-rectifier:scale=1.1';
    const check = async (): Promise<void> => {
      const { truth, mean } = lookAtUnit(resolveNeuron(text), { logit: 0.4, loss: unitLosses.square(0.45), seed: 2 });
      await page
        .locator(`section[aria-label="${text}"] tr`, { hasText: 'exact gradient' })
        .locator('td', { hasText: truth.toPrecision(3) })
        .waitFor();
      assert.equal(await cell(page, text, 'E[h]'), mean.toPrecision(3));
    };
    await check();
    assert.match(
      (await page.locator('pre').textContent()) as string,
      /microscope --neuron noisy-rectifier:scale=1\.1,sigmoid --logit 0\.4/,
    );
    await page.reload();
    await check();
    await page.getByRole('button', { name: 'remove noisy-rectifier:scale=1.1' }).waitFor();
    await page.getByRole('combobox', { name: 'noise' }).selectOption('logistic');
    await page.locator('section[aria-label="noisy-rectifier:scale=1.1,noise=logistic"]').waitFor();
    await page.getByRole('button', { name: /^remove noisy-rectifier/ }).click();
    await page.getByRole('slider', { name: /scale/ }).waitFor({ state: 'detached' });
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
  });

  test('a neuron that does not exist is a sentence, not a broken page', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloop');
    const text = await page.getByRole('alert').textContent();
    assert.match(text as string, /There is no neuron "rloop"/);
    assert.deepEqual(said, []);
  });

  for (const name of PAGES)
    for (const [width, colorScheme] of [
      [1280, 'light'],
      [400, 'dark'],
    ] as const)
      test(`${name}, ${width} pixels wide, ${colorScheme}: no serious violation found by axe, nothing wider than the window`, async () => {
        const { page, said } = await lab.page(`#${name}`, { width, colorScheme });
        await page.locator('h1').waitFor();
        if (name === 'microscope') await page.locator('section svg').first().waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
        assert.deepEqual(await seriousViolations(page), []);
        assert.deepEqual(await page.evaluate(tooSmall), []);
        assert.deepEqual(await page.evaluate(cutTables), []);
        assert.deepEqual(said, []);
        // The front page goes on moving otherwise.
        await page.context().close();
      });

  test('a table that is wider than the screen says so, and is moved by the keyboard', async () => {
    const { page, said } = await lab.page('#race', { width: 400 });
    const table = page.getByRole('region', { name: 'where all stand' });
    await page.getByText(/^Swipe the table, or move it by the arrow keys/).waitFor();
    await table.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => (document.querySelector('section.wide')?.scrollLeft ?? 0) > 0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.getByText(/^Swipe the table/).waitFor({ state: 'detached' });
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('`flipgrad lab` serves the lab and a run until Ctrl-C; a folder that is no run, and a damaged one, are sentences', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flipgrad-lab-run-'));
    try {
      const notRun = await runCli(['lab', folder, '--port', '0']);
      assert.equal(notRun.code, 2);
      assert.match(notRun.stderr, /run\.json/);
      const run = join(folder, 'run');
      const trained = await runCli([
        'train',
        '--units',
        '16',
        '--blocks',
        '4',
        '--epochs',
        '1',
        '--run',
        run,
        '--json',
      ]);
      assert.equal(trained.code, 0, trained.stderr);
      const child = spawn(process.execPath, [
        join(import.meta.dirname, '../../cli/main.ts'),
        'lab',
        run,
        '--port',
        '0',
      ]);
      const ended = once(child, 'close');
      const [line] = await once(child.stdout, 'data');
      const { url } = JSON.parse(String(line)) as { url: string };
      assert.match(url, /^http:\/\/localhost:/);
      const record = await fetch(`${url}run/run.json`);
      assert.equal(((await record.json()) as { config: { units: number } }).config.units, 16);
      assert.match(await (await fetch(url)).text(), /flipgrad lab/);
      child.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
      writeFileSync(join(run, 'run.json'), '{');
      const damaged = await runCli(['lab', run, '--port', '0']);
      assert.equal(damaged.code, 2);
      assert.match(damaged.stderr, /run\.json/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('the script that the page starts with is small', () => {
    const folder = join(import.meta.dirname, '../../dist/lab');
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const scripts = globSync('assets/*.js', { cwd: folder }).filter((file) => html.includes(file));
    assert.equal(scripts.length, 1);
    const size = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
    assert.ok(size <= MOST_SCRIPT, `${size} bytes`);
  });
});

/** Any host of files: no headers but the type, and the lab somewhere below its root. */
function plainHost(folder: string, below: string): Server {
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
  };
  return createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    const place = join(folder, path.slice(below.length) || 'index.html');
    if (!path.startsWith(below) || !existsSync(place)) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': types[extname(place)] ?? 'application/octet-stream' });
    response.end(request.method === 'HEAD' ? undefined : readFileSync(place));
  });
}

test('from a plain host, below its root, it trains on one thread, says so, and finds the same bits', {
  skip: noBrowser,
}, async () => {
  const lab = await openLab();
  const host = plainHost(builtLab(), '/some/path/');
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  try {
    const at = `http://localhost:${(host.address() as AddressInfo).port}/some/path/`;
    const { page, said } = await lab.page('#machine?seed=3', { at });
    assert.equal(await page.evaluate(() => typeof SharedArrayBuffer), 'undefined');
    assert.match(
      (await page.locator('#threads', { hasText: 'thread' }).textContent()) as string,
      /runs on one thread: it is not cross-origin isolated/,
    );
    await page.getByRole('button', { name: 'Train 200 steps' }).click();
    const shown = await page.locator('#checksum').textContent();
    const engine = await createEngine({ simd: 'simd', threads: 2 });
    const checksum = createHash('sha256')
      .update(await trainCheck(engine, 3))
      .digest('hex');
    engine.close();
    assert.equal(shown, checksum);
    await page.goto(`${at}#race?arms=straight-through,rloo&budget=4&points=2&units=4&examples=20&batch=10&seeds=1`);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('status').filter({ hasText: 'Done.' }).waitFor();
    assert.deepEqual(said, []);
  } finally {
    await lab.close();
    host.closeAllConnections();
    host.close();
  }
});
