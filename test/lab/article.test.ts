import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const PARTS = ['coin', 'answers', 'baseline', 'crowd', 'gates', 'sparsity', 'table', 'slow', 'pays'];
/** What a part's figure shows once it has come. */
const picture = (page: Page, part: string) => page.locator(`#part-${part} .figure svg`).first();

describe('the article', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  for (const [width, colorScheme] of [
    [1280, 'light'],
    [400, 'dark'],
  ] as const)
    test(`${width} pixels wide: every part’s figure comes as one reads on; nothing is wider than the window; axe finds nothing`, async () => {
      const { page, said } = await lab.page('#article', { width, colorScheme });
      for (const part of PARTS) {
        await page.locator(`#part-${part} h2`).scrollIntoViewIfNeeded();
        await picture(page, part).waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, part);
      }
      assert.equal(await page.locator('math').count(), PARTS.length);
      assert.deepEqual(await seriousViolations(page), []);
      assert.deepEqual(said, []);
      await page.context().close();
    });

  test('400 pixels wide the first figure is seen without scrolling, before its text', async () => {
    const { page } = await lab.page('#article', { width: 400 });
    await picture(page, 'coin').waitFor();
    const box = await picture(page, 'coin').boundingBox();
    assert.ok(box && box.y + box.height <= 900, JSON.stringify(box));
    const text = await page.locator('#part-coin .text').boundingBox();
    assert.ok(text && text.y > box.y + box.height);
    await page.context().close();
  });

  test('a symbol lights its marks: by the pointer, by the keyboard, and kept by a press', async () => {
    const { page, said } = await lab.page('#article?part=answers');
    const part = page.locator('#part-answers');
    const lit = part.locator('svg .mark.lit');
    await part.locator('svg .mark').first().waitFor();
    assert.equal(await lit.count(), 0);
    await part.locator('math [data-symbol="bias"]').first().hover();
    await lit.first().waitFor({ state: 'attached' });
    assert.equal(await lit.count(), 4);
    assert.equal(await part.locator('svg .mark.bias.lit').count(), 4);
    await page.locator('h1').hover();
    await lit.first().waitFor({ state: 'detached' });
    const key = part.getByRole('button', { name: /exact gradient/ });
    await key.focus();
    assert.equal(await part.locator('svg .mark.truth.lit').count(), 4);
    await page.keyboard.press('Enter');
    assert.equal(await key.getAttribute('aria-pressed'), 'true');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.locator('#part-answers').getByRole('slider').first().focus();
    assert.equal(await part.locator('svg .mark.truth.lit').count(), 4);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('every key of every equation lights something in its figure', async () => {
    const { page, said } = await lab.page('#article');
    const dark: string[] = [];
    for (const part of PARTS) {
      const section = page.locator(`#part-${part}`);
      await section.locator('h2').scrollIntoViewIfNeeded();
      await picture(page, part).waitFor();
      for (const key of await section.locator('.typeset li button').all()) {
        await key.focus();
        const name = await key.getAttribute('data-symbol');
        const lit = section.locator(`.figure .lit, .lit-${name}`).first();
        await lit.waitFor({ state: 'attached' }).catch(() => dark.push(`${part}: ${name}`));
      }
    }
    assert.deepEqual(dark, []);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('the baseline moves to the best one by the keyboard alone, where the variance is least', async () => {
    const { page, said } = await lab.page('#article?part=baseline');
    const part = page.locator('#part-baseline');
    const variance = async (): Promise<number> => Number(await part.locator('.figures b').last().textContent());
    await part.locator('.figures b').last().waitFor();
    const before = await variance();
    await part.getByRole('button', { name: 'Go to the best' }).focus();
    await page.keyboard.press('Enter');
    await part.getByRole('slider', { name: /baseline = 0\.58/ }).waitFor();
    await page.waitForFunction(
      (value) => Number([...document.querySelectorAll('#part-baseline .figures b')].at(-1)?.textContent) < value / 5,
      before,
    );
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('an address leads to its part; the list of parts too; an unknown one is said', async () => {
    const { page } = await lab.page('#article?part=table');
    await picture(page, 'table').waitFor();
    const focused = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.id);
    await page.waitForFunction(() => document.activeElement?.id === 'title-table');
    assert.deepEqual(
      (await page.getByRole('group', { name: 'claims' }).getByRole('button').allTextContents()).map((text) =>
        text.replace(/: \d+/, '').trim(),
      ),
      await page.locator('#part-table .text > p').first().locator('b').allTextContents(),
    );
    await page
      .getByRole('group', { name: 'claims' })
      .getByRole('button', { name: /not shown/ })
      .click();
    assert.match(
      (await page.locator('#part-table .claims').textContent()) as string,
      /stochastic times smooth trains: at most 2%/,
    );
    await page.getByRole('link', { name: 'Gates', exact: true }).first().focus();
    await page.evaluate(() => {
      location.hash = '#article?part=slow';
    });
    await page.waitForFunction(() => document.activeElement?.id === 'title-slow');
    assert.equal(await focused(), 'title-slow');
    const wrong = await lab.page('#article?part=nothing');
    assert.match((await wrong.page.getByRole('alert').textContent()) as string, /part.*nothing.*Expected/);
    await page.context().close();
    await wrong.page.context().close();
  });

  test('a training goes on when a figure with the same network comes into view', async () => {
    const { page, said } = await lab.page('#article?part=table');
    const train = page.locator('#part-sparsity').getByRole('button', { name: 'Train it here' });
    await page.waitForFunction(() => document.querySelector('#part-sparsity .figure svg rect.mark'));
    assert.equal(await page.locator('#part-gates .figure canvas').count(), 0);
    // Without a scroll to it, which would bring the other figure.
    await train.evaluate((button) => (button as HTMLButtonElement).click());
    const beyond = (share: number) =>
      page.waitForFunction(
        (least) => Number(document.querySelector('#part-sparsity progress')?.getAttribute('value')) > least,
        share,
      );
    await beyond(0.005);
    await page.locator('#part-gates h2').scrollIntoViewIfNeeded();
    await page.locator('#part-gates .figure canvas').first().waitFor();
    const now = Number(await page.locator('#part-sparsity progress').getAttribute('value'));
    await beyond(now + 0.01);
    await page.locator('#part-sparsity').getByRole('button', { name: 'Stop' }).click();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('digits toss, and the network that is trained here takes the place of the shipped one', async () => {
    const { page, said } = await lab.page('#article?part=gates');
    const gates = page.locator('#part-gates');
    await gates.locator('button.open').first().waitFor();
    await gates.getByRole('button', { name: 'Another digit' }).click();
    await gates.locator('.figures b').nth(2).getByText('times').waitFor();
    const sparsity = page.locator('#part-sparsity');
    await sparsity.locator('h2').scrollIntoViewIfNeeded();
    await sparsity.getByText('of 200').waitFor();
    const map = sparsity.locator('svg[aria-label]').first();
    await map.hover();
    await sparsity.getByText(/^A \d opens block \d+ [\d.]+% of the time\.$/).waitFor();
    const shipped = await map.getAttribute('aria-label');
    await sparsity.getByRole('button', { name: 'Train it here' }).click();
    await sparsity.getByRole('progressbar').waitFor();
    await page.waitForFunction(
      () => Number(document.querySelector('#part-sparsity progress')?.getAttribute('value')) > 0.01,
    );
    await page.waitForFunction(
      (before) => document.querySelector('#part-sparsity svg[aria-label]')?.getAttribute('aria-label') !== before,
      shipped,
    );
    await sparsity.getByRole('button', { name: 'Stop' }).click();
    await sparsity.getByRole('progressbar').waitFor({ state: 'detached' });
    assert.deepEqual(said, []);
    await page.context().close();
  });
});
