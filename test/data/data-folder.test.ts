import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DataError, type Split } from '../../src/data/dataset.ts';
import { encodeIdx } from '../../src/data/idx.ts';
import { dataFolder, loadClasses, loadDataset } from '../../src/platform/node/data-folder.ts';
import { loadTaskData } from '../../src/platform/node/task-data.ts';
import { regression } from '../../src/tasks/regression.ts';
import { mirrorServer } from './mirror-server.ts';

/** A fresh folder with files in it. */
async function folderOf(context: TestContext, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flipgrad-data-'));
  context.after(() => rm(folder, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  return folder;
}

const counts = ({ train, valid, test: held }: Split): number[] => [train.count, valid.count, held.count];

/** IDX files of `count` examples of 2 × 3 pixels, the label of example i being i mod `classes`. */
function idxFiles(count: number, classes: number): [images: Uint8Array, labels: Uint8Array] {
  const data = Uint8Array.from({ length: count * 6 }, (_, i) => i & 255);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  return [encodeIdx({ shape: [count, 2, 3], data }), encodeIdx({ shape: [count], data: labels })];
}

test('digits come by name, in three parts', async () => {
  const split = await loadDataset('digits', { seed: 1 });
  assert.deepEqual(counts(split), [10_000, 2_000, 2_000]);
});

test('a folder of IDX files, compressed or not, with and without a test part', async (context) => {
  const [images, labels] = idxFiles(50, 4);
  const [testImages, testLabels] = idxFiles(12, 5);
  const train = { 'train-images-idx3-ubyte.gz': gzipSync(images), 'train-labels.idx1-ubyte': labels };
  const alone = await loadDataset(await folderOf(context, train));
  assert.deepEqual([...counts(alone), alone.train.classes], [40, 5, 5, 4]);
  const both = { ...train, 't10k-images-idx3-ubyte': testImages, 'test-labels': testLabels };
  const split = await loadDataset(await folderOf(context, both));
  assert.deepEqual([...counts(split), split.train.classes], [45, 5, 12, 5]);
  assert.deepEqual(split.test.image, { width: 3, height: 2 });
  assert.deepEqual((await loadDataset(await folderOf(context, both))).valid.checksum, split.valid.checksum);
});

test('CSV: one file, a compressed one, or train.csv with test.csv', async (context) => {
  const text = `label,a,b\n${Array.from({ length: 30 }, (_, i) => `${i % 3},${i},${255 - i}`).join('\n')}\n`;
  const folder = await folderOf(context, { 'one.csv': text, 'two.csv.gz': gzipSync(text) });
  assert.deepEqual(counts(await loadDataset(join(folder, 'one.csv'))), [24, 3, 3]);
  assert.deepEqual(counts(await loadDataset(join(folder, 'two.csv.gz'))), [24, 3, 3]);
  const pair = await loadDataset(await folderOf(context, { 'train.csv': text, 'test.csv': 'label,a,b\n1,2,3\n' }));
  assert.deepEqual([...counts(pair), pair.test.scale], [27, 3, 1, 1 / 255]);
});

test('folders beside the files of a data set change nothing; a file in a folder of its own name is found there', async (context) => {
  const [images, labels] = idxFiles(50, 4);
  const idx = { 'train-images.idx3-ubyte': images, 'train-labels.idx1-ubyte': labels };
  const alone = await loadDataset(await folderOf(context, idx));
  const beside = await folderOf(context, idx);
  // By name, these come before the files.
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images', 'train.csv', 'a'])
    await mkdir(join(beside, name));
  await writeFile(join(beside, 'train-images-idx3-ubyte', 'train-images-idx3-ubyte'), 'another');
  assert.equal((await loadDataset(beside)).train.checksum, alone.train.checksum);
  const unpacked = await folderOf(context, {});
  for (const [name, bytes] of [
    ['train-images-idx3-ubyte', images],
    ['train-labels-idx1-ubyte', labels],
  ] as const) {
    await mkdir(join(unpacked, name));
    await writeFile(join(unpacked, name, name), bytes);
  }
  assert.equal((await loadDataset(unpacked)).train.checksum, alone.train.checksum);
  const [train, other] = ['a,label\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n', 'a,label\n7,1\n'];
  const tables = await folderOf(context, { 'train.csv': train, 'z.txt': '' });
  await mkdir(join(tables, 'test.csv'));
  assert.deepEqual(counts(await loadDataset(tables)), [4, 1, 1]);
  await writeFile(join(tables, 'test.csv', 'test.csv'), other);
  assert.deepEqual(counts(await loadDataset(tables)), [5, 1, 1]);
  const numbers = await folderOf(context, { 'train.csv': train.replace('label', 'y') });
  await mkdir(join(numbers, 'test.csv.gz'));
  assert.equal((await loadTaskData(regression(), numbers)).parts.train.count, 4);
});

test('a test file without what is to be told is left out by its first row, whatever stands in its rows', async (context) => {
  const train = `name,age,y\n${Array.from({ length: 12 }, (_, i) => `n${i % 3},${i},${i % 2}`).join('\n')}\n`;
  const files = { 'train.csv': train, 'test.csv': 'name,age\nn9,\n,x\n"', 'submission.csv': 'y\n0\n', 'notes.txt': '' };
  const folder = await folderOf(context, files);
  for (const { parts, told = [] } of [await loadClasses(folder), await loadTaskData(regression(), folder)]) {
    assert.deepEqual([parts.train.count, parts.valid.count, parts.test.count], [10, 1, 1]);
    assert.match(told.join('\n'), /test\.csv has no labels and is left out/);
    assert.match(told.join('\n'), /left out, as neither train\.csv nor test\.csv: submission\.csv$/);
  }
  const told = await folderOf(context, { ...files, 'test.csv': 'y,name,age\n1,n9,2\n' });
  await assert.rejects(
    loadDataset(told),
    /Line 2 of .*test\.csv, column 2 \("name"\) holds "n9", which is none of its/,
  );
  const bare = await folderOf(context, { 'train.csv': '1,a,0\n2,b,1\n3,a,1\n4,b,0\n', 'test.csv': '5,zzz\n' });
  const { parts } = await loadClasses(bare, { table: { targets: ['3'], header: false } });
  assert.deepEqual([parts.train.count, parts.test.count], [2, 1]);
});

test('a test file is read with the options of the training file, from its first row on', async (context) => {
  const train = `a,b,label\n${Array.from({ length: 12 }, (_, i) => `${i},${i % 5},${i % 2}`).join('\n')}\n`;
  const numbered = await folderOf(context, { 'train.csv': train, 'test.csv': '1,2\n5,6\n' });
  assert.match(((await loadClasses(numbered)).told ?? []).join(), /test\.csv has no labels/);
  await assert.rejects(loadClasses(numbered, { table: { header: true } }), /test\.csv has no column "a"/);
  const twice = await folderOf(context, { 'train.csv': train, 'test.csv': 'a,b,label,a\n1,2,0,3\n' });
  await assert.rejects(loadDataset(twice), /test\.csv has two columns of one name/);
  assert.equal((await loadDataset(twice, { table: { guess: true } })).test.count, 1);
});

test('a folder whose tables have other names is refused with these', async (context) => {
  const folder = await folderOf(context, { 'houses.csv': 'a,y\n1,2\n', 'b.csv.gz': '' });
  const named = /or the path of one of b\.csv\.gz, houses\.csv there\./;
  await assert.rejects(loadDataset(folder), named);
  await assert.rejects(loadTaskData(regression(), folder), named);
});

test('what is no data set is refused in a sentence', async (context) => {
  const [images, labels] = idxFiles(2, 2);
  const { 0: short } = idxFiles(3, 2);
  const refused = (path: string, message: RegExp) =>
    assert.rejects(loadDataset(path), (error: Error) => error instanceof DataError && message.test(error.message));
  await refused(
    'no-such-thing',
    /no data set, file or folder "no-such-thing"\. Expected digits, mnist, fashion-mnist, a folder/,
  );
  await refused(await folderOf(context, {}), /holds no data set/);
  await refused(
    await folderOf(context, { 'train-images': images, 'train-labels': labels }),
    /holds 2 training examples/,
  );
  await refused(await folderOf(context, { 'train-images': short, 'train-labels': labels }), /3 examples and 2 labels/);
  const half = { 'train-images': images, 'train-labels': labels, 'test-images': images };
  await refused(await folderOf(context, half), /test images without labels/);
  const cut = { 'train-images.gz': gzipSync(images).subarray(0, 20), 'train-labels': labels };
  await refused(await folderOf(context, cut), /not whole gzip data/);
});

test('mnist: wrong files from a mirror are refused, by name, and an abort is heeded', async (context) => {
  const server = await mirrorServer({ 'train-labels-idx1-ubyte.gz': gzipSync('not MNIST') });
  context.after(() => server.close());
  const dataDir = await folderOf(context, {});
  const options = { dataDir, mirrors: [server.base('good')] };
  await assert.rejects(loadDataset('mnist', options), /sha256 .* but 65a50cbb.*by hand/s);
  await assert.rejects(loadDataset('fashion-mnist', options), /md5 .* but 25c81989/);
  await mkdir(join(dataDir, 'mnist'), { recursive: true });
  await writeFile(join(dataDir, 'mnist', 'train-labels-idx1-ubyte'), 'not MNIST');
  await assert.rejects(loadDataset('mnist', options), DataError);
  const reason = new Error('enough');
  await assert.rejects(loadDataset('mnist', { ...options, signal: AbortSignal.abort(reason) }), reason);
});

test('the data folder is the option, else FLIPGRAD_DATA, else in the home folder', (context) => {
  const before = process.env.FLIPGRAD_DATA;
  context.after(() => {
    if (before === undefined) delete process.env.FLIPGRAD_DATA;
    else process.env.FLIPGRAD_DATA = before;
  });
  process.env.FLIPGRAD_DATA = '/from-the-environment';
  assert.equal(dataFolder({ dataDir: '/given' }), '/given');
  assert.equal(dataFolder(), '/from-the-environment');
  delete process.env.FLIPGRAD_DATA;
  assert.match(dataFolder(), /\.cache.flipgrad$/);
});

const without = process.env.FLIPGRAD_DATA
  ? false
  : 'Set FLIPGRAD_DATA to a folder that holds mnist/ to test with MNIST.';

test('MNIST from the data folder', { skip: without }, async () => {
  const split = await loadDataset('mnist', { mirrors: [] });
  assert.deepEqual(counts(split), [50_000, 10_000, 10_000]);
  assert.deepEqual([...split.train.labels.subarray(0, 5)], [5, 0, 4, 1, 9]);
  assert.deepEqual([...split.test.labels.subarray(0, 5)], [7, 2, 1, 0, 4]);
  let sum = 0;
  for (const byte of split.train.features) sum += byte;
  const mean = sum / split.train.features.length;
  assert.ok(mean > 33 && mean < 34, `${mean}`);
});
