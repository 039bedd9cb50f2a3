import { checkNames, type NamesOf } from '../schema/names.ts';
import type { Backend } from './backend.ts';
import type { Blas } from './blas.ts';
import { CROSSOVERS, type Crossovers } from './crossovers.ts';
import { NdArray } from './nd-array.ts';
import type { WorkerHandle, WorkerInit } from './pool.ts';
import { Profile } from './profile.ts';
import { createReferenceBackend } from './reference.ts';
import { createWasmBackend, type SimdChoice } from './wasm.ts';

/** Where nobody says a BLAS, in the library and on the command line: bits then do not depend on the machine's libraries. */
export const USUAL_BLAS = 'off';

/** What the engine needs of its surroundings; src/platform has one for Node and one for browsers. */
export interface EnginePlatform {
  /** Cores that the process may use. */
  readonly cores: number;
  /** Starts a worker thread that runs `serveKernels(init)`. Absent where there are no threads. */
  readonly spawn?: (init: WorkerInit) => WorkerHandle;
  /** Looks for a BLAS: `auto` gives undefined where there is none; a path that cannot be loaded is an error. */
  readonly findBlas?: (choice: string) => Promise<Blas | undefined>;
}

/** Options of `createEngine`. */
export interface EngineOptions {
  /** Threads, the calling one included; default: all cores that the platform reports (1 without a platform). At most four a core, or 16. */
  readonly threads?: number;
  /** Kernel build; default `auto`: relaxed SIMD where the machine has it. `simd` gives the same bits on every machine. */
  readonly simd?: SimdChoice;
  /** Most bytes of the heap; default 4 GiB, of which only what is used is claimed. */
  readonly memory?: number;
  /** `reference` runs the living definitions in Float64: slow, for checking. */
  readonly backend?: 'wasm' | 'reference';
  /** Milliseconds without progress after which a worker thread counts as dead; default 30,000. */
  readonly patience?: number;
  readonly platform?: EnginePlatform;
  /**
   * BLAS for dense products: `auto` takes one that the platform finds, `off` none, else the path of a library. Default `off`:
   * bits then do not depend on the machine's libraries.
   */
  readonly blas?: string;
  /**
   * When a gated layer computes open blocks alone, by units of a block. Default: as measured on the machine that this was built on;
   * `flipgrad bench --calibrate` measures yours.
   */
  readonly crossovers?: Crossovers;
}

const NAMES: NamesOf<EngineOptions> = {
  threads: true,
  simd: true,
  memory: true,
  backend: true,
  patience: true,
  platform: true,
  blas: true,
  crossovers: true,
};

/** Kernels, threads and one heap. Make one per network or program; `close()` ends its threads. */
export class Engine {
  /** What carries out kernels; while a profile is taken, the same with a clock. */
  get backend(): Backend {
    return this.running;
  }

  /** Present while a profile is taken: the tape and the training step tell it what they do. */
  profile: Profile | undefined;
  /** See `EngineOptions.crossovers`. */
  readonly crossovers: Crossovers;
  private begun = 0;
  private running: Backend;

  constructor(backend: Backend, crossovers: Crossovers = CROSSOVERS) {
    this.running = backend;
    this.crossovers = crossovers;
  }

  get name(): string {
    return this.backend.name;
  }

  get threads(): number {
    return this.backend.threads;
  }

  /** A persistent tensor, zeroed. @throws HeapError when the heap is exhausted */
  parameter(shape: readonly number[], purpose: string): NdArray {
    const size = shape.reduce((product, n) => product * n, 1);
    return new NdArray(this.backend.heap, this.backend.heap.allocatePersistent(size, purpose), shape);
  }

  /** A tensor of this step's arena, not cleared. @throws HeapError when the heap is exhausted */
  allocate(shape: readonly number[], purpose: string): NdArray {
    const size = shape.reduce((product, n) => product * n, 1);
    return new NdArray(this.backend.heap, this.backend.heap.allocate(size, purpose), shape);
  }

  /** A tensor of this step's arena with these values (row-major). @throws RangeError when the count does not fit the shape */
  tensor(values: ArrayLike<number>, shape: readonly number[] = [values.length]): NdArray {
    const tensor = this.allocate(shape, 'an input tensor');
    if (tensor.size !== values.length)
      throw new RangeError(`The shape [${shape.join(', ')}] holds ${tensor.size} values; ${values.length} were given.`);
    tensor.values.set(values);
    return tensor;
  }

  /** Steps begun: what the arena holds is of the last one. */
  get step(): number {
    return this.begun;
  }

  /** Starts a step: everything in the arena is forgotten. */
  beginStep(): void {
    this.begun++;
    this.backend.heap.resetArena();
  }

  /** What `run` spends its time on, by operation. @param clock milliseconds since some time; default: those of the wall */
  profiled(run: () => void, clock: () => number = () => performance.now()): Profile {
    const { running: own } = this;
    const profile = new Profile(clock);
    this.running = withClock(own, profile);
    this.profile = profile;
    try {
      run();
    } finally {
      this.running = own;
      this.profile = undefined;
    }
    return profile;
  }

  /** Ends the worker threads; the engine cannot be used afterwards. */
  close(): void {
    this.backend.close();
  }
}

/** The same backend; every kernel's time goes to the profile. */
function withClock(own: Backend, profile: Profile): Backend {
  const timed =
    <A extends readonly unknown[], R>(run: (...args: A) => R) =>
    (...args: A): R => {
      const start = profile.clock();
      const result = run(...args);
      profile.kernel(profile.clock() - start);
      return result;
    };
  const { gemm, runByBlas } = own;
  return {
    name: own.name,
    threads: own.threads,
    heap: own.heap,
    run: timed(own.run) as Backend['run'],
    runNeuron: timed(own.runNeuron),
    ...(gemm && { gemm: timed(gemm) }),
    ...(runByBlas && { runByBlas: timed(runByBlas) as NonNullable<Backend['runByBlas']> }),
    close: () => own.close(),
  };
}

/** As many threads as any machine may be asked for; beyond, four a core. A thousand on two cores would wait for each other all day. */
const FEW_THREADS = 16;

/**
 * Makes an engine.
 * @throws RangeError for a thread count that is not a whole number ≥ 1, or far above the cores that there are
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkNames('createEngine', options, NAMES);
  if (options.backend === 'reference') return new Engine(createReferenceBackend(), options.crossovers);
  const { platform } = options;
  const threads = options.threads ?? platform?.cores ?? 1;
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`\`threads\` is ${threads}. Expected a whole number from 1 up.`);
  const most = Math.max(FEW_THREADS, 4 * (platform?.cores ?? 1));
  if (threads > most)
    throw new RangeError(
      `\`threads\` is ${threads}; a machine of ${platform?.cores ?? 1} cores takes ${most} at most; one a core is the default.`,
    );
  const choice = options.blas ?? USUAL_BLAS;
  const backend = await createWasmBackend({
    threads,
    blas: choice === 'off' ? undefined : await platform?.findBlas?.(choice),
    simd: options.simd ?? 'auto',
    memory: options.memory ?? 2 ** 32,
    patience: options.patience,
    ...(platform?.spawn ? { spawn: platform.spawn } : {}),
  });
  return new Engine(backend, options.crossovers);
}

/** @param what is computed on it, for messages @throws RangeError for what is no engine, from callers without types */
export function checkEngine(what: string, engine: Engine): void {
  if (typeof (engine as Partial<Engine> | null | undefined)?.beginStep !== 'function')
    throw new RangeError(
      `${what}: the engine is ${engine === null ? 'null' : typeof engine}. Expected what \`createEngine\` gives.`,
    );
}
