import { join } from 'node:path';
import { Command, Option } from 'commander';
import { metricOf, type PastFailure, reportSweep, retryable, type SweepDefinition } from '../src/index.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import type { Advance } from '../src/platform/node/sweep/advance.ts';
import { coordinate } from '../src/platform/node/sweep/coordinate.ts';
import { retryFailed } from '../src/platform/node/sweep/retry-failed.ts';
import type { StoredResult } from '../src/platform/node/sweep/store.ts';
import type { WorkerEvent } from '../src/platform/node/sweep/worker.ts';
import { commandLine, pathWord } from './command-line.ts';
import { ExitCode, Interruption } from './exit.ts';
import { untilInterrupted } from './interrupt.ts';
import { LAUNCHERS, type Launcher } from './launchers.ts';
import { count, seconds, wholeNumber } from './options.ts';
import { print, printError, printJson } from './output.ts';
import { withNetAndUse } from './own-code.ts';
import { duration, type Progress, terminalProgress } from './progress.ts';
import { sweepOfFile } from './sweep-file.ts';
import { CHART_FILE, encodeResults, RESULTS_FILE, reportText } from './sweep-report.ts';
import {
  databaseOf,
  openSession,
  runWorkers,
  type SweepSession,
  serverOf,
  sweepsFolder,
  type WorkerFlags,
} from './sweep-session.ts';
import { sentenceOf } from './worker.ts';

interface SweepFlags extends WorkerFlags {
  lease: number;
  retryFailed?: boolean;
  print?: Launcher;
  image?: string;
}

/** The results' file is written with every result, or, when there are more than so many, every few seconds. */
const OFTEN = 500;
const WRITE_EVERY = 5;

/** `flipgrad sweep`. */
export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description(
      'Train a network with many settings and seeds, and rank the settings. Run the command again to continue an interrupted sweep. The file exports defineSweep({ … }).',
    )
    .exitOverride()
    .argument('<file>', 'a TypeScript file with the settings, the search, the metric and the seeds')
    .option('--workers <n>', 'trials at a time; 0 leaves all trials to flipgrad worker', wholeNumber, 1)
    .option(
      '--db <url>',
      "postgres://user@host:5432/name (default: $FLIPGRAD_DB, else a database in the sweep's folder)",
    )
    .option('--folder <dir>', 'folder of results and runs (default: its name in $FLIPGRAD_SWEEPS, or else in sweeps)')
    .option('--shared', 'all workers see that folder: keep checkpoints there, not in the database')
    .option('--retry-failed', 'run failed trials again, when you have removed the cause; their failures stay on record')
    .option('--lease <seconds>', 'a worker that is silent for this long counts as dead; at least 10', lease, 60)
    .option('--threads <n>', 'threads of a trial (default: cores by workers)', count)
    .option('--data-dir <dir>', 'folder of data sets and downloads (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--checkpoint-every <seconds>', 'time between checkpoints of a trial', seconds, 30)
    .addOption(
      new Option(
        '--print <launcher>',
        'print a script or manifest that starts --workers workers, and do nothing else',
      ).choices(Object.keys(LAUNCHERS)),
    )
    .option('--image <name>', 'kubernetes: the container image that holds flipgrad')
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action(run);
  return withNetAndUse(command, 'a file that exports the network of all trials, as `flipgrad train` takes it');
}

function lease(text: string): number {
  return Math.max(10, count(text));
}

async function run(file: string, flags: SweepFlags): Promise<void> {
  const { definition, asked } = await sweepOfFile(file, flags);
  if (flags.print !== undefined) {
    serverOf(flags);
    print(LAUNCHERS[flags.print](definition.name, flags));
    return;
  }
  const folder = flags.folder ?? join(sweepsFolder(), definition.name);
  if (asked > definition.configurations)
    printError(
      `\`configurations\` is ${asked}, and the space has ${definition.configurations}: each is trained once.\n`,
    );
  await untilInterrupted((signal) => sweep(definition, { ...flags, folder }, signal, file));
}

async function sweep(
  definition: SweepDefinition,
  flags: SweepFlags & { folder: string },
  signal: AbortSignal,
  file: string,
): Promise<void> {
  const { name } = definition;
  const { workers, lease, folder } = flags;
  const url = databaseOf(flags);
  const json = flags.json ?? !process.stdout.isTTY;
  const progress = terminalProgress();
  const onAway = (reason: string) => progress.print(`The database is away (${reason}); trying again.`);
  const session = await openSession(url === undefined ? { folder } : { url }, {
    setUp: true,
    workers,
    lease,
    signal,
    onAway,
  });
  try {
    // The queue first: workers look for the sweep, and then take it for granted.
    await session.queue.create(name);
    await session.store.register(definition);
    // Free the trials of the process that had this database before.
    if (session.database.embedded) await session.queue.recoverAll(name);
    if (flags.retryFailed) await retry(session, name, { json, progress });
    const failure = new AbortController();
    const stop = AbortSignal.any([signal, failure.signal]);
    const onEvent = (event: WorkerEvent): void => {
      if (json) printJson(event);
      else if (event.event === 'given back') progress.print(sentenceOf(event));
    };
    const watching = watch(session, definition, flags, { signal: stop, json, progress });
    // Workers that wait for a next look need not wait for it when all is done.
    const done = new AbortController();
    watching.then(
      () => done.abort(),
      () => {},
    );
    const about = { sweep: name, folderOf: () => folder, signal: AbortSignal.any([stop, done.signal]), onEvent };
    const working = runWorkers(session, flags, about);
    await together([working, watching], failure);
    const last = await watching;
    if (!last?.plan.complete) {
      const done = last?.outcomes.size ?? 0;
      throw new Interruption(
        `Interrupted; ${done} results are kept in ${session.database.name}. To go on: ${again(file, flags)}`,
      );
    }
    await conclude(session, last, { folder, json, progress });
    const open = countFailures(definition, last);
    if (open > 0 && !json)
      progress.print(`Once the cause of what failed is mended: ${again(file, flags, '--retry-failed')}`);
  } finally {
    progress.clear();
    await session.close();
  }
}

