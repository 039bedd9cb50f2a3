/** Who is refused has changed nothing: every file is as it was, byte for byte. And what is lost or changed between sessions is told. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { trainCommand } from '../../cli/train.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { nodeFolder } from '../../src/platform/node/folder.ts';
import type { Folder } from '../../src/runs/folder.ts';
import { Run } from '../../src/runs/run.ts';
import { trainRun } from '../../src/runs/train-run.ts';
import { full } from '../helpers/extent.ts';
import { changeRecord, goodRuns } from '../helpers/hostile-runs.ts';
import { runHere } from '../helpers/run-here.ts';
import { treeOf } from '../helpers/tree.ts';
import { digits } from '../train/tiny.ts';
import { temporaryFolder, tinyRecord, tinyRun } from './tiny-run.ts';

const home = temporaryFolder();
const good = await goodRuns(home);
const data = join(home, 'two.csv');
const engine = await createEngine({ threads: 1 });
after(() => engine.close());

/** A copy of the run that is done. */
function copy(): string {
  const run = join(temporaryFolder(), 'run');
  cpSync(good.done, run, { recursive: true });
  return run;
}

const checkpointOf = (run: string): string => join(run, 'checkpoints', readdirSync(join(run, 'checkpoints'))[0]);
const resumed = (run: string, ...more: string[]) => runHere(trainCommand(), ['--resume', run, ...more]);

/** Whose lock is that of another, living process. */
let other: ChildProcess | undefined;
after(() => other?.kill());

/** What may be wrong when a run is resumed with more epochs. */
const CAUSES: Readonly<
  Record<string, { make: (run: string) => undefined | (() => void); flags?: string[]; says: RegExp }>
> = {
  'the data are away': {
    make() {
      renameSync(data, `${data}.away`);
      return () => renameSync(`${data}.away`, data);
    },
    says: /two\.csv/,
  },
  'the data have changed': {
    make() {
      const before = readFileSync(data);
      appendFileSync(data, '0.5,0.5,1\n');
      return () => writeFileSync(data, before);
    },
    says: /are not those that .* began with/,
  },
  'another process trains it': {
    make(run) {
      other ??= spawn('sleep', ['600']);
      writeFileSync(join(run, '.lock'), JSON.stringify({ token: 'theirs', pid: other.pid, host: hostname() }));
      return undefined;
    },
    says: /is in use by process/,
  },
  'a flag contradicts it': { make: () => undefined, flags: ['--units', '16'], says: /--units is 16 here and 8 in/ },
  'it is of another engine': {
    make: () => undefined,
    flags: ['--simd', 'relaxed'],
    says: /began on the engine wasm-simd/,
  },
  'no checkpoint can be read': {
    make: (run) => void truncateSync(join(checkpointOf(run), 'arrays.safetensors'), 100),
    says: /No checkpoint of .* can be read/,
  },
  'a line of its metrics is damaged': {
    make: (run) => void appendFileSync(join(run, 'metrics.jsonl'), '{"event":"epoch"}\n'),
    says: /Line \d+ of .*metrics\.jsonl has `epoch` undefined/,
  },
  'its settings were edited': {
    make: (run) =>
      changeRecord(run, ({ training, ...rest }) => ({ ...rest, training: { ...training, decay: 0.5 } })) as undefined,
    says: /`training\.decay` of .*run\.json is 0\.5, and epoch-.* was trained with 1\. Expected the settings/,
  },
  'its optimizer is none': {
    make(run) {
      rmSync(join(run, 'checkpoints'), { recursive: true });
      changeRecord(run, ({ training, ...rest }) => ({
        ...rest,
        training: { ...training, optimizer: { name: 'x', options: {} } },
      }));
      return undefined;
    },
    says: /There is no optimizer "x"/,
  },
  'its probe of estimators does not fit': {
    make(run) {
      rmSync(join(run, 'checkpoints'), { recursive: true });
      changeRecord(run, ({ training, ...rest }) => ({
        ...rest,
        training: { ...training, estimatorProbe: { neurons: ['disarm'], site: 'x' } },
      }));
      return undefined;
    },
    says: /The model has no firing site "x"/,
  },
};

