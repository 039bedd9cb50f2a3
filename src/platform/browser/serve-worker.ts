import { serveKernels, type WorkerInit } from '../../backend/pool.ts';

/** The body of a kernel worker in a browser: serves kernels as soon as it receives its engine. */
export function serveWorker(): void {
  addEventListener('message', (event: MessageEvent<WorkerInit>) => serveKernels(event.data), { once: true });
}
