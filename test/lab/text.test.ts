/** The page "Text": the shipped network against its record, what the worker answers, and the page in a browser. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { lastBytes, letterOf } from '../../lab/src/letters.ts';
import { unpackText } from '../../lab/src/text-file.ts';
import { BEGINNING, CONTEXT, TEXT_FILE } from '../../lab/src/text-page.ts';
import { textAnswers } from '../../lab/src/worker/text.ts';
import { generate, loadModel } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { allOf } from './all-of.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const ROOT = join(import.meta.dirname, '../..');
const file = readFileSync(join(ROOT, 'lab/public', TEXT_FILE));
const record = JSON.parse(readFileSync(join(ROOT, 'results/lab-text.json'), 'utf8'));
const address = `data:application/gzip;base64,${file.toString('base64')}`;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test('the shipped network is that of its record: checksum, size, context, and what rounding its weights changed', () => {
  assert.equal(createHash('sha256').update(file).digest('hex'), record.file.sha256);
  assert.equal(file.length, record.file.bytes);
  assert.ok(file.length < 500_000, `${file.length} bytes`);
  const { asTrained, asShipped } = record.excerpt.bits;
  assert.equal(record.run.config.context, CONTEXT);
  assert.ok(asShipped < 3 && Math.abs(asShipped - asTrained) < 0.02, `${asTrained} ${asShipped}`);
});

test('the last bytes of a text cut no character in two; a byte is one sign', () => {
  assert.equal(new TextDecoder().decode(lastBytes('abc', 2)), 'bc');
  assert.equal(new TextDecoder('utf-8', { fatal: true }).decode(lastBytes('aéé', 3)), 'é');
  assert.equal(lastBytes('', 5).length, 0);
  assert.deepEqual([10, 32, 65, 200].map(letterOf), ['⏎', '␣', 'A', '·']);
});

test('the worker reads as the library writes: the blocks of every letter, what is expected next, and the excerpt', async () => {
  const { layers, number } = await textAnswers.openText(address);
  const { model: bytes, excerpt } = unpackText(
    new Uint8Array(
      await new Response(new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer(),
    ),
  );
  assert.equal(excerpt.length, record.excerpt.bytes);
  const engine = await createEngine({ simd: 'simd', threads: 1 });
  const model = loadModel(engine, bytes);
  const text = 'the white whale';
  const { letters, multiplyAdds, dense } = await textAnswers.readText(bytesOf(text));
  assert.equal(letters.length, text.length);
  for (const length of [1, 6, text.length]) {
    const [written] = generate(model, {
      prompt: bytesOf(text.slice(0, length)),
      bytes: 1,
      temperature: 0,
      context: CONTEXT,
    });
    const letter = letters[length - 1];
    let first = 0;
    const open = written.gates.flatMap(({ units, fired }) => {
      first += units;
      return fired.map((unit) => first - units + unit);
    });
    assert.deepEqual(letter.open, open);
    assert.equal(letter.next[0].byte, written.byte);
    assert.ok(Math.abs(letter.next[0].p - written.probability) < 1e-5);
  }
  for (const { open } of letters) {
    let first = 0;
    for (const layer of layers) {
      const last = first + layer.blocks;
      assert.equal(open.filter((block) => block >= first && block < last).length, layer.woken, layer.site);
      first = last;
    }
  }
  assert.ok(letters.slice(1).every(({ surprise }) => surprise !== undefined && surprise >= 0));
  assert.ok(multiplyAdds < dense / 2, `${multiplyAdds} of ${dense}`);
  assert.deepEqual(await textAnswers.readText(new Uint8Array(0)), { letters: [], multiplyAdds: 0, dense });
  await assert.rejects(textAnswers.readText(new Uint8Array(CONTEXT + 1)), /Expected 128 at most/);
  const written = await textAnswers.writeText({ text: bytesOf('whal'), temperature: 0, seed: 1 });
  assert.equal(letterOf(written), 'e');
  const blocks = (await allOf(textAnswers.blocksOfText(null))).at(-1)?.blocks ?? [];
  assert.equal(
    blocks.length,
    layers.reduce((sum, own) => sum + own.blocks, 0),
  );
  // Every letter opens as many blocks of a layer.
  const open = letters[0].open.length;
  assert.ok(Math.abs(blocks.reduce((sum, { rate }) => sum + rate, 0) - open) < 1e-9);
  for (const { rate, letters: own, places } of blocks) {
    assert.ok(own.every((one) => one.rate > 0 && one.rate <= 1));
    assert.ok(rate === 0 || places.length > 0);
  }
  engine.close();
  await textAnswers.closeText(number);
  await assert.rejects(textAnswers.readText(bytesOf('a')), /There is no text network yet/);
});

test('of two openings at a time the later one stands, and the earlier one is refused', async () => {
  const [first, second] = await Promise.allSettled([textAnswers.openText(address), textAnswers.openText(address)]);
  assert.match(first.status === 'rejected' ? String(first.reason) : '', /Another network was opened meanwhile/);
  assert.ok(second.status === 'fulfilled');
  assert.equal((await textAnswers.readText(bytesOf('a'))).letters.length, 1);
  await textAnswers.closeText(second.value.number);
  await assert.rejects(textAnswers.readText(bytesOf('a')), /There is no text network yet/);
});

describe('the page "Text" in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());
  const field = (page: Page) => page.getByLabel('type here');
  const alive = (page: Page) => page.locator('.block.open').first().waitFor();
  const lit = (page: Page): Promise<string> =>
    page.locator('.block').evaluateAll((all) => all.map((block) => Number(block.classList.contains('open'))).join(''));

  test('it writes by itself: letters come, and other blocks wake for them', async () => {
    const { page, said } = await lab.page('#text');
    await alive(page);
    const first = await lit(page);
    await page.waitForFunction(
      (least) => (document.querySelector('input[type="text"]') as HTMLInputElement).value.length > least,
      BEGINNING.length + 2,
    );
    await page.waitForFunction(
      (before) =>
        Array.from(document.querySelectorAll('.block'), (block) => Number(block.classList.contains('open'))).join(
          '',
        ) !== before,
      first,
    );
    await page.getByRole('button', { name: 'Pause' }).click();
    assert.match(
      (await page.getByLabel('counter').textContent()) as string,
      /4 of 32 blocks, \d+\.\d times\s+less work/,
    );
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('by keyboard alone: a text is typed, its letters and blocks are reached, one of each is kept; the address restores it', async () => {
    const { page, said } = await lab.page('#text?text=the+sea');
    await alive(page);
    // A text that was set is read, and not written on.
    await page.getByRole('button', { name: 'Play' }).waitFor();
    await field(page).focus();
    await page.keyboard.press('End');
    await page.keyboard.type(' is');
    const letters = page.getByRole('group', { name: /^letters/ }).getByRole('button');
    await letters.nth(9).waitFor();
    assert.deepEqual((await letters.allTextContents()).map((text) => text.trim()).join(''), 'the␣sea␣is');
    await letters.first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'After “h” it expects' }).waitFor();
    assert.equal(await letters.nth(1).getAttribute('aria-pressed'), 'true');
    const blocks = page.getByRole('group', { name: /^blocks/ }).getByRole('button');
    assert.equal(await blocks.count(), 32);
    await blocks.first().focus();
    for (const key of ['ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /block 10 of layer 1/i }).waitFor();
    await page.locator('.places li mark').first().waitFor();
    await page.waitForURL(/text=the\+sea\+is&letter=1&block=9/);
    const now = await lit(page);
    await page.reload();
    await page.getByRole('heading', { name: 'After “h” it expects' }).waitFor();
    await page.getByRole('heading', { name: /block 10 of layer 1/i }).waitFor();
    assert.equal(await lit(page), now);
    await page.locator('.places li mark').first().waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a letter that is chosen while the next one is written stays chosen', async () => {
    const { page, said } = await lab.page('#machine');
    // What is asked for a letter waits until it is let go; its answer is told of.
    await page.addInitScript(() => {
      const Original = Worker;
      globalThis.Worker = class extends Original {
        override postMessage(message: { name?: string; id: number }) {
          if (message.name !== 'writeText') return super.postMessage(message);
          this.addEventListener('message', ({ data }) => {
            if (data.id === message.id) setTimeout(() => Object.assign(globalThis, { written: true }));
          });
          Object.assign(globalThis, { letGo: () => super.postMessage(message) });
        }
      };
    });
    await page.goto(`${lab.url}?again#text?text=the+sea`);
    await alive(page);
    const letter = page
      .getByRole('group', { name: /^letters/ })
      .getByRole('button')
      .nth(1);
    await page.getByRole('button', { name: 'Write a letter' }).click();
    await letter.click();
    await page.evaluate(() => (globalThis as unknown as { letGo: () => void }).letGo());
    await page.waitForFunction(() => 'written' in globalThis);
    assert.equal(await letter.getAttribute('aria-pressed'), 'true');
    assert.equal(await field(page).inputValue(), 'the sea');
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('pointing at a block marks the letters that woke it; at a letter, shows its blocks', async () => {
    const { page, said } = await lab.page('#text?text=a+long+white+whale+in+the+sea');
    await alive(page);
    const open = page.locator('.block.open').first();
    await open.hover();
    await page.locator('.strip .woke').first().waitFor();
    const label = (await open.locator('.hidden').textContent()) as string;
    assert.match(label, /^block \d+ of layer 1, awake\./);
    const before = await lit(page);
    await page.locator('.strip button').first().hover();
    await page.waitForFunction(
      (last) =>
        Array.from(document.querySelectorAll('.block'), (block) => Number(block.classList.contains('open'))).join(
          '',
        ) !== last,
      before,
    );
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('400 pixels wide the letters and all blocks are seen without scrolling; less motion stands still', async () => {
    const { page, said } = await lab.page('#machine', { width: 400, colorScheme: 'dark' });
    await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'dark' });
    await page.goto(`${lab.url}?again#text`);
    await alive(page);
    const box = await page.locator('section[aria-label="network"]').boundingBox();
    assert.ok(box && box.y + box.height <= 900, JSON.stringify(box));
    await page.getByRole('button', { name: 'Play' }).waitFor();
    assert.equal(await field(page).inputValue(), BEGINNING);
    await page.getByRole('button', { name: 'Write a letter' }).click();
    await page.waitForFunction(
      (length) => (document.querySelector('input[type="text"]') as HTMLInputElement).value.length === length,
      BEGINNING.length + 1,
    );
    await page.locator('.places li').first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
    await page.context().close();
  });
});
