import { createEngine } from '../../../src/platform/browser/index.ts';

/** An engine in this worker, with threads where the page may have them; the build that gives Node's bits. Its maker closes it. */
export const makeEngine = () =>
  createEngine({
    startWorker: () => new Worker(new URL('./kernel-worker.ts', import.meta.url), { type: 'module' }),
    simd: 'simd',
  });