/** Waits for all; whichever ends with an error stops the others. @throws that error, once all have ended */
async function together(parts: readonly Promise<unknown>[], failure: AbortController): Promise<void> {
  const all = parts.map((part) =>
    part.catch((error) => {
      failure.abort();
      throw error;
    }),
  );
  await Promise.allSettled(all);
  await Promise.all(all);
}

/** Says so where every trial failed, with code 1. @returns how many failed ones would run again */
function countFailures(definition: SweepDefinition, { outcomes: byKey }: Advance): number {
  const outcomes = [...byKey.values()];
  if (outcomes.every(({ state }) => state === 'failed')) {
    printError(`flipgrad: every trial of ${definition.name} failed, ${outcomes.length} of them.\n`);
    process.exitCode = ExitCode.refuted;
  }
  return retryable(definition, byKey).open.length;
}

/** Frees the trials that failed, and says which. */
async function retry(
  { store }: SweepSession,
  name: string,
  { json, progress }: Omit<Telling, 'signal'>,
): Promise<void> {
  const { open, settled } = await retryFailed(store, name);
  if (json) printJson({ event: 'retry', sweep: name, keys: open, settled });
  else progress.print(retrySentence(open.length, settled));
}

function retrySentence(count: number, settled: readonly string[]): string {
  const again = `${count === 0 ? 'No trial has failed' : `${count} failed trial${count === 1 ? ' runs' : 's run'} again`}.`;
  return settled.length === 0
    ? again
    : `${again} Not ${settled.join(', ')}: what was trained after was chosen by that failure.`;
}

/** The command that goes on, with the options that say which sweep it is; a password does not get into it. */
function again(file: string, { db, folder, workers }: SweepFlags & { folder: string }, ...more: string[]): string {
  const database = db === undefined ? [] : ['--db', '…'];
  const own = ['--workers', String(workers), ...database, '--folder', pathWord(folder)];
  return commandLine('sweep', pathWord(file), ...own, ...more);
}

interface Telling {
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly progress: Progress;
}

/** Watches the sweep and tells of what comes. @returns what was known last */
async function watch(
  { store, queue }: SweepSession,
  definition: SweepDefinition,
  { folder }: { folder: string },
  { signal, json, progress }: Telling,
): Promise<Advance | undefined> {
  let results: StoredResult[] = [];
  let retried: PastFailure[] = [];
  let [known, written, began, before]: [Advance | undefined, number, number, number] = [undefined, 0, 0, 0];
  for await (const now of coordinate(store, queue, definition.name, { signal })) {
    if (now.retries !== known?.retries) {
      results = results.filter(({ outcome }) => outcome.state === 'done');
      retried = await store.failures(definition.name);
      [began, before] = [performance.now(), now.outcomes.size];
    }
    results.push(...now.fresh);
    const { atMost } = now.plan;
    const done = now.outcomes.size;
    const pace = (performance.now() - began) / 1000 / (done - before);
    const left = done > before ? pace * (atMost - done) : undefined;
    if (json)
      for (const [i, { key, outcome, worker, seconds }] of (known === undefined ? [] : now.fresh).entries()) {
        const value = metricOf(outcome, definition.metric);
        const counted = {
          done: done - now.fresh.length + i + 1,
          atMost,
          ...(left !== undefined && { secondsLeft: left }),
        };
        const line = { event: 'trial', key, state: outcome.state, value, seconds, worker, ...counted };
        printJson(line);
      }
    const best = reportSweep(definition, now.plan, now.outcomes).configurations.at(0);
    progress.draw(definition.name, done / atMost, [
      `${done} of ${now.plan.complete ? '' : 'at most '}${atMost} trials`,
      ...(best && !Number.isNaN(best.loss) ? [`best ${definition.metric} ${best.metric.mean.toPrecision(4)}`] : []),
      ...(left !== undefined ? [`${duration(left)} left`] : []),
    ]);
    known = now;
    const due = results.length <= OFTEN || performance.now() - written > 1000 * WRITE_EVERY;
    if (now.plan.complete || due) {
      await nodeFolder(folder).write(RESULTS_FILE, encodeResults(definition, results, retried));
      written = performance.now();
    }
  }
  if (known) await nodeFolder(folder).write(RESULTS_FILE, encodeResults(definition, results, retried));
  return known;
}

/** Prints the ranking of a complete sweep, and draws it. */
async function conclude(
  { store }: SweepSession,
  { definition, plan, outcomes }: Advance,
  { folder, json, progress }: { folder: string; json: boolean; progress: Progress },
): Promise<void> {
  const report = reportSweep(definition, plan, outcomes, await store.failures(definition.name));
  const { parallelChart } = await import('./parallel-chart.ts');
  await nodeFolder(folder).write(CHART_FILE, new TextEncoder().encode(parallelChart(report, definition.space)));
  progress.clear();
  for (const { key, worker } of await store.disputes(definition.name))
    printError(
      `${key}: ${worker} had another result than the one that counts: its machine computes other bits. simd: 'simd' and blas: 'off' in \`train\` give the same on every machine.\n`,
    );
  if (json) printJson({ event: 'result', ...report });
  else
    print(`${reportText(report)}\nResults and picture: ${join(folder, RESULTS_FILE)}, ${join(folder, CHART_FILE)}\n`);
}
