/** What a database gives that a stranger can write: it chooses settings, and no place, file or program of a worker's machine. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Database, openEmbedded, openServer } from '../../src/platform/node/sweep/database.ts';
import { placeBelow } from '../../src/platform/node/sweep/place.ts';
import { TrialQueue } from '../../src/platform/node/sweep/queue.ts';
import { fetchCheckpoint } from '../../src/platform/node/sweep/run-files.ts';
import { SweepStore } from '../../src/platform/node/sweep/store.ts';
import { checkSweep } from '../../src/runs/sweep/definition.ts';
import { planSweep } from '../../src/runs/sweep/plan.ts';
import type { Trial } from '../../src/runs/sweep/trial.ts';
import { withDatabase } from '../helpers/database.ts';
import { slow } from '../helpers/extent.ts';
import { noPostgres, startPostgres, type TestServer } from '../helpers/postgres.ts';
import { runCli } from '../helpers/run-cli.ts';
import { temporaryFolder } from './tiny-run.ts';

const NAMES = [
  '../victim',
  '..',
  '.',
  '',
  '/tmp/victim',
  'a/b',
  'a\\b',
  '.lock',
  'c:x',
  'nul',
  'x'.repeat(65),
  'é',
  'a\n',
];

const definition = checkSweep({ space: { lr: [0.1] }, search: 'grid', train: { epochs: 1 } }, 'small');
const [trial] = planSweep(definition, new Map()).trials;

/** A folder of somebody's beside a worker's root, and what is in it. */
function victimBeside(): { root: string; victim: string; contents: () => Record<string, string> } {
  const top = temporaryFolder();
  const [root, victim] = [join(top, 'worker'), join(top, 'victim')];
  for (const folder of [root, victim]) mkdirSync(folder, { recursive: true });
  for (const name of ['run.json', 'thesis.txt']) writeFileSync(join(victim, name), name);
  const contents = () =>
    Object.fromEntries(readdirSync(victim).map((name) => [name, readFileSync(join(victim, name), 'utf8')]));
  return { root, victim, contents };
}
const UNTOUCHED = { 'run.json': 'run.json', 'thesis.txt': 'thesis.txt' };

it('a name is a step into the folder, and nothing else', async () => {
  const { root, victim } = victimBeside();
  for (const name of NAMES)
    await assert.rejects(placeBelow(root, name), {
      name: 'SweepError',
      message: /which no folder may have. Expected up to 64/,
    });
  assert.equal(await placeBelow(root, 'c000-s1'), join(root, 'c000-s1'));
  symlinkSync(victim, join(root, 'c001-s1'));
  await assert.rejects(placeBelow(root, 'c001-s1'), { name: 'StorageError', message: /is a symbolic link/ });
});

describe('a database that a stranger can write', () => {
  let database: Database;
  let store: SweepStore;
  let queue: TrialQueue;
  before(async () => {
    database = await openEmbedded(await withDatabase(temporaryFolder()));
    store = new SweepStore(database);
    await store.create();
    queue = await TrialQueue.open(database, true);
    await queue.create('small');
    await store.register(definition);
  });
  after(async () => {
    await queue?.close();
    await database?.close();
  });

  it('gives no trial whose run is elsewhere', async () => {
    for (const [i, run] of NAMES.entries()) {
      await queue.add('small', [{ ...trial, key: `k${i}`, run }]);
      await assert.rejects(queue.claim('small'), {
        name: 'SweepError',
        message: /^In the database, a trial cannot be used\. A trial's `run` is ".*Expected up to 64/s,
      });
    }
    for (const [key, wrong] of Object.entries({
      w1: { key: '../x' },
      w2: { seed: -1 },
      w3: { configuration: 'x' },
      w4: { settings: null },
    })) {
      await queue.add('small', [{ ...trial, key, ...wrong } as Trial]);
      await assert.rejects(queue.claim('small'), { name: 'SweepError' });
    }
  });

  it('gives no checkpoint with files elsewhere, and the folder stays as it is', async () => {
    const { root, contents } = victimBeside();
    const run = join(root, 'c000-s1');
    mkdirSync(run);
    writeFileSync(join(run, 'mine.txt'), 'mine');
    const bytes = new Uint8Array(3);
    const newest = 'epoch-000001-step-0000000001';
    const files = [
      '../../victim/thesis.txt',
      '../../victim/new.txt',
      '/tmp/new.txt',
      'evil.js',
      '.lock',
      `checkpoints/${newest}/../../../../victim/thesis.txt`,
      `checkpoints/${newest}/a/b`,
      'checkpoints/epoch-000009-step-0000000001/arrays.safetensors',
    ];
    const cases = [...files.map((file) => [newest, file]), ['zzz/../../../victim', 'run.json']];
    for (const [i, [checkpoint, file]] of cases.entries()) {
      await store.checkpoints.save('small', `run${i}`, checkpoint, { 'run.json': bytes, [file]: bytes });
      await assert.rejects(fetchCheckpoint(store, 'small', `run${i}`, run), {
        name: 'SweepError',
        message:
          /^In the database, a checkpoint of run\d+ has the name ".*Expected run\.json, metrics\.jsonl and files of checkpoints/,
      });
      assert.deepEqual([readdirSync(run), contents()], [['mine.txt'], UNTOUCHED], file);
    }
  });

  it('gives no sweep, outcome or name that flipgrad has not written', async () => {
    const set = (text: string) =>
      database.query("update flipgrad.sweep set definition = $1 where name = 'small'", [text]);
    const good = JSON.stringify(definition);
    for (const text of [
      '{',
      'null',
      '{}',
      JSON.stringify({ ...definition, name: 'other' }),
      JSON.stringify({ ...definition, train: { run: '/tmp/x' } }),
      JSON.stringify({ ...definition, train: { blas: '/tmp/x.so' } }),
      `${'['.repeat(1e5)}`,
    ]) {
      await set(text);
      await assert.rejects(store.definition('small'), {
        name: 'SweepError',
        message: /^In the database, the sweep "small" cannot be used\. /,
      });
    }
    await set(good);
    await store.addTrials('small', [trial], { asked: 1, retries: 0 });
    await store.record('small', trial.key, { state: 'odd' } as never, { worker: 'x', seconds: 1, attempt: 1 });
    await assert.rejects(store.results('small'), {
      name: 'SweepError',
      message: /the outcome of "c000-s1" cannot be used/,
    });
    await database.query('delete from flipgrad.result');
    await database.query("insert into flipgrad.sweep (name, definition) values ('../victim', $1)", [good]);
    await assert.rejects(store.names(), {
      name: 'SweepError',
      message: /has the name "\.\.\/victim", which no folder may have/,
    });
    await database.query("delete from flipgrad.sweep where name = '../victim'");
  });
});

