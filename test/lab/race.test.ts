import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { adam, dense, digitsSplit, type RaceStanding, watchRace } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const SMALL = 'budget=12&points=2&units=8&examples=60&batch=20&lr=0.01&seed=5&seeds=2';

/** What Node finds for the same settings. */
async function standings(arms: readonly string[], by: 'evaluations' | 'steps'): Promise<readonly RaceStanding[]> {
  const events = watchRace({
    data: digitsSplit({ seed: 5, train: 60, valid: 500, test: 1 }),
    layersOf: (neuron) => [dense(8, neuron), dense(10)],
    makeEngine: () => createEngine({ simd: 'simd', threads: 1 }),
    makeOptimizer: () => adam({ learningRate: 0.01 }),
    batch: 20,
    seeds: [5, 6],
    ...{ arms, by, budget: 12, points: 2 },
  });
  for await (const event of events) if (event.event === 'result') return event.standings;
  throw new Error('There is no result.');
}

const status = (page: Page, words: string) => page.getByRole('status').filter({ hasText: words }).waitFor();
const measured = (page: Page): Promise<number> =>
  page.locator('progress').evaluate((bar) => (bar as unknown as { value: number }).value);
/** The cells of the table's rows, by the first one. */
const rows = async (page: Page): Promise<Map<string, string[]>> => {
  const cells = await page
    .locator('tbody tr')
    .evaluateAll((all) => all.map((row) => Array.from(row.children, (cell) => (cell.textContent ?? '').trim())));
  return new Map(cells.map(([name, ...rest]) => [name, rest]));
};
const percent = ({ value, most }: { value: number; most: number }): string =>
  `${(100 * value).toFixed(1)} ± ${(100 * (most - value)).toFixed(1)}`;

/** Waits until every chart has so many lines, seen by their lengths. */
const drawn = (page: Page, lines: readonly number[]) =>
  page.waitForFunction(
    (wanted) =>
      Array.from(
        document.querySelectorAll('section svg'),
        (chart) =>
          Array.from(chart.querySelectorAll<SVGPathElement>('path.line')).filter((path) => path.getTotalLength() > 20)
            .length,
      ).join() === wanted.join(),
    lines,
  );

describe('the pages Race and Noise in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-lab-race-'));
  before(async () => {
    lab = await openLab();
  });
  after(async () => {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a race in the tab ends with the numbers of Node, and its address runs it again', async () => {
    const arms = ['straight-through', 'rloo:K=4', 'sigmoid'];
    const { page, said } = await lab.page(`#race?arms=${arms.join(',')}&by=evaluations&${SMALL}`);
    const expected = await standings(arms, 'evaluations');
    const check = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Start' }).click();
      await status(page, 'Done.');
      const found = await rows(page);
      for (const { arm, steps, evaluations, trainError, validError, gap } of expected) {
        const [ofSteps, ofEvaluations, , ...errors] = found.get(arm) ?? [];
        assert.deepEqual([ofSteps, ofEvaluations], [String(steps), String(evaluations)], arm);
        assert.deepEqual(errors, [trainError, validError, gap].map(percent), arm);
      }
    };
    await check();
    assert.equal(expected[1].steps, 3);
    // Three charts, with a line and a band each where there is something to see: no gradients' noise without noise.
    await drawn(page, [3, 3, 2]);
    await page.reload();
    await check();
    // It is over: there is no step more, and none starts it anew.
    assert.equal(await page.getByRole('button', { name: 'One step', exact: true }).isDisabled(), true);
    const command = (await page.locator('pre').textContent()) as string;
    assert.match(command, /^flipgrad race --neuron straight-through,rloo:K=4,sigmoid --by evaluations --budget 12 /);
    assert.deepEqual(said, []);
    // The command line that the page shows gives the page's numbers.
    const plot = join(folder, 'race.svg');
    const words = command.replace('race.svg', plot).split(' ').slice(1);
    const { code, stdout, stderr } = await runCliHere([...words, '--json']);
    assert.equal(code, 0, stderr);
    const picture = readFileSync(plot, 'utf8');
    for (const arm of arms) assert.ok(picture.includes(`"><title>${arm}</title></path>`), `a line of ${arm}`);
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { standings: RaceStanding[] };
    const withoutTime = (all: readonly RaceStanding[]) => all.map(({ seconds: _, ...rest }) => rest);
    assert.deepEqual(withoutTime(last.standings), withoutTime(expected));
  });

  test('a race is stepped with the keyboard, paused, changed and stopped', async () => {
    const { page, said } = await lab.page(
      '#race?arms=straight-through,rloo&budget=100000&points=200&units=4&examples=20&batch=20&seeds=1',
    );
    const step = page.getByRole('button', { name: 'One step', exact: true });
    await step.focus();
    await page.keyboard.press('Enter');
    await status(page, 'Paused.');
    const until = (count: number) =>
      page.waitForFunction((least) => (document.querySelector('progress')?.value ?? 0) >= least, count);
    await until(2);
    await step.click();
    await until(4);
    assert.equal(await measured(page), 4);
    await page.getByRole('button', { name: 'Go on' }).click();
    await until(6);
    await page.getByRole('button', { name: 'Pause' }).click();
    await status(page, 'Paused.');
    await page.getByRole('button', { name: 'Stop' }).click();
    await status(page, 'Ready.');
    const stopped = await measured(page);
    assert.ok(stopped >= 6);
    // Another setting is another race; what has come stays until that one is started.
    await page.getByRole('combobox', { name: /^hidden units/ }).fill('rectifier');
    await page.getByRole('option', { name: /^rectifier / }).click();
    await page.locator('#other').waitFor();
    assert.equal((await rows(page)).size, 2);
    assert.equal(await measured(page), stopped);
    await page.getByRole('button', { name: 'Start with the new settings' }).click();
    await page.locator('tbody tr').nth(2).waitFor();
    assert.match(page.url(), /arms=straight-through%2Crloo%2Crectifier/);
    assert.deepEqual(said, []);
  });

  test('a neuron that does not exist, and a race of one, are sentences', async () => {
    const { page, said } = await lab.page('#race?arms=rloop,sigmoid');
    await page.getByRole('button', { name: 'Start' }).click();
    assert.match((await page.getByRole('alert').textContent()) as string, /There is no neuron "rloop"/);
    await page.getByRole('button', { name: 'remove rloop' }).click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Start' }).click();
    assert.match((await page.getByRole('alert').textContent()) as string, /The race has one neuron/);
    assert.deepEqual(said, []);
  });

  test('the noise page trains every suspect; its choices change the arms, and its address restores them', async () => {
    const { page, said } = await lab.page(`#noise?K=2&m=1&gaussian=no&unbiased=none&${SMALL}`);
    const m = page.getByRole('combobox', { name: /bits a unit/ });
    await m.selectOption('4');
    await page.reload();
    assert.equal(await m.inputValue(), '4');
    await page.getByRole('button', { name: 'Start' }).click();
    await status(page, 'Done.');
    const arms = ['sigmoid', 'straight-through-derivative', 'straight-through-derivative*2', 'binomial:m=4'];
    const found = [...(await rows(page)).values()];
    const expected = await standings(arms, 'steps');
    assert.deepEqual(
      found.map(([steps, evaluations, , ...errors]) => [Number(steps), Number(evaluations), ...errors]),
      expected.map(({ steps, evaluations, trainError, validError, gap }) => [
        steps,
        evaluations,
        ...[trainError, validError, gap].map(percent),
      ]),
    );
    await drawn(page, [4, 4, 4, 3]);
    assert.deepEqual(said, []);
  });
});
