/** The page "Why is it (not) faster": what the worker measures, and the page in a browser. No test asserts a time. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mapSizes } from '../../lab/src/map-sizes.ts';
import { stepsOf } from '../../lab/src/waterfall-steps.ts';
import { fasterAnswers } from '../../lab/src/worker/faster.ts';
import { DENSITIES } from '../../src/index.ts';
import { full } from '../helpers/extent.ts';
import { allOf } from './all-of.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const signal = new AbortController().signal;

describe('what the worker measures', () => {
  test('the parts of a waterfall lead from the ideal to what was measured', async () => {
    const { fall, threads } = await fasterAnswers.waterfall({ units: 64, size: 8, density: 0.25, rows: 4 });
    assert.deepEqual([fall.units, fall.size, fall.rows, fall.inputs, threads], [64, 8, 4, 784, 1]);
    const steps = stepsOf(fall);
    const parts = steps.filter(({ kind }) => kind === 'part');
    assert.equal(parts[0].from, fall.ideal);
    parts.forEach(({ from }, i) => {
      if (i > 0) assert.equal(from, parts[i - 1].to);
    });
    assert.ok(Math.abs((parts.at(-1)?.to ?? 0) - fall.measured) < 1e-9);
    assert.equal(fall.ideal, 0.25 * fall.dense);
  });

  test('the map has a curve for every block size that divides the width', async () => {
    const curves = await allOf(fasterAnswers.crossovers({ units: full ? 64 : 8, rows: 4 }, { signal }));
    assert.deepEqual(
      curves.map(({ size }) => size),
      mapSizes(full ? 64 : 8),
    );
    for (const { points, crossover } of curves) {
      assert.deepEqual(
        points.map(({ density }) => density),
        DENSITIES,
      );
      assert.ok(crossover >= 0 && crossover <= 1);
    }
  });

  test('what does not fit is a sentence, and what nobody wants any more ends', async () => {
    const fall = (settings: object) =>
      fasterAnswers.waterfall({ units: 64, size: 8, density: 0.25, rows: 4, ...settings });
    await assert.rejects(fall({ size: 48 }), /Blocks of 48 do not divide 64 units/);
    await assert.rejects(fall({ units: 1e6 }), /The width is 1000000\. Expected a whole number from 1 to 8192/);
    await assert.rejects(fall({ rows: 0 }), /The batch is 0/);
    await assert.rejects(fall({ density: 0 }), /The rate is 0/);
    const ending = new AbortController();
    const events = fasterAnswers.crossovers({ units: 16, rows: 1 }, { signal: ending.signal });
    await events.next();
    ending.abort();
    await assert.rejects(events.next(), { name: 'AbortError' });
  });
});

describe('the page "Why is it (not) faster" in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  test('sliders measure anew, the map fills, and the address restores both', async () => {
    const { page, said } = await lab.page('#faster?units=128&size=16&batch=4', { width: 400, colorScheme: 'dark' });
    await page.getByRole('img', { name: /all blocks computed.* measured/ }).waitFor();
    const slider = page.getByRole('slider', { name: /rate/ });
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/rate=0\.11/);
    assert.match(
      (await page.locator('pre').textContent()) as string,
      /--units 128 --sizes 16 --rows 4 --density 0\.11/,
    );
    await page.getByRole('button', { name: 'Measure the crossover map' }).click();
    const check = async () => {
      // 256 is wider than the layer.
      await page.locator('table.map tbody tr').nth(3).waitFor();
      assert.equal(await page.locator('table.map tbody tr').first().locator('td').count(), DENSITIES.length + 1);
      assert.equal(await page.locator('table.map td.here').count(), 1);
      await page
        .getByRole('status')
        .getByText(/Here gates (do not )?pay: .* ms against .* ms/)
        .waitFor();
    };
    await check();
    await page.waitForURL(/map=measured/);
    await page.reload();
    await check();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
  });

  test('a shape that does not fit is a sentence', async () => {
    const { page, said } = await lab.page('#faster?units=100');
    assert.match((await page.getByRole('alert').textContent()) as string, /Blocks of 64 do not divide 100 units/);
    assert.deepEqual(said, []);
  });
});
