import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Engine, EnginePlatform } from '../../src/backend/engine.ts';
import type { WorkerHandle, WorkerInit } from '../../src/backend/pool.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { findBlas } from '../../src/platform/node/blas.ts';
import { createEngine, nodePlatform } from '../../src/platform/node/engine.ts';
import { randomStream } from '../../src/random/stream.ts';
import { add, scale } from '../../src/tensor/ops/arithmetic.ts';
import { gate } from '../../src/tensor/ops/gate.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { softmaxCrossEntropy } from '../../src/tensor/ops/softmax-cross-entropy.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { full, slow } from '../helpers/extent.ts';
import { examples, type OpCall, runOp } from '../helpers/gradient-check.ts';
import { drawn, normal } from '../helpers/numbers.ts';
import { fireCall, labelsOf, neurons } from '../tensor/op-cases.ts';

/** Elements of the least element-wise job that is cut in two. */
const TWO_PARTS = 4 * 4096 + 4;
/** Milliseconds in which anything here ends, by far. */
const BOUND = 20_000;

/** A promise's value, or an error: nothing here waits without bound. */
async function within<T>(promise: Promise<T>): Promise<T> {
  const late = new AbortController();
  const refusal = sleep(BOUND, undefined, { signal: late.signal }).then(() => {
    throw new Error(`Still waiting after ${BOUND} ms.`);
  });
  try {
    return await Promise.race([promise, refusal]);
  } finally {
    late.abort();
    await refusal.catch(() => {});
  }
}

/** Node's platform with its workers in sight, or with another worker's file in place of the engine's. */
function openPlatform(spawn = nodePlatform.spawn as (init: WorkerInit) => WorkerHandle): {
  platform: EnginePlatform;
  workers: { handle: WorkerHandle; ended: Promise<string> }[];
} {
  const workers: { handle: WorkerHandle; ended: Promise<string> }[] = [];
  return {
    workers,
    platform: {
      cores: 2,
      spawn(init) {
        const handle = spawn(init);
        workers.push({ handle, ended: new Promise((resolve) => handle.onEnd(resolve)) });
        return handle;
      },
    },
  };
}

/** Adds 1 to every element, in several parts, and checks that each was added once. */
function countUp(engine: Engine, jobs: number): void {
  engine.beginStep();
  const [one, sum] = [engine.allocate([TWO_PARTS], 'ones'), engine.allocate([TWO_PARTS], 'a sum')];
  one.values.fill(1);
  sum.values.fill(0);
  for (let i = 0; i < jobs; i++) engine.backend.run('addScaled', one.pointer, sum.pointer, TWO_PARTS, 1);
  assert.ok(sum.values.every((x) => x === jobs));
}

const library = (await findBlas('auto').catch(() => undefined))?.library;

/** Runs a job of more parts than the pool can number in a process that may hang; fails unless all threads give the same bits. */
async function bounded(name: string, blas = 'off'): Promise<void> {
  const file = fileURLToPath(new URL('./many-parts.ts', import.meta.url));
  const args = ['--conditions=flipgrad-source', file, name, blas];
  // An endless loop hears no other signal.
  const limits = { timeout: 5 * BOUND, killSignal: 'SIGKILL' } as const;
  const { stdout } = await promisify(execFile)(process.execPath, args, limits);
  const { parts, checksums } = JSON.parse(stdout) as { parts: number; checksums: string[] };
  assert.ok(parts > 1022, `${parts} parts: more are expected`);
  assert.deepEqual(checksums, Array(3).fill(checksums[0]));
}

/** Calls with shapes large enough for every kernel to be cut into parts. */
const perExample = (...shape: number[]) => ({ shape, plate: examples(shape[0]) });
const largeCalls: readonly (readonly [string, OpCall])[] = [
  [
    'matmul',
    { inputs: [perExample(300, 201), { shape: [201, 203] }, { shape: [203] }], apply: ([a, b, c]) => matmul(a, b, c) },
  ],
  [
    'matmul, transposed',
    {
      inputs: [{ shape: [201, 300] }, { shape: [203, 201] }, { shape: [203] }],
      apply: ([a, b, c]) => matmul(a, b, c, { transposeA: true, transposeB: true }),
    },
  ],
  ['add', { inputs: [perExample(301, 201), perExample(301, 201)], apply: ([a, b]) => add(a, b) }],
  ['add, a bias', { inputs: [perExample(301, 201), { shape: [201] }], apply: ([a, b]) => add(a, b) }],
  ['gate', { inputs: [perExample(301, 11), perExample(301, 11 * 19)], apply: ([g, v]) => gate(g, v, { size: 19 }) }],
  ['scale', { inputs: [perExample(301, 201)], apply: ([x]) => scale(x, { factor: 0.3 }) }],
  [
    'softmaxCrossEntropy',
    {
      prepare: (tape) => labelsOf(tape, 5001, 10, 1),
      inputs: [perExample(5001, 10)],
      apply: ([logits], labels) => softmaxCrossEntropy(logits, labels as Tensor),
    },
  ],
  // Neurons without kernels run on one thread; those that ask for thousands of draws are among them.
  ...neurons
    .filter((_, i) => full || i % 10 === 0)
    .map((spec): [string, OpCall] => {
      const { twin, mostUnits } = resolveNeuron(spec);
      return ['fire', fireCall(spec, mostUnits === undefined ? 151 : 3, twin ? 131 : 33, 2)];
    }),
];

