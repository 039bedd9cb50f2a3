/** Pieces of a page that are made in turns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn } from '../../lab/src/in-turn.ts';

/** Longer than a task may go on. */
const BUSY = 20;
const busy = (): void => {
  const end = performance.now() + BUSY;
  while (performance.now() < end);
};
const asked = (count: number, work: (i: number) => void): Promise<void> =>
  new Promise((resolve) => {
    for (let i = 0; i < count; i++) inTurn(() => work(i));
    inTurn(resolve);
  });

test('work is done in the order in which it was asked for, and what is called off is not', async () => {
  const done: number[] = [];
  const callOff = inTurn(() => done.push(-1));
  callOff();
  await asked(5, (i) => done.push(i));
  assert.deepEqual(done, [0, 1, 2, 3, 4]);
});

test('pieces share a task until 8 milliseconds of it are over', async ({ mock }) => {
  // A clock that the pieces themselves turn; what each task did.
  let clock = 0;
  const tasks: number[][] = [];
  mock.method(performance, 'now', () => clock);
  const { setTimeout } = globalThis;
  mock.method(globalThis, 'setTimeout', (work: () => void) =>
    setTimeout(() => {
      tasks.push([]);
      work();
    }),
  );
  const lasting = [3, 3, 3, 3, 20, 1, 7, 1];
  await asked(lasting.length, (i) => {
    tasks.at(-1)?.push(i);
    clock += lasting[i];
  });
  assert.deepEqual(tasks, [[0, 1, 2], [3, 4], [5, 6], [7]]);
});

test('between pieces that take long others get their turn', async () => {
  const done: (number | string)[] = [];
  const all = asked(3, (i) => {
    busy();
    done.push(i);
  });
  setTimeout(() => done.push('another'));
  await all;
  assert.equal(done[0], 0);
  assert.equal(done[1], 'another');
  assert.deepEqual(done.slice(2), [1, 2]);
});

test('what fails is reported, and holds up no other', async () => {
  const reported: unknown[] = [];
  const { reportError } = globalThis;
  // Browsers have it, Node has not.
  globalThis.reportError = (error) => reported.push(error);
  try {
    const done: number[] = [];
    await asked(3, (i) => {
      if (i === 1) throw new Error('no room');
      done.push(i);
    });
    assert.deepEqual(done, [0, 2]);
    assert.match(String(reported), /no room/);
  } finally {
    globalThis.reportError = reportError;
  }
});
