import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { advance } from '../../src/platform/node/sweep/advance.ts';
import { type Database, openEmbedded, openServer } from '../../src/platform/node/sweep/database.ts';
import { isAway, patient } from '../../src/platform/node/sweep/patient.ts';
import { TrialQueue } from '../../src/platform/node/sweep/queue.ts';
import { retryFailed } from '../../src/platform/node/sweep/retry-failed.ts';
import { SweepStore } from '../../src/platform/node/sweep/store.ts';
import { needed } from '../../src/platform/node/sweep/sweep-error.ts';
import { flagsOf, type RunTrial, trialProcess } from '../../src/platform/node/sweep/trial-process.ts';
import { work } from '../../src/platform/node/sweep/worker.ts';
import { checkSweep } from '../../src/runs/sweep/definition.ts';
import { planSweep } from '../../src/runs/sweep/plan.ts';
import type { TrialOutcome } from '../../src/runs/sweep/trial.ts';
import { withDatabase } from '../helpers/database.ts';
import { slow } from '../helpers/extent.ts';
import { temporaryFolder } from './tiny-run.ts';

const definition = checkSweep({ space: { lr: { from: 1, to: 2 } }, configurations: 3, seeds: 2 }, 'small');
const { trials } = planSweep(definition, new Map());
const outcome = (validError: number): TrialOutcome => ({ state: 'done', result: { validError }, weights: '' }) as never;

