import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from '../../lab/src/connect.ts';
import { type AnswerOptions, serve } from '../../lab/src/worker/serve.ts';

const ended: string[] = [];
const answers = {
  double: async (value: number) => 2 * value,
  async refuse(_: number) {
    throw new RangeError('That is too many. Expected five.');
  },
  async *count(to: number) {
    for (let i = 1; i <= to; i++) yield i;
  },
  /** Never ends by itself; the page is not heard but at its turns. */
  async *forEver(name: string, { signal }: AnswerOptions) {
    try {
      for (let i = 1; ; i++) {
        signal.throwIfAborted();
        yield i;
      }
    } finally {
      ended.push(name);
    }
  },
  async *breakAfter(count: number) {
    for (let i = 1; i <= count; i++) yield i;
    throw new RangeError('The loss is NaN.');
  },
};
const { port1, port2 } = new MessageChannel();
serve(port1 as never, answers);
const { ask, follow, fail } = connect<typeof answers>(port2 as never);
for (const port of [port1, port2]) port.start();
after(() => {
  port1.close();
  port2.close();
});

/** Events until there are so many. */
async function read<E>(events: AsyncIterable<readonly E[]>, count = Number.POSITIVE_INFINITY): Promise<E[]> {
  const found: E[] = [];
  for await (const bundle of events) {
    found.push(...bundle);
    if (found.length >= count) break;
  }
  return found;
}

/** Until the worker's side has ended the stream of that name. */
async function endOf(name: string): Promise<void> {
  for (let i = 0; i < 1000 && !ended.includes(name); i++) await ask('double', i);
  assert.ok(ended.includes(name));
}

test('a value, an error, and a stream in order', async () => {
  assert.equal(await ask('double', 4), 8);
  await assert.rejects(ask('refuse', 6), { message: 'That is too many. Expected five.' });
  assert.deepEqual(
    await read(follow('count', 1000)),
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
});

test('what a stream gave before it broke arrives, then the sentence', async () => {
  const found: number[] = [];
  await assert.rejects(
    async () => {
      for await (const bundle of follow('breakAfter', 3)) found.push(...bundle);
    },
    { message: 'The loss is NaN.' },
  );
  assert.deepEqual(found, [1, 2, 3]);
});

test('questions and a second stream are answered while a stream runs without end; leaving it ends it', async () => {
  let seen = 0;
  for await (const bundle of follow('forEver', 'endless')) {
    seen += bundle.length;
    assert.equal(await ask('double', 21), 42);
    assert.deepEqual(await read(follow('count', 3)), [1, 2, 3]);
    break;
  }
  assert.ok(seen > 0);
  await endOf('endless');
});

test('a stream that begins paused goes step by step, then by itself, and is cancelled while paused', async () => {
  const stream = follow('forEver', 'stepped', { paused: true });
  const events = stream[Symbol.asyncIterator]();
  const next = async (): Promise<readonly number[]> => (await events.next()).value;
  stream.step();
  assert.deepEqual(await next(), [1]);
  stream.step(2);
  const two = [...(await next())];
  if (two.length < 2) two.push(...(await next()));
  assert.deepEqual(two, [2, 3]);
  // Nothing more was made: the next step gives the next number.
  for (let i = 0; i < 20; i++) await ask('double', i);
  stream.step();
  assert.deepEqual(await next(), [4]);
  stream.resume();
  assert.equal((await next())[0], 5);
  stream.pause();
  stream.cancel();
  await endOf('stepped');
  // What had come before the pause may still be read; then it is over.
  for (let i = 0, item = await events.next(); !item.done; item = await events.next()) assert.ok(i++ < 100);
});

test('slow motion waits before the next event, hears of another pace while it waits, and is cancelled while it waits', async () => {
  const events = follow('forEver', 'slow', { pace: 1e9 });
  const reading = events[Symbol.asyncIterator]();
  assert.deepEqual((await reading.next()).value, [1]);
  for (let i = 0; i < 20; i++) await ask('double', i);
  events.pace(0);
  assert.equal((await reading.next()).value?.[0], 2);
  events.pace(1e9);
  for (let i = 0; i < 20; i++) await ask('double', i);
  events.cancel();
  await endOf('slow');
});

test('a worker that dies ends what is under way with its error, and what is asked later too', async () => {
  const stream = follow('forEver', 'orphan', { paused: true });
  const reading = assert.rejects(read(stream), { message: 'The worker did not load.' });
  fail(new Error('The worker did not load.'));
  await reading;
  await assert.rejects(ask('double', 1), { message: 'The worker did not load.' });
  await assert.rejects(read(follow('count', 3)), { message: 'The worker did not load.' });
});
