/** The entry of a kernel worker thread in Node. */
import { workerData } from 'node:worker_threads';
import { serveKernels, type WorkerInit } from '../../engine/pool.ts';

serveKernels(workerData as WorkerInit);