describe('a run that may not go on', () => {
  for (const [cause, { make, flags = [], says }] of Object.entries(CAUSES))
    test(`since ${cause} is left as it was`, async () => {
      const run = copy();
      // What a writer would mend or remove first.
      appendFileSync(join(run, 'metrics.csv'), '3,0.1,');
      writeFileSync(join(run, '.0b2c1d4e-1111-2222-3333-444455556666.part'), 'half');
      if (!cause.startsWith('a line')) appendFileSync(join(run, 'metrics.jsonl'), '{"event":"ep');
      const undo = make(run);
      const before = treeOf(run);
      const { code, stderr } = await resumed(run, '--epochs', '6', ...flags);
      undo?.();
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
      assert.deepEqual(treeOf(run), before);
    });

  test('since fewer epochs are asked for than it has is left as it was; as many are no change', async () => {
    const run = copy();
    const before = treeOf(run);
    const { code, stderr } = await resumed(run, '--epochs', '1');
    assert.equal(code, 2);
    assert.match(stderr, /has trained 2 epochs already, and 1 are asked for\. Expected 2 or more/);
    assert.deepEqual(treeOf(run), before);
    assert.equal((await resumed(run, '--epochs', '2')).code, 0);
    assert.equal(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).result.epochs, 2);
  });

  test('goes on as soon as nothing is wrong', async () => {
    const run = copy();
    const { code, stderr } = await resumed(run, '--epochs', '6');
    assert.equal(code, 0, stderr);
    const { training, config, result } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    assert.deepEqual([training.epochs, config.epochs, result.epochs], [6, 6, 6]);
  });
});

describe('a run that may not begin', () => {
  const WRONG = [
    '--data',
    data,
    '--model',
    'dense',
    '--neuron',
    'tanh',
    '--probe-estimators',
    'disarm',
    '--threads',
    '1',
  ];

  test('leaves no folder, and an empty one that was there as it was', async () => {
    const place = temporaryFolder();
    const [fresh, empty] = [join(place, 'a', 'b'), join(place, 'empty')];
    await nodeFolder(empty).write('x', new Uint8Array(1));
    await nodeFolder(empty).remove('x');
    const before = treeOf(place);
    for (const path of [fresh, empty]) {
      const { code, stderr } = await runHere(trainCommand(), [...WRONG, '--run', path]);
      assert.equal(code, 2);
      assert.match(stderr, /has no firing site with noise/);
      assert.deepEqual(treeOf(place), before);
    }
  });

  test('leaves none of the folders that it would have had a name in', async () => {
    const place = temporaryFolder();
    const kept = process.env.FLIPGRAD_RUNS;
    process.env.FLIPGRAD_RUNS = join(place, 'runs');
    try {
      assert.equal((await runHere(trainCommand(), WRONG)).code, 2);
      assert.deepEqual(treeOf(place), {});
      assert.equal(
        (await runHere(trainCommand(), [...WRONG.filter((text) => !/probe|disarm/.test(text)), '--epochs', '1'])).code,
        0,
      );
      assert.equal(readdirSync(join(place, 'runs')).length, 1);
    } finally {
      if (kept === undefined) delete process.env.FLIPGRAD_RUNS;
      else process.env.FLIPGRAD_RUNS = kept;
    }
  });

  test('since another one begins there at the same moment leaves that one alone', async () => {
    const folder = join(temporaryFolder(), 'run');
    const attempts = Array.from({ length: 8 }, (_, seed) =>
      Run.create(nodeFolder(folder), tinyRecord(engine, { seed })),
    );
    const ends = await Promise.allSettled(attempts);
    const made = ends.flatMap((end, seed) => (end.status === 'fulfilled' ? [seed] : []));
    assert.equal(made.length, 1);
    assert.equal((await Run.open(nodeFolder(folder))).record.seed, made[0]);
  });
});

