/** Runs read from a web server and from picked files: what a page can do with them. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { labServer } from '../../cli/lab-server.ts';
import { adam, createModel, type Folder, Run, runModel, StorageError, summarize, trainRun } from '../../src/index.ts';
import { fetchedFolder, pickedFolder } from '../../src/platform/browser/index.ts';
import { createEngine, nodeFolder } from '../../src/platform/node/index.ts';
import { RUN_FORMAT } from '../../src/runs/record.ts';
import { digits, gatedModel } from '../train/tiny.ts';

const top = mkdtempSync(join(tmpdir(), 'flipgrad-browser-folder-'));
const engine = await createEngine({ threads: 1, simd: 'simd' });

const { description: spec } = gatedModel(engine);
const run = await Run.create(nodeFolder(top), {
  format: RUN_FORMAT,
  task: { name: 'classification' },
  created: new Date(0).toISOString(),
  config: { neuron: 'straight-through' },
  model: { ...spec, layers: spec.layers.map((layer, i) => ({ ...layer, name: `layer${i}` })) },
  training: { epochs: 2, batch: 50, optimizer: { name: 'adam', options: adam().options } },
  seed: 1,
  data: {
    source: 'digits',
    seed: 5,
    name: 'digits',
    checksums: { train: digits.train.checksum, valid: digits.valid.checksum, test: digits.test.checksum },
    examples: { train: digits.train.count, valid: digits.valid.count, test: digits.test.count },
    width: 784,
    outputs: 10,
    classes: 10,
    scale: digits.train.scale,
  },
  engine: { name: engine.name, threads: 1, simd: 'simd', blas: 'off', crossovers: engine.crossovers },
  versions: {},
  machine: {},
  logs: [],
});
const options = { engine, data: digits, model: createModel(engine, run.record.model) };
for await (const _ of trainRun(run, options));
const server = createServer((request, response) => {
  const place = join(top, request.url ?? '');
  if (request.url === '/broken') return void response.writeHead(500).end();
  if (!statSync(place, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end();
  response.writeHead(200).end(readFileSync(place));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
after(() => {
  engine.close();
  server.closeAllConnections();
  server.close();
  rmSync(top, { recursive: true, force: true });
});

const picked = (leave: (place: string) => boolean = () => false): Folder => {
  const places = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter((place) =>
    statSync(join(top, place)).isFile(),
  );
  return pickedFolder(
    'my run',
    new Map(
      places.filter((place) => !leave(place)).map((place) => [place, new Blob([readFileSync(join(top, place))])]),
    ),
  );
};

describe('a run that is only read', () => {
  for (const [name, folder] of [
    ['fetched', () => fetchedFolder(address)],
    ['picked', () => picked()],
  ] as const)
    test(`${name}: summary, metrics and weights are those of the folder on the disk`, async () => {
      const [own, theirs] = [await Run.open(folder()), await Run.open(nodeFolder(top))];
      assert.deepEqual(own.record, theirs.record);
      assert.deepEqual(await own.metrics(), await theirs.metrics());
      const { folder: path, ...summary } = await summarize(own);
      const { folder: _, ...expected } = await summarize(theirs);
      assert.deepEqual(summary, expected);
      assert.equal(path, folder().path);
      const model = (await runModel(own, engine)).model;
      const known = (await runModel(theirs, engine)).model;
      assert.deepEqual(model.snapshot(), known.snapshot());
    });

  test('picked, without its weights: the best checkpoint is taken', async () => {
    const run = await Run.open(picked((place) => place === 'weights.safetensors'));
    assert.deepEqual(await run.checkpoints(), await (await Run.open(nodeFolder(top))).checkpoints());
    assert.match((await runModel(run, engine)).from, /the best so far/);
  });

  test('fetched from the server of the lab: it is listed, and so are its checkpoints read', async () => {
    const own = labServer({ lab: top, run: top });
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    try {
      const [folder, disk] = [
        fetchedFolder(`http://127.0.0.1:${(own.address() as AddressInfo).port}/run/`),
        nodeFolder(top),
      ];
      assert.deepEqual(await folder.list(), await disk.list());
      assert.deepEqual(await folder.list('nothing'), []);
      const [found, known] = [await (await Run.open(folder)).latest(), await (await Run.open(disk)).latest()];
      assert.ok(known);
      assert.deepEqual(found, known);
      assert.equal(await folder.locked(), false);
      const lock = await disk.lock();
      assert.equal(await folder.locked(), true);
      await lock.release();
    } finally {
      own.closeAllConnections();
      own.close();
    }
  });

  test('checkpoints that a writer replaces while they are read: the new ones are taken', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'flipgrad-replaced-'));
    try {
      cpSync(top, copy, { recursive: true });
      const disk = nodeFolder(copy);
      const known = await (await Run.open(disk)).latest();
      let lists = 0;
      const folder: Folder = {
        ...disk,
        async list(name) {
          const names = await disk.list(name);
          if (lists++ === 0)
            for (const [i, old] of names.entries())
              renameSync(join(copy, 'checkpoints', old), join(copy, `checkpoints/epoch-000009-step-000000000${i}`));
          return names;
        },
      };
      const found = await (await Run.open(folder)).latest();
      assert.match(found?.name ?? '', /^epoch-000009-/);
      assert.deepEqual(found?.state, known?.state);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  test('what cannot be done is a sentence', async () => {
    const folder = fetchedFolder(address);
    const storage = (message: RegExp) => (error: Error) => error instanceof StorageError && message.test(error.message);
    assert.equal(await folder.read('nothing', 10), undefined);
    await assert.rejects(folder.read('broken', 10), storage(/broken cannot be fetched: the server says 500/));
    await assert.rejects(folder.read('run.json', 10), storage(/run\.json has \d+ bytes; 10 is the most/));
    await assert.rejects(folder.list(), storage(/cannot be listed from here\. Pick the folder itself/));
    await assert.rejects(
      fetchedFolder('http://127.0.0.1:1/').read('run.json', 10),
      storage(/run\.json cannot be fetched/),
    );
    for (const other of [folder, picked()]) {
      await assert.rejects(other.write('x', new Uint8Array(1)), storage(/can only be read here/));
      await assert.rejects(other.lock(), storage(/can only be read here/));
    }
    await assert.rejects(picked().read('run.json', 10), storage(/my run\/run\.json has \d+ bytes/));
    await assert.rejects(
      Run.open(pickedFolder('holiday', new Map([['beach.png', new Blob(['x'])]]))),
      storage(/holiday holds no run: there is no run\.json/),
    );
  });
});