describe('a sweep in a database', () => {
  let database: Database;
  let store: SweepStore;
  let queue: TrialQueue;
  before(async () => {
    database = await openEmbedded(await withDatabase(temporaryFolder()));
    store = new SweepStore(database);
    await store.create();
    await store.create();
    queue = await TrialQueue.open(database, true);
    await queue.create('small');
    await queue.create('small');
    await store.register(definition);
  });
  after(async () => {
    await queue?.close();
    await database?.close();
  });

  it('is one process’s only', () =>
    assert.rejects(openEmbedded(database.name), { name: 'StorageError', message: /is in use by/ }));

  it('gives a trial to one claim at a time, and a claim that was lost can do nothing', async () => {
    await store.addTrials('small', trials, { asked: trials.length, retries: 0 });
    await queue.add('small', trials);
    await queue.add('small', trials);
    const claims = await Promise.all(trials.map(() => queue.claim('small')));
    assert.deepEqual(claims.map((claim) => claim?.trial.key).sort(), trials.map(({ key }) => key).sort());
    assert.equal(await queue.claim('small'), undefined);
    const [first] = claims;
    assert.equal(await first?.renew(), true);
    await queue.recoverAll('small');
    assert.equal(await first?.renew(), false);
    await first?.complete();
    await first?.release('too late');
    const again = await Promise.all(trials.map(() => queue.claim('small')));
    assert.deepEqual(again.map((claim) => claim?.trial.key).sort(), trials.map(({ key }) => key).sort());
    assert.ok(again.every((claim) => claim?.attempts === 1));
    for (const claim of again) await claim?.release('for the next test');
  });

  it('has one result of a trial, and notes who had another', async () => {
    const by = (worker: string) => ({ worker, seconds: 1, attempt: 1 });
    const { key } = trials[0];
    assert.equal(await store.record('small', key, outcome(0.25), by('a')), 'first');
    assert.equal(await store.record('small', key, outcome(0.25), by('b')), 'same again');
    assert.equal(await store.record('small', key, outcome(0.5), by('c')), 'another than before');
    const { results } = await store.results('small');
    assert.deepEqual(
      results.map((result) => [result.key, result.worker]),
      [[key, 'a']],
    );
    assert.deepEqual(await store.disputes('small'), [{ key, worker: 'c' }]);
  });

  it('is done by workers, some of whose trials crash and come back', async () => {
    const seen = new Map<string, number>();
    const runTrial: RunTrial = async ({ key, configuration, seed }) => {
      seen.set(key, (seen.get(key) ?? 0) + 1);
      if (configuration === 1 && seen.get(key) === 1) return { state: 'crashed', reason: 'by chance' };
      if (configuration === 2) return { state: 'crashed', reason: 'always' };
      return outcome(configuration + seed / 10);
    };
    const { signal } = new AbortController();
    const sweeps = async () => ((await store.isComplete('small')) ? [] : ['small']);
    const crew = ['x', 'y'].map((name) =>
      work({ store, queue, sweeps, runTrial, folder: () => '', shared: true, keepEvery: 60, name, poll: 0.02, signal }),
    );
    await Promise.all(crew);
    const { results } = await store.results('small');
    const states = Object.fromEntries(results.map((result) => [result.key, result.outcome.state]));
    assert.deepEqual(states, {
      'c000-s1': 'done',
      'c000-s2': 'done',
      'c001-s1': 'done',
      'c001-s2': 'done',
      'c002-s1': 'failed',
      'c002-s2': 'failed',
    });
    assert.equal(seen.has('c000-s1'), false, 'its result was there');
    assert.deepEqual([seen.get('c000-s2'), seen.get('c001-s1'), seen.get('c002-s1')], [1, 2, 3]);
  });

  it('gives failed trials out again, whatever others still know, and keeps what they said', async () => {
    const { signal } = new AbortController();
    const before = await advance(store, queue, 'small');
    assert.equal(before.plan.complete, true);
    const [again, attempts] = [['c002-s1', 'c002-s2'], new Map<string, number>()];
    assert.deepEqual(await retryFailed(store, 'small'), { open: again, settled: [], asked: 6 });
    // Nothing that was found before holds any more.
    assert.equal(await store.finish('small', before.retries), false);
    assert.equal(await store.addTrials('small', trials, { asked: 6, retries: before.retries }), undefined);
    assert.equal(await store.takeBack('small', ['c000-s1'], { asked: 6, retries: before.retries }), false);
    assert.equal(await store.countCrash('small', 'c002-s1', 1), 0);
    const late = { state: 'failed', reason: 'late' } as const;
    assert.equal(await store.record('small', 'c002-s1', late, { worker: 'z', seconds: 1, attempt: 1 }), 'too late');
    assert.deepEqual((await retryFailed(store, 'small')).open, []);
    // Its plan is that of before the failures, and it puts the trials in.
    const after = await advance(store, queue, 'small', before);
    assert.deepEqual([after.plan.complete, after.outcomes.size, after.fresh], [false, 4, []]);
    const runTrial: RunTrial = async ({ key, seed }) => {
      attempts.set(key, (attempts.get(key) ?? 0) + 1);
      return seed === 1 ? outcome(2) : { state: 'crashed', reason: 'still' };
    };
    const sweeps = async () => ((await store.isComplete('small')) ? [] : ['small']);
    const common = { store, queue, sweeps, runTrial, folder: () => '', shared: true, keepEvery: 60, signal };
    await work({ ...common, name: 'x', poll: 0.02 });
    assert.deepEqual([...attempts].sort(), [
      ['c002-s1', 1],
      ['c002-s2', 3],
    ]);
    assert.deepEqual((await retryFailed(store, 'small')).open, ['c002-s2']);
    const failures = (await store.failures('small')).map(({ key, attempt, reason }) => [key, attempt, reason]).sort();
    assert.deepEqual(failures, [
      ['c002-s1', 1, 'always'],
      ['c002-s2', 1, 'always'],
      ['c002-s2', 2, 'still'],
    ]);
    // A result counts whichever attempt it comes from.
    assert.equal(await store.record('small', 'c002-s2', outcome(2), { worker: 'y', seconds: 1, attempt: 2 }), 'first');
    const last = await advance(store, queue, 'small', after);
    assert.deepEqual([last.plan.complete, last.fresh.map(({ key }) => key).sort()], [true, again]);
    assert.deepEqual(
      (await store.disputes('small')).length,
      1,
      'a failure that was taken back is in dispute with nobody',
    );
  });

  it('refuses to take a failure back that others were chosen by, also when they are chosen meanwhile', async () => {
    const chosen = { search: 'tpe', space: { lr: { from: 1, to: 2 } }, startup: 1, generation: 1, configurations: 2 };
    await store.register(checkSweep(chosen, 'chosen'));
    await queue.create('chosen');
    const by = { worker: 'a', seconds: 1, attempt: 1 };
    await advance(store, queue, 'chosen');
    await store.record('chosen', 'c000-s1', { state: 'failed', reason: 'no memory' }, by);
    await advance(store, queue, 'chosen');
    const message =
      /^No failed trial of "chosen" can run again: what it trained after c000-s1 was chosen by that failure/;
    await assert.rejects(retryFailed(store, 'chosen'), { name: 'SweepError', message });
    // As if the plan had been made before the second trial was asked for.
    assert.equal(await store.takeBack('chosen', ['c000-s1'], { asked: 1, retries: 0 }), false);
    await store.record('chosen', 'c001-s1', { state: 'failed', reason: 'no memory' }, by);
    const { open, settled } = await retryFailed(store, 'chosen');
    assert.deepEqual([open, settled], [['c001-s1'], ['c000-s1']]);
    await assert.rejects(retryFailed(store, 'nowhere'), /There is no sweep "nowhere"/);
  });

  it('keeps checkpoints whole, the newest alone', async () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    await store.checkpoints.save('small', 'run', 'epoch-000001-step-1', { 'run.json': bytes('1'), 'a/b': bytes('2') });
    await store.checkpoints.save('small', 'run', 'epoch-000002-step-2', { 'run.json': bytes('3') });
    await store.checkpoints.save('small', 'run', 'epoch-000002-step-2', { 'run.json': bytes('4') });
    assert.equal(await store.checkpoints.newest('small', 'run'), 'epoch-000002-step-2');
    const files = await store.checkpoints.files('small', 'run', 'epoch-000002-step-2');
    assert.deepEqual(
      Object.entries(files).map(([name, content]) => [name, String.fromCharCode(...content)]),
      [['run.json', '3']],
    );
    assert.deepEqual(await store.checkpoints.files('small', 'run', 'epoch-000001-step-1'), {});
  });
});

