/**
 * Measures the lab in Chromium on this machine: the time from the request to a drawn page, and the longest tasks of the page's own thread
 * while it is used and while networks train: their time on the processor, which other programs lengthen less, by the clock, and what the
 * longest one did.
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

/** A piece of work on some thread. */
interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** When it began, and how long it took by the clock and on the processor, in microseconds. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: {
    readonly name?: string;
    readonly data?: { readonly functionName?: string; readonly type?: string };
    readonly chrome_mojo_event_info?: { readonly mojo_interface_tag?: string };
  };
}

interface Tasks {
  /** Time on the processor, in milliseconds. */
  readonly longest: number;
  /** By the clock. */
  readonly longestByClock: number;
  readonly over50: number;
  readonly over50ByClock: number;
  /** What took most of the longest task, each with its own milliseconds on the processor. */
  readonly longestDid: string;
}

/** Uses a page. @returns the tasks of the page's own thread after it has loaded */
async function tasksOf(lab: OpenLab, name: PageName, { settings = '', ready, use }: UsedPage): Promise<Tasks> {
  const [[width, colorScheme]] = PICTURES;
  const { page } = await lab.page(`#${name}${settings}`, { width, colorScheme });
  await ready(page);
  await page.waitForTimeout(500);
  const categories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8'];
  await lab.browser.startTracing(page, { categories });
  await use(page);
  const { traceEvents } = JSON.parse(String(await lab.browser.stopTracing())) as { traceEvents: TraceEvent[] };
  await page.context().close();
  return tasksIn(traceEvents);
}

const PARTS = 4;
const onProcessor = ({ tdur = 0 }: TraceEvent): number => tdur;
const byClock = ({ dur = 0 }: TraceEvent): number => dur;
const milliseconds = (microseconds: number): number => Number((microseconds / 1000).toFixed(1));

function tasksIn(events: readonly TraceEvent[]): Tasks {
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const work = events
    .filter(({ ph, pid, tid }) => ph === 'X' && mains.some((main) => main.pid === pid && main.tid === tid))
    .sort((a, b) => a.ts - b.ts || byClock(b) - byClock(a));
  // In them this script itself asks the page something.
  const ofScript = work.filter(
    ({ args }) => args.chrome_mojo_event_info?.mojo_interface_tag === 'blink.mojom.DevToolsSession',
  );
  const tasks = work.filter((task) => task.name === 'RunTask' && !ofScript.some((event) => isWithin(event, task)));
  const over = (of: (task: TraceEvent) => number): number => tasks.filter((task) => of(task) > 50_000).length;
  const [longest] = tasks.toSorted((a, b) => onProcessor(b) - onProcessor(a));
  return {
    longest: milliseconds(onProcessor(longest)),
    longestByClock: milliseconds(Math.max(...tasks.map(byClock))),
    over50: over(onProcessor),
    over50ByClock: over(byClock),
    longestDid: partsOf(work.filter((event) => event !== longest && isWithin(event, longest))),
  };
}

const isWithin = (event: TraceEvent, task: TraceEvent): boolean =>
  event.pid === task.pid &&
  event.tid === task.tid &&
  event.ts >= task.ts &&
  event.ts + byClock(event) <= task.ts + byClock(task);

/** Pieces of work by name, without what they hold. @param work in the order in which it began */
function partsOf(work: readonly TraceEvent[]): string {
  const own = new Map(work.map((event) => [event, onProcessor(event)]));
  const around: TraceEvent[] = [];
  for (const event of work) {
    while (around.length > 0 && !isWithin(event, around[around.length - 1])) around.pop();
    const outer = around.at(-1);
    if (outer) own.set(outer, (own.get(outer) ?? 0) - onProcessor(event));
    around.push(event);
  }
  const parts = new Map<string, number>();
  for (const [{ name, args }, time] of own) {
    const part = [name, args.data?.functionName, args.data?.type].filter(Boolean).join(' ');
    parts.set(part, (parts.get(part) ?? 0) + time);
  }
  return [...parts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, PARTS)
    .map(([part, time]) => `${part} ${milliseconds(time)}`)
    .join(', ');
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
