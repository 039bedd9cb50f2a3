import type { Engine } from '../../../src/index.ts';
import { type BrowserThreads, browserThreads, createEngine } from '../../../src/platform/browser/index.ts';

/** How many threads the pages' engines have. One core stays with the page, so that it draws and answers people while they compute. */
export function labThreads(): BrowserThreads {
  const found = browserThreads();
  return found.threads === 1 ? found : { threads: found.threads - 1 };
}

/** An engine in this worker, with threads where the page may have them; the build that gives Node's bits. Its maker closes it. */
export async function makeEngine(threads = labThreads().threads): Promise<Engine> {
  try {
    return await createEngine({
      startWorker: () => new Worker(new URL('./kernel-worker.ts', import.meta.url), { type: 'module' }),
      simd: 'simd',
      threads,
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
