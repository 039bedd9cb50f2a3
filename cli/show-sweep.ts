import { join } from 'node:path';
import { decodeText } from '../src/io/json.ts';
import { nodeFolder } from '../src/platform/node/index.ts';
import { UsageError } from './exit.ts';
import { print, printJson } from './output.ts';
import { CHART_FILE, encodeResults, RESULTS_FILE, reportOf, reportText } from './sweep-report.ts';
import { databaseOf, openSession, sweepsFolder } from './sweep-session.ts';

/** Of results, a hundred thousand trials. */
const MOST_FILE = 2 ** 27;

/**
 * `flipgrad runs --sweep NAME`: ranks a sweep's configurations as they stand, and draws them.
 * @throws UsageError when there is no such sweep
 */
export async function showSweep(name: string, flags: { db?: string; folder?: string; json?: boolean }): Promise<void> {
  const folder = nodeFolder(flags.folder ?? join(sweepsFolder(), name));
  const url = databaseOf(flags);
  const text = url === undefined ? await fileOf(folder.path, name) : await textOf(url, name);
  const { report, definition } = reportOf(text, `${folder.path}/${RESULTS_FILE}`);
  const { parallelChart } = await import('./parallel-chart.ts');
  await folder.write(CHART_FILE, new TextEncoder().encode(parallelChart(report, definition.space)));
  if (flags.json ?? !process.stdout.isTTY) printJson(report);
  else print(`${reportText(report)}\nPicture: ${join(folder.path, CHART_FILE)}\n`);
}

async function fileOf(path: string, name: string): Promise<string> {
  const bytes = await nodeFolder(path).read(RESULTS_FILE, MOST_FILE);
  if (bytes) return decodeText(bytes, `${path}/${RESULTS_FILE}`);
  throw new UsageError(
    `${path} has no results of a sweep "${name}". Expected --folder DIR, or --db of the server that has it.`,
  );
}

async function textOf(url: string, name: string): Promise<string> {
  const session = await openSession({ url }, { setUp: false, workers: 1 });
  try {
    const definition = await session.store.definition(name);
    if (!definition)
      throw new UsageError(
        `The database has no sweep "${name}"; known: ${(await session.store.names()).join(', ') || 'none'}.`,
      );
    const { results } = await session.store.results(name);
    return new TextDecoder().decode(encodeResults(definition, results, await session.store.failures(name)));
  } finally {
    await session.close();
  }
}