describe('`flipgrad worker` on a server that a stranger can write', { skip: noPostgres }, () => {
  let server: TestServer;
  let database: Database;
  let store: SweepStore;
  let queue: TrialQueue;
  before(async () => {
    server = await startPostgres();
    database = await openServer(server.url);
    store = new SweepStore(database);
    await store.create();
    queue = await TrialQueue.open(database, true);
  });
  after(async () => {
    await queue?.close();
    await database?.close();
    server?.stop();
  });

  /** Registers a sweep with one trial that is not what its definition asks for. */
  async function sweepWith(name: string, wrong: Partial<Trial>): Promise<void> {
    await queue.create(name);
    await store.register({ ...definition, name });
    await store.addTrials(name, [trial], { asked: 1, retries: 0 });
    await queue.add(name, [{ ...trial, ...wrong }]);
  }
  const work = (root: string, ...options: string[]) =>
    runCli(['worker', '--db', server.url, '--folder', root, '--json', ...options]);

  it('neither writes into a foreign folder nor empties it: code 2, and a sentence', {
    skip: slow,
    timeout: 120_000,
  }, async () => {
    const { root, contents } = victimBeside();
    await sweepWith('away', { run: '../../../victim' });
    const newest = 'epoch-000001-step-0000000001';
    await store.checkpoints.save('away', '../../../victim', newest, { 'run.json': new Uint8Array(1) });
    const { code, stderr } = await work(root, '--sweep', 'away');
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /^flipgrad: In the database, a trial cannot be used\. A trial's `run` is "\.\.\/\.\.\/\.\.\/victim"\. Expected up to 64/,
    );
    assert.deepEqual([contents(), readdirSync(root)], [UNTOUCHED, []]);
    await database.query("insert into flipgrad.sweep (name, definition) values ('../victim', '{}')");
    const named = await work(root);
    assert.equal(named.code, 2, named.stderr);
    assert.match(named.stderr, /^flipgrad: The database has the name "\.\.\/victim"/);
    assert.deepEqual([contents(), readdirSync(root)], [UNTOUCHED, []]);
    await database.query("delete from flipgrad.sweep where name in ('../victim', 'away')");
  });

  it('takes no option of the command line for a setting: the trial fails before its process', {
    timeout: 240_000,
  }, async () => {
    const { root, victim, contents } = victimBeside();
    const foreign: Record<string, unknown>[] = [
      { run: join(victim, 'new') },
      { resume: victim },
      { dataDir: victim },
      { blas: join(victim, 'library.so') },
      { log: 'csv' },
      { nudge: `--run=${victim}` },
      { 'nudge --run': victim },
    ];
    for (const [i, settings] of foreign.entries()) {
      const name = `set${i}`;
      await sweepWith(name, { settings: { ...settings, seed: 1 } as Trial['settings'] });
      const { code, stderr } = await work(root, '--sweep', name);
      assert.equal(code, 0, stderr);
      const { results } = await store.results(name);
      const [{ outcome }] = results;
      assert.ok(outcome.state === 'failed', name);
      assert.match(outcome.reason, /^The settings of c000-s1 cannot be used: `settings/);
    }
    assert.deepEqual(contents(), UNTOUCHED);
    assert.ok(readdirSync(root, { recursive: true }).every((name) => !String(name).includes('run.json')));
  });
});
