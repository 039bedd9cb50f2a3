/** The front page: the shipped network against its record, what the worker answers, and the page in a browser. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { layoutOf } from '../../lab/src/front-layout.ts';
import { FRONT, FRONT_FILE, FRONT_NEURONS } from '../../lab/src/front-network.ts';
import { frontAnswers } from '../../lab/src/worker/front.ts';
import { resolveNeuron } from '../../src/index.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const LAB = join(import.meta.dirname, '../../lab');
const file = readFileSync(join(LAB, 'public', FRONT_FILE));
const record = JSON.parse(readFileSync(join(LAB, '../results/lab-network.json'), 'utf8'));
const address = `data:application/gzip;base64,${file.toString('base64')}`;

test('the shipped network is that of its record: checksum, shape, and what rounding its weights changed', () => {
  assert.equal(createHash('sha256').update(file).digest('hex'), record.file.sha256);
  assert.equal(file.length, record.file.bytes);
  assert.ok(file.length < 700_000, `${file.length} bytes`);
  const { asTrained, asShipped, examples } = record.test;
  for (const mode of ['sampled', 'threshold']) {
    // By no more than the deviation of a share of that many examples.
    const deviation = Math.sqrt((asTrained[mode] * (1 - asTrained[mode])) / examples);
    assert.ok(
      Math.abs(asShipped[mode] - asTrained[mode]) <= deviation,
      `${mode}: ${asShipped[mode]}, ${asTrained[mode]}`,
    );
  }
});

test('the worker answers for the shipped network: tosses, chances, portraits; a held block changes the answer', async () => {
  const facts = await frontAnswers.openFront(address);
  assert.equal(facts.blocks, FRONT.blocks);
  assert.equal(facts.digits.length, 784 * facts.labels.length);
  const look = { strokes: '', digit: 5, hold: [] };
  const seen = await frontAnswers.lookFront(look);
  assert.deepEqual(seen.pixels, facts.digits.slice(5 * 784, 6 * 784));
  assert.ok(seen.multiplyAdds < seen.dense / 3, `${seen.multiplyAdds} of ${seen.dense}`);
  const counts = new Float64Array(facts.blocks);
  for (let i = 0; i < 60; i++) {
    const { open, probabilities, multiplyAdds } = await frontAnswers.toss(look);
    assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
    assert.ok(multiplyAdds < seen.dense);
    open.forEach((now, block) => {
      if (now) counts[block] += 1 / 60;
    });
  }
  // Two estimates of the same chances, from 40 and from 60 tosses.
  counts.forEach((share, block) => {
    const chance = (40 * seen.chances[block] + 60 * share) / 100;
    const deviation = Math.sqrt(chance * (1 - chance) * (1 / 40 + 1 / 60));
    assert.ok(Math.abs(share - seen.chances[block]) <= 5 * deviation + 1e-9, `block ${block}`);
  });
  const { blocks, wrong } = await frontAnswers.portraits();
  assert.equal(wrong, record.wrong);
  const rates = blocks.map(({ rate }) => rate);
  assert.ok(
    rates.every((rate) => rate > 0),
    'every block opens for some digit',
  );
  for (const { rate, rates: own, picture, examples } of blocks) {
    assert.ok(Math.abs(own.reduce((sum, value) => sum + value, 0) / 10 - rate) < 0.05);
    assert.equal(picture.length, 784);
    assert.equal(Math.max(...picture), 255);
    assert.ok(examples.every((at) => at >= 0 && at < facts.labels.length));
  }
  // What is always open is closed, and what never is is opened.
  for (const open of [false, true]) {
    const unit = seen.chances.indexOf((open ? Math.min : Math.max)(...seen.chances));
    const held = await frontAnswers.lookFront({ ...look, hold: [{ site: facts.site, unit, open }] });
    assert.equal(held.chances[unit], open ? 1 : 0);
    assert.deepEqual(held.free, seen.free);
    assert.notDeepEqual(held.probabilities, held.free);
  }
  await assert.rejects(
    frontAnswers.toss({ ...look, digit: 200 }),
    /The digit is 200. Expected a whole number from 0 to 199/,
  );
});

test('training puts a network that knows nothing in the place of the shipped one, and it learns', async () => {
  await frontAnswers.openFront(address);
  const shipped = (await frontAnswers.portraits()).wrong;
  const ending = new AbortController();
  const events = frontAnswers.trainFront({ neuron: 'noisy-rectifier', rate: 0.2, seed: 1 }, { signal: ending.signal });
  assert.deepEqual((await events.next()).value, { event: 'made' });
  const start = (await frontAnswers.portraits()).wrong;
  assert.ok(start > 150 && shipped < 20, `${start}, ${shipped}`);
  let batches = 0;
  for await (const { event } of events) if (event === 'batch' && ++batches === 60) break;
  const later = (await frontAnswers.portraits()).wrong;
  assert.ok(later < start - 50, `${later} of 200 after ${batches} minibatches`);
});

test('a training that is cancelled while its engine is made leaves the network that is there', async () => {
  await frontAnswers.openFront(address);
  const { wrong } = await frontAnswers.portraits();
  const ending = new AbortController();
  const events = frontAnswers.trainFront({ neuron: 'noisy-rectifier', rate: 0.2, seed: 1 }, { signal: ending.signal });
  const first = events.next();
  ending.abort();
  assert.deepEqual(await first, { done: true, value: undefined });
  assert.equal((await frontAnswers.portraits()).wrong, wrong);
});

test('of two openings at a time the later one stands, and the earlier one is refused', async () => {
  const [first, second] = await Promise.allSettled([frontAnswers.openFront(address), frontAnswers.openFront(address)]);
  assert.match(first.status === 'rejected' ? String(first.reason) : '', /Another network was opened meanwhile/);
  assert.ok(second.status === 'fulfilled');
  const look = { strokes: '', digit: 3, hold: [] };
  assert.equal((await frontAnswers.toss(look)).open.length, FRONT.blocks);
  await assert.rejects(frontAnswers.openFront('data:,nothing'));
  await frontAnswers.closeFront(second.value.number);
  await assert.rejects(frontAnswers.toss(look), /There is no network yet/);
});

test('a network is let go of by its number alone', async () => {
  const first = await frontAnswers.openFront(address);
  const second = await frontAnswers.openFront(address);
  const look = { strokes: '', digit: 3, hold: [] };
  await frontAnswers.closeFront(first.number);
  assert.equal((await frontAnswers.toss(look)).open.length, FRONT.blocks);
  await frontAnswers.closeFront(second.number);
  await assert.rejects(frontAnswers.toss(look), /There is no network yet/);
});

test('the gates that the page offers are neurons, and everything of the figure is inside of it', () => {
  for (const [name] of FRONT_NEURONS) resolveNeuron(name);
  for (const [width, count] of [340, 368, 700, 800, 1184].flatMap((wide) =>
    [1, 5, 12, FRONT.blocks, 64].map((blocks) => [wide, blocks] as const),
  )) {
    const { height, digit, gater, blocks, answers } = layoutOf(width, count);
    const places = [digit, gater, ...blocks, answers];
    for (const { x, y, width: across, height: down } of places)
      assert.ok(x >= 0 && y >= 0 && x + across <= width + 1e-9 && y + down <= height, `${width}: ${x} ${y}`);
    const clash = places.some((a, i) =>
      places.some(
        (b, j) => i < j && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
      ),
    );
    assert.equal(clash, false, `${width}: places overlap`);
  }
});

describe('the front page in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  /** Of a page that ought to change, until it is taken for one that stands still. */
  const MOST_LOOKS = 600;
  const tiles = (page: Page) => page.getByRole('group', { name: /^blocks/ }).getByRole('button');
  const lit = (page: Page): Promise<string> =>
    page
      .locator('.figure button')
      .evaluateAll((all) => all.map((tile) => (tile.classList.contains('open') ? 1 : 0)).join(''));
  /** Until a toss has lit some block. */
  const alive = (page: Page) => page.locator('.figure button.open').first().waitFor();
  const counter = (page: Page) => page.getByLabel('counter');

  test('it moves by itself: blocks light up without a click, other ones at other tosses, and other digits come', async () => {
    const { page, said } = await lab.page('');
    await alive(page);
    const seen = new Set<string>();
    const digits = new Set<string>();
    const picture = () =>
      page.locator('canvas.pad').evaluate((pad) => (pad as unknown as { toDataURL(): string }).toDataURL());
    for (let i = 0; i < MOST_LOOKS && (seen.size < 4 || digits.size < 2); i++) {
      seen.add(await lit(page));
      digits.add(await picture());
      await page.waitForTimeout(100);
    }
    assert.ok(seen.size >= 4 && digits.size >= 2, `${seen.size} sets of blocks, ${digits.size} digits`);
    await counter(page)
      .getByText(/This digit: \d+ of 32 blocks\s*,\s*[\d.]+ times less work, [\d.]+ times (faster|slower) than/)
      .waitFor();
    assert.equal(await tiles(page).count(), 32);
    await page.getByRole('button', { name: 'Pause' }).click();
    // The toss under way still comes.
    await page.waitForTimeout(1000);
    const still = await lit(page);
    await page.waitForTimeout(1500);
    assert.equal(await lit(page), still);
    await page.getByRole('button', { name: 'Toss once' }).click();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('by keyboard alone: a block is reached, pinned, held closed and open, and the answer is another; the address restores it', async () => {
    const { page, said } = await lab.page('#see?digit=5');
    await alive(page);
    const reached: string[] = [];
    const name = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
      );
    for (let i = 0; i < 40 && !(reached.at(-1) ?? '').startsWith('block 1'); i++) {
      await page.keyboard.press('Tab');
      reached.push(await name());
    }
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    assert.match(await name(), /^block 10\./);
    const block = page.getByRole('region', { name: 'block' });
    await block.getByRole('heading', { name: 'Block 10' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/block=9/);
    const pressed: string[] = [];
    const go = async (text: RegExp) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab');
        pressed.push((await name()).trim());
        if (text.test(pressed[pressed.length - 1])) return;
      }
      assert.fail(`${text} is not reached: ${pressed.join(' | ')}`);
    };
    await go(/^hold open$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/hold=gated\.gates%3A9%3Dopen/);
    await page.locator('.figure button').nth(9).getByText('open').waitFor();
    await counter(page)
      .getByText(/without what is held/)
      .waitFor();
    // A toss under way may come before: from then on it is lit at every toss.
    await page.locator('.figure button.held.open').waitFor();
    for (let i = 0; i < 5; i++) {
      assert.equal((await lit(page))[9], '1');
      await page.waitForTimeout(300);
    }
    const means = () =>
      page.locator('svg .mean').evaluateAll((all) => all.map((line) => line.getAttribute('x1')).join());
    const frees = () =>
      page.locator('svg .free').evaluateAll((all) => all.map((line) => line.getAttribute('x1')).join());
    await page.locator('svg .free').nth(9).waitFor({ state: 'attached' });
    assert.notEqual(await means(), await frees());
    await go(/^Train it here$/);
    await page.reload();
    await page.locator('.figure button').nth(9).getByText('open').waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  for (const [width, colorScheme] of [
    [1280, 'light'],
    [400, 'dark'],
  ] as const)
    test(`${width} pixels wide, ${colorScheme}: the whole figure is seen without scrolling, nothing is wider, axe finds nothing`, async () => {
      const { page, said } = await lab.page('', { width, colorScheme });
      await alive(page);
      const box = await page.locator('.figure').boundingBox();
      assert.ok(box && box.y >= 0 && box.y + box.height <= 900, JSON.stringify(box));
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      await counter(page)
        .getByText(/times less work/)
        .waitFor();
      assert.deepEqual(await seriousViolations(page), []);
      assert.deepEqual(said, []);
      await page.context().close();
    });

  test('the digits of another block are drawn on the canvases that are there', async () => {
    const { page, said } = await lab.page('#see?digit=24&block=0');
    const thumbs = page.getByRole('list', { name: 'digits that open it most' }).locator('canvas');
    await thumbs.first().waitFor();
    const pictures = () =>
      thumbs.evaluateAll((all) => all.map((one) => (one as unknown as { toDataURL(): string }).toDataURL()).join());
    const first = await thumbs.first().elementHandle();
    const before = await pictures();
    await tiles(page).nth(9).hover();
    await page.getByRole('heading', { name: 'Block 10', exact: true }).waitFor();
    const another = async (): Promise<boolean> => (await pictures()) !== before;
    for (let i = 0; i < MOST_LOOKS && !(await another()); i++) await page.waitForTimeout(50);
    assert.ok(await another());
    assert.ok(await thumbs.first().evaluate((canvas, kept) => canvas === kept, first));
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a drawn digit takes the place of those that come', async () => {
    const { page, said } = await lab.page('');
    await alive(page);
    const box = await page.locator('canvas.pad').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width / 2, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height - 20, { steps: 6 });
    await page.mouse.up();
    await page.getByLabel('Drawing pad with your digit').waitFor();
    await page.waitForURL(/draw=\w+/);
    await page.getByRole('button', { name: 'Clear, go on' }).click();
    await page.getByLabel(/Drawing pad with a digit of the set/).waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('training starts over in view, can be watched and stopped', async () => {
    const { page, said } = await lab.page('#see?neuron=noisy-rectifier&rate=0.2');
    await alive(page);
    const region = page.getByRole('region', { name: 'training' });
    await region.getByText(/of 200 unseen digits read wrong/).waitFor();
    const wrong = async (): Promise<number> => Number(await region.locator('b').textContent());
    const trained = await wrong();
    await region.getByRole('button', { name: 'Train it here' }).click();
    await region.getByText(/so far/).waitFor();
    await page.waitForFunction(
      (least) => Number(document.querySelector('section[aria-label="training"] b')?.textContent) > least,
      trained + 30,
    );
    const start = await wrong();
    await page.waitForFunction(
      (most) => Number(document.querySelector('section[aria-label="training"] b')?.textContent) < most,
      start - 30,
    );
    await region.getByRole('button', { name: 'Stop' }).click();
    await region
      .getByRole('status')
      .getByText(/^Stopped after/)
      .waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('who asks for less motion gets a picture that stands still until it is tossed', async () => {
    const context = await lab.browser.newContext({ reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(lab.url);
    await alive(page);
    const still = await lit(page);
    await page.waitForTimeout(1500);
    assert.equal(await lit(page), still);
    await page.getByRole('button', { name: 'Play' }).waitFor();
    await context.close();
  });
});
