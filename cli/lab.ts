import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { trainCheck } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { Interruption, UsageError } from './exit.ts';
import { untilInterrupted } from './interrupt.ts';
import { labServer, listenLocally } from './lab-server.ts';
import { count, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import { openRun } from './run-folder.ts';

interface LabFlags {
  port: number;
  check?: boolean;
  seed: number;
  threads?: number;
}

const MOST_PORT = 65_535;

/** Where the built lab lies: beside this file's folder when built, in dist/ when run from source. */
const builtLab = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../dist/lab' : '../lab', import.meta.url));

/** `flipgrad lab`. */
export function labCommand(): Command {
  return new Command('lab')
    .description('Serve the web lab, and a run if one is named, to browsers on this machine only.')
    .exitOverride()
    .argument('[folder]', 'the folder of a run, served under /run/')
    .option('--port <n>', 'port to listen on; 0 takes a free one', wholeNumber, 4173)
    .option('--check', 'serve nothing: print the checksum that the page "This browser" shows')
    .option('--seed <n>', 'with --check: seed of the training', wholeNumber, 1)
    .option('--threads <n>', 'with --check: default one per core', count)
    .action((folder: string | undefined, flags: LabFlags) =>
      flags.check ? printCheck(flags) : untilInterrupted((signal) => lab(folder, flags, signal)),
    );
}

async function lab(folder: string | undefined, { port }: LabFlags, signal: AbortSignal): Promise<void> {
  if (port > MOST_PORT) throw new UsageError(`--port is ${port}. Expected a number up to ${MOST_PORT}.`);
  const built = builtLab();
  if (!existsSync(join(built, 'index.html')))
    throw new UsageError(`The lab is not built: ${built} has no index.html. \`npm run lab:build\` builds it.`);
  // Refuse a folder that is no run here, not in the page.
  if (folder !== undefined) await openRun(folder);
  const server = labServer({ lab: realpathSync(built), run: folder === undefined ? undefined : realpathSync(folder) });
  const url = `http://localhost:${await listenLocally(server, port)}/`;
  if (process.stdout.isTTY) print(`The lab: ${url} (Ctrl-C ends it)\n`);
  else printJson({ url });
  if (!signal.aborted) await once(signal, 'abort');
  server.closeAllConnections();
  server.close();
  throw new Interruption('The lab has ended.');
}

async function printCheck({ seed, threads }: LabFlags): Promise<void> {
  const engine = await createEngine({ simd: 'simd', ...(threads !== undefined && { threads }) });
  try {
    const checksum = createHash('sha256')
      .update(await trainCheck(engine, seed))
      .digest('hex');
    printJson({ checksum, engine: engine.name, threads: engine.threads });
  } finally {
    engine.close();
  }
}
