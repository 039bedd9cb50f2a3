/** Axes of the charts, as they are read in a browser. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

describe('charts in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  /** What is written at the axes of a chart: numbers across stand in the middle of their places, those upwards at the end. */
  async function axes(chart: Locator): Promise<{ x: number[]; y: number[]; labels: string[] }> {
    await chart.locator('svg text.middle').first().waitFor();
    const texts = (of: string): Promise<string[]> => chart.locator(`svg ${of}`).allTextContents();
    const ends = await texts('text.end');
    const [xLabel] = ends.splice(-1);
    const [yLabel] = await texts('text:not(.end):not(.middle)');
    return { x: (await texts('text.middle')).map(Number), y: ends.map(Number), labels: [xLabel, yLabel] };
  }

  test('curves: the work of a race is as it is, shares are in percent, and say so once', async () => {
    const { page, said } = await lab.page('#race');
    const error = await axes(page.getByRole('region', { name: 'Validation error' }));
    assert.deepEqual(error.x, [0, 100, 200, 300, 400, 500, 600]);
    assert.deepEqual(error.labels, ['evaluations →', '↑ wrong, %']);
    assert.ok(Math.max(...error.y) > 10 && Math.max(...error.y) <= 100, error.y.join());
    const loss = await axes(page.getByRole('region', { name: 'Training loss, as sampled' }));
    assert.deepEqual(loss.x, error.x);
    assert.ok(Math.max(...loss.y) < 10, loss.y.join());
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('histograms: what was measured is as it is, its shares are in percent', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloo&units=1&logit=0');
    const { x, y, labels } = await axes(page.getByRole('region', { name: 'rloo', exact: true }));
    assert.deepEqual([x[0], x.at(-1)], [0, 1]);
    assert.ok(y.includes(40) && y.every((tick) => tick <= 60), y.join());
    assert.deepEqual(labels, ['h →', '↑ % of draws']);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('lines over what is no whole number have numbers at their axis', async () => {
    const { page, said } = await lab.page('#runs');
    await page.getByLabel(/files: a report/).setInputFiles({
      name: 'own.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from(
        [4, 8]
          .map((size) =>
            JSON.stringify({
              ...{ event: 'crossover', units: 16, size, rows: 2, inputs: 4 },
              points: [0.1, 0.25, 0.5].map((density) => ({ density, blocks: density + size, dense: 1 })),
            }),
          )
          .join('\n'),
      ),
    });
    const { x, labels } = await axes(page.getByRole('region', { name: /^blocks/ }));
    assert.deepEqual(x, [0.1, 0.2, 0.3, 0.4, 0.5]);
    assert.equal(labels[0], 'density →');
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('epochs have whole numbers at their axis', async () => {
    const { page, said } = await lab.page('#runs');
    await page.getByLabel(/files: a report/).setInputFiles({
      name: 'own.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from(
        JSON.stringify({
          trial: { arm: 'plain', seed: 1 },
          result: { curve: [1, 2, 3].map((epoch) => ({ epoch, validError: 1 / (10 + epoch) })) },
        }),
      ),
    });
    const { x, labels } = await axes(page.getByRole('region', { name: /^valid error/ }));
    assert.deepEqual(x, [1, 2, 3]);
    assert.deepEqual(labels, ['epoch →', '↑ %']);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a finger on the map of classes and blocks: its cell is named, and stays named once the finger is lifted', async () => {
    const context = await lab.browser.newContext({ hasTouch: true, viewport: { width: 400, height: 900 } });
    const page = await context.newPage();
    await page.goto(`${lab.url}#article?part=sparsity`);
    const part = page.locator('#part-sparsity');
    await part.getByText('of 200').waitFor();
    await part
      .locator('svg[aria-label]')
      .first()
      .tap({ position: { x: 100, y: 60 } });
    await part.getByText(/^A \d opens block \d+ [\d.]+% of the time\.$/).waitFor();
    await context.close();
  });
});
