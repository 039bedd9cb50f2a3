/** Sweeps whose workers, coordinators and database die; each ends with the results of one that nothing happened to. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sweepCommand } from '../../cli/sweep.ts';
import { trainCommand } from '../../cli/train.ts';
import {
  checkSweep,
  metricOf,
  planSweep,
  type SweepDefinition,
  type SweepReport,
  type TrialOutcome,
} from '../../src/index.ts';
import type { Advance } from '../../src/platform/node/sweep/advance.ts';
import { coordinate } from '../../src/platform/node/sweep/coordinate.ts';
import { openServer } from '../../src/platform/node/sweep/database.ts';
import { TrialQueue } from '../../src/platform/node/sweep/queue.ts';
import { retryFailed } from '../../src/platform/node/sweep/retry-failed.ts';
import { SweepStore } from '../../src/platform/node/sweep/store.ts';
import { flagsOf, type RunTrial } from '../../src/platform/node/sweep/trial-process.ts';
import { work } from '../../src/platform/node/sweep/worker.ts';
import { randomStream } from '../../src/random/stream.ts';
import { resultNumbers } from '../../src/runs/sweep/trial.ts';
import { classification } from '../../src/tasks/classification.ts';
import { readingOf } from '../../src/tasks/reading.ts';
import { withDatabase } from '../helpers/database.ts';
import { full, slow } from '../helpers/extent.ts';
import { readPanel, textsOf } from '../helpers/picture.ts';
import { noPostgres, startPostgres, type TestServer } from '../helpers/postgres.ts';
import { refused } from '../helpers/refused.ts';
import { runCli } from '../helpers/run-cli.ts';
import { runHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-sweep-'));
after(() => rmSync(folder, { recursive: true }));
const path = (...names: string[]): string => join(folder, ...names);
const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const data = twoClasses(path('two.csv'), 60);

const TRAIN = { data, units: 16, blocks: 4, gater: [8], rate: 0.25, batch: 20, epochs: full ? 100 : 20 };

/** Writes a sweep's file. */
function fileOf(name: string, sweep: object): string {
  const file = path(`${name}.ts`);
  writeFileSync(file, `export default ${JSON.stringify(sweep)};\n`);
  return file;
}

function sweepFile(name: string, sweep: object): { file: string; definition: SweepDefinition } {
  const file = fileOf(name, sweep);
  return { file, definition: checkSweep(sweep, name) };
}

/** Has a picture a line a configuration, and a point of it on every axis? */
function checkPicture(svg: string, axes: readonly string[], configurations: number): void {
  const { lines } = readPanel(svg);
  const numbers = lines.map(({ name }) => /^configuration (\d+): lr \S+, nudge (?:true|false); /.exec(name)?.[1]);
  assert.equal(new Set(numbers).size, configurations, lines.map(({ name }) => name).join('|'));
  for (const { points } of lines) assert.equal(points.length, axes.length);
  const texts = textsOf(svg);
  for (const axis of axes)
    assert.ok(
      texts.some((text) => text === axis || text.startsWith(`${axis} (`)),
      axis,
    );
}

