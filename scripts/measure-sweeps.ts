/**
 * What limits a sweep on a Postgres server: simulated workers take simulated trials that do nothing but wait. Prints throughput, statements
 * and time in the database, and with --write puts them into
 * results/sweep-queue.json and docs/sweeps.md.
 * node scripts/measure-sweeps.ts [--trials 10000] [--workers 50] [--milliseconds 0] [--write]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { checkSweep, type TrialOutcome } from '../src/index.ts';
import { provenance } from '../src/platform/node/index.ts';
import { coordinate } from '../src/platform/node/sweep/coordinate.ts';
import { openServer } from '../src/platform/node/sweep/database.ts';
import { TrialQueue } from '../src/platform/node/sweep/queue.ts';
import { SweepStore } from '../src/platform/node/sweep/store.ts';
import { work } from '../src/platform/node/sweep/worker.ts';
import { startPostgres } from '../test/helpers/postgres.ts';
import { type QueueRecord, withFigures } from './sweep-queue-text.ts';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '50' },
    milliseconds: { type: 'string', default: '0' },
    connections: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
});
const [trials, workers, milliseconds, connections] = [
  values.trials,
  values.workers,
  values.milliseconds,
  values.connections,
].map(Number);

/** A result as short trainings have it. */
const outcome = (seed: number): TrialOutcome => ({
  state: 'done',
  result: {
    testError: { sampled: 0.1, threshold: 0.1, meanField: 0.1 },
    validError: seed / trials,
    trainLoss: 0.5,
    density: 0.25,
    flops: { executed: 1e5, dense: 4e5, gater: 1e4 },
    training: { executed: 1e5, all: 4e5 },
    bestEpoch: 3,
    epochs: 3,
    engine: 'simulated',
    seed,
    dataChecksum: 'f'.repeat(64),
  },
  weights: 'e'.repeat(64),
});

const server = await startPostgres(['-c', 'shared_preload_libraries=pg_stat_statements']);
const administration = new pg.Client(server.url);
await administration.connect();
const statistics = await administration
  .query('create extension pg_stat_statements')
  .then(() => true)
  .catch(() => false);
const name = 'simulated';
const controller = new AbortController();
const database = await openServer(server.url, { connections });
const store = new SweepStore(database);
await store.create();
const queue = await TrialQueue.open(database, true);
const definition = checkSweep({ space: { lr: { from: 1e-4, to: 1 } }, configurations: trials }, name);
await queue.create(name);
await store.register(definition);
if (statistics) await administration.query('select pg_stat_statements_reset()');

const began = performance.now();
const crew = Array.from({ length: workers }, (_, i) =>
  work({
    store,
    queue,
    sweeps: async () => ((await store.isComplete(name)) ? [] : [name]),
    runTrial: async ({ configuration }) => {
      if (milliseconds > 0) await sleep(milliseconds * (0.5 + Math.random()));
      return outcome(configuration);
    },
    folder: () => '/nowhere',
    shared: true,
    keepEvery: 3600,
    name: `simulated ${i + 1}`,
    signal: controller.signal,
  }),
);
for await (const { outcomes } of coordinate(store, queue, name, { signal: controller.signal })) {
  const seconds = (performance.now() - began) / 1000;
  process.stderr.write(`${outcomes.size} of ${trials} after ${seconds.toFixed(1)} s\n`);
}
const seconds = (performance.now() - began) / 1000;
await Promise.all(crew);
const { results } = await store.counts(name);
const statements = statistics
  ? (
      await administration.query<{ query: string; calls: number; seconds: number }>(
        `select query, sum(calls)::float as calls, sum(total_exec_time)::float / 1000 as seconds
         from pg_stat_statements group by query order by 3 desc`,
      )
    ).rows
  : [];
const { user, system } = process.cpuUsage();
const record: QueueRecord = {
  date: new Date().toISOString(),
  ...provenance(),
  trials,
  workers,
  milliseconds,
  connections,
  load: loadavg()[1],
  results,
  seconds,
  clientCpuSeconds: (user + system) / 1e6,
  ...(statistics && {
    databaseSeconds: statements.reduce((sum, one) => sum + one.seconds, 0),
    statements: statements.reduce((sum, one) => sum + one.calls, 0),
    longest: statements.slice(0, 8).map(({ query, ...one }) => ({
      ...one,
      perCall: one.seconds / one.calls,
      query: query.replaceAll(/\s+/g, ' ').slice(0, 160),
    })),
  }),
};
process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
if (values.write) {
  writeFileSync(new URL('../results/sweep-queue.json', import.meta.url), `${JSON.stringify(record, null, 2)}\n`);
  const page = new URL('../docs/sweeps.md', import.meta.url);
  writeFileSync(page, withFigures(readFileSync(page, 'utf8'), record));
}
await queue.close();
await database.close();
await administration.end();
server.stop();
