import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { FormatError } from '../../src/io/format-error.ts';
import { nodeFolder } from '../../src/platform/node/folder.ts';
import { isLocked, lockFolder } from '../../src/platform/node/folder-lock.ts';
import { StorageError } from '../../src/runs/folder.ts';
import { readMetrics } from '../../src/runs/metrics.ts';
import { classification } from '../../src/tasks/classification.ts';
import { readingOf } from '../../src/tasks/reading.ts';
import { treeOf } from '../helpers/tree.ts';
import { temporaryFolder } from './tiny-run.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const refused = (attempt: Promise<unknown>, message: RegExp) =>
  assert.rejects(attempt, (error: Error) => error instanceof StorageError && message.test(error.message));

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

describe('a folder on a disk', () => {
  test('holds what was written, and nothing else', async () => {
    const path = join(temporaryFolder(), 'not there yet');
    const folder = nodeFolder(path);
    assert.deepEqual(await folder.list(), []);
    assert.equal(await folder.read('a', 10), undefined);
    await folder.write('a', bytes('one'));
    await folder.write('a', bytes('two'));
    await folder.write('deep/b', { x: bytes('1'), y: bytes('2') });
    await folder.append('log', bytes('first '));
    await folder.append('log', bytes('second'));
    await folder.truncate('log', 5);
    assert.deepEqual(await folder.list(), ['a', 'deep', 'log']);
    assert.deepEqual(await folder.list('deep/b'), ['x', 'y']);
    assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'two');
    assert.equal(readFileSync(join(path, 'log'), 'utf8'), 'first');
    await folder.remove('deep');
    await folder.remove('never there');
    assert.deepEqual(readdirSync(path), ['a', 'log']);
  });

  test('says why it cannot, and leaves what stood there', async () => {
    const path = temporaryFolder();
    const folder = nodeFolder(path);
    await folder.write('a', bytes('0123456789'));
    await refused(folder.read('a', 9), /a has 10 bytes; 9 is the most that can be read/);
    mkdirSync(join(path, 'folder'));
    await folder.write('folder/inside', bytes('kept'));
    await refused(folder.write('folder', bytes('x')), /folder \(1 bytes\) cannot be written: /);
    await refused(folder.write('a', { x: bytes('1') }), /a \(1 bytes\) cannot be written: /);
    await refused(folder.write('a/b', bytes('x')), /cannot be written/);
    assert.equal(readFileSync(join(path, 'a'), 'utf8'), '0123456789');
    assert.deepEqual(readdirSync(path), ['a', 'folder'], 'no leftovers');
    assert.equal(readFileSync(join(path, 'folder/inside'), 'utf8'), 'kept');
  });
});

