import { connect } from './connect.ts';
import type { Answers } from './worker/lab-worker.ts';

const worker = new Worker(new URL('./worker/lab-worker.ts', import.meta.url), { type: 'module' });
const connection = connect<Answers>(worker);

/** Resolves when the worker has died, or its script did not load, with a sentence: nothing is answered any more. */
export const workerEnd: Promise<string> = new Promise((resolve) => {
  worker.addEventListener('error', ({ message }) => {
    const reason = message
      ? `What computes for this page has ended: ${message}.`
      : 'What computes for this page, its worker, did not load: its script was blocked, or the server is gone.';
    connection.fail(new Error(reason));
    resolve(reason);
  });
});

/** `ask` for values and `follow` for streams: the worker's answers, by name. */
export const { ask, follow } = connection;
