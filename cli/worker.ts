import { Command } from 'commander';
import { placeBelow } from '../src/platform/node/sweep/place.ts';
import type { WorkerEvent } from '../src/platform/node/sweep/worker.ts';
import { Interruption, UsageError } from './exit.ts';
import { untilInterrupted } from './interrupt.ts';
import { count, seconds } from './options.ts';
import { printJson } from './output.ts';
import { codeMisfit, codeOfSweep, withNetAndUse } from './own-code.ts';
import { terminalProgress } from './progress.ts';
import { openSession, runWorkers, serverOf, sweepsFolder, type WorkerFlags } from './sweep-session.ts';

/** `flipgrad worker`. */
export function workerCommand(): Command {
  const command = new Command('worker')
    .description(
      'Train the trials of sweeps that wait on a Postgres server, until the sweeps are complete. Any number of machines can run workers.',
    )
    .exitOverride()
    .option('--db <url>', 'postgres://user@host:5432/name (default: $FLIPGRAD_DB)')
    .option('--sweep <name>', 'train trials of this sweep only (default: all incomplete sweeps)')
    .option('--workers <n>', 'trials at a time', count, 1)
    .option(
      '--folder <dir>',
      'folder of sweeps, with the runs of their trials (default: $FLIPGRAD_SWEEPS, else sweeps)',
    )
    .option('--shared', 'all workers see that folder: keep checkpoints there, not in the database')
    .option('--threads <n>', 'threads of a trial (default: cores by workers)', count)
    .option('--data-dir <dir>', 'folder of data sets and downloads (default: $FLIPGRAD_DATA, else ~/.cache/flipgrad)')
    .option('--checkpoint-every <seconds>', 'time between checkpoints of a trial', seconds, 30)
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action(run);
  return withNetAndUse(command, 'the file with the network of all trials that the sweep began with');
}

async function run(flags: WorkerFlags & { sweep?: string }): Promise<void> {
  const url = serverOf(flags);
  const { workers, sweep } = flags;
  const json = flags.json ?? !process.stdout.isTTY;
  const progress = terminalProgress();
  const folderOf = (name: string): Promise<string> => placeBelow(flags.folder ?? sweepsFolder(), name);
  const counts = { done: 0, failed: 0 };
  const onEvent = (event: WorkerEvent): void => {
    if (event.event === 'recorded') counts[event.state]++;
    if (json) printJson(event);
    else progress.print(sentenceOf(event));
  };
  await untilInterrupted(async (signal) => {
    const onAway = (reason: string) => progress.print(`The database is away (${reason}); trying again.`);
    const session = await openSession({ url }, { setUp: false, workers, signal, onAway });
    try {
      const names = await session.store.names();
      if (sweep !== undefined && !names.includes(sweep))
        throw new UsageError(
          `The database has no sweep "${sweep}"; known: ${names.join(', ') || 'none'}. flipgrad sweep FILE.ts --db … begins one.`,
        );
      if (sweep !== undefined) {
        const misfit = codeMisfit(sweep, (await session.store.definition(sweep))?.code ?? [], codeOfSweep(flags));
        if (misfit !== undefined) throw new UsageError(misfit);
      }
      const onMisfit = (reason: string) => progress.print(`${reason} Its trials are left to others.`);
      await runWorkers(session, flags, { onMisfit, ...(sweep !== undefined && { sweep }), folderOf, signal, onEvent });
    } finally {
      await session.close();
    }
    if (signal.aborted)
      throw new Interruption(
        'Interrupted; the trials that were under way are saved and given back. The same command goes on.',
      );
  });
  const summary = `No trial is left to take: ${counts.done} done here, ${counts.failed} failed.`;
  if (json) printJson({ event: 'end', ...counts });
  else progress.print(summary);
}

/** A worker's event for people. */
export function sentenceOf(event: WorkerEvent): string {
  const { sweep, key } = event;
  if (event.event === 'claimed')
    return `${sweep} ${key}: begun${event.attempts > 0 ? `, claim ${event.attempts + 1}` : ''}`;
  if (event.event === 'given back') return `${sweep} ${key}: given back: ${event.reason}`;
  const as = event.as === 'first' ? '' : ` (${event.as})`;
  return `${sweep} ${key}: ${event.state} in ${event.seconds.toFixed(1)} s${as}`;
}