describe('a folder of a stranger', () => {
  const LINK = /is a symbolic link\. Expected a (file|folder): links within .* are not followed/;
  /** A folder, and one outside with a file and a folder, to which links lead. */
  const withLinks = () => {
    const [path, outside] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(outside, 'file'), 'theirs');
    mkdirSync(join(outside, 'inside'));
    writeFileSync(join(outside, 'inside/deep'), 'theirs too');
    symlinkSync(join(outside, 'file'), join(path, 'file'));
    symlinkSync(join(outside, 'inside'), join(path, 'inside'));
    symlinkSync(join(outside, 'never there'), join(path, 'dangling'));
    return { path, outside, folder: nodeFolder(path) };
  };

  test('leads nowhere by links, whatever is attempted', async () => {
    const { path, outside, folder } = withLinks();
    const before = [treeOf(path), treeOf(outside)];
    for (const name of ['file', 'dangling', 'inside/deep', 'inside/new']) {
      await refused(folder.read(name, 100), LINK);
      await refused(collected(folder.pieces(name, 100)), LINK);
      await refused(folder.append(name, bytes('mine')), LINK);
      await refused(folder.truncate(name, 0), LINK);
    }
    for (const name of ['inside/deep', 'inside/new', 'inside/a/b']) {
      await refused(folder.write(name, bytes('mine')), LINK);
      await refused(folder.write(name, { part: bytes('mine') }), LINK);
      await refused(folder.remove(name), LINK);
    }
    await refused(folder.list('inside'), LINK);
    assert.deepEqual([treeOf(path), treeOf(outside)], before);
    // What is replaced or removed as a whole is the link itself.
    await folder.write('file', bytes('mine'));
    await folder.remove('inside');
    assert.deepEqual([readFileSync(join(path, 'file'), 'utf8'), treeOf(outside)], ['mine', before[1]]);
  });

  test('leads nowhere by names', async () => {
    const { path, outside, folder } = withLinks();
    const before = treeOf(outside);
    const out = `../${basename(outside)}/file`;
    for (const name of [out, join(outside, 'file'), '..', 'a/../../x', './a', '', 'a//b', 'a\\b', 'c:b', 'a\0b'])
      for (const attempt of [
        () => folder.read(name, 100),
        () => folder.write(name, bytes('mine')),
        () => folder.append(name, bytes('mine')),
        () => folder.truncate(name, 0),
        () => folder.remove(name),
        () => folder.list(name),
      ])
        await refused(attempt(), /is no place within .*\. Expected plain names/);
    assert.deepEqual(treeOf(outside), before);
    assert.equal(treeOf(path).file, `link to ${join(outside, 'file')}`);
  });

  test('may itself be reached over a link', async () => {
    const { outside } = withLinks();
    const way = join(temporaryFolder(), 'way');
    symlinkSync(outside, way);
    const folder = nodeFolder(way);
    await folder.append('file', bytes(' and mine'));
    await folder.write('inside/new', bytes('new'));
    const lock = await folder.lock();
    await lock.release();
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'theirs and mine');
    assert.deepEqual(await folder.list('inside'), ['deep', 'new']);
  });

  test('is read in pieces, and no more than is wanted', async () => {
    const path = temporaryFolder();
    const folder = nodeFolder(path);
    const content = Uint8Array.from({ length: 700_001 }, (_, i) => i % 251);
    await folder.write('large', content);
    const pieces = await collected(folder.pieces('large', content.length));
    assert.ok(pieces.length > 1);
    assert.ok(Buffer.concat(pieces).equals(content));
    assert.deepEqual(await collected(folder.pieces('never there', 10)), []);
    await refused(collected(folder.pieces('large', 700_000)), /large has 700001 bytes; 700000 is the most/);
  });
});

test('metrics without a line’s end are refused before they are all read', async () => {
  const path = temporaryFolder();
  const file = join(path, 'metrics.jsonl');
  writeFileSync(file, `${JSON.stringify({ event: 'session', epochs: 0, batches: 0, step: 0, time: 1 })}\n`);
  truncateSync(file, 2 ** 27);
  let read = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of nodeFolder(path).pieces('metrics.jsonl', 2 ** 27)) {
      read += piece.length;
      yield piece;
    }
  };
  await assert.rejects(
    readMetrics(counted(), 'metrics.jsonl', readingOf(classification)),
    (error: Error) =>
      error instanceof FormatError && /^Line 2 of metrics\.jsonl has more than 16777216/.test(error.message),
  );
  assert.ok(read < 2 ** 25, `${read} bytes were read`);
});

