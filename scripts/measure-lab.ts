/**
 * Measures the lab in Chromium on this machine, and takes its pictures for docs/lab: the time from the request to a drawn page, and
 * tasks of the page's own thread over 50 ms while a slider is dragged and while a network trains. `node scripts/measure-lab.ts`
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenLab, openLab } from '../test/lab/browser.ts';

const PICTURES = join(import.meta.dirname, '../docs/lab');
const LOADS = 5;
const MOVES = 40;

async function loadTimes(lab: OpenLab): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < LOADS; i++) {
    const start = performance.now();
    // A context of its own, so that nothing is in its cache.
    const { page } = await lab.page('#microscope');
    await page.locator('section svg').nth(3).waitFor();
    times.push(performance.now() - start);
    await page.context().close();
  }
  return times;
}

/** The lengths of tasks over 50 ms on the page's own thread, in milliseconds, after the page has loaded. */
async function longTasks(lab: OpenLab, name: string): Promise<number[]> {
  const { page } = await lab.page(`#${name}`);
  await page
    .locator(name === 'microscope' ? 'section svg' : 'h1')
    .first()
    .waitFor();
  await page.waitForTimeout(500);
  await page.evaluate(() => {
    const seen: number[] = [];
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.push(duration);
    }).observe({ type: 'longtask' });
  });
  if (name === 'microscope') {
    await page.getByRole('slider', { name: /pre-activation/ }).focus();
    for (let i = 0; i < MOVES; i++) await page.keyboard.press('ArrowRight');
    await page.waitForTimeout(500);
  } else {
    await page.getByRole('button', { name: 'Train 200 steps' }).click();
    await page.locator('#checksum').waitFor();
  }
  const found = await page.evaluate(() => (globalThis as unknown as { seen: number[] }).seen);
  await page.context().close();
  return found;
}

async function takePictures(lab: OpenLab): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  for (const [name, width, colorScheme] of [
    ['microscope', 1280, 'light'],
    ['microscope', 400, 'dark'],
    ['machine', 1280, 'light'],
  ] as const) {
    const { page } = await lab.page(`#${name}`, { width, colorScheme });
    if (name === 'microscope') await page.locator('section svg').nth(3).waitFor();
    else {
      await page.getByRole('button', { name: 'Train 200 steps' }).click();
      await page.locator('#checksum').waitFor();
    }
    await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    await page.context().close();
  }
}

const lab = await openLab();
try {
  const loads = await loadTimes(lab);
  const tasks = { microscope: await longTasks(lab, 'microscope'), machine: await longTasks(lab, 'machine') };
  await takePictures(lab);
  process.stdout.write(`${JSON.stringify({ loadMilliseconds: loads.map(Math.round), tasksOver50: tasks })}\n`);
} finally {
  await lab.close();
}
