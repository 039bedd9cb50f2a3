import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FormatError } from '../../src/io/format-error.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { nodeFolder } from '../../src/platform/node/folder.ts';
import { StorageError } from '../../src/runs/folder.ts';
import { Run } from '../../src/runs/run.ts';
import { runModel } from '../../src/runs/run-model.ts';
import { type RunEvent, type TrainRunOptions, trainRun } from '../../src/runs/train-run.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import type { InModes } from '../../src/train/events.ts';
import { readEventFile } from '../helpers/event-reader.ts';
import { digits } from '../train/tiny.ts';
import { temporaryFolder, tinyRecord, tinyRun } from './tiny-run.ts';

const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
after(() => {
  one.close();
  two.close();
});

async function follow(run: Run, options: Partial<TrainRunOptions> = {}, visit: (event: RunEvent) => void = () => {}) {
  const events: RunEvent[] = [];
  for await (const event of trainRun(run, { engine: one, data: digits, ...options })) {
    events.push(event);
    visit(event);
  }
  return events;
}

/** Trains until `stop` says so, as Ctrl-C does. */
async function interrupted(run: Run, stop: (event: RunEvent) => boolean, options: Partial<TrainRunOptions> = {}) {
  const controller = new AbortController();
  const events: RunEvent[] = [];
  await assert.rejects(
    follow(run, { signal: controller.signal, ...options }, (event) => {
      events.push(event);
      if (stop(event)) controller.abort();
    }),
    { name: 'AbortError' },
  );
  return events;
}

const file = (run: Run, name: string): Buffer => readFileSync(join(run.folder.path, name));
const weights = (run: Run): Buffer => file(run, 'weights.safetensors');
const atBatch = (epoch: number, batch: number) => (event: RunEvent) =>
  event.event === 'batch' && event.epoch === epoch && event.batch === batch;

/** What the metrics say of epochs and the result, without the clock. */
const logged = async (run: Run) =>
  (await run.metrics()).flatMap((line) => {
    if (line.event === 'session') return [];
    const { time, seconds, ...facts } = line;
    return [{ ...facts, threads: 0 }];
  });

const whole = await tinyRun(one);
const wholeEvents = await follow(whole);

