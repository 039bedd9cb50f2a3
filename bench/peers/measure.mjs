// What the peers' scripts share: the command line, the timing and the one line that they print.
import { parseArgs } from 'node:util';

const WARM_UP_MILLISECONDS = 1500;
const SAMPLES = 30;
/** Work that takes seconds is timed five times. */
const LEAST_SAMPLES = 5;
const MOST_MILLISECONDS = 10_000;

/** The size of the product; torch.py has the same. */
export const MATMUL = 512;
/** The nets of the training steps, by the name of the work; torch.py has the same. */
export const steps = {
  'dense-step': { batch: 100, inputs: 784, hidden: 2000, classes: 10, learningRate: 0.1 },
  'small-step': { batch: 1, inputs: 16, hidden: 16, classes: 2, learningRate: 0.1 },
};

/** Work of some peers only: layers, forward and all gradients. */
const layers = ['attention', 'convolution'];

/** Reads `--work matmul512|dense-step|small-step|attention|convolution --threads N`. */
export function readOptions() {
  const { values } = parseArgs({
    options: { work: { type: 'string', default: 'dense-step' }, threads: { type: 'string', default: '1' } },
  });
  if (!['matmul512', ...Object.keys(steps), ...layers].includes(values.work))
    throw new Error(`--work ${values.work}: no such work`);
  return { work: values.work, threads: Number(values.threads) };
}

/** Float32 numbers in [-scale, scale), the same every time. */
export function numbers(length, scale) {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * scale;
  });
}

/** Times `once` (which must wait for its own result) after a warm-up, and prints the line. */
export async function report(facts, once) {
  const start = performance.now();
  do await once();
  while (performance.now() - start < WARM_UP_MILLISECONDS);
  const samples = [];
  const from = performance.now();
  while (samples.length < SAMPLES) {
    if (samples.length >= LEAST_SAMPLES && performance.now() - from > MOST_MILLISECONDS) break;
    const begin = performance.now();
    await once();
    samples.push(Number((performance.now() - begin).toFixed(4)));
  }
  const ordered = [...samples].sort((x, y) => x - y);
  const middle = ordered.length >> 1;
  const milliseconds = ordered.length % 2 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
  console.log(JSON.stringify({ ...facts, milliseconds: Number(milliseconds.toFixed(4)), samples }));
}
