import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { trainCheck } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { Interruption, UsageError } from './exit.ts';
import { labServer } from './lab-server.ts';
import { count, wholeNumber } from './options.ts';
import { openRun } from './run-folder.ts';

interface LabFlags {
  port: number;
  check?: boolean;
  seed: number;
  threads?: number;
}

const LOOPBACK = '127.0.0.1';
const MOST_PORT = 65_535;

/** Where the built lab lies: beside this file's folder when built, in dist/ when run from source. */
const builtLab = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../dist/lab' : '../lab', import.meta.url));

/** `flipgrad lab`. */
export function labCommand(): Command {
  return new Command('lab')
    .description('Serve the web lab, and a run if one is named, to browsers on this machine only.')
    .exitOverride()
    .argument('[folder]', 'the folder of a run, which pages then find under /run/')
    .option('--port <n>', 'port to listen on; 0 takes a free one', wholeNumber, 4173)
    .option('--check', 'serve nothing: print the checksum that the page "This browser" shows')
    .option('--seed <n>', 'with --check: seed of the training', wholeNumber, 1)
    .option('--threads <n>', 'with --check: default one a core', count)
    .action(lab);
}

async function lab(folder: string | undefined, { port, check, seed, threads }: LabFlags): Promise<void> {
  if (check) {
    await printCheck(seed, threads);
    return;
  }
  if (port > MOST_PORT) throw new UsageError(`--port is ${port}; a number up to ${MOST_PORT} would do.`);
  const built = builtLab();
  if (!existsSync(join(built, 'index.html')))
    throw new UsageError(`The lab is not built: ${built} has no index.html. \`npm run lab:build\` would do.`);
  // A folder that is not a run is told here and not in the page.
  if (folder !== undefined) await openRun(folder);
  const server = labServer({ lab: realpathSync(built), run: folder === undefined ? undefined : realpathSync(folder) });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  const address = server.address();
  const url = `http://localhost:${typeof address === 'object' && address ? address.port : port}/`;
  process.stdout.write(process.stdout.isTTY ? `The lab: ${url} (Ctrl-C ends it)\n` : `${JSON.stringify({ url })}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  server.closeAllConnections();
  server.close();
  throw new Interruption('The lab has ended.');
}

async function printCheck(seed: number, threads: number | undefined): Promise<void> {
  const engine = await createEngine({ simd: 'simd', ...(threads !== undefined && { threads }) });
  try {
    const checksum = createHash('sha256')
      .update(await trainCheck(engine, seed))
      .digest('hex');
    process.stdout.write(`${JSON.stringify({ checksum, engine: engine.name, threads: engine.threads })}\n`);
  } finally {
    engine.close();
  }
}
