import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { previewTags } from '../../lab/previews.ts';
import { csvText, fileName } from '../../lab/src/chart-files.ts';
import { MICROSCOPE_PRESETS, microscopePreset } from '../../lab/src/microscope-page.ts';
import { neuronsIn } from '../../lab/src/neuron-text.ts';
import { PAGE_TITLES } from '../../lab/src/page-titles.ts';
import { type RecordedRace, recordedFile } from '../../lab/src/race-presets.ts';
import { LAB_PAGES, PICTURES, pagesNamed } from '../../scripts/lab-pages.ts';
import {
  lookAtUnit,
  type RacePoint,
  raceCurve,
  resolveNeuron,
  type UnitLossName,
  unitLosses,
} from '../../src/index.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const LAB = join(import.meta.dirname, '../../lab');

test('cells of CSV with commas, quotes and ends of lines stand in quotes; titles become names of files', () => {
  assert.equal(
    csvText([
      ['a,b', 'say "x"'],
      ['two\nlines', 0.5],
    ]),
    '"a,b","say ""x"""\n"two\nlines",0.5\n',
  );
  assert.equal(fileName('Validation error, %'), 'validation-error');
  assert.equal(fileName('…'), 'chart');
});

test('docs show every page, by pictures that the script takes, and there are no others', () => {
  const docs = join(import.meta.dirname, '../../docs');
  const taken = Object.keys(LAB_PAGES).flatMap((name) =>
    PICTURES.map(([width, scheme]) => `${name}-${width}-${scheme}.png`),
  );
  assert.deepEqual(Object.keys(LAB_PAGES).sort(), Object.keys(PAGE_TITLES).sort());
  assert.deepEqual(readdirSync(join(docs, 'lab')).sort(), taken.sort());
  const shown = readFileSync(join(docs, 'lab.md'), 'utf8');
  for (const name of Object.keys(PAGE_TITLES)) assert.ok(shown.includes(`](lab/${name}-1280-light.png)`), name);
});

test('a build that knows its URL, with a slash at the end or without, gives its pictures absolute URLs', () => {
  for (const [place, picture] of [
    ['https://example.org/lab/', 'https://example.org/lab/preview/race.jpg'],
    ['https://example.org/lab', 'https://example.org/lab/preview/race.jpg'],
    ['', 'preview/race.jpg'],
  ]) {
    const tags = previewTags('race', place);
    for (const name of ['og:image', 'twitter:image']) assert.ok(tags.includes(`"${name}" content="${picture}"`), tags);
  }
});

test('scripts take the pages that are named, or all', () => {
  const names = (given: readonly string[]) => pagesNamed(given).map(([name]) => name);
  assert.deepEqual(names([]), Object.keys(LAB_PAGES));
  assert.deepEqual(names(['text', 'see']), ['see', 'text']);
  assert.throws(() => pagesNamed(['see', 'toString']), /There is no page "toString"\. Expected see, article, /);
});

test('every comparison of the Microscope is one that the library can make, and they differ', () => {
  const seen = MICROSCOPE_PRESETS.map((preset) => {
    const { neurons, logit, loss, t, units } = microscopePreset(preset);
    for (const neuron of neuronsIn(neurons))
      lookAtUnit(resolveNeuron(neuron), { logit, units, loss: unitLosses[loss as UnitLossName](t) });
    return JSON.stringify(microscopePreset(preset));
  });
  assert.equal(new Set(seen).size, MICROSCOPE_PRESETS.length);
  const [{ neurons, units }] = MICROSCOPE_PRESETS.map(microscopePreset);
  assert.ok(neuronsIn(neurons).length > 1 && units > 1);
});

