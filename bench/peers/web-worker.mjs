// The browser's Worker, for scripts given as Blob URLs, on Node's worker_threads: jax-js starts its threads only where
// there is a global Worker, and Node has none.
import { resolveObjectURL } from 'node:buffer';
import { Worker as NodeWorker } from 'node:worker_threads';

const PRELUDE = `
const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => self.onmessage({ data }));
`;

export class Worker {
  #worker;
  constructor(url) {
    this.#worker = resolveObjectURL(url)
      .text()
      .then((source) => {
        const worker = new NodeWorker(PRELUDE + source, { eval: true });
        worker.on('message', (data) => this.onmessage({ data }));
        worker.on('error', (error) => this.onerror(error));
        return worker;
      });
  }
  postMessage(message) {
    this.#worker.then((worker) => worker.postMessage(message));
  }
}