/** The outcomes of a sweep that asks for all trials at once, without queue or database: one after the other. */
async function plainly(definition: SweepDefinition): Promise<Map<string, TrialOutcome>> {
  const { trials } = planSweep(definition, new Map());
  const place = (key: string): string => path('plain', definition.name, key);
  for (const { key, settings } of trials) {
    const { code, stderr } = await runHere(trainCommand(), [
      ...flagsOf(settings),
      ...['--threads', '1', '--run', place(key), '--json'],
    ]);
    assert.equal(code, 0, stderr);
  }
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
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on('line', (text) => onLine(JSON.parse(text), child));
  return { child, ended: exitOf(child).then((code) => ({ code, stderr })) };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
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
    const undisturbed = await plainly(definition);
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
      await pause(100);
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
    assert.deepEqual(inOrder(outcomes), inOrder(undisturbed));
    assert.deepEqual(await store.disputes('disturbed'), []);
    t.diagnostic(`${claims} claims of 40 trials, ${kills} workers killed, server restarted ${restarts} time`);
  });

  it('goes on with a trial of a killed worker from its checkpoint, in another folder', {
    timeout: 900_000,
  }, async (t) => {
    const { file, definition } = sweepFile('handover', {
      train: { ...TRAIN, epochs: 4000 },
      space: { lr: [0.01] },
      search: 'grid',
    });
    const undisturbed = await plainly(definition);
    const database = await openServer(server.url);
    t.after(() => database.close());
    const store = new SweepStore(database);
    const sweep = ['sweep', file, '--db', server.url, '--folder', path('handover'), '--lease', '10', '--workers', '0'];
    const coordinator = start(sweep);
    while (!(await store.names()).includes('handover')) await pause(100);
    const worker = (name: string) =>
      start(['worker', '--db', server.url, '--sweep', 'handover', '--folder', path(name), '--checkpoint-every', '0.5']);
    const first = worker('first');
    while ((await store.checkpoints.newest('handover', 'c000-s1')) === undefined) await pause(50);
    assert.ok(await store.isOpen('handover', 'c000-s1', 1), 'the trial is too short');
    first.child.kill('SIGKILL');
    const second = worker('second');
    assert.equal((await second.ended).code, 0);
    assert.equal((await coordinator.ended).code, 0);
    const sessions = (name: string) =>
      readFileSync(path(name, 'handover', 'trials', 'c000-s1', 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ event }) => event === 'session');
    const [begun, resumed] = sessions('second');
    assert.equal(begun.by.pid, sessions('first')[0].by.pid);
    assert.equal(begun.step, 0);
    assert.ok(resumed.step > 0, 'it began anew');
    // The orphan stopped by itself.
    while (isAlive(begun.by.pid)) await pause(50);
    const { results } = await store.results('handover');
    assert.deepEqual(new Map(results.map(({ key, outcome }) => [key, outcome])), undisturbed);
    assert.equal(await store.checkpoints.newest('handover', 'c000-s1'), undefined, 'checkpoints are dropped');
  });

  it('gives failed trials out again while others work, ask for the same and watch: each failure once, each result once', {
    timeout: 600_000,
  }, async (t) => {
    const { definition } = sweepFile('retried', { space: { lr: [0.1, 0.2, 0.3] }, search: 'grid' });
    const database = await openServer(server.url, { connections: 8 });
    t.after(() => database.close());
    const store = new SweepStore(database);
    await store.create();
    const queue = await TrialQueue.open(database, true);
    await queue.create('retried');
    await store.register(definition);
    const { signal } = new AbortController();
    let over = false;
    t.after(() => {
      over = true;
    });
    const crashes = new Map<string, number>();
    // The first two attempts of each fail: three crashes each.
    const runTrial: RunTrial = async ({ key, configuration }) => {
      crashes.set(key, (crashes.get(key) ?? 0) + 1);
      if ((crashes.get(key) as number) <= 6) return { state: 'crashed', reason: 'no memory' };
      return { state: 'done', result: { validError: configuration }, weights: '' } as never;
    };
    const sweeps = async () => (over ? [] : ['retried']);
    const about = { store, queue, sweeps, runTrial, folder: () => '', shared: true, keepEvery: 60, poll: 0.02, signal };
    const crew = ['a', 'b', 'c'].map((name) => work({ ...about, name }));
    const watch = async (): Promise<Advance> => {
      for (;;) {
        let last: Advance | undefined;
        for await (const now of coordinate(store, queue, 'retried', { signal, poll: 0.05 })) last = now;
        if ([...(last as Advance).outcomes.values()].every(({ state }) => state === 'done')) return last as Advance;
      }
    };
    const retry = async (): Promise<void> => {
      for (; !over; await pause(20)) await retryFailed(store, 'retried');
    };
    const retriers = [retry(), retry()];
    const ends = await Promise.all([watch(), watch()]);
    over = true;
    await Promise.all([...retriers, ...crew]);
    await queue.close();
    for (const { outcomes } of ends) assert.equal(outcomes.size, 3);
    assert.deepEqual([...crashes.values()], [7, 7, 7]);
    const failures = await store.failures('retried');
    assert.deepEqual(
      failures.map(({ key, attempt }) => `${key} ${attempt}`).sort(),
      [...crashes.keys()].flatMap((key) => [`${key} 1`, `${key} 2`]).sort(),
    );
    assert.deepEqual(await store.disputes('retried'), []);
  });

  it('refuses another definition under its name, and a worker for a sweep that is not there', async () => {
    const sweep = { train: { ...TRAIN, epochs: 1 }, space: { lr: [0.01] }, search: 'grid' };
    const common = ['--db', server.url, '--folder', path('named')];
    const one = await runCli(['sweep', sweepFile('named', sweep).file, ...common]);
    assert.equal(one.code, 0, one.stderr);
    const other = await runCli(['sweep', sweepFile('named', { ...sweep, space: { lr: [0.02] } }).file, ...common]);
    assert.deepEqual([other.code, /"named" has begun with another `space`/.test(other.stderr)], [2, true]);
    const nobody = await runCli(['worker', '--db', server.url, '--sweep', 'nowhere']);
    assert.deepEqual([nobody.code, /no sweep "nowhere"; known: .*named/.test(nobody.stderr)], [2, true]);
    const gone = await runCli(['worker', '--db', 'postgres://127.0.0.1:1/x']);
    assert.deepEqual([gone.code, /cannot be used: .*Expected a running Postgres server/.test(gone.stderr)], [2, true]);
  });
});

