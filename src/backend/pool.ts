/**
 * The thread pool: a leader (the thread that calls) and workers on one shared memory. A job is one kernel call, cut into
 * parts; threads claim parts from an atomic counter. A job may finish while some worker still sleeps.
 *
 * The word CLAIM holds the job's number in its upper 22 bits and the next unclaimed part in the lower 10. A worker copies the
 * job's description, then claims a part by compare-exchange on that word: success proves that the description was current,
 * because the leader closes the word before it writes a new one, and does so only when every part of the old one is done.
 */
export const WORDS = {
  claim: 0,
  done: 1,
  sleepers: 2,
  leaderWaits: 3,
  failed: 4,
  kernel: 5,
  items: 6,
  grain: 7,
  stop: 8,
  count: 9,
};
const PART_BITS = 10;
/** The part number that means: closed, the description is being written. */
const CLOSED = (1 << PART_BITS) - 1;
/** Most parts of a job. The pool keeps to it whatever grain it is given. */
const MAX_PARTS = CLOSED - 1;
/** Byte offset of the arguments (Float64) within the control block, and how many there may be. */
export const ARGUMENTS_OFFSET = 64;
export const MAX_ARGUMENTS = 24;
export const CONTROL_BYTES = ARGUMENTS_OFFSET + 8 * MAX_ARGUMENTS;

/** Polls of the claim word before a worker goes to sleep: some tens of microseconds. */
const SPINS = 4000;
/** A sleeping worker looks about at least this often, in milliseconds. */
const NAP = 1000;
/** The leader gives up when no part ends for so long, in milliseconds; the default of an engine's `patience`. */
export const PATIENCE = 30_000;
/** The leader looks about at least this often while it waits, in milliseconds. */
const LOOK = 100;

/** The kernels of one thread, by job number. */
export type KernelTable = readonly ((begin: number, end: number, ...args: number[]) => void)[];

/** What a worker is started with. */
export interface WorkerInit {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Byte offset of the control block. */
  readonly control: number;
  /** Byte offset of this thread's scratch memory. */
  readonly scratch: number;
  readonly kernels: readonly string[];
  /** The BLAS library that the thread loads for itself, as the platform names it. */
  readonly blas?: string | undefined;
}

/** A started worker as the platform sees it. */
export interface WorkerHandle {
  /** Calls back once, when the thread has ended or failed. */
  onEnd(callback: (reason: string) => void): void;
  /** Ends the worker at once. */
  terminate(): void;
}

interface Control {
  readonly words: Int32Array;
  readonly args: Float64Array;
}

function controlOf(buffer: ArrayBufferLike, offset: number): Control {
  return {
    words: new Int32Array(buffer, offset, ARGUMENTS_OFFSET / 4),
    args: new Float64Array(buffer, offset + ARGUMENTS_OFFSET, MAX_ARGUMENTS),
  };
}

const pause: () => void = (Atomics as unknown as { pause?: () => void }).pause ?? (() => {});

/** Claims and runs parts of the current job until none is left. Returns the parts run. */
function runParts(control: Control, kernels: KernelTable): number {
  const { words } = control;
  let ran = 0;
  // The description of job `known`. It may be torn; then the job is over, and no claim of one of its parts succeeds.
  let known = -1;
  let [items, grain, run] = [0, 1, kernels[0]];
  let args: number[] = [];
  for (;;) {
    const claim = Atomics.load(words, WORDS.claim);
    const part = claim & CLOSED;
    if (part === CLOSED) return ran;
    if (claim >>> PART_BITS !== known) {
      known = claim >>> PART_BITS;
      [items, grain, run] = [words[WORDS.items], words[WORDS.grain], kernels[words[WORDS.kernel]]];
      args = Array.from(control.args.subarray(0, words[WORDS.count]));
    }
    const begin = part * grain;
    if (begin >= items) return ran;
    if (Atomics.compareExchange(words, WORDS.claim, claim, claim + 1) !== claim) continue;
    try {
      run(begin, Math.min(items, begin + grain), ...args);
    } catch (error) {
      Atomics.store(words, WORDS.failed, 1);
      throw error;
    } finally {
      ran++;
      Atomics.add(words, WORDS.done, 1);
      if (Atomics.load(words, WORDS.leaderWaits) === 1) Atomics.notify(words, WORDS.done);
    }
  }
}

/** The kernels of an instantiated module, in the order of the names. */
export function kernelTable(instance: WebAssembly.Instance, names: readonly string[]): KernelTable {
  return names.map((name) => {
    const run = instance.exports[name];
    if (typeof run !== 'function')
      throw new Error(`The kernel module has no export "${name}": run \`npm run prepare\`.`);
    return run as KernelTable[number];
  });
}

/** What a thread of the pool has of its own. */
export interface ThreadTools {
  readonly memory: WebAssembly.Memory;
  /** Byte offset of its scratch memory. */
  readonly scratch: number;
  /** Its own instance's kernel of this name. */
  kernel(
    name: 'gatherRows' | 'transposeRows' | 'addTransposedRows' | 'addGatedRows' | 'fillRows' | 'updateBlocks',
  ): KernelTable[number];
}

/** What kernels of the platform work with on one thread. */
export function threadTools(instance: WebAssembly.Instance, memory: WebAssembly.Memory, scratch: number): ThreadTools {
  return { memory, scratch, kernel: (name) => kernelTable(instance, [name])[0] };
}

/**
 * The body of a worker thread: serves jobs until it is told to stop. Never spins without bound.
 * @param extra makes kernels of the platform (BLAS), which come after those of the module
 */
