/**
 * Our side of a benchmark: one process, one kind of work, one line of JSON.
 *
 *     node bench/ours.ts --work matmul512|dense-step --threads 1 --simd simd|relaxed
 */
import { parseArgs } from 'node:util';
import { multiplyMatrices } from '../src/engine/matmul.ts';
import { targetOf } from '../src/engine/matrix.ts';
import { createModel, dense, digits, sgd } from '../src/index.ts';
import { createEngine } from '../src/platform/node/index.ts';
import { gatherBatch } from '../src/train/batches.ts';
import { Stepper } from '../src/train/step.ts';

const { values: flags } = parseArgs({
  options: {
    work: { type: 'string', default: 'matmul512' },
    threads: { type: 'string', default: '1' },
    simd: { type: 'string', default: 'auto' },
  },
});

const engine = await createEngine({ threads: Number(flags.threads), simd: flags.simd as 'auto' });

/** A 512×512×512 product of Float32 matrices. */
function matmul512(): () => void {
  const n = 512;
  const values = Float32Array.from({ length: n * n }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
  return () => {
    engine.beginStep();
    const [a, b, out] = [engine.tensor(values, [n, n]), engine.tensor(values, [n, n]), engine.allocate([n, n], 'out')];
    const plain = (pointer: number) => ({ pointer, rowStride: n, columnStride: 1 });
    const start = performance.now();
    multiplyMatrices(engine, plain(a.pointer), plain(b.pointer), targetOf(out), { m: n, n, k: n });
    times.push(performance.now() - start);
  };
}

/** One SGD step of 784 → 2000 → 10, batch 100: forward, all gradients, update. */
function denseStep(): () => void {
  const data = digits({ seed: 1, count: 100 });
  const model = createModel(engine, { inputs: 784, layers: [dense(2000, 'rectifier'), dense(10)] });
  const optimizer = sgd({ learningRate: 0.1 });
  const stepper = new Stepper(model, optimizer);
  const indices = Int32Array.from({ length: 100 }, (_, i) => i);
  return () => {
    const start = performance.now();
    engine.beginStep();
    stepper.run(gatherBatch(engine, data, indices), { optimizer, learningRate: 0.1 });
    times.push(performance.now() - start);
  };
}

const WORK: Readonly<Record<string, () => () => void>> = { matmul512, 'dense-step': denseStep };
const SECONDS = 1.5;

const times: number[] = [];
const work = WORK[flags.work]?.();
if (!work) throw new RangeError(`There is no work "${flags.work}". Known: ${Object.keys(WORK).join(', ')}.`);
const start = performance.now();
while (performance.now() - start < SECONDS * 1000 || times.length < 10) work();
times.splice(0, Math.floor(times.length / 5)); // warming up
times.sort((a, b) => a - b);
const milliseconds = times[Math.floor(times.length / 2)];
console.log(
  JSON.stringify({
    peer: 'flipgrad',
    work: flags.work,
    engine: engine.name,
    threads: engine.threads,
    milliseconds,
    least: times[0],
    samples: times.length,
    node: process.version,
  }),
);
engine.close();