describe('a run', () => {
  test('leaves its record with the result, metrics, logs, one checkpoint and the weights', async () => {
    assert.deepEqual(readdirSync(whole.folder.path).sort(), [
      'checkpoints',
      'events.out.tfevents.0.flipgrad',
      'metrics.csv',
      'metrics.jsonl',
      'run.json',
      'weights.safetensors',
    ]);
    const result = wholeEvents.find(({ event }) => event === 'result');
    assert.deepEqual((await Run.open(whole.folder)).record.result, result);
    assert.deepEqual(
      (await whole.metrics()).map(({ event }) => event),
      ['session', 'epoch', 'epoch', 'epoch', 'result'],
    );
    assert.deepEqual(await whole.checkpoints(), ['epoch-000003-step-0000000018']);
    const { model, from } = await runModel(await Run.open(whole.folder), two);
    assert.equal(from, 'weights.safetensors');
    assert.ok(result?.event === 'result');
    assert.equal(evaluate(model, digits.test, { mode: 'threshold' }).error, (result.testError as InModes).threshold);
  });

  test('interrupted by a signal anywhere and taken up again, ends with the same bytes and the same metrics', async () => {
    for (const [epoch, batch] of [
      [1, 1],
      [1, 6],
      [2, 3],
      [3, 6],
    ]) {
      const run = await tinyRun(one);
      const events = await interrupted(run, atBatch(epoch, batch));
      assert.equal(events.at(-1)?.event, 'saved');
      const again = await follow(await Run.open(run.folder), { engine: two });
      assert.deepEqual(again[0], {
        event: 'resumed',
        checkpoint: (await run.checkpoints())[0],
        epochs: epoch - 1,
        batches: batch,
        damaged: [],
        missing: [],
      });
      assert.deepEqual(weights(run), weights(whole), `${epoch}, ${batch}`);
      assert.deepEqual(await logged(run), await logged(whole));
    }
  });

  test('killed between two writes, has every epoch once in every log', async () => {
    const run = await tinyRun(one);
    await interrupted(run, atBatch(2, 1), { checkpointSeconds: 0 });
    // As if the last checkpoints had not been reached: epoch 1 comes again.
    for (const name of (await run.checkpoints()).slice(1)) await run.folder.remove(`checkpoints/${name}`);
    appendFileSync(join(run.folder.path, 'metrics.jsonl'), '{"event":"epoch","epo');
    truncateSync(join(run.folder.path, 'metrics.csv'), file(run, 'metrics.csv').length - 3);
    truncateSync(join(run.folder.path, 'events.out.tfevents.0.flipgrad'), 30);
    const events = await follow(await Run.open(run.folder));
    const result = events.at(-1);
    assert.ok(result?.event === 'result');
    assert.deepEqual(await logged(run), await logged(whole));
    assert.deepEqual(weights(run), weights(whole));
    const rows = file(run, 'metrics.csv').toString().trim().split('\n');
    assert.match(rows[0], /^epoch,trainLoss,.*,gated.gates.rate,gated.gates.dead,gated.gates.alwaysOn$/);
    assert.deepEqual(
      rows.slice(1).map((row) => row.split(',')[0]),
      ['1', '2', '3'],
    );
    assert.ok(rows.every((row) => row.split(',').length === rows[0].split(',').length));
    const entries = readEventFile(file(run, 'events.out.tfevents.0.flipgrad'));
    assert.deepEqual(
      entries.map(({ step }) => step),
      [0, 1, 2, 3, result.bestEpoch],
    );
  });

  test('the event file says what the metrics say, with the histogram of gate rates', async () => {
    const events = readEventFile(file(whole, 'events.out.tfevents.0.flipgrad'));
    const lines = (await whole.metrics()).filter(({ event }) => event === 'epoch');
    for (const [i, line] of lines.entries()) {
      assert.ok(line.event === 'epoch');
      const { values, wallTime } = events[i + 1];
      const scalar = (tag: string) => values.find((value) => value.tag === tag)?.simpleValue;
      assert.equal(wallTime, line.time);
      assert.equal(scalar('loss/train'), Math.fround(line.trainLoss));
      assert.equal(scalar('rate/gated.gates'), Math.fround(line.health[0].rate));
      const histogram = values.find(({ tag }) => tag === 'rates/gated.gates')?.histogram;
      assert.deepEqual(histogram?.buckets, line.health[0].spread.histogram);
      assert.equal(
        histogram?.buckets.reduce((sum, count) => sum + count, 0),
        8,
      );
      assert.equal(histogram?.limits.at(-1), 1);
      assert.ok(histogram && histogram.min <= line.health[0].rate && histogram.max >= line.health[0].rate);
    }
  });

  test('keeps the newest checkpoint and the one before; a damaged newest one is said and not used', async () => {
    const run = await tinyRun(one);
    await interrupted(run, atBatch(2, 4), { checkpointSeconds: 0 });
    const names = await run.checkpoints();
    assert.equal(names.length, 2);
    const newest = join(run.folder.path, 'checkpoints', names[1]);
    for (const part of ['arrays.safetensors', 'state.json']) {
      const path = join(newest, part);
      const good = readFileSync(path);
      for (const at of [0, 9, good.length >> 1, good.length - 3]) {
        const bad = Buffer.from(good);
        bad[at] ^= 4;
        writeFileSync(path, bad);
        const latest = await run.latest();
        assert.equal(latest?.name, names[0], `${part}, byte ${at}`);
        assert.match(latest.damaged.join(), new RegExp(`${names[1]}/${part}`));
      }
      writeFileSync(path, good);
    }
    truncateSync(join(newest, 'arrays.safetensors'), 100);
    const events = await follow(await Run.open(run.folder));
    assert.ok(events[0].event === 'resumed' && events[0].checkpoint === names[0] && events[0].damaged.length === 1);
    assert.deepEqual(weights(run), weights(whole));
  });

  test('says so when no checkpoint can be read', async () => {
    const run = await tinyRun(one);
    await interrupted(run, atBatch(1, 2));
    const [name] = await run.checkpoints();
    writeFileSync(join(run.folder.path, 'checkpoints', name, 'state.json'), '{}');
    await assert.rejects(follow(await Run.open(run.folder)), (error: Error) => {
      return (
        error instanceof FormatError && /No checkpoint of .* can be read.*has the format undefined/.test(error.message)
      );
    });
  });

  test('the best weights so far can be used before the end', async () => {
    const run = await tinyRun(one);
    await assert.rejects(runModel(run, one), /has no weights yet/);
    const best: number[] = [];
    await interrupted(run, (event) => {
      if (event.event === 'epoch' && event.best) best[0] = event.validError;
      return atBatch(3, 2)(event);
    });
    const { model, from } = await runModel(run, one);
    assert.match(from, /^epoch [12], the best so far$/);
    assert.equal(evaluate(model, digits.valid, { mode: 'threshold' }).error, best[0]);
  });

  test('is trained for more epochs as if it had been asked for them at once', async () => {
    const run = await tinyRun(one, { training: { ...tinyRecord(one).training, epochs: 1 } });
    await follow(run);
    const { result, ...record } = run.record;
    assert.equal(result?.epochs, 1);
    await run.rewrite({ ...record, training: { ...record.training, epochs: 3 } });
    await follow(await Run.open(run.folder));
    assert.deepEqual(weights(run), weights(whole));
  });

  test('done already, gives its result again', async () => {
    const events = await follow(await Run.open(whole.folder));
    assert.deepEqual(
      events.map(({ event }) => event),
      ['resumed', 'result'],
    );
    assert.equal((await whole.metrics()).filter(({ event }) => event === 'result').length, 1);
  });
});