describe('sharing and choosing', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  const saved = async (page: Page, button: string): Promise<[string, string]> => {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: button }).click();
    const file = await coming;
    return [file.suggestedFilename(), readFileSync(await file.path(), 'utf8')];
  };

  test('a chart is saved as a picture that stands by itself, and as its numbers', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloo,sigmoid&units=1');
    await page.getByRole('region', { name: 'all gradients' }).locator('svg').waitFor();
    const [name, svg] = await saved(page, 'SVG of Gradients over one axis');
    assert.equal(name, 'gradients-over-one-axis.svg');
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.doesNotMatch(svg, /var\(|class=|style=/);
    assert.match(svg, /fill="rgb\(\d+, \d+, \d+\)"/);
    const [table, csv] = await saved(page, 'CSV of Gradients over one axis');
    assert.equal(table, 'gradients-over-one-axis.csv');
    assert.match(csv, /^neuron,mean,exact,bias,variance,from,to,share\nrloo,/);
    const shares = csv
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const total = shares.filter(([neuron]) => neuron === 'rloo').reduce((sum, cells) => sum + Number(cells[7]), 0);
    assert.ok(Math.abs(total - 1) < 1e-9);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  const numbers = (csv: string): string[][] =>
    csv
      .trim()
      .split('\n')
      .map((line) => line.split(','));

  test('curves and histograms are saved as pictures that stand by themselves, and as their numbers', async () => {
    const { page, said } = await lab.page('#race');
    await page.getByRole('region', { name: 'Validation error' }).locator('path.line').first().waitFor();
    const { race, events } = JSON.parse(
      gunzipSync(readFileSync(join(LAB, 'public', recordedFile('answers')))).toString(),
    ) as RecordedRace;
    const points = events.filter((event): event is RacePoint => event.event === 'point');
    const [name, svg] = await saved(page, 'SVG of Validation error');
    assert.equal(name, 'validation-error.svg');
    assert.doesNotMatch(svg, /var\(|class=|style=/);
    // A line and a band an arm.
    assert.equal(svg.match(/<path /g)?.length, 2 * race.arms.length);
    const [, csv] = await saved(page, 'CSV of Validation error');
    assert.match(csv, /^line,evaluations,"mean wrong, %",least,greatest\n/);
    assert.deepEqual(
      numbers(csv).slice(1),
      race.arms.flatMap((arm) =>
        raceCurve(points, arm, ({ valid }) => valid.error).map(({ x, y, low, high }) =>
          [arm, x, 100 * y, 100 * low, 100 * high].map(String),
        ),
      ),
    );
    await page.goto(`${lab.url}#microscope?neurons=rloo&units=1`);
    await page.getByRole('region', { name: 'rloo', exact: true }).locator('rect').first().waitFor();
    const [own, histogram] = await saved(page, 'SVG of Output of rloo');
    assert.equal(own, 'output-of-rloo.svg');
    assert.doesNotMatch(histogram, /var\(|class=|style=/);
    const [, shares] = await saved(page, 'CSV of Output of rloo');
    assert.match(shares, /^from,to,"share, % of draws"\n/);
    const rows = numbers(shares).slice(1);
    // The ground is a rectangle too.
    assert.equal(histogram.match(/<rect /g)?.length, rows.length + 1);
    assert.ok(Math.abs(rows.reduce((sum, cells) => sum + Number(cells[2]), 0) - 100) < 1e-9);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('link and command are copied; a link without controls shows figures alone', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloo');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole('button', { name: 'Copy the command' }).click();
    await page.getByRole('button', { name: 'Copied.' }).waitFor();
    assert.equal(await clipboard(), await page.locator('pre').textContent());
    await page.getByRole('button', { name: 'Copy a link without controls' }).click();
    await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith('http'));
    const link = await clipboard();
    assert.match(link, /\/microscope\.html\?show#microscope\?neurons=rloo/);
    await page.goto(link);
    await page.getByRole('region', { name: 'all gradients' }).locator('svg').waitFor();
    assert.equal(await page.locator('.controls').isVisible(), false);
    assert.equal(await page.getByRole('combobox').count(), 0);
    // Neither settings nor commands, and no word of a command that is not there.
    for (const name of Object.keys(PAGE_TITLES)) {
      await page.goto(`${lab.url}${name}.html?show#${name}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const left = page.locator('.controls:not(.run), .setting, .hands, .chips, .files, .command');
      assert.equal(await left.filter({ visible: true }).count(), 0, name);
      assert.equal(await page.getByRole('button', { name: /^Copy the command|^(SVG|CSV) of/ }).count(), 0, name);
      assert.equal(
        await page
          .getByText(/command line/i)
          .filter({ visible: true })
          .count(),
        0,
        name,
      );
      assert.equal(await page.locator('pre').filter({ visible: true }).count(), 0, name);
    }
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('neurons are found by name and paper, chosen and left by the keyboard alone', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloo&units=1', { width: 400 });
    const field = page.getByRole('combobox', { name: /^neurons/ });
    await field.focus();
    await page.keyboard.type('bengio rectifier');
    const option = page.getByRole('option', { name: /^noisy-rectifier/ });
    await option.waitFor();
    assert.equal(
      await field.getAttribute('aria-activedescendant'),
      await page.getByRole('listbox').getByRole('option').first().getAttribute('id'),
    );
    assert.deepEqual(await seriousViolations(page), []);
    const active = async (): Promise<boolean> =>
      (await field.getAttribute('aria-activedescendant')) === (await option.getAttribute('id'));
    const count = await page.getByRole('option').count();
    for (let i = 0; i < count && !(await active()); i++) await page.keyboard.press('ArrowDown');
    assert.ok(await active());
    await page.keyboard.press('Enter');
    await page.locator('section[aria-label="noisy-rectifier"]').waitFor();
    assert.equal(await option.getAttribute('aria-selected'), 'true');
    await page.keyboard.press('Enter');
    await page.locator('section[aria-label="noisy-rectifier"]').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('listbox').waitFor({ state: 'hidden' });
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('no such thing');
    await page.getByRole('option', { name: /No neuron is called so/ }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('Enter takes what is highlighted, and nothing where nothing is', async () => {
    const { page, said } = await lab.page('#microscope?neurons=rloo&units=1');
    const field = page.getByRole('combobox', { name: /^neurons/ });
    const chips = page.getByRole('list', { name: 'neurons' }).getByRole('listitem');
    await field.focus();
    const options = page.getByRole('listbox').getByRole('option');
    await options.nth(3).waitFor();
    assert.equal(await field.getAttribute('aria-activedescendant'), null);
    await page.keyboard.press('Enter');
    assert.equal(await chips.count(), 1);
    await options.nth(3).hover();
    const name = await options.nth(3).locator('b').textContent();
    assert.equal(await field.getAttribute('aria-activedescendant'), await options.nth(3).getAttribute('id'));
    await page.keyboard.press('Enter');
    await page.locator(`section[aria-label="${name}"]`).waitFor();
    assert.equal(await chips.count(), 2);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('every chart of the article is saved as a picture and as numbers', async () => {
    const { page, said } = await lab.page('#article');
    for (const part of ['coin', 'answers', 'baseline', 'crowd', 'sparsity', 'table', 'slow', 'pays']) {
      const section = page.locator(`#part-${part}`);
      await section.locator('h2').scrollIntoViewIfNeeded();
      const figure = section.locator('.figure');
      await figure.locator('svg').first().waitFor();
      const kinds = await figure.locator('.files button').allTextContents();
      assert.ok(kinds.length >= 2, part);
      assert.deepEqual(kinds.map((kind) => kind.trim()).slice(0, 2), ['SVG', 'CSV'], part);
    }
    const [name, csv] = await saved(page, 'CSV of Test errors in percent');
    assert.equal(name, 'test-errors-in-percent.csv');
    assert.match(csv, /^gater,mean,half of the 95% interval,published\n/);
    const [, svg] = await saved(page, 'SVG of Test errors in percent');
    assert.doesNotMatch(svg, /var\(|class=|style=/);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('every page has a document of its own, with its title and picture for previews', async () => {
    for (const [name, [title, meaning]] of Object.entries(PAGE_TITLES)) {
      const html = await (await fetch(`${lab.url}${name}.html`)).text();
      assert.ok(html.includes(`<title>${title} · flipgrad lab</title>`), name);
      assert.ok(html.includes(`property="og:title" content="${title} · flipgrad lab"`), name);
      assert.ok(html.includes(`name="twitter:description" content="${meaning}"`), name);
      assert.ok(html.includes(`property="og:image" content="preview/${name}.jpg"`), name);
      const picture = await fetch(`${lab.url}preview/${name}.jpg`);
      assert.deepEqual([picture.status, picture.headers.get('Content-Type')], [200, 'image/jpeg'], name);
      assert.ok((await picture.arrayBuffer()).byteLength < 150_000, name);
    }
    const { page, said } = await lab.page('noise.html');
    await page.getByRole('heading', { name: /^Noise/ }).waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a comparison is a click, and an address', async () => {
    const { page } = await lab.page('#microscope');
    const first = page.getByRole('link', { name: /^Why a baseline/ });
    await page.locator('section[aria-label="stochastic-binary:baseline=none"]').waitFor();
    assert.equal(await first.getAttribute('aria-current'), 'true');
    await page.getByRole('link', { name: /^Four answers/ }).click();
    await page.locator('section[aria-label="stochastic-times-smooth"]').waitFor();
    await page.waitForURL(/units=1/);
    assert.equal(await first.getAttribute('aria-current'), null);
    await page.context().close();
  });
});
