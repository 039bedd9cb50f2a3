/** Races that are shipped with their results: the files against the presets and against the library, and the pages that show them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PRESET_RACES, presetOf, type RecordedRace, recordedFile } from '../../lab/src/race-presets.ts';
import { raceAnswers } from '../../lab/src/worker/race.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const PUBLIC = join(import.meta.dirname, '../../lab/public');
const recorded = (name: string): RecordedRace =>
  JSON.parse(gunzipSync(readFileSync(join(PUBLIC, recordedFile(name)))).toString());
/** As the files have numbers; what depends on the machine is left out. */
const short = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (name, inner) =>
      name === 'seconds' ? undefined : typeof inner === 'number' ? Number(inner.toPrecision(5)) : inner,
    ),
  );

for (const [name, race] of PRESET_RACES)
  test(`the recorded race "${name}" is whole, and is that of its preset`, () => {
    const { race: ran, events } = recorded(name);
    assert.deepEqual(ran, race);
    assert.equal(presetOf(ran), name);
    const points = events.filter(({ event }) => event === 'point');
    assert.equal(points.length, race.arms.length * race.seeds * (race.points + 1));
    const [result] = events.filter((event) => event.event === 'result');
    assert.deepEqual(
      result.standings.map(({ arm, seeds }) => [arm, seeds]),
      race.arms.map((arm) => [arm, race.seeds]),
    );
  });

test('run in the lab, the first points of a recorded race are the same', async () => {
  const { race, events } = recorded('sprint');
  const ending = new AbortController();
  let i = 0;
  for await (const event of raceAnswers.race(race, { signal: ending.signal })) {
    assert.deepEqual(short(event), short(events[i]));
    if (++i === 3 * race.arms.length * race.seeds) break;
  }
});

describe('recorded races in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  test('Race shows results at load, a chip shows others, and started here they begin anew', async () => {
    const { page, said } = await lab.page('#race');
    const verdict = page.locator('.verdict');
    await page.getByRole('status').getByText('Recorded.').waitFor();
    assert.match((await verdict.textContent()) as string, /errs least|not told apart/);
    assert.equal(await page.locator('tbody tr').count(), 4);
    await page.getByRole('link', { name: /^Why a baseline/ }).click();
    await page.locator('tbody tr', { hasText: 'baseline=none' }).getByRole('cell').nth(1).getByText('400').waitFor();
    await page.waitForURL(/baseline%3Dnone/);
    assert.equal(await page.getByRole('link', { name: /^Why a baseline/ }).getAttribute('aria-current'), 'true');
    await page.locator('section svg').nth(2).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('button', { name: 'Start it here' }).click();
    await page.getByRole('status').getByText('Recorded.').waitFor({ state: 'detached' });
    await page.waitForFunction(() => (document.querySelector('progress')?.value ?? 0) > 0);
    await page.getByRole('button', { name: 'Stop' }).click();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('Noise shows results at load, on a narrow dark screen', async () => {
    const { page, said } = await lab.page('#noise', { width: 400, colorScheme: 'dark' });
    await page.getByRole('status').getByText('Recorded.').waitFor();
    await page.locator('section svg').nth(3).waitFor();
    assert.equal(await page.locator('tbody tr').count(), 6);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
    await page.context().close();
  });
});