describe('1, 2 and 3 threads give the same bits', async () => {
  for (const simd of ['simd', 'relaxed'] as const)
    test(simd, { skip: simd === 'simd' && slow }, async () => {
      const engines = [];
      for (const threads of [1, 2, 3]) engines.push(await createEngine({ simd, threads }));
      assert.deepEqual(
        engines.map((engine) => engine.threads),
        [1, 2, 3],
      );
      for (const [name, call] of largeCalls) {
        const [expected, ...others] = engines.map((engine) => runOp(engine, call, 17));
        for (const { output, gradients } of others) {
          assert.ok(
            output.every((x, i) => Object.is(x, expected.output[i])),
            `the output of ${name}`,
          );
          gradients.forEach((gradient, at) => {
            const same = gradient?.every((x, i) => Object.is(x, expected.gradients[at]?.[i]));
            assert.ok(same !== false, `gradient ${at} of ${name}`);
          });
        }
      }
      for (const engine of engines) engine.close();
    });
});

describe('the pool', () => {
  test('does thousands of tiny jobs, each exactly once and with its own description', async () => {
    const engine = await createEngine({ threads: 3 });
    const random = randomStream(5);
    const [x, long, short] = [5, 5, 2].map((parts) => engine.allocate([parts * TWO_PARTS], 'numbers'));
    x.values.fill(1);
    const sums = [long, short].map((tensor) => {
      tensor.values.fill(0);
      return { tensor, expected: new Float64Array(4), parts: tensor.size / TWO_PARTS };
    });
    for (let job = 0; job < 4000; job++) {
      const { tensor, expected } = sums[random.integer(2)];
      const factor = 1 + random.integer(3);
      const length = tensor.size - 4 * random.integer(3);
      engine.backend.run('addScaled', x.pointer, tensor.pointer, length, factor);
      for (let end = 1; end <= 3; end++) if (length >= tensor.size - 4 * (end - 1)) expected[end] += factor;
      expected[0] += factor;
    }
    for (const { tensor, expected } of sums) {
      const { values, size } = tensor;
      assert.ok(values.subarray(0, size - 8).every((sum) => sum === expected[0]));
      assert.equal(values[size - 1], expected[1], 'the last vector');
      assert.equal(values[size - 5], expected[2], 'the vector before it');
    }
    engine.close();
  });

  test('wakes workers that sleep, doze or spin', async () => {
    const engine = await createEngine({ threads: 3 });
    for (let i = 0; i < 150; i++) {
      countUp(engine, 2);
      await sleep(i % 4);
    }
    await sleep(1500);
    countUp(engine, 3);
    engine.close();
  });

  test('works while its workers are still starting', async () => {
    const { platform, workers } = openPlatform();
    const engine = await createEngine({ platform, threads: 3 });
    countUp(engine, 50);
    assert.equal(workers.length, 2);
    engine.close();
  });

  test('says that a worker died, and does not hang', async () => {
    const { platform, workers } = openPlatform();
    const engine = await createEngine({ platform, threads: 3 });
    countUp(engine, 50);
    workers[1].handle.terminate();
    await within(workers[1].ended);
    const message =
      /^Worker thread 2 died \(exit code \d\); the engine cannot go on\. Make a new engine, or use `threads: 1`\.$/;
    assert.throws(() => countUp(engine, 1), { message });
    assert.throws(() => countUp(engine, 1), { message }, 'the second time');
    engine.close();
  });

  test('either finishes a job or gives an error while a worker is being ended', async () => {
    for (let delay = 0; delay < 4; delay++) {
      const { platform, workers } = openPlatform();
      const engine = await createEngine({ platform, threads: 2, patience: 1000 });
      countUp(engine, 50);
      await sleep(10 * delay);
      workers[0].handle.terminate();
      try {
        countUp(engine, 300);
      } catch (error) {
        assert.match(String(error), /did not give it back within 1 s/);
      }
      await within(workers[0].ended);
      assert.throws(() => countUp(engine, 1), /Worker thread 1 died|did not give it back/);
      engine.close();
    }
  });

  test('says that a worker kept its part, after its patience', async () => {
    const url = new URL('../helpers/dying-worker.ts', import.meta.url);
    const { platform } = openPlatform((workerData) => {
      const worker = new Worker(url, { workerData });
      worker.unref();
      return {
        onEnd: (callback) => worker.once('exit', (code) => callback(`exit code ${code}`)),
        terminate: () => void worker.terminate(),
      };
    });
    const engine = await createEngine({ platform, threads: 2, patience: 300 });
    const message =
      /^A worker thread took a part of a kernel and did not give it back within 0\.3 s; it has died or is stopped\. Make a new engine, or use `threads: 1`\.$/;
    const end = performance.now() + BOUND;
    assert.throws(
      () => {
        while (performance.now() < end) countUp(engine, 100);
      },
      { message },
    );
    assert.throws(() => countUp(engine, 1), { message });
    engine.close();
  });

  test('a kernel that fails on a thread is an error at once, with its cause', async () => {
    const engine = await createEngine({ threads: 2 });
    await sleep(200);
    countUp(engine, 50);
    const nowhere = 2 ** 32 - 2 ** 16;
    const run = () => engine.backend.run('add', nowhere, nowhere, nowhere, 10 * TWO_PARTS);
    const message = 'A kernel failed on one of the threads; the engine cannot go on. Make a new engine.';
    assert.throws(run, (error: Error) => error.message === message && error.cause instanceof WebAssembly.RuntimeError);
    assert.throws(run, { message });
    engine.close();
  });

  test('cannot be used after it is closed, and its threads end', async () => {
    const { platform, workers } = openPlatform();
    const engine = await createEngine({ platform, threads: 3 });
    countUp(engine, 10);
    engine.close();
    for (const { ended } of workers) await within(ended);
    assert.throws(() => countUp(engine, 1), { message: 'The engine is closed.' });
  });

  for (const [i, name] of ['kernel', 'kernel of a neuron'].entries())
    test(`cuts ${name} into no more parts than it can number`, { skip: (i > 0 || library !== undefined) && slow }, () =>
      bounded(name, 'off'),
    );

  const without = library === undefined && 'There is no BLAS here, or no koffi: no products go to it.';
  for (const [i, name] of [
    'product by BLAS, of many columns',
    'product by BLAS, of many rows',
    'batch of products by BLAS',
    'open blocks by BLAS',
    'gradient of open blocks by BLAS',
  ].entries())
    test(`cuts ${name} into no more parts than it can number`, { skip: without || (i > 0 && slow) }, () =>
      bounded(name, library),
    );

  for (const closing of ['engine.close();', ''])
    test(`lets the process exit ${closing ? 'when closed' : 'though never closed'}`, async () => {
      const url = new URL('../../src/platform/node/engine.ts', import.meta.url);
      const program = `
        import { createEngine } from ${JSON.stringify(url.href)};
        const engine = await createEngine({ threads: 3 });
        const x = engine.allocate([${TWO_PARTS}], 'numbers');
        for (let i = 0; i < 100; i++) engine.backend.run('fill', x.pointer, x.size, i);
        ${closing}
        console.log(x.values[${TWO_PARTS - 1}]);`;
      const args = ['--conditions=flipgrad-source', '--input-type=module', '--eval', program];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: BOUND });
      assert.equal(stdout, '99\n');
    });
});

