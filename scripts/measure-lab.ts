/**
 * Measures the lab in Chromium on this machine: the time from the request to a drawn page, and the longest tasks of the page's own thread
 * while it is used and while networks train: their time on the processor, which other programs do not lengthen, and by the clock.
 * `node scripts/measure-lab.ts [PAGE …]`: all pages, or those. `scripts/picture-lab.ts` takes the pictures.
 */
import type { PageName } from '../lab/src/page-titles.ts';
import { type OpenLab, openLab } from '../test/lab/browser.ts';
import { LAB_PAGES, PICTURES, pagesNamed, type UsedPage } from './lab-pages.ts';

const LOADS = 5;
/** Until a new window is at rest, in milliseconds. */
const SETTLED = 2000;
const WINDOW = { viewport: { width: 1280, height: 900 } };

async function loadTimes(lab: OpenLab, name: PageName): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < LOADS; i++) {
    // A context of its own, so that nothing is in its cache; what the browser itself loads in a new window is not counted.
    const page = await (await lab.browser.newContext(WINDOW)).newPage();
    await page.waitForTimeout(SETTLED);
    const start = performance.now();
    await page.goto(`${lab.url}#${name}`);
    await LAB_PAGES[name].ready(page);
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

/** Uses a page. @returns the tasks of the page's own thread after it has loaded */
async function tasksOf(lab: OpenLab, name: PageName, { settings = '', ready, use }: UsedPage): Promise<Tasks> {
  const [[width, colorScheme]] = PICTURES;
  const { page } = await lab.page(`#${name}${settings}`, { width, colorScheme });
  await ready(page);
  await page.waitForTimeout(500);
  await lab.browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await use(page);
  const { traceEvents } = JSON.parse(String(await lab.browser.stopTracing())) as { traceEvents: TraceEvent[] };
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

const pages = pagesNamed(process.argv.slice(2));
const lab = await openLab();
try {
  for (const name of ['see', 'microscope'] as const)
    process.stdout.write(`${JSON.stringify({ page: name, loadMilliseconds: await loadTimes(lab, name) })}\n`);
  for (const [name, page] of pages)
    process.stdout.write(`${JSON.stringify({ page: name, ...(await tasksOf(lab, name, page)) })}\n`);
} finally {
  await lab.close();
}