describe('the lock of a folder', () => {
  const lockFile = (folder: string): string => join(folder, '.lock');
  const foreign = (folder: string, silentFor: number, host = 'another machine') => {
    writeFileSync(lockFile(folder), JSON.stringify({ token: 'theirs', pid: process.pid, host }));
    const touched = new Date(Date.now() - 1000 * silentFor);
    utimesSync(lockFile(folder), touched, touched);
  };

  test('has one owner, however many ask at once', async () => {
    const folder = temporaryFolder();
    const locks = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    const [owner, ...others] = locks.flatMap((lock) => (lock.status === 'fulfilled' ? [lock.value] : []));
    assert.deepEqual(others, []);
    await owner.release();
    assert.deepEqual(readdirSync(folder), []);
  });

  test('of another machine counts until that has been silent for two minutes', async () => {
    const folder = temporaryFolder();
    foreign(folder, 60);
    assert.equal(await isLocked(folder), true);
    await refused(lockFolder(folder), /is in use by process \d+ on another machine/);
    foreign(folder, 130);
    assert.equal(await isLocked(folder), false);
    await (await lockFolder(folder)).release();
  });

  test('of a process of this machine that had our number before us is nobody’s', async () => {
    const folder = temporaryFolder();
    foreign(folder, 0, hostname());
    await (await lockFolder(folder)).release();
  });

  test('of a living process of this machine counts for ever, whatever its age and the clock', async () => {
    const folder = temporaryFolder();
    const other = spawn('sleep', ['60']);
    try {
      const owner = { token: 'theirs', pid: other.pid, host: hostname() };
      for (const seconds of [-600, 0, 600, 1e8]) {
        writeFileSync(lockFile(folder), JSON.stringify(owner));
        const touched = new Date(Date.now() - 1000 * seconds);
        utimesSync(lockFile(folder), touched, touched);
        assert.equal(await isLocked(folder), true, `touched ${seconds} s ago`);
        await refused(lockFolder(folder), /is in use by process \d+ on/);
      }
    } finally {
      const ended = new Promise((resolve) => other.once('close', resolve));
      other.kill();
      await ended;
    }
    assert.equal(await isLocked(folder), false);
    await (await lockFolder(folder)).release();
  });

  test('of a process that has ended is nobody’s, though another one has its number since', async (t) => {
    const folder = temporaryFolder();
    const lock = await lockFolder(folder);
    const owner = JSON.parse(readFileSync(lockFile(folder), 'utf8'));
    await lock.release();
    if (owner.started === undefined) return t.skip('this system does not tell when a process began');
    // As process 1 would have it that had begun at another time; and as another boot of this machine, or a container, would.
    writeFileSync(lockFile(folder), JSON.stringify({ ...owner, token: 'theirs', pid: 1, started: '7' }));
    assert.equal(await isLocked(folder), false);
    writeFileSync(lockFile(folder), JSON.stringify({ ...owner, token: 'theirs', pid: 2 ** 22 + 1, realm: 'another' }));
    assert.equal(await isLocked(folder), true, 'its age decides');
    const touched = new Date(Date.now() - 130_000);
    utimesSync(lockFile(folder), touched, touched);
    assert.equal(await isLocked(folder), false);
  });

  test('is touched while it is held, and its loss is told', async () => {
    const folder = temporaryFolder();
    const lock = await lockFolder(folder, 10);
    const old = new Date(Date.now() - 100_000);
    utimesSync(lockFile(folder), old, old);
    while (Date.now() - statSync(lockFile(folder)).mtimeMs > 50_000)
      await new Promise((resolve) => setTimeout(resolve, 5));
    foreign(folder, 0);
    await new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
    assert.match(String(lock.lost.reason), /was taken over by process \d+ on another machine; this one stops/);
    await lock.release();
    assert.equal(JSON.parse(readFileSync(lockFile(folder), 'utf8')).token, 'theirs', 'and it is left to them');
  });

  test('is lost with its folder, which is not made again', async () => {
    const path = join(temporaryFolder(), 'run');
    const folder = nodeFolder(path);
    const told = /run was removed or renamed while process \d+ was using it; nothing can be saved there\. Expected/;
    for (const away of [() => rmSync(path, { recursive: true }), () => renameSync(path, `${path} elsewhere`)]) {
      const lock = await folder.lock();
      await folder.write('a', bytes('one'));
      away();
      await refused(folder.write('a', bytes('two')), told);
      await refused(folder.append('log', bytes('line')), told);
      await lock.release();
      assert.ok(!existsSync(path));
    }
    // Between two files of a checkpoint.
    const lock = await folder.lock();
    const files = {
      get facts() {
        renameSync(path, `${path} last`);
        return bytes('one');
      },
    };
    await refused(folder.write('checkpoints/a', files), told);
    await lock.release();
    assert.ok(!existsSync(path));
    const quick = temporaryFolder();
    const watched = await lockFolder(quick, 10);
    rmSync(quick, { recursive: true });
    await new Promise((resolve) => watched.lost.addEventListener('abort', resolve));
    assert.match(String(watched.lost.reason), /was removed or renamed while process \d+ was using it/);
  });

  test('is lost when its file is removed', async () => {
    const path = temporaryFolder();
    const folder = nodeFolder(path);
    const lock = await folder.lock();
    rmSync(lockFile(path));
    await refused(
      folder.write('a', bytes('one')),
      /\.lock was removed while process \d+ was using .*; it stops, since another/,
    );
    await lock.release();
    assert.deepEqual(readdirSync(path), []);
  });
});
