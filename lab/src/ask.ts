import type { Answers } from './worker/lab-worker.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: Error): void;
}

const worker = new Worker(new URL('./worker/lab-worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, Waiting>();
let count = 0;

worker.addEventListener('message', ({ data }: MessageEvent<{ id: number; result?: unknown; error?: string }>) => {
  const entry = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.error === undefined) entry?.resolve(data.result);
  else entry?.reject(new Error(data.error));
});
worker.addEventListener('error', (event) => {
  for (const { reject } of waiting.values()) reject(new Error(event.message || 'The worker did not load.'));
  waiting.clear();
});

/** Asks the worker; rejects with the sentence of what went wrong. */
export function ask<N extends keyof Answers>(
  name: N,
  ...[argument]: Parameters<Answers[N]>
): Promise<Awaited<ReturnType<Answers[N]>>> {
  const id = count++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
    worker.postMessage({ id, name, argument });
  });
}
