import { connect } from './connect.ts';
import type { Answers } from './worker/lab-worker.ts';

const worker = new Worker(new URL('./worker/lab-worker.ts', import.meta.url), { type: 'module' });
const connection = connect<Answers>(worker);
worker.addEventListener('error', (event) => connection.fail(new Error(event.message || 'The worker did not load.')));

/** `ask` for values and `follow` for streams: the worker's answers, by name. */
export const { ask, follow } = connection;