describe('a sweep in a folder', () => {
  const [CONFIGURATIONS, SEEDS, CLAIMS] = full ? [4, 2, 3] : [2, 1, 2];
  const SIGNALS = full ? (['SIGKILL', 'SIGINT'] as const) : (['SIGKILL'] as const);
  it('whose coordinator is killed, interrupted and started again has each result once', {
    timeout: 900_000,
  }, async (t) => {
    const { file, definition } = sweepFile('local', {
      train: TRAIN,
      space: { lr: { from: 1e-4, to: 1e-1, scale: 'log' }, nudge: [false, true] },
      configurations: CONFIGURATIONS,
      seeds: SEEDS,
    });
    const undisturbed = await plainly(definition);
    await withDatabase(path('local'));
    const command = ['sweep', file, '--folder', path('local'), '--workers', '2', '--threads', '1'];
    const random = randomStream(20261121, 7);
    for (const signal of SIGNALS) {
      let claims = 0;
      const { child, ended } = start(command, ({ event }) => {
        if (event === 'claimed' && ++claims === CLAIMS) setTimeout(() => child.kill(signal), 1000 * random.uniform());
      });
      const { code, stderr } = await ended;
      assert.equal(code, signal === 'SIGINT' ? 130 : null, stderr);
      if (signal === 'SIGINT')
        assert.match(stderr, /^Interrupted; \d+ results are kept in .*local\. To go on: flipgrad sweep /);
    }
    const last = await start(command).ended;
    assert.equal(last.code, 0, last.stderr);
    const { results } = JSON.parse(readFileSync(path('local', 'results.json'), 'utf8')) as {
      results: { key: string; outcome: TrialOutcome }[];
    };
    assert.equal(results.length, SEEDS * CONFIGURATIONS);
    assert.deepEqual(inOrder(new Map(results.map(({ key, outcome }) => [key, outcome]))), inOrder(undisturbed));
    checkPicture(
      readFileSync(path('local', 'parallel.svg'), 'utf8'),
      ['lr', 'nudge', definition.metric],
      CONFIGURATIONS,
    );
    t.diagnostic(`ended once by each of ${SIGNALS.join(', ')}`);
  });

  it('counts a trial whose program keeps crashing as failed, with its reason, and runs it again when it is told to', {
    skip: slow,
    timeout: 600_000,
  }, async () => {
    const { data, ...train } = TRAIN;
    const missing = path('missing.csv');
    const { file } = sweepFile('failing', {
      train: { ...train, epochs: 1 },
      space: { data: [data, missing] },
      search: 'grid',
    });
    const sweep = async (...options: string[]) => {
      const lines: Line[] = [];
      const { code, stderr } = await start(['sweep', file, '--folder', path('failing'), ...options], (line) =>
        lines.push(line),
      ).ended;
      assert.equal(code, 0, stderr);
      const those = (name: string) => lines.filter(({ event }) => event === name);
      return { those, report: those('result')[0] as unknown as SweepReport };
    };
    const first = await sweep();
    const [{ reason }] = first.report.failed;
    assert.equal(first.report.failed.length, 1);
    assert.match(reason, /missing\.csv/);
    assert.deepEqual(
      first.report.configurations.map(({ number }) => number),
      [0, 1],
    );
    assert.equal(first.those('given back').length, 2);
    copyFileSync(data, missing);
    const second = await sweep('--retry-failed');
    assert.deepEqual(second.those('retry'), [{ event: 'retry', sweep: 'failing', keys: ['c001-s1'], settled: [] }]);
    assert.deepEqual(
      second.those('claimed').map(({ key }) => key),
      ['c001-s1'],
    );
    assert.deepEqual(second.report.failed, []);
    const { lines: told } = await runCli(['runs', '--sweep', 'failing', '--folder', path('failing'), '--json']);
    const { retried, configurations } = told()[0] as unknown as SweepReport;
    assert.deepEqual(
      retried.map((failure) => [failure.key, failure.attempt, failure.reason]),
      [['c001-s1', 1, reason]],
    );
    assert.equal(configurations[0].metric.mean, configurations[1].metric.mean, 'the same data');
  });

  it('finds a metric that no result has before its first training, and the name is still free', {
    skip: slow,
    timeout: 240_000,
  }, async () => {
    const sweep = { name: 'metric', train: { ...TRAIN, epochs: 1 }, space: { lr: [0.01] }, search: 'grid' };
    const folder = path('metric');
    const command = (metric: string) => ['sweep', fileOf('metric', { ...sweep, metric }), '--folder', folder, '--json'];
    const wrong = await refused(sweepCommand(), command('validEror').slice(1));
    assert.equal(wrong.code, 2, wrong.stderr);
    assert.match(wrong.stderr, /^flipgrad: `metric` is "validEror"\. Expected one of .*; did you mean "validError"\?/);
    assert.ok(!existsSync(folder));
    const right = await runCli(command('testError.threshold'));
    assert.equal(right.code, 0, right.stderr);
    const { results } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'));
    for (const metric of resultNumbers(readingOf(classification)))
      assert.ok(Number.isFinite(metricOf(results[0].outcome, metric)), metric);
  });

  it('trains each configuration once, where it is asked for more than there are', {
    skip: slow,
    timeout: 240_000,
  }, async () => {
    const { batch, ...train } = TRAIN;
    for (const search of ['random', 'tpe']) {
      const space = { batch: [batch, 2 * batch] };
      const sweep = { train: { ...train, epochs: 1 }, space, search, configurations: 8, startup: 4 };
      const folder = path(`twice-${search}`);
      const { code, stderr } = await runCli(['sweep', fileOf(`twice-${search}`, sweep), '--folder', folder, '--json']);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /`configurations` is 8, and the space has 2: each is trained once/);
      const { results } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'));
      const weights = results.map(({ outcome }: { outcome: { weights: string } }) => outcome.weights);
      assert.deepEqual([weights.length, new Set(weights).size], [2, 2]);
    }
  });

  it('whose folder goes away ends with a sentence, and goes on when it is back', {
    skip: slow,
    timeout: 300_000,
  }, async () => {
    const { file } = sweepFile('moved', {
      train: { ...TRAIN, epochs: 200 },
      space: { lr: [0.1, 0.2, 0.3] },
      search: 'grid',
    });
    const [here, away] = [path('moved'), path('moved-away')];
    const { code, stderr } = await start(['sweep', file, '--folder', here], (line) => {
      if (line.event === 'recorded' && existsSync(here)) renameSync(here, away);
    }).ended;
    assert.equal(code, 2);
    assert.match(stderr, /^flipgrad: .*moved was removed or renamed while a sweep was using it; its results are where/);
    rmSync(here, { recursive: true, force: true });
    renameSync(away, here);
    const again = await start(['sweep', file, '--folder', here]).ended;
    assert.equal(again.code, 0, again.stderr);
    const { results } = JSON.parse(readFileSync(join(here, 'results.json'), 'utf8'));
    assert.deepEqual(
      results.map((result: { key: string; outcome: TrialOutcome }) => [result.key, result.outcome.state]).sort(),
      ['c000-s1', 'c001-s1', 'c002-s1'].map((key) => [key, 'done']),
    );
  });

  it('ends with code 1 when every trial failed', { skip: slow, timeout: 240_000 }, async () => {
    const sweep = {
      train: { ...TRAIN, data: path('nowhere.csv'), epochs: 1 },
      space: { lr: [0.1, 0.2] },
      search: 'grid',
    };
    const { code, stderr, lines } = await runCli([
      'sweep',
      fileOf('hopeless', sweep),
      '--folder',
      path('hopeless'),
      '--json',
    ]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^flipgrad: every trial of hopeless failed, 2 of them\.$/m);
    assert.equal((lines().at(-1) as unknown as SweepReport).failed.length, 2);
  });

  it('says which trial lost its folder, and runs it again', { skip: slow, timeout: 300_000 }, async () => {
    const { file } = sweepFile('vanishing', {
      train: { ...TRAIN, epochs: 1500 },
      space: { lr: [0.01] },
      search: 'grid',
      seeds: 1,
    });
    const back: Line[] = [];
    const { ended } = start(['sweep', file, '--folder', path('vanishing')], (line) => {
      if (line.event === 'given back') back.push(line);
    });
    const trial = path('vanishing', 'trials', 'c000-s1');
    while (!existsSync(join(trial, 'metrics.jsonl'))) await pause(5);
    renameSync(trial, path('vanished'));
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.equal(back.length, 1);
    assert.match(String(back[0].reason), /c000-s1 was removed or renamed while process \d+ was using it; nothing/);
  });

  it('says what is wrong with its file or its options', async () => {
    for (const [args, message] of [
      [[path('nothing.ts')], /There is no file .*nothing\.ts/],
      [[fileOf('empty', {})], /has a `space` of at least one setting/],
      [[fileOf('wrong', { space: { learningRate: [1] } })], /no setting "learningRate"/],
      [[fileOf('neuron', { space: { neuron: ['rloo', 'rlo'] } })], /`space\.neuron`: There is no neuron "rlo"/],
      [[fileOf('activation', { train: { activation: 'tan' }, space: { lr: [1] } })], /`train\.activation`: .*"tan"/],
      [[fileOf('layers', { space: { layers: ['dense 8', 'dens 8'] } })], /`space\.layers`: .*no layer "dens"/],
      [[fileOf('task', { train: { task: 'regresion' }, space: { lr: [1] } })], /no task "regresion"/],
      [[fileOf('optimizer', { train: { optimizer: 'adm' }, space: { lr: [1] } })], /`train\.optimizer`: .*"adm"/],
      [
        [fileOf('path', { space: { neuron: ['./x.ts:by=4'] } })],
        /`space\.neuron` is the path \.\/x\.ts:by=4\. Expected a name, and --use \.\/x\.ts beside/,
      ],
      [[fileOf('printed', { space: { lr: [1] } }), '--print', 'slurm'], /Workers share a Postgres server/],
    ] as const) {
      const { code, stderr } = await refused(sweepCommand(), args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });
});
