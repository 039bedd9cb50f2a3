/** What scripts/measure-sweeps.ts measured. Times are in seconds. */
export interface QueueRecord {
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: number;
  readonly trials: number;
  readonly workers: number;
  readonly milliseconds: number;
  readonly connections: number;
  readonly results: number;
  readonly seconds: number;
  readonly clientCpuSeconds: number;
  /** By pg_stat_statements, where the server has it. */
  readonly databaseSeconds?: number;
  readonly statements?: number;
  readonly longest?: readonly { readonly query: string; readonly calls: number; readonly seconds: number }[];
}

const BEGIN = '<!-- figures of results/sweep-queue.json -->';
const END = '<!-- end -->';

/** The page with the figures of a record between its marks. */
export function withFigures(page: string, record: QueueRecord): string {
  const [before, rest] = page.split(BEGIN);
  return `${before}${BEGIN}\n${figures(record)}\n${END}${rest.split(END)[1]}`;
}

function figures(record: QueueRecord): string {
  const { date, machine, trials, workers, connections, results, seconds, clientCpuSeconds, load } = record;
  const { databaseSeconds = Number.NaN, statements = Number.NaN } = record;
  const each = (total: number, factor = 1000): string => ((factor * total) / trials).toFixed(2);
  return [
    `| ${trials} trials that do nothing, ${workers} simulated workers | |`,
    '|---|---|',
    `| results | ${results}, each once |`,
    `| time | ${seconds.toFixed(0)} s: ${(trials / seconds).toFixed(1)} trials a second (on a machine with a load of ${load.toFixed(0)}) |`,
    `| time in the database (pg_stat_statements) | ${databaseSeconds.toFixed(1)} s: ${each(databaseSeconds)} ms and ${each(statements, 1)} statements a trial |`,
    `| CPU time of all workers and of \`sweep\`, in one process | ${clientCpuSeconds.toFixed(1)} s: ${each(clientCpuSeconds)} ms a trial |`,
    `| connections | ${connections} |`,
    '',
    `Measured on ${date.slice(0, 10)} with \`scripts/measure-sweeps.ts\` on ${machine.cores} cores (${machine.processor}) that other work shared, Postgres 15 on the same machine.`,
  ].join('\n');
}