describe('a run is refused', () => {
  const refused = (attempt: Promise<unknown>, message: RegExp) =>
    assert.rejects(attempt, (error: Error) => error instanceof StorageError && message.test(error.message));

  test('in a folder that holds something', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'thesis.tex'), '');
    await refused(
      Run.create(nodeFolder(folder), tinyRecord(one)),
      /holds thesis.tex already\. Expected a new or empty folder/,
    );
    await refused(Run.open(nodeFolder(folder)), /holds no run: there is no run.json/);
  });

  test('with other data, and on another engine unless that is wanted', async () => {
    const run = await tinyRun(one);
    await interrupted(run, atBatch(1, 3));
    const { train, valid, test: part } = digits;
    await refused(
      follow(run, { data: { train, valid: part, test: valid } }),
      /are not those .* valid part has another/,
    );
    const plain = await createEngine({ threads: 1, simd: 'simd' });
    if (plain.name !== one.name) {
      await refused(follow(run, { engine: plain }), /began on the engine wasm-relaxed-simd, and this is wasm-simd/);
      await follow(run, { engine: plain, anyEngine: true });
    }
    plain.close();
  });

  test('when an epoch that comes again is another one', async () => {
    const run = await tinyRun(one);
    await interrupted(run, atBatch(2, 1));
    for (const name of await run.checkpoints()) await run.folder.remove(`checkpoints/${name}`);
    const path = join(run.folder.path, 'metrics.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"trainLoss":\d/, '"trainLoss":1'));
    await refused(
      follow(await Run.open(run.folder)),
      /epoch 1 had the training loss 1\.\d+ before .* computes other bits/,
    );
  });

  test('while another process, or another part of this one, trains it', async () => {
    const run = await tinyRun(one);
    const lock = await run.folder.lock();
    assert.equal(await run.folder.locked(), true);
    await refused(follow(run), /is in use by process \d+ on/);
    await lock.release();
    assert.equal(await run.folder.locked(), false);
    // Process 1 of this machine lives; a lock of a process that does not is nobody's.
    const { hostname } = await import('node:os');
    const lockOf = (pid: number) =>
      writeFileSync(join(run.folder.path, '.lock'), JSON.stringify({ token: 'x', pid, host: hostname() }));
    lockOf(1);
    await refused(follow(run), /is in use by process 1 /);
    lockOf(2 ** 22 + 1);
    assert.equal((await follow(run)).at(-1)?.event, 'result');
    writeFileSync(join(run.folder.path, '.lock'), '{"tok');
    assert.equal((await follow(run)).at(-1)?.event, 'result');
    assert.deepEqual(
      readdirSync(run.folder.path).filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('with leftovers of a killed writer it starts, and they are gone', async () => {
    const run = await tinyRun(one);
    const left = '.0b2c1d4e-1111-2222-3333-444455556666.part';
    writeFileSync(join(run.folder.path, left), 'half');
    const dead = { token: 'x', pid: 2 ** 22 + 1, host: (await import('node:os')).hostname() };
    writeFileSync(join(run.folder.path, '.lock-x'), JSON.stringify(dead));
    writeFileSync(join(run.folder.path, '.lock-y'), JSON.stringify({ ...dead, pid: 1 }));
    await follow(run);
    const names = readdirSync(run.folder.path);
    assert.ok(!names.includes(left) && !names.includes('.lock-x'));
    assert.ok(names.includes('.lock-y'), 'another process may be about to take it');
  });
});
