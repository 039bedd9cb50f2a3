/** Axes of the charts, as they are read in a browser. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { plain } from '../../lab/src/drawn.ts';
import { readingAt } from '../../lab/src/reading.ts';
import { wantsLog, yScale } from '../../lab/src/y-scale.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

test('an axis begins at 0 unless some numbers are below it; numbers far apart, all above 0, want a logarithmic one', () => {
  assert.deepEqual(yScale([3, 18], false).scale.domain(), [0, 20]);
  assert.deepEqual(yScale([-160, -118], false).scale.domain(), [-160, -110]);
  assert.deepEqual(yScale([0.02, 50], true).scale.domain(), [0.02, 50]);
  assert.equal(wantsLog([20, 1.5e6]), true);
  for (const values of [[], [0, 1e6], [-1, 1e6], [1, 90]]) assert.equal(wantsLog(values), false);
  assert.deepEqual([0, 0.25, 5000, 50_000, 1_500_000].map(plain), ['0', '0.25', '5000', '50K', '1.5M']);
});

test('a chart is read at the nearest place that has points, the greatest value first', () => {
  const line = (name: string, ...points: readonly (readonly [number, number])[]) => ({
    ...{ name, colour: 'blue', dash: 'none' },
    points: points.map(([x, y]) => ({ x, y })),
  });
  const lines = [line('a', [0, 1], [10, 2]), line('b', [10, 3]), line('c')];
  const said = (x: number) => {
    const { at, values } = readingAt(lines, x, String) ?? {};
    return [at, values?.map(({ name, said: value }) => `${name} ${value}`).join()];
  };
  assert.deepEqual(said(-5), [0, 'a 1']);
  assert.deepEqual(said(6), [10, 'b 3,a 2']);
  assert.equal(readingAt([line('c')], 1, String), undefined);
});

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

  test('values are said where the pointer is, and stay where a finger was', async () => {
    const { page, said } = await lab.page('#race');
    const chart = page.getByRole('region', { name: 'Validation error' });
    const reading = chart.locator('.reading');
    await chart.locator('path.line').first().waitFor();
    assert.equal(await reading.count(), 0);
    const lines = await page.getByRole('region', { name: 'where all stand' }).locator('tbody tr').count();
    const box = await chart.locator('svg.drawn').boundingBox();
    assert.ok(box);
    // Beyond the last point: what stands there is the end of the race.
    await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
    await reading.locator('li').nth(lines).waitFor();
    const [place, ...values] = await reading.locator('li').allTextContents();
    assert.match(place, /^600 evaluations$/);
    const shares = values.map((text) => Number(/([\d.]+)%/.exec(text)?.[1]));
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => b - a),
    );
    await page.mouse.move(0, 0);
    await reading.waitFor({ state: 'detached' });
    assert.deepEqual(said, []);
    await page.context().close();
  });

  for (const [name, figure] of [
    ['race', 'section[aria-label="Validation error"] svg'],
    ['noise', 'section[aria-label^="Training loss"] svg'],
    ['microscope', 'section[aria-label="all gradients"] svg'],
    ['gates', '.figure svg'],
    ['text', '.block'],
  ])
    test(`${name}, 400 pixels wide: a figure is on the first screen`, async () => {
      const { page } = await lab.page(`#${name}`, { width: 400 });
      await page.locator(figure).first().waitFor();
      const box = await page.locator(figure).first().boundingBox();
      assert.ok(box && box.y + Math.min(box.height, 250) <= 900, JSON.stringify(box));
      await page.context().close();
    });

  test('numbers that are rarely changed are behind a line, unless the address changes one', async () => {
    const { page, said } = await lab.page('#race');
    const width = page.getByRole('spinbutton', { name: 'width of the layer' });
    await page.getByText(/^more: width of the layer 64, /).waitFor();
    assert.equal(await width.isVisible(), false);
    await page.goto(`${lab.url}?again#race?units=32`);
    await width.waitFor();
    assert.equal(await width.inputValue(), '32');
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('the pictures of all blocks are one canvas, and a closed block is darker than an open one', async () => {
    const { page, said } = await lab.page('#see?digit=24');
    await page.locator('.figure button.open').first().waitFor();
    // The pad, and the blocks.
    assert.equal(await page.locator('.figure canvas').count(), 2);
    await page.getByRole('button', { name: 'Pause' }).click();
    const shade = (of: string): Promise<string> =>
      page
        .locator(of)
        .first()
        .evaluate((tile) => {
          for (const one of tile.getAnimations()) one.finish();
          return getComputedStyle(tile).backgroundColor;
        });
    assert.equal(await shade('.figure button.open'), 'rgba(0, 0, 0, 0)');
    assert.match(await shade('.figure [role="group"] button:not(.open)'), /0\.62\)$/);
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