test('engines of a program compile the kernels once', async () => {
  const { compile } = WebAssembly;
  let times = 0;
  WebAssembly.compile = (bytes) => {
    times++;
    return compile(bytes);
  };
  try {
    for (let i = 0; i < 3; i++) (await createEngine({ threads: 1, simd: 'simd' })).close();
  } finally {
    WebAssembly.compile = compile;
  }
  // None where an engine was made before.
  assert.ok(times <= 1, `${times} times`);
});

describe('the threads option', () => {
  test('is refused when it is no whole number from 1 up', async () => {
    for (const threads of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      await assert.rejects(createEngine({ threads }), {
        name: 'RangeError',
        message: `\`threads\` is ${threads}. Expected a whole number from 1 up.`,
      });
  });

  test('is refused far above the cores that there are', async () => {
    await assert.rejects(createEngine({ threads: 1000, platform: { cores: 2 } }), {
      name: 'RangeError',
      message: '`threads` is 1000; a machine of 2 cores takes 16 at most; one a core is the default.',
    });
    const most = await createEngine({ threads: 32, platform: { cores: 8 } });
    most.close();
  });

  test('is one thread where the platform has none to give, with the same results', async () => {
    const engine = await createEngine({ threads: 4, platform: { cores: 4 } });
    assert.equal(engine.threads, 1);
    countUp(engine, 3);
    const x = engine.tensor(drawn(normal(), 7, 1));
    engine.backend.run('scale', x.pointer, x.pointer, 7, 2);
    assert.deepEqual(
      [...x.values],
      Array.from(drawn(normal(), 7, 1), (value) => 2 * value),
    );
  });

  test('is all cores of the platform by default', async () => {
    const { platform } = openPlatform();
    const engine = await createEngine({ platform });
    assert.equal(engine.threads, 2);
    engine.close();
  });
});
