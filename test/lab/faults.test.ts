/** What goes wrong in the lab is said, and takes nothing else with it: addresses, pages, commands, the worker. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { commandLine } from '../../cli/command-line.ts';
import { labServer, listenLocally } from '../../cli/lab-server.ts';
import { mapSizes } from '../../lab/src/map-sizes.ts';
import { raceCommand } from '../../lab/src/race-state.ts';
import { readReport } from '../../lab/src/worker/report-view.ts';
import { runCli } from '../helpers/run-cli.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';
import { builtLab } from './build.ts';

/** The words that a shell makes of a command, after `flipgrad`; nothing else in it may run. */
function wordsOf(command: string): string[] {
  const shell = `flipgrad() { printf '%s\\0' "$@"; }\n${command}`;
  return execFileSync('/bin/sh', ['-c', shell], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

const EVIL = [
  "straight-through; echo 'ran' | sh",
  '$(echo ran)',
  '`echo ran`',
  'a\nb',
  "it's",
  '~',
  '=ls',
  '*',
  '',
  'a,b:K=4',
];

test('a shell reads every word of a printed command as it is', () => {
  assert.deepEqual(wordsOf(commandLine('train', ...EVIL)), ['train', ...EVIL]);
  assert.equal(commandLine('race', '--neuron', 'rloo:K=4,disarm'), 'flipgrad race --neuron rloo:K=4,disarm');
  const state = {
    by: 'steps',
    budget: 1,
    points: 2,
    units: 3,
    examples: 10,
    batch: 5,
    lr: 0.1,
    seed: 1,
    seeds: 1,
  } as const;
  const words = wordsOf(raceCommand({ ...state, arms: EVIL, sampled: true }));
  assert.equal(words[2], EVIL.join(','));
});

test('what the name of a picked file brings into a printed command is one word of it', () => {
  const record = JSON.stringify({ trial: { arm: 'a', seed: 1 }, result: { error: 0.5 } });
  for (const evil of EVIL.filter((name) => name !== ''))
    for (const [ending, form] of [
      ['', []],
      ['-quick', ['--quick']],
      ['-medium', ['--medium']],
    ] as const)
      assert.deepEqual(wordsOf(readReport(`${evil}${ending}.jsonl`, record).command), ['reproduce', evil, ...form]);
  // No command is known that makes these anew, and none is printed.
  assert.equal(readReport('a\necho ran.jsonl', '{"event":"result","seed":1,"x":"y"}').command, '');
});

test('a map is asked for with blocks that the layer has', () => {
  for (const units of [1, 100, 128, 4096]) for (const size of mapSizes(units)) assert.equal(units % size, 0);
  assert.deepEqual(mapSizes(128), [1, 4, 16, 64]);
});

describe('faults in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  const top = mkdtempSync(join(tmpdir(), 'flipgrad-lab-faults-'));
  const good = join(top, 'good');
  before(async () => {
    const flags = ['--units', '16', '--blocks', '4', '--epochs', '1', '--run', good, '--json'];
    const { code, stderr } = await runCli(['train', ...flags]);
    assert.equal(code, 0, stderr);
    lab = await openLab({ run: good });
  });
  after(async () => {
    await lab.close();
    rmSync(top, { recursive: true, force: true });
  });
  const alerts = (page: Page, text: RegExp | string) => page.getByRole('alert').getByText(text).first().waitFor();

  test('a neuron that is named twice is there once', async () => {
    const { page, said } = await lab.page('#race?arms=rloo,rloo,disarm,rloo');
    await page.getByRole('button', { name: 'Start' }).waitFor();
    assert.equal(await page.locator('tbody tr').count(), 2);
    await page.goto(`${lab.url}#microscope?neurons=rloo,rloo`);
    await page.locator('section[aria-label="rloo"] svg').first().waitFor();
    assert.equal(await page.locator('section[aria-label="rloo"]').count(), 1);
    await page.goto(`${lab.url}#noise?K=1&unbiased=straight-through-derivative`);
    await page.getByRole('button', { name: 'Start' }).waitFor();
    assert.deepEqual(said, []);
  });

  test('a page that throws says so; the navigation stays, and the other pages work', async () => {
    const { page } = await lab.page('#machine');
    await page.addInitScript('HTMLCanvasElement.prototype.getContext = () => { throw new Error("no canvas here"); };');
    await page.goto(`${lab.url}?again#gates`);
    await alerts(page, /This page has failed: no canvas here. The other pages go on/);
    await page.getByRole('link', { name: 'Noise' }).click();
    await page.getByRole('heading', { name: /^Noise/ }).waitFor();
    await page.getByRole('button', { name: 'Start' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
  });

  test('an unknown page and unknown values are said, large ones are brought to their bounds and do not start', async () => {
    const { page, said } = await lab.page('#rases');
    await alerts(page, /The page of the address is "rases". Expected one of .*; did you mean "race"\?/);
    await page.goto(`${lab.url}#gates?source=trained&epochs=1000000000&units=1e9&blok=3`);
    await alerts(page, '`epochs` in the address is 1000000000. Expected a whole number from 1 to 50. Here it is 50.');
    await alerts(
      page,
      '`units` in the address is 1000000000. Expected a whole number from 1 to 1024. Here it is 1024.',
    );
    await alerts(page, /The address has a setting "blok". Did you mean "blocks"\?/);
    await page.getByRole('status').getByText('Nothing is trained yet.').waitFor();
    assert.equal(await page.locator('progress').count(), 0);
    assert.equal(await page.getByRole('spinbutton', { name: 'epochs' }).inputValue(), '50');
    assert.deepEqual(said, []);
  });

  test('a number that does not do is said where it was typed, and the one before stays', async () => {
    const { page, said } = await lab.page('#race');
    await page.getByText(/^more: width of the layer 64, /).click();
    const field = page.getByRole('spinbutton', { name: 'width of the layer' });
    await field.fill('600');
    await alerts(page, 'Width of the layer is 600. Expected a whole number from 1 to 512. It stays 64.');
    assert.match((await page.locator('pre').textContent()) as string, /--units 64 /);
    await field.fill('32');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.waitForURL(/units=32/);
    assert.deepEqual(said, []);
  });

  test('what an address brings into a printed command is one word of it', async () => {
    const neuron = "straight-through; echo 'ran' | sh";
    const { page } = await lab.page(`#gates?neuron=${encodeURIComponent(neuron)}`);
    const command = (await page.locator('pre').textContent()) as string;
    assert.equal(wordsOf(command.split('\n')[0])[2], neuron);
  });

  test('a worker whose script is blocked is said, on every page; nothing waits for ever', async () => {
    const { page } = await lab.page('#machine');
    await page.route(/lab-worker/, (route) => route.abort());
    await page.goto(`${lab.url}?again#gates`);
    await alerts(page, /What computes for this page, its worker, did not load/);
    await page.getByRole('button', { name: 'Train in this tab' }).click();
    await page
      .getByRole('alert')
      .nth(1)
      .getByText(/did not load/)
      .waitFor();
    await page.getByRole('link', { name: 'This browser' }).click();
    await page.getByRole('button', { name: 'Train 200 steps' }).click();
    await page
      .getByRole('alert')
      .nth(1)
      .getByText(/did not load/)
      .waitFor();
  });

  test('a worker that dies while the page is used is said, and nothing waits for it', async () => {
    const { page } = await lab.page('#machine');
    await page.locator('#threads', { hasText: 'thread' }).waitFor();
    const [worker] = page.workers();
    await worker.evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory');
      });
    });
    await alerts(page, /What computes for this page has ended: .*out of memory/);
    await page.getByRole('button', { name: 'Train 200 steps' }).click();
    await page
      .getByRole('alert')
      .nth(1)
      .getByText(/has ended/)
      .waitFor();
    await page.context().close();
  });

  test('threads whose script does not come are done without, or said', async () => {
    const without = join(top, 'without-threads');
    cpSync(builtLab(), without, { recursive: true, filter: (from) => !from.includes('kernel-worker') });
    const server = labServer({ lab: without });
    let refused = 0;
    server.on('request', ({ url }, answer) => {
      answer.on('finish', () => {
        if (url?.includes('kernel-worker') && answer.statusCode === 404) refused++;
      });
    });
    const port = await listenLocally(server, 0);
    try {
      const { page } = await lab.page('#machine', { at: `http://localhost:${port}/` });
      await page.getByRole('button', { name: 'Train 200 steps' }).click();
      const outcome = await page.locator('#checksum, main [role="alert"]').first().textContent();
      assert.match(outcome as string, /^[\da-f]{64}$|Worker thread \d died \(its script did not load\)/);
      assert.ok(refused > 0);
      await page.context().close();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('files that do not come, the server being gone, are sentences on every page that wants one', async () => {
    const { page } = await lab.page('#machine');
    await page.locator('#threads', { hasText: 'thread' }).waitFor();
    await page.context().setOffline(true);
    for (const [link, sentence] of [
      ['See it', /The engine's kernels did not load: .* Expected the server of this page to be there/],
      ['Text', /The text network that is shipped with the lab does not come from/],
      ['Race', /The recorded race "answers" does not come/],
      ['Noise', /The recorded race "suspects" does not come/],
      ['Gates', /The network that is shipped with the lab does not come from/],
    ] as const) {
      await page.getByRole('link', { name: link, exact: true }).click();
      await alerts(page, sentence);
    }
    await page.context().close();
  });

  test('back restores the settings; another page is seen from its top, and its heading has the focus', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloo&units=1');
    const slider = page.getByRole('slider', { name: /pre-activation/ });
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/logit=0\.55/);
    await page.setViewportSize({ width: 400, height: 500 });
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.getByRole('link', { name: 'Race', exact: true }).focus();
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Race/ }).waitFor();
    assert.deepEqual(await page.evaluate(() => [scrollY, document.activeElement?.tagName]), [0, 'H1']);
    await page.goBack();
    await page.getByRole('slider', { name: /pre-activation a = 0\.55/ }).waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('what changes many times a second is not spoken', async () => {
    const { page, said } = await lab.page(
      '#race?arms=straight-through,rloo&budget=60&points=20&units=8&examples=60&batch=20&seeds=2',
    );
    const listen = () =>
      page.evaluate(() => {
        const spoken: string[] = [];
        Object.assign(globalThis, { spoken });
        new MutationObserver((changes) => {
          for (const { target } of changes) {
            const element = target instanceof Element ? target : target.parentElement;
            const region = element?.closest('[aria-live], [role="status"], [role="alert"]');
            if (region && region.getAttribute('aria-live') !== 'off') spoken.push(region.textContent ?? '');
          }
        }).observe(document.body, { childList: true, characterData: true, subtree: true });
      });
    const spoken = (): Promise<string[]> => page.evaluate(() => (globalThis as unknown as { spoken: string[] }).spoken);
    await page.getByRole('button', { name: 'Start' }).waitFor();
    await listen();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('status').filter({ hasText: 'Done.' }).waitFor();
    assert.ok((await spoken()).length <= 6, JSON.stringify(await spoken()));
    await page.goto(`${lab.url}?again#gates?source=served`);
    await page.getByRole('region', { name: 'one gate' }).waitFor();
    await listen();
    await page.getByRole('button', { name: 'Train in this tab' }).click();
    await page
      .getByRole('status')
      .getByText(/Writing digits: [3-9]\d%/)
      .waitFor();
    assert.ok((await spoken()).length <= 3, JSON.stringify(await spoken()));
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a certain value is one thin bar', async () => {
    const { page, said } = await lab.page('#microscope?neurons=sigmoid&units=1');
    const picture = page.locator('section[aria-label="sigmoid"] svg');
    await picture.waitFor();
    const bar = await picture.locator('rect').first().boundingBox();
    const whole = await picture.boundingBox();
    assert.ok(bar && whole && bar.width < whole.width / 10 && bar.width > 0, JSON.stringify([bar, whole]));
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('errors are percent on their axis', async () => {
    const { page, said } = await lab.page('#race');
    // Of a recorded race, which stands there at load.
    await page.waitForFunction(() => {
      const ticks = document.querySelectorAll(
        'section[aria-label="Validation error"] svg g[aria-hidden] text, section[aria-label="Validation error"] svg text',
      );
      const numbers = Array.from(ticks, (tick) => Number(tick.textContent)).filter(
        (value) => value > 0 && value <= 100,
      );
      return numbers.length > 2 && Math.max(...numbers.slice(0, -1)) > 5;
    });
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('kernels that do not come, the server being gone, are a sentence and no browser’s own words alone', async () => {
    const { page } = await lab.page('#machine');
    await page.locator('#threads', { hasText: 'thread' }).waitFor();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Train 200 steps' }).click();
    await alerts(page, /The engine's kernels did not load: .* Expected the server of this page to be there/);
    await page.context().close();
  });

  test('blocks never stay wider than their layer', async () => {
    const { page, said } = await lab.page('#faster?units=256&size=256&batch=4');
    await page.getByRole('region', { name: 'waterfall' }).waitFor();
    await page.getByRole('slider', { name: /width/ }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(/units=128&size=128/);
    assert.match((await page.locator('pre').textContent()) as string, /--units 128 --sizes 128 /);
    await page.getByRole('region', { name: 'waterfall' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.deepEqual(said, []);
  });

  test('a broken folder leaves the good one in view, and a setting of 30,000 characters is cut', async () => {
    const [broken, long] = ['broken', 'long'].map((name) => join(top, name));
    mkdirSync(broken);
    writeFileSync(join(broken, 'run.json'), '{');
    cpSync(good, long, { recursive: true });
    const record = JSON.parse(readFileSync(join(long, 'run.json'), 'utf8'));
    record.config.neuron = 'x'.repeat(30_000);
    writeFileSync(join(long, 'run.json'), JSON.stringify(record));
    const { page, said } = await lab.page('#runs');
    const pick = (folder: string) => page.getByLabel(/a run’s folder/).setInputFiles(folder);
    await pick(good);
    await page.getByRole('heading', { name: 'good', exact: true }).waitFor();
    await pick(broken);
    await alerts(page, /What was open before stays below/);
    await page.getByRole('heading', { name: 'good', exact: true }).waitFor();
    await pick(long);
    await page.getByRole('heading', { name: 'long', exact: true }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    const cells = await page.locator('.facts td').allTextContents();
    assert.ok(cells.every((text) => text.length < 3000));
    assert.deepEqual(said, []);
  });

  test('a network stays in the tab while another page is looked at', async () => {
    const { page, said } = await lab.page('#gates?source=served&test=3');
    await page.getByRole('region', { name: 'one gate' }).waitFor();
    await page.getByRole('link', { name: 'This browser' }).click();
    await page.getByRole('heading', { name: /^This browser/ }).waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goBack();
    await page.getByRole('region', { name: 'one gate' }).waitFor();
    await page.getByRole('status').getByText('The run good.').waitFor();
    assert.deepEqual(
      asked.filter((url) => url.includes('/run/')),
      [],
    );
    assert.deepEqual(said, []);
  });
});
