import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createEngine as create, type Engine, type EngineOptions, type EnginePlatform } from '../../backend/engine.ts';
import type { WorkerHandle, WorkerInit } from '../../backend/pool.ts';
import { findBlas } from './blas.ts';
import { readCalibration } from './calibration.ts';

/** This file's own ending: `.ts` when run from source, `.js` when built. */
const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const workerUrl = new URL(`./worker${ending}`, import.meta.url);

function spawn(init: WorkerInit): WorkerHandle {
  const worker = new Worker(workerUrl, { workerData: init, stdout: false, stderr: false });
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
export const nodePlatform: EnginePlatform = { cores: availableParallelism(), spawn, findBlas };

/**
 * Makes an engine on Node, with one thread a core unless `threads` says otherwise, and with the crossovers that `flipgrad bench
 * --calibrate` has kept for this machine. See `createEngine` of the library.
 */
export function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const crossovers = options.crossovers ?? readCalibration(options);
  return create({ platform: nodePlatform, ...options, ...(crossovers && { crossovers }) });
}
