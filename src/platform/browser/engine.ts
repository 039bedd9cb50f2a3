import { createEngine as create, type Engine, type EngineOptions, type EnginePlatform } from '../../backend/engine.ts';
import type { WorkerHandle, WorkerInit } from '../../backend/pool.ts';
import { browserThreads } from './threads.ts';

export interface BrowserPlatformOptions {
  /**
   * Starts a worker whose script calls `serveWorker`, as `() => new Worker(new URL('./kernel-worker.ts', import.meta.url), { type:
   * 'module' })`: bundlers have to see that as it stands in the program. Without it there is one thread.
   */
  readonly startWorker?: () => Worker;
}

/** A browser's threads and cores; one thread where workers cannot share memory. */
export function browserPlatform({ startWorker }: BrowserPlatformOptions = {}): EnginePlatform {
  const { threads } = browserThreads();
  if (threads === 1 || !startWorker) return { cores: 1 };
  const spawn = (init: WorkerInit): WorkerHandle => {
    const worker = startWorker();
    worker.postMessage(init);
    return {
      onEnd(callback) {
        const end = (event: ErrorEvent): void => callback(event.message || 'its script did not load');
        worker.addEventListener('error', end, { once: true });
      },
      terminate: () => worker.terminate(),
    };
  };
  return { cores: threads, spawn };
}

/** Default limit of the heap in a tab, in bytes: some browsers reserve all of it at once. */
const MEMORY = 2 ** 30;

/**
 * Makes an engine in a browser, with one thread a core where `startWorker` is given and the page is cross-origin isolated. With threads
 * it has to be in a Web Worker, as the main thread of a page may not wait. See `createEngine` of the library.
 */
export function createEngine(options: EngineOptions & BrowserPlatformOptions = {}): Promise<Engine> {
  const { startWorker, ...rest } = options;
  return create({ platform: browserPlatform(startWorker ? { startWorker } : {}), memory: MEMORY, ...rest });
}
