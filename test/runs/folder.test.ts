import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { nodeFolder } from '../../src/platform/node/folder.ts';
import { isLocked, lockFolder } from '../../src/platform/node/folder-lock.ts';
import { StorageError } from '../../src/runs/folder.ts';
import { temporaryFolder } from './tiny-run.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const refused = (attempt: Promise<unknown>, message: RegExp) =>
  assert.rejects(attempt, (error: Error) => error instanceof StorageError && message.test(error.message));

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
});
