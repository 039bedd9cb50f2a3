/** The run of an autoencoder: stopped and killed anywhere, it ends with the bytes of one that was left alone. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/io/checkpoint.ts';
import { FormatError } from '../../src/io/format-error.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { nodeFolder } from '../../src/platform/node/folder.ts';
import { decodeRecord, encodeRecord, type RunRecord } from '../../src/runs/record.ts';
import { Run } from '../../src/runs/run.ts';
import { summarize } from '../../src/runs/summary.ts';
import { type RunEvent, type TrainRunOptions, trainRun } from '../../src/runs/train-run.ts';
import { vaeLayers } from '../../src/tasks/vae-pass.ts';
import { digits } from '../train/tiny.ts';
import { temporaryFolder, tinyRecord } from './tiny-run.ts';

const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
after(() => {
  one.close();
  two.close();
});

type Event = RunEvent;

const record = (): RunRecord => {
  const { result: _, training, ...facts } = tinyRecord(one);
  return {
    ...facts,
    task: { name: 'vae', options: { samples: 2 } },
    config: { model: 'vae', neuron: 'disarm' },
    model: { inputs: 784, seed: 2, layers: vaeLayers('linear', 784, 'disarm', 8) },
    training: { ...training, batch: 100 },
    data: { ...facts.data, outputs: 784 },
    logs: [],
  };
};
const newRun = () => Run.create(nodeFolder(join(temporaryFolder(), 'run')), record());

const open = (folder: string): Promise<Run> => Run.open(nodeFolder(folder));

async function follow(run: Run, options: Partial<TrainRunOptions> = {}, visit = (_: Event): void => {}) {
  const events: Event[] = [];
  for await (const event of trainRun(run, { engine: one, data: digits, checkpointSeconds: 0, ...options })) {
    events.push(event);
    visit(event);
  }
  return events;
}

const weights = ({ folder }: Run): Buffer => readFileSync(join(folder.path, 'weights.safetensors'));

/** What was logged, without the clock. */
const logged = async (run: Run) =>
  (await run.metrics()).flatMap((line) => {
    if (line.event === 'session') return [];
    const { time, seconds, ...facts } = line;
    return [{ ...facts, threads: 0 }];
  });

const whole = await newRun();
await follow(whole);

test('leaves record, metrics, two checkpoints and the weights', async () => {
  const { path } = whole.folder;
  assert.deepEqual(
    readdirSync(path).filter((name) => !name.startsWith('.')),
    ['checkpoints', 'metrics.jsonl', 'run.json', 'weights.safetensors'],
  );
  assert.equal((await whole.checkpoints()).length, 2);
  const { result } = (await open(path)).record;
  assert.ok(result && result.testBound > result.testElbo);
  assert.equal((result as { samples?: number }).samples, 2);
  const { state, epochs, sessions, validElbo, testBound, validError } = await summarize(await open(path));
  assert.deepEqual([state, epochs, sessions, validError], ['done', 3, 1, undefined]);
  assert.deepEqual([validElbo, testBound], [result.validElbo, result.testBound]);
});

test('stopped by a signal between minibatches and while bounds are measured, it ends with the same bytes', async () => {
  const run = await newRun();
  const stops = [
    (event: Event) => event.event === 'batch' && event.epoch === 1 && event.batch === 2,
    (event: Event) => event.event === 'measure' && event.what === 'valid',
    (event: Event) => event.event === 'epoch' && event.epoch === 2,
    (event: Event) => event.event === 'measure' && event.what === 'test',
  ];
  for (const [i, stop] of stops.entries()) {
    const controller = new AbortController();
    const options = { signal: controller.signal, engine: i % 2 ? two : one, checkpointSeconds: 1000 };
    const visit = (event: Event) => {
      if (stop(event)) controller.abort();
    };
    await assert.rejects(follow(await open(run.folder.path), options, visit), { name: 'AbortError' });
    assert.equal((await summarize(await open(run.folder.path))).state, 'stopped');
  }
  const [resumed] = await follow(await open(run.folder.path), { engine: two });
  assert.deepEqual([resumed.event, 'epochs' in resumed && resumed.epochs], ['resumed', 3]);
  assert.ok(weights(run).equals(weights(whole)));
  assert.deepEqual(await logged(run), await logged(whole));
  // What is done gives its result again.
  const again = await follow(await open(run.folder.path));
  assert.ok(again.some(({ event }) => event === 'result') && !again.some(({ event }) => event === 'batch'));
});

