import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createEngine as create, type Engine, type EngineOptions, type EnginePlatform } from '../../backend/engine.ts';
import type { WorkerHandle, WorkerInit } from '../../backend/pool.ts';
import { findBlas } from './blas.ts';
import { readCalibration } from './calibration.ts';

/** Where this file lies; undefined in CommonJS bundles. */
const here = import.meta.url as string | undefined;
/** The file of worker threads, with this file's own ending: `.ts` when run from source, `.js` when built. */
const workerUrl = here === undefined ? undefined : new URL(`./worker${here.slice(here.lastIndexOf('.'))}`, here);
/** A bundle has one file, and no worker's beside it. */
const hasWorkers = workerUrl !== undefined && existsSync(workerUrl);
const BUNDLED =
  'flipgrad computes on one thread here: it was bundled, and the file of its worker threads does not lie beside the bundle. Expected flipgrad left out of the bundle (an external dependency).';
let warned = false;

function spawn(init: WorkerInit): WorkerHandle {
  const worker = new Worker(workerUrl as URL, { workerData: init, stdout: false, stderr: false });
  // A thread that ends while it loads a native library takes the whole program with it: until it says that it is ready it keeps
  // the program alive. Afterwards a finished program need not wait for it.
  const ready = new Promise<void>((resolve) => {
    worker.once('message', resolve);
    worker.once('error', () => resolve());
    worker.once('exit', () => resolve());
  });
  void ready.then(() => worker.unref());
  return {
    onEnd(callback) {
      let ended = false;
      const end = (reason: string) => {
        if (!ended) callback(reason);
        ended = true;
      };
      worker.once('error', (error) => end(String(error)));
      worker.once('exit', (code) => end(`exit code ${code}`));
    },
    terminate() {
      void ready.then(() => worker.terminate());
    },
  };
}

/** Node's threads and cores. */
export const nodePlatform: EnginePlatform = {
  cores: hasWorkers ? availableParallelism() : 1,
  ...(hasWorkers && { spawn }),
  findBlas,
};

/**
 * Makes an engine on Node, with one thread a core unless `threads` says otherwise, and with the crossovers that `flipgrad bench
 * --calibrate` has kept for this machine. In a bundle it has one thread, which a warning says once. See `createEngine` of the library.
 */
export function createEngine(options: EngineOptions = {}): Promise<Engine> {
  if (!hasWorkers && options.threads !== 1 && options.platform === undefined && !warned) {
    warned = true;
    process.emitWarning(BUNDLED);
  }
  const crossovers = options.crossovers ?? readCalibration(options);
  return create({ platform: nodePlatform, ...options, ...(crossovers && { crossovers }) });
}
