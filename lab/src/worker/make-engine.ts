import type { Engine } from '../../../src/index.ts';
import { createEngine } from '../../../src/platform/browser/index.ts';

/** An engine in this worker, with threads where the page may have them; the build that gives Node's bits. Its maker closes it. */
export async function makeEngine(): Promise<Engine> {
  try {
    return await createEngine({
      startWorker: () => new Worker(new URL('./kernel-worker.ts', import.meta.url), { type: 'module' }),
      simd: 'simd',
    });
  } catch (error) {
    // What a browser says of a module that does not come.
    if (!(error instanceof TypeError)) throw error;
    throw new Error(
      `The engine's kernels did not load: ${error.message}. Expected the server of this page to be there; load the page again when it is.`,
      { cause: error },
    );
  }
}
