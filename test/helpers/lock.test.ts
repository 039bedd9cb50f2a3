/** The lock of what test files make together: one owner at a time, also after owners that were killed. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { takeLock } from './lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-lock-'));
after(() => rmSync(folder, { recursive: true }));
const HELPER = new URL('./lock.ts', import.meta.url).href;

/** A process that takes the lock, then does something. */
const owner = (lock: string, then: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { mkdirSync, rmdirSync } from 'node:fs';
      const { takeLock } = await import(${JSON.stringify(HELPER)});
      const release = takeLock(${JSON.stringify(lock)});
      ${then}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on('close', resolve));

test('it is taken again after it was released, and leaves one empty file', () => {
  const lock = join(folder, 'again');
  for (let time = 0; time < 3; time++) takeLock(lock)();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('again')),
    ['again.3'],
  );
});

test('a lock whose owner was killed is free at once, and one process has it at a time', async () => {
  const [lock, busy] = [join(folder, 'killed'), join(folder, 'busy')];
  const dead = owner(lock, `mkdirSync(${JSON.stringify(busy)}); setInterval(() => {}, 1000);`);
  const end = ended(dead);
  while (!existsSync(busy)) await new Promise((resolve) => setTimeout(resolve, 20));
  dead.kill('SIGKILL');
  await end;
  rmSync(busy, { recursive: true });
  // To make a folder that is there is an error.
  const work = `mkdirSync(${JSON.stringify(busy)}); await new Promise((resolve) => setTimeout(resolve, 50)); rmdirSync(${JSON.stringify(busy)}); release();`;
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(() => ended(owner(lock, work)))), [0, 0, 0, 0]);
});

test('one who looked before others came and went does not take a number that has been', () => {
  const lock = join(folder, 'late');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${lock}.7`, '');
  takeLock(lock)();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('late')),
    ['late.8'],
  );
});
