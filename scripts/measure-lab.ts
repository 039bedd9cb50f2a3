/**
 * Measures the lab in Chromium on this machine, and takes its pictures for docs/lab: the time from the request to a drawn page, and
 * the longest tasks of the page's own thread while it is used and while networks train: their time on the processor, which other
 * programs do not lengthen, and by the clock. `node scripts/measure-lab.ts [PAGE …]`: all pages,
 * or those.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { type OpenLab, openLab } from '../test/lab/browser.ts';

const PICTURES = join(import.meta.dirname, '../docs/lab');
/** The first screen of the front page, for the README. */
const FRONT = join(import.meta.dirname, '../docs/pictures/lab.png');
const LOADS = 5;
const MOVES = 40;
/** Of training, on a busy machine, in milliseconds. */
const LONGEST = 300_000;

interface Measured {
  /** Settings after the page's name in the address; default: none. */
  readonly settings?: string;
  /** Once the page is drawn. */
  ready(page: Page): Promise<void>;
  /** What people do with it; tasks are timed meanwhile, and pictures are taken afterwards. */
  use(page: Page): Promise<void>;
  /** Of a long page, pictures are of its first screen. */
  readonly firstScreen?: true;
  /** Width and colour scheme of its pictures. */
  readonly pictures: readonly (readonly [number, 'light' | 'dark'])[];
}

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
const PAGES: Readonly<Record<string, Measured>> = {
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
      await page.screenshot({ path: FRONT });
    },
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
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
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
  },
  microscope: {
    ready: (page) => page.locator('section svg').nth(3).waitFor(),
    async use(page) {
      await page.getByRole('slider', { name: /pre-activation/ }).focus();
      for (let i = 0; i < MOVES; i++) await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(500);
    },
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
  },
  race: {
    settings: '?budget=300&seeds=2',
    ready: heading,
    use: race,
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
  },
  noise: {
    settings: '?budget=150&K=4&seeds=2',
    ready: heading,
    use: race,
    pictures: [
      [1280, 'dark'],
      [400, 'light'],
    ],
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
      const rows = page.getByRole('region', { name: 'gates' }).locator('tbody tr');
      for (let i = 0; i < (await rows.count()); i++) await rows.nth(i).hover();
      await page.getByRole('combobox', { name: 'hold gate 3' }).selectOption('open');
      await page.waitForTimeout(1000);
    },
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
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
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
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
    pictures: [
      [1280, 'light'],
      [400, 'dark'],
    ],
  },
  machine: {
    ready: heading,
    async use(page) {
      await page.getByRole('button', { name: 'Train 200 steps' }).click();
      await page.locator('#checksum').waitFor({ timeout: LONGEST });
    },
    pictures: [[1280, 'light']],
  },
};

async function loadTimes(lab: OpenLab, name: string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < LOADS; i++) {
    const start = performance.now();
    // A context of its own, so that nothing is in its cache.
    const { page } = await lab.page(`#${name}`);
    await PAGES[name].ready(page);
    times.push(Math.round(performance.now() - start));
    await page.context().close();
  }
  return times;
}

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** By the clock, and on the processor, in microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

interface Tasks {
  /** Time on the processor, in milliseconds. */
  readonly longest: number;
  readonly over50: number;
  /** By the clock. */
  readonly over50ByClock: number;
}

/** Uses a page and takes its pictures. @returns the tasks of the page's own thread after it has loaded */
async function tasksOf(lab: OpenLab, name: string): Promise<Tasks> {
  const { settings = '', ready, use, firstScreen, pictures } = PAGES[name];
  const [[width, colorScheme], ...others] = pictures;
  const { page } = await lab.page(`#${name}${settings}`, { width, colorScheme });
  await ready(page);
  await page.waitForTimeout(500);
  await lab.browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await use(page);
  const { traceEvents } = JSON.parse(String(await lab.browser.stopTracing())) as { traceEvents: TraceEvent[] };
  for (const [pictured, scheme] of [[width, colorScheme] as const, ...others]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width: pictured, height: 900 });
    await page.screenshot({ path: join(PICTURES, `${name}-${pictured}-${scheme}.png`), fullPage: !firstScreen });
  }
  await page.context().close();
  return tasksIn(traceEvents);
}

function tasksIn(events: readonly TraceEvent[]): Tasks {
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const tasks = events.filter(
    ({ ph, name, pid, tid }) =>
      ph === 'X' && name.includes('RunTask') && mains.some((main) => main.pid === pid && main.tid === tid),
  );
  const over = (of: (task: TraceEvent) => number): number => tasks.filter((task) => of(task) > 50_000).length;
  const onProcessor = ({ tdur = 0 }: TraceEvent): number => tdur;
  return {
    longest: Math.max(...tasks.map(onProcessor)) / 1000,
    over50: over(onProcessor),
    over50ByClock: over(({ dur = 0 }) => dur),
  };
}

for (const folder of [PICTURES, dirname(FRONT)]) mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(PAGES, name));
if (unknown !== undefined) throw new Error(`There is no page "${unknown}". Expected ${Object.keys(PAGES).join(', ')}.`);
const lab = await openLab();
try {
  for (const name of ['see', 'microscope'])
    process.stdout.write(`${JSON.stringify({ page: name, loadMilliseconds: await loadTimes(lab, name) })}\n`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(PAGES))
    process.stdout.write(`${JSON.stringify({ page: name, ...(await tasksOf(lab, name)) })}\n`);
} finally {
  await lab.close();
}
