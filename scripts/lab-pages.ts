/** Every page of the lab as a script sees it: when it is drawn, what people do with it, and how its pictures are taken. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { PageName } from '../lab/src/page-titles.ts';

const MOVES = 40;
/** Of training, on a busy machine, in milliseconds. */
export const LONGEST = 300_000;

export interface UsedPage {
  /** Settings after the page's name in the address; default: none. */
  readonly settings?: string;
  /** Once the page is drawn. */
  ready(page: Page): Promise<void>;
  /** What people do with it; tasks are timed meanwhile, and pictures are taken afterwards. */
  use(page: Page): Promise<void>;
  /** Of a long page, pictures are of its first screen. */
  readonly firstScreen?: true;
}

/** Width and colour scheme of the pictures of every page; pages are used at the first. */
export const PICTURES = [
  [1280, 'light'],
  [400, 'dark'],
] as const;

/** Blocks are lit by a toss. */
const alive = (page: Page): Promise<void> => page.locator('.figure button.open').first().waitFor({ timeout: LONGEST });
const heading = (page: Page): Promise<void> => page.locator('h1').waitFor();
const race = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Start' }).click();
  // People go on using the page while it trains.
  for (let i = 0; i < MOVES; i++) {
    await page.keyboard.press('Tab');
    await page.waitForTimeout(50);
  }
  await page.getByRole('status').filter({ hasText: 'Done.' }).waitFor({ timeout: LONGEST });
  await page.evaluate(() => scrollTo(0, 0));
};

/** Every page of the lab. */
export const LAB_PAGES: Readonly<Record<PageName, UsedPage>> = {
  see: {
    settings: '?digit=24',
    ready: alive,
    async use(page) {
      const tiles = page.getByRole('group', { name: /^blocks/ }).getByRole('button');
      for (let i = 0; i < (await tiles.count()); i++) await tiles.nth(i).hover();
      await page.getByRole('heading', { level: 1 }).hover();
      await page.waitForTimeout(3000);
      // A toss with something to see.
      await page.locator('.figure button.open').nth(2).waitFor({ timeout: LONGEST });
      await page.waitForTimeout(200);
    },
  },
  article: {
    firstScreen: true,
    ready: (page) => page.locator('#part-coin svg').first().waitFor(),
    async use(page) {
      for (const part of await page.locator('main section').all()) {
        await part.getByRole('heading').scrollIntoViewIfNeeded();
        await part.locator('.figure svg').first().waitFor({ timeout: LONGEST });
        const slider = part.getByRole('slider').first();
        if ((await slider.count()) === 0) continue;
        await slider.focus();
        for (let i = 0; i < MOVES / 4; i++) await page.keyboard.press('ArrowRight');
      }
      await page.evaluate(() => scrollTo(0, 0));
      await page.waitForTimeout(500);
    },
  },
  text: {
    ready: (page) => page.locator('.block.open').first().waitFor({ timeout: LONGEST }),
    async use(page) {
      const field = page.getByLabel('type here');
      await field.fill('');
      await field.pressSequentially('The white whale swam before him');
      await page.locator('.places li').first().waitFor({ timeout: LONGEST });
      const blocks = page.locator('.block');
      for (let i = 0; i < (await blocks.count()); i++) await blocks.nth(i).hover();
      await page.getByRole('heading', { level: 1 }).hover();
      await page.waitForTimeout(500);
    },
  },
  microscope: {
    ready: (page) => page.locator('section svg').nth(3).waitFor(),
    async use(page) {
      await page.getByRole('slider', { name: /pre-activation/ }).focus();
      for (let i = 0; i < MOVES; i++) await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(500);
    },
  },
  race: {
    settings: '?budget=300&seeds=2',
    ready: heading,
    use: race,
  },
  noise: {
    settings: '?budget=60&K=4&units=32&examples=200&points=10&seeds=2',
    ready: heading,
    use: race,
  },
  gates: {
    settings: '?epochs=2',
    ready: heading,
    async use(page) {
      await page.getByRole('button', { name: 'Train in this tab' }).click();
      await page
        .getByRole('status')
        .getByText(/^Trained/)
        .waitFor({ timeout: LONGEST });
      const box = await page.locator('canvas.pad').boundingBox();
      if (!box) throw new Error('There is no pad to draw on.');
      const at = (share: number): [number, number] => [
        box.x + box.width * (0.55 - 0.25 * Math.sin(2 * Math.PI * share)),
        box.y + box.height * (0.2 + 0.6 * share),
      ];
      await page.mouse.move(...at(0));
      await page.mouse.down();
      for (let i = 0; i <= MOVES; i++) await page.mouse.move(...at(i / MOVES));
      await page.mouse.up();
      const tiles = page.getByRole('group', { name: /^blocks/ }).getByRole('button');
      for (let i = 0; i < (await tiles.count()); i++) await tiles.nth(i).hover();
      await tiles.nth(3).click();
      await page.getByRole('button', { name: 'hold open' }).click();
      await page.waitForTimeout(1000);
    },
  },
  faster: {
    ready: (page) => page.getByRole('region', { name: 'waterfall' }).waitFor({ timeout: LONGEST }),
    async use(page) {
      await page.getByRole('button', { name: 'Measure the crossover map' }).click();
      await page.locator('table.map tbody tr').nth(4).waitFor({ timeout: LONGEST });
      await page.getByRole('slider', { name: /rate/ }).focus();
      for (let i = 0; i < MOVES / 4; i++) await page.keyboard.press('ArrowRight');
      await page
        .getByRole('status')
        .getByText(/^Here gates/)
        .waitFor({ timeout: LONGEST });
    },
  },
  runs: {
    ready: heading,
    async use(page) {
      const folder = mkdtempSync(join(tmpdir(), 'flipgrad-measure-'));
      try {
        const flags = ['--units', '256', '--blocks', '16', '--rate', '0.25', '--epochs', '6', '--json'];
        const cli = join(import.meta.dirname, '../cli/main.ts');
        execFileSync(process.execPath, [cli, 'train', ...flags, '--run', join(folder, 'straight-through')]);
        await page.getByLabel(/a run’s folder/).setInputFiles(join(folder, 'straight-through'));
        await page.locator('section svg').nth(3).waitFor({ timeout: LONGEST });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
  machine: {
    ready: heading,
    async use(page) {
      await page.getByRole('button', { name: 'Train 200 steps' }).click();
      await page.locator('#checksum').waitFor({ timeout: LONGEST });
    },
  },
};

/** The pages with these names; all where none is named. @throws Error for a name that no page has */
export function pagesNamed(names: readonly string[]): readonly (readonly [PageName, UsedPage])[] {
  const unknown = names.find((name) => !Object.hasOwn(LAB_PAGES, name));
  if (unknown !== undefined)
    throw new Error(`There is no page "${unknown}". Expected ${Object.keys(LAB_PAGES).join(', ')}.`);
  const pages = Object.entries(LAB_PAGES) as [PageName, UsedPage][];
  return names.length === 0 ? pages : pages.filter(([name]) => names.includes(name));
}
