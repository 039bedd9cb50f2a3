/** Sweeps whose workers, coordinators and database die; each ends with the results of one that nothing happened to. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkSweep, planSweep, type SweepDefinition, type TrialOutcome } from '../../src/index.ts';
import { openServer } from '../../src/platform/node/sweep/database.ts';
import { SweepStore } from '../../src/platform/node/sweep/store.ts';
import { flagsOf } from '../../src/platform/node/sweep/trial-process.ts';
import { randomStream } from '../../src/random/stream.ts';
import { noPostgres, startPostgres, type TestServer } from '../helpers/postgres.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-sweep-'));
after(() => rmSync(folder, { recursive: true }));
const path = (...names: string[]): string => join(folder, ...names);
const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** 60 rows of two classes. */
const data = path('two.csv');
const rows = Array.from({ length: 60 }, (_, i) => {
  const noise = (((i * 7919) % 97) / 97 - 0.5) * 0.8;
  return `${[(i % 2) + noise, 1 - (i % 2) - noise, noise, -noise].map((x) => x.toFixed(3)).join(',')},${i % 2}`;
});
writeFileSync(data, `a,b,c,d,label\n${rows.join('\n')}\n`);

const TRAIN = { data, units: 16, blocks: 4, gater: [8], rate: 0.25, batch: 20, epochs: 100 };

/** Writes a sweep's file. */
function sweepFile(name: string, sweep: object): { file: string; definition: SweepDefinition } {
  const file = path(`${name}.ts`);
  writeFileSync(file, `export default ${JSON.stringify(sweep)};\n`);
  const known = Object.keys({ ...TRAIN, lr: 0, neuron: '', epochs: 0, simd: '', blas: '' });
  return { file, definition: checkSweep(sweep, name, known) };
}

/** The outcomes of a sweep that asks for all trials at once, without queue or database: one after the other. */
async function plainly(definition: SweepDefinition): Promise<Map<string, TrialOutcome>> {
  const { trials } = planSweep(definition, new Map());
  const place = (key: string): string => path('plain', definition.name, key);
  const helper = fileURLToPath(new URL('../helpers/train-each.ts', import.meta.url));
  const child = spawn(process.execPath, [helper], { stdio: ['pipe', 'ignore', 'inherit'] });
  for (const { key, settings } of trials)
    child.stdin.write(`${JSON.stringify([...flagsOf(settings), '--threads', '1', '--run', place(key)])}\n`);
  child.stdin.end();
  assert.equal(await exitOf(child), 0);
  return new Map(
    trials.map(({ key }) => {
      const { event, seconds, threads, ...result } = JSON.parse(
        readFileSync(join(place(key), 'run.json'), 'utf8'),
      ).result;
      const weights = readFileSync(join(place(key), 'weights.safetensors'));
      return [key, { state: 'done', result, weights: createHash('sha256').update(weights).digest('hex') }];
    }),
  );
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.on('close', (code) => resolve(code)));

type Line = Record<string, unknown> & { event: string };

/** Starts a command whose lines can be followed. */
function start(args: readonly string[], onLine: (line: Line, child: ChildProcess) => void = () => {}) {
  // Compiled once for all processes: a start takes half the time.
  const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on('line', (text) => onLine(JSON.parse(text), child));
  return { child, ended: exitOf(child).then((code) => ({ code, stderr })) };
}

const inOrder = (outcomes: ReadonlyMap<string, unknown>) => [...outcomes].sort(([a], [b]) => a.localeCompare(b));

describe('a sweep on a Postgres server', { skip: noPostgres }, () => {
  let server: TestServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server?.stop());

  it('of 40 trials on 3 workers, one killed again and again, the server restarted once, has each result once, as undisturbed', {
    timeout: 900_000,
  }, async (t) => {
    const { file, definition } = sweepFile('disturbed', {
      train: TRAIN,
      space: { lr: { from: 1e-4, to: 1e-1, scale: 'log' }, neuron: ['noisy-rectifier', 'straight-through'] },
      configurations: 20,
      seeds: 2,
    });
    const undisturbed = plainly(definition);
    const KILLS = 8;
    const random = randomStream(20261121, 6);
    let stopped = false;
    let [kills, claims, results, restarts] = [0, 0, 0, 0];
    const workers = new Set<Promise<unknown>>();
    const hire = (number: number): void => {
      const own = ['worker', '--db', server.url, '--sweep', 'disturbed', '--folder', path('workers', String(number))];
      const { child, ended } = start([...own, '--threads', '1', '--checkpoint-every', '0.5'], (line) => {
        if (line.event !== 'claimed' || ++claims % 4 !== 0 || kills === KILLS) return;
        kills++;
        setTimeout(() => child.kill('SIGKILL'), 2000 * random.uniform());
      });
      const end = ended.then(({ code, stderr }) => {
        workers.delete(end);
        assert.ok(code === 0 || code === null, stderr);
        if (code === null && !stopped) hire(number + 3);
      });
      workers.add(end);
    };
    const common = ['--db', server.url, '--folder', path('disturbed'), '--lease', '10'];
    let hired = false;
    const coordinator = start(['sweep', file, ...common, '--workers', '0'], (line) => {
      if (line.event !== 'trial' || ++results < 10 || restarts > 0) return;
      restarts++;
      server.restart();
    });
    const database = await openServer(server.url);
    t.after(() => database.close());
    const store = new SweepStore(database);
    while (!hired) {
      hired = (await store.names()).includes('disturbed');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const number of [0, 1, 2]) hire(number);
    const { code, stderr } = await coordinator.ended;
    stopped = true;
    assert.equal(code, 0, stderr);
    while (workers.size > 0) await Promise.all(workers);
    const { results: stored } = await store.results('disturbed');
    assert.equal(stored.length, 40);
    assert.deepEqual([kills, restarts], [KILLS, 1]);
    const outcomes = new Map(stored.map(({ key, outcome }) => [key, outcome]));
    assert.deepEqual(inOrder(outcomes), inOrder(await undisturbed));
    assert.deepEqual(await store.disputes('disturbed'), []);
    t.diagnostic(`${claims} claims of 40 trials, ${kills} workers killed, server restarted ${restarts} time`);
  });
});
