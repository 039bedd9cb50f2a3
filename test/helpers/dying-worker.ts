// A worker thread that takes one part of a job and ends without giving it back, like one that was killed.
import { workerData } from 'node:worker_threads';
import { WORDS, type WorkerInit } from '../../src/backend/pool.ts';

const PART = 1023;
const { memory, control } = workerData as WorkerInit;
const words = new Int32Array(memory.buffer, control, 16);
for (;;) {
  const claim = Atomics.load(words, WORDS.claim);
  const part = claim & PART;
  const open = part !== PART && part * words[WORDS.grain] < words[WORDS.items];
  if (open && Atomics.compareExchange(words, WORDS.claim, claim, claim + 1) === claim) process.exit(0);
}