test('killed, it goes on from its last checkpoint to the same bytes', async () => {
  const run = await newRun();
  // What a kill at each of these events would leave: a copy of the folder at that moment.
  const copies: string[] = [];
  let count = 0;
  await follow(run, { checkpointSeconds: 0.01 }, () => {
    if (++count % 7 !== 3) return;
    const copy = join(temporaryFolder(), 'copy');
    cpSync(run.folder.path, copy, { recursive: true, filter: (name) => !name.includes('lock') });
    appendFileSync(join(copy, 'metrics.jsonl'), '{"event":"epo');
    copies.push(copy);
  });
  assert.ok(copies.length >= 3);
  for (const copy of copies) {
    const resumed = await open(copy);
    await follow(resumed, { engine: two });
    assert.ok(weights(resumed).equals(weights(whole)), copy);
    assert.deepEqual(await logged(resumed), await logged(whole));
  }
});

test('a record of another task, or whose task cannot be, is refused with a sentence', async () => {
  const refused = (change: object, says: RegExp) =>
    assert.throws(
      () => decodeRecord(encodeRecord({ ...record(), ...change } as RunRecord), 'run.json'),
      (error: Error) => error instanceof FormatError && says.test(error.message),
    );
  refused({ task: { name: 'vea' } }, /`task` of run\.json is .*There is no task "vea"\. Did you mean "vae"\?/);
  refused({ task: { name: 'vae', options: { samples: 0 } } }, /`samples` of the task "vae" is 0|`samples`.*is 0/);
  refused({ task: { name: 'vae', options: { sample: 1 } } }, /no option "sample"\. Did you mean "samples"\?/);
  refused({ logs: ['excel'] }, /`logs\[0\]` of run\.json is "excel"\. Expected one of csv, tensorboard/);
  refused({ result: { trainElbo: 1 } }, /`result\..*` of run\.json is/);
  const copy = join(temporaryFolder(), 'copy');
  cpSync(whole.folder.path, copy, { recursive: true });
  await nodeFolder(copy).write('run.json', encodeRecord(tinyRecord(one)));
  await assert.rejects((await Run.open(nodeFolder(copy))).latest(), /`wrong` undefined/);
  await assert.rejects((await Run.open(nodeFolder(copy))).metrics(), /Line 2 of .* has `validError` undefined/);
});

test('a run of the format before, record and checkpoints, is read, and goes on to the same bytes', async () => {
  const run = await newRun();
  const controller = new AbortController();
  const stop = (event: Event) => {
    if (event.event === 'epoch' && event.epoch === 2) controller.abort();
  };
  await assert.rejects(follow(run, { signal: controller.signal, checkpointSeconds: 1000 }, stop), {
    name: 'AbortError',
  });
  const { path } = run.folder;
  // As the version before wrote them.
  const before = ({ task, ...facts }: Record<string, unknown>) => {
    const { outputs, ...data } = facts.data as Record<string, unknown>;
    return { ...facts, kind: 'vae', training: { ...(facts.training as object), samples: 2 }, data };
  };
  const file = join(path, 'run.json');
  const old = { ...before(JSON.parse(readFileSync(file, 'utf8'))), format: 'flipgrad run 1' };
  writeFileSync(file, JSON.stringify(old));
  const name = (await run.checkpoints()).at(-1) as string;
  const place = join(path, 'checkpoints', name);
  const files = decodeCheckpoint(
    Object.fromEntries(readdirSync(place).map((one) => [one, readFileSync(join(place, one))])),
    place,
  );
  const settings = before(files.settings as Record<string, unknown>);
  for (const [one, bytes] of Object.entries(encodeCheckpoint({ ...files, settings })))
    writeFileSync(join(place, one), bytes);
  assert.deepEqual((await open(path)).record.task, { name: 'vae', options: { samples: 2 } });
  await follow(await open(path), { engine: two });
  assert.ok(weights(run).equals(weights(whole)));
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).format, 'flipgrad run 2');
});
