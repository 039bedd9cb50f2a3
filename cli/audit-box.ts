import { Worker } from 'node:worker_threads';
import type { NeuronAudit, Verdict } from '../src/index.ts';
import type { MeasureFlags } from './audit-row.ts';
import { UsageError } from './exit.ts';

/** What a thread is asked. */
export type AuditRequest =
  | { readonly kind: 'list' }
  | { readonly kind: 'audit'; readonly text: string; readonly flags: MeasureFlags }
  | { readonly kind: 'digest'; readonly text: string };

/** What it answers. */
export type AuditReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | {
      readonly kind: 'audit';
      readonly verdicts: readonly Verdict[];
      readonly row?: NeuronAudit;
      readonly digest: string;
    }
  | { readonly kind: 'digest'; readonly digest: string }
  | { readonly kind: 'error'; readonly message: string };

/** Numbers of the counter: calls of a neuron's functions that came back, and those that run. */
export const [DONE, RUNNING] = [0, 1];

/** What a thread starts with, and a counter of the calls of a neuron's functions. */
export interface BoxData {
  readonly files: readonly string[];
  readonly calls: Int32Array<SharedArrayBuffer>;
}

/** Why a thread was ended, in words: what the neuron that it judged did. */
export class BoxError extends Error {
  override name = 'BoxError';
}

/** This file's own ending: `.ts` when run from source, `.js` when built. */
const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const workerUrl = new URL(`./audit-worker${ending}`, import.meta.url);
/** Megabytes of objects that a thread may have: those that last, and young ones, which a smaller share collects sooner. */
const [HEAP, YOUNG_HEAP] = [1024, 16];
/** Bytes of this process over which a thread that has answered is ended. */
const FULL = 400 * 2 ** 20;
/** Bytes that this process may grow by. */
const MEMORY = 3 * 2 ** 30;
/** Milliseconds between looks at a thread. */
const LOOK = 100;
/** So many times as long as a call a thread may take for anything else, before it is taken for endless. */
const PATIENCE = 30;

/** A thread that judges the neurons of files, or of the zoo, one after the other; it is made anew after each that broke it, and after one that left much memory. */
export class AuditBox {
  private readonly files: readonly string[];
  private readonly limit: number;
  private worker: Worker | undefined;
  private calls = new Int32Array(new SharedArrayBuffer(8));

  /** @param limit seconds that one call of a neuron's function may take */
  constructor(files: readonly string[], limit: number) {
    this.files = files;
    this.limit = limit;
  }

  /** @throws BoxError when the neuron never ends, takes all memory or ends the thread; UsageError for a file that cannot be run */
  async ask(request: AuditRequest, signal?: AbortSignal): Promise<AuditReply> {
    this.worker ??= await this.start(signal);
    const reading = request.kind === 'list';
    const reply = await this.answerOf(this.worker, () => this.worker?.postMessage(request), reading, signal);
    // A heap that has grown is not given back while its thread lives; the next neuron gets a new one.
    if (process.memoryUsage.rss() > FULL) await this.close();
    if (reply.kind === 'error')
      throw request.kind === 'list' ? new UsageError(reply.message) : new BoxError(reply.message);
    return reply;
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private async start(signal?: AbortSignal): Promise<Worker> {
    this.calls = new Int32Array(new SharedArrayBuffer(8));
    const workerData: BoxData = { files: this.files, calls: this.calls };
    const worker = new Worker(workerUrl, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP, maxYoungGenerationSizeMb: YOUNG_HEAP },
      stdout: true,
    });
    this.worker = worker;
    await this.answerOf(worker, () => {}, true, signal);
    return worker;
  }

  /**
   * The next message, unless the thread ends, stands still, grows without end, or is interrupted.
   * @param reading is a file read, which is to take as long as one call?
   */
  private answerOf(worker: Worker, begin: () => void, reading: boolean, signal?: AbortSignal): Promise<AuditReply> {
    return new Promise((resolve, reject) => {
      const before = process.memoryUsage.rss();
      let [seen, since] = [Atomics.load(this.calls, DONE), performance.now()];
      const fail = (error: Error): void => {
        stop();
        void this.close().then(() => reject(error));
      };
      const onMessage = (reply: AuditReply): void => {
        stop();
        resolve(reply);
      };
      const onError = (error: Error & { code?: string }): void =>
        fail(
          new BoxError(
            error.code === 'ERR_WORKER_OUT_OF_MEMORY'
              ? `it takes over ${HEAP} MB of memory`
              : `it threw: ${error.message}`,
          ),
        );
      const onExit = (): void => fail(new BoxError('it ends the process that it runs in'));
      const onAbort = (): void => fail(signal?.reason as Error);
      const look = setInterval(() => {
        const calls = Atomics.load(this.calls, DONE);
        if (calls !== seen) [seen, since] = [calls, performance.now()];
        const calling = Atomics.load(this.calls, RUNNING) > 0;
        const limit = this.limit * (calling || reading ? 1 : PATIENCE);
        if (performance.now() - since > 1000 * limit)
          fail(new BoxError(`${calling ? 'a call of one of its functions' : 'it'} has not come back in ${limit} s`));
        else if (process.memoryUsage.rss() - before > MEMORY)
          fail(new BoxError(`it takes over ${MEMORY / 2 ** 30} GB of memory`));
      }, LOOK);
      const stop = (): void => {
        clearInterval(look);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        signal?.removeEventListener('abort', onAbort);
      };
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
      else begin();
    });
  }
}