describe('between two sessions', () => {
  /** A disk that, when the power goes, keeps of what was added to files only what was flushed. */
  function powered(folder: Folder): { folder: Folder; cut: () => void } {
    const flushed = new Map<string, number>();
    const size = (name: string): number =>
      existsSync(join(folder.path, name)) ? readFileSync(join(folder.path, name)).length : 0;
    return {
      folder: {
        ...folder,
        async append(name, bytes) {
          if (!flushed.has(name)) flushed.set(name, size(name));
          await folder.append(name, bytes);
        },
        async sync(name) {
          await folder.sync(name);
          flushed.set(name, size(name));
        },
      },
      cut() {
        for (const [name, length] of flushed) truncateSync(join(folder.path, name), length);
      },
    };
  }

  test('a loss of power loses no line of an epoch that a checkpoint has', async () => {
    const whole = await tinyRun(engine);
    for await (const _ of trainRun(whole, { engine, data: digits }));
    const disk = powered(nodeFolder(join(temporaryFolder(), 'run')));
    const run = await Run.create(disk.folder, tinyRecord(engine));
    const controller = new AbortController();
    await assert.rejects(async () => {
      const options = { engine, data: digits, checkpointSeconds: 0, signal: controller.signal };
      for await (const event of trainRun(run, options))
        if (event.event === 'batch' && event.epoch === 3) controller.abort();
    });
    disk.cut();
    const events: unknown[] = [];
    for await (const event of trainRun(await Run.open(nodeFolder(disk.folder.path)), { engine, data: digits }))
      events.push(event);
    assert.deepEqual((events[0] as { missing: unknown }).missing, []);
    const lines = await (await Run.open(nodeFolder(disk.folder.path))).metrics();
    assert.deepEqual(
      lines.flatMap((line) => (line.event === 'epoch' ? [line.epoch] : [])),
      [1, 2, 3],
    );
  });

  test('lines that were lost are told', async () => {
    const run = copy();
    assert.equal((await resumed(run, '--epochs', '7')).code, 0);
    const file = join(run, 'metrics.jsonl');
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !/"epoch":[2345],/.test(line));
    writeFileSync(file, lines.join('\n'));
    const { code, stdout } = await resumed(run, '--epochs', '8', '--json');
    assert.equal(code, 0);
    const told = stdout.split('\n').find((line) => line.includes('"resumed"')) ?? '';
    assert.deepEqual(JSON.parse(told).missing, [[2, 5]]);
    rmSync(file);
    const again = await resumed(run, '--epochs', '9', '--json');
    assert.match(again.stdout, /"missing":\[\[1,8\]\]/);
  });

  test('a setting that was edited is named, whichever it is', async () => {
    const edits: Readonly<Record<string, (record: ReturnType<typeof JSON.parse>) => unknown>> = {
      seed: (record) => ({ ...record, seed: 77 }),
      'training.batch': (record) => ({ ...record, training: { ...record.training, batch: 11 } }),
      'training.optimizer.options.beta1': (record) => {
        record.training.optimizer.options.beta1 = 0.8;
        return record;
      },
      'training.maxNorm': (record) => ({ ...record, training: { ...record.training, maxNorm: 3 } }),
      'model.layers[0].rate': (record) => {
        record.model.layers[0].rate = 0.25;
        return record;
      },
      'engine.name': (record) => ({ ...record, engine: { ...record.engine, name: 'wasm-relaxed-simd' } }),
    };
    for (const [field, edit] of full ? Object.entries(edits) : Object.entries(edits).slice(0, 2)) {
      const run = copy();
      changeRecord(run, (record) => edit(record) as typeof record);
      const before = treeOf(run);
      const { code, stderr } = await resumed(run, '--epochs', '6', '--any-engine');
      assert.equal(code, 2, field);
      assert.ok(stderr.includes(`\`${field}\` of `), stderr);
      assert.deepEqual(treeOf(run), before);
    }
    // What may differ: where the data lie, and how long it trains.
    const run = copy();
    const moved = join(dirname(run), 'moved.csv');
    cpSync(data, moved);
    changeRecord(run, (record) => ({
      ...record,
      data: { ...record.data, source: moved },
      training: { ...record.training, epochs: 3, patience: 9 },
    }));
    const { code, stderr } = await resumed(run);
    assert.equal(code, 0, stderr);
  });

  test('a model whose layers were edited beside a checkpoint is not used', async () => {
    const run = join(temporaryFolder(), 'run');
    cpSync(good.stopped, run, { recursive: true });
    changeRecord(run, (record) => {
      record.model.layers[0].neuron = 'straight-through';
      return record;
    });
    const { code, stderr } = await runHere(evaluateCommand(), [run]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /`model\.layers\[0\]\.neuron` of .* is "straight-through", and epoch-.* with "stochastic-binary"/,
    );
  });
});