describe('a folder that goes away', () => {
  const gone = {
    name: 'SweepError',
    message: /was removed or renamed while a sweep was using it; its results are where the folder is now\. Expected/,
  };

  it('is told of by its database, is not made again, and goes on where it is', { skip: slow }, async () => {
    const top = temporaryFolder();
    const [here, there] = [join(top, 'here'), join(top, 'there')];
    const database = await openEmbedded(await withDatabase(here));
    const store = new SweepStore(database);
    await store.create();
    await store.register(definition);
    renameSync(here, there);
    await assert.rejects(store.names(), gone);
    await assert.rejects(store.create(), gone);
    // It may have something to write.
    await database.close().catch((error: Error) => assert.match(error.message, gone.message));
    assert.deepEqual(readdirSync(top), ['there']);
    const moved = await openEmbedded(there);
    assert.deepEqual(await new SweepStore(moved).names(), ['small']);
    await moved.close();
  });

  it('after the end of its trial is a crash of that trial, not of the worker', async () => {
    const top = temporaryFolder();
    const run = join(top, 'run');
    const main = join(top, 'main.mjs');
    writeFileSync(
      main,
      "import { rmSync } from 'node:fs'; rmSync(process.argv[process.argv.indexOf('--run') + 1], { recursive: true });",
    );
    mkdirSync(run);
    const runTrial = trialProcess({ main, threads: 1, checkpointEvery: 30 });
    const end = await runTrial(trials[0], run, new AbortController().signal);
    assert.ok(end.state === 'crashed');
    assert.match(end.reason, /^Its process ended well, but its result cannot be read: .*run holds no run/);
  });
});

describe('a server that is away', () => {
  const away = Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' });
  it('is waited for, and told of once', async () => {
    let [asked, told] = [0, 0];
    const send = patient(async (value: number) => (++asked < 3 ? Promise.reject(away) : value), {
      onAway: () => told++,
    });
    assert.equal(await send(7), 7);
    assert.deepEqual([asked, told], [3, 1]);
  });

  it('is an error after the patience, and what is wrong with a statement at once', async () => {
    await assert.rejects(patient(() => Promise.reject(away), { patience: 0 })(), away);
    const wrong = Object.assign(new Error('syntax error'), { code: '42601' });
    await assert.rejects(patient(() => Promise.reject(wrong), {})(), wrong);
    for (const code of ['57P01', '57P03', '08006', '53300', 'ECONNRESET']) assert.ok(isAway({ code }), code);
    assert.ok(isAway(new AggregateError([away])) && !isAway(wrong));
  });

  it('is named without its password', { skip: slow }, async () => {
    await assert.rejects(openServer('postgres://me:secret@127.0.0.1:1/x'), (error: Error) => {
      assert.match(error.message, /^postgres:\/\/me@127.0.0.1:1\/x cannot be used: /);
      return !error.message.includes('secret');
    });
    await assert.rejects(openServer('mysql://x'), /is no address of a Postgres server/);
  });
});

describe('what only sweeps need', () => {
  it('is asked for in a sentence where it is absent', () => {
    const name = 'a-package-that-nobody-has';
    return assert.rejects(
      needed(name, () => import(name)),
      {
        name: 'SweepError',
        message: `Sweeps need the package ${name}, which is not installed: run npm install pg-boss pg @electric-sql/pglite.`,
      },
    );
  });

  it('settings become the options of train', () => {
    assert.deepEqual(flagsOf({ lr: 0.1, gaterLr: 1, gater: [64, 32], nudge: true, balance: false, maxNorm: 2 }), [
      '--lr',
      '0.1',
      '--gater-lr',
      '1',
      '--gater',
      '64,32',
      '--nudge',
      '--max-norm',
      '2',
    ]);
    assert.deepEqual(flagsOf({ gater: [] }), ['--gater', 'none']);
  });
});
