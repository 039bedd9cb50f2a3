/** The entry of a kernel worker thread in Node. */
import { parentPort, workerData } from 'node:worker_threads';
import { blasKernels } from '../../backend/blas.ts';
import { serveKernels, type WorkerInit } from '../../backend/pool.ts';
import { findBlas } from './blas.ts';

const init = workerData as WorkerInit;
const blas = init.blas === undefined ? undefined : await findBlas(init.blas);
parentPort?.postMessage('ready');
serveKernels(init, blas && ((tools) => blasKernels(blas, tools)));