export function serveKernels(init: WorkerInit, extra?: (tools: ThreadTools) => KernelTable): void {
  const instance = new WebAssembly.Instance(init.module, { env: { memory: init.memory } });
  (instance.exports.setScratch as (pointer: number) => void)(init.scratch);
  const { memory, scratch } = init;
  const kernels = [...kernelTable(instance, init.kernels), ...(extra?.(threadTools(instance, memory, scratch)) ?? [])];
  const control = controlOf(init.memory.buffer, init.control);
  const { words } = control;
  while (Atomics.load(words, WORDS.stop) === 0) {
    // Read before looking for work: a job that is published in between changes the word, and is not slept through.
    const seen = Atomics.load(words, WORDS.claim);
    if (runParts(control, kernels) > 0) continue;
    let spins = SPINS;
    while (spins-- > 0 && Atomics.load(words, WORDS.claim) === seen) pause();
    if (spins >= 0) continue;
    Atomics.add(words, WORDS.sleepers, 1);
    Atomics.wait(words, WORDS.claim, seen, NAP);
    Atomics.sub(words, WORDS.sleepers, 1);
  }
}

/** The leader's side. With no workers it simply calls the kernels. */
export class Pool {
  private readonly control: Control;
  private readonly kernels: KernelTable;
  private readonly workers: WorkerHandle[] = [];
  private readonly patience: number;
  private job = 0;
  private broken = '';

  /** @param patience milliseconds without any part ending after which a worker counts as dead */
  constructor(memory: WebAssembly.Memory, controlPointer: number, kernels: KernelTable, patience = PATIENCE) {
    this.control = controlOf(memory.buffer, controlPointer);
    this.kernels = kernels;
    this.patience = patience;
  }

  /** Adds a started worker; its unexpected end breaks the pool. */
  add(worker: WorkerHandle): void {
    const number = this.workers.push(worker);
    worker.onEnd((reason) => {
      this.broken ||= `Worker thread ${number} died (${reason}); the engine cannot go on. Make a new engine, or use \`threads: 1\`.`;
    });
  }

  get threads(): number {
    return this.workers.length + 1;
  }

  /**
   * Runs one kernel over its items; returns when all are done. Throws when a worker has died.
   * @param least items of a part; there are more where the parts would be too many
   */
  run(kernel: number, items: number, least: number, args: readonly number[]): void {
    if (this.broken) throw new Error(this.broken);
    if (items <= 0) return;
    // A function of the job alone, not of the threads, so that the bits are the same.
    const grain = Math.max(least, Math.ceil(items / MAX_PARTS));
    if (this.workers.length === 0 || items <= grain) {
      // One part, or one thread: still cut at the same places, so that the bits are the same.
      const run = this.kernels[kernel];
      for (let begin = 0; begin < items; begin += grain) run(begin, Math.min(items, begin + grain), ...args);
      return;
    }
    if (args.length > MAX_ARGUMENTS) throw new RangeError(`A kernel takes at most ${MAX_ARGUMENTS} arguments.`);
    this.publish(kernel, items, grain, args);
    let failure: unknown;
    try {
      runParts(this.control, this.kernels);
    } catch (error) {
      failure = error;
    }
    this.await(Math.ceil(items / grain), failure);
  }

  /** Ends the workers. */
  close(): void {
    const { words } = this.control;
    Atomics.store(words, WORDS.stop, 1);
    Atomics.notify(words, WORDS.claim);
    this.broken = 'The engine is closed.';
    for (const worker of this.workers) worker.terminate();
  }

  private publish(kernel: number, items: number, grain: number, args: readonly number[]): void {
    const { words } = this.control;
    this.job = (this.job + 1) & 0x3fffff;
    // A read-modify-write, not a store: later plain writes may overtake a store on ARM, and a worker could see them early.
    Atomics.exchange(words, WORDS.claim, (this.job << PART_BITS) | CLOSED);
    words[WORDS.done] = 0;
    words[WORDS.kernel] = kernel;
    words[WORDS.items] = items;
    words[WORDS.grain] = grain;
    words[WORDS.count] = args.length;
    this.control.args.set(args);
    Atomics.store(words, WORDS.claim, this.job << PART_BITS);
    if (Atomics.load(words, WORDS.sleepers) > 0) Atomics.notify(words, WORDS.claim);
  }

  /** Waits until all parts are done, or a thread has failed. @param failure what the leader's own part threw, if it did */
  private await(parts: number, failure: unknown): void {
    const { words } = this.control;
    const over = (): boolean => Atomics.load(words, WORDS.done) >= parts || Atomics.load(words, WORDS.failed) === 1;
    let spins = SPINS;
    while (!over() && spins-- > 0) pause();
    let waited = 0;
    Atomics.store(words, WORDS.leaderWaits, 1);
    for (;;) {
      const done = Atomics.load(words, WORDS.done);
      if (over()) break;
      waited = Atomics.wait(words, WORDS.done, done, LOOK) === 'timed-out' ? waited + LOOK : 0;
      if (waited < this.patience) continue;
      this.broken = `A worker thread took a part of a kernel and did not give it back within ${this.patience / 1000} s; it has died or is stopped. Make a new engine, or use \`threads: 1\`.`;
      throw new Error(this.broken);
    }
    Atomics.store(words, WORDS.leaderWaits, 0);
    if (Atomics.load(words, WORDS.failed) === 1) {
      this.broken = 'A kernel failed on one of the threads; the engine cannot go on. Make a new engine.';
      throw new Error(this.broken, { cause: failure });
    }
  }
}
