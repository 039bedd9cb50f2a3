import { catalogue, type KernelArguments, type KernelName, kernelNames } from '../kernels/catalogue.ts';
import { type Kernel, SCRATCH_BYTES } from '../kernels/kernel.ts';
import { type NeuronKernel, type NeuronKernelName, neuronKernels } from '../kernels/neurons.ts';
import type { Backend, GemmCall } from './backend.ts';
import { type Blas, blasKernels, gemmParts } from './blas.ts';
import { BLOCK_PRODUCTS, type BlockProduct, blockProductItems } from './blas-block-items.ts';
import { Heap, type Memory } from './heap.ts';
import { CONTROL_BYTES, kernelTable, Pool, threadTools, type WorkerHandle, type WorkerInit } from './pool.ts';

const PAGE = 65536;
/** Room for the thread pool and one thread's scratch memory. */
const LEAST_MEMORY = 8 * 2 ** 20;

/** Which build of the kernels: plain SIMD (same bits on every machine) or relaxed SIMD (fused multiply-add where the CPU has it). */
export type SimdChoice = 'auto' | 'simd' | 'relaxed';

export interface WasmOptions {
  readonly threads: number;
  readonly simd: SimdChoice;
  /** Most bytes of the heap; at most 4 GiB. */
  readonly memory: number;
  /** See `EngineOptions`. */
  readonly patience?: number | undefined;
  /** A BLAS for dense products. */
  readonly blas?: Blas | undefined;
  /** Starts a worker thread that runs `serveKernels`; without it there is one thread. */
  readonly spawn?: (init: WorkerInit) => WorkerHandle;
}

/** (module (func (result v128) … i8x16.relaxed_swizzle)): valid only where relaxed SIMD is. */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
]);

export function relaxedSimdSupported(): boolean {
  return WebAssembly.validate(RELAXED_PROBE);
}

class WasmMemory implements Memory {
  private readonly memory: WebAssembly.Memory;
  /** The memory's own, which only growing replaces: asking the memory for it takes as long as a small kernel. */
  private buffer: ArrayBufferLike;
  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.buffer = memory.buffer;
  }
  grow(bytes: number): number {
    const before = this.memory.grow(bytes / PAGE) * PAGE;
    this.buffer = this.memory.buffer;
    return before;
  }
  floats(pointer: number, length: number): Float32Array {
    return new Float32Array(this.buffer, pointer, length);
  }
  integers(pointer: number, length: number): Int32Array {
    return new Int32Array(this.buffer, pointer, length);
  }
}

type Build = 'simd' | 'relaxed';

/** Compiled once for all engines of a program. */
const modules = new Map<Build, Promise<WebAssembly.Module>>();

function loadModule(build: Build): Promise<WebAssembly.Module> {
  const known = modules.get(build);
  if (known) return known;
  const loading = compiled(build);
  modules.set(build, loading);
  // What does not come may come the next time.
  loading.catch(() => modules.delete(build));
  return loading;
}

async function compiled(build: Build): Promise<WebAssembly.Module> {
  const { default: base64 } =
    build === 'relaxed'
      ? await import('../kernels/generated/relaxed.ts')
      : await import('../kernels/generated/simd.ts');
  return WebAssembly.compile(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
}

/** Makes the WebAssembly backend. @throws Error when the machine has no WebAssembly SIMD */
export async function createWasmBackend(options: WasmOptions): Promise<Backend> {
  const relaxed = options.simd === 'relaxed' || (options.simd === 'auto' && relaxedSimdSupported());
  const module = await loadModule(relaxed ? 'relaxed' : 'simd');
  if (!(options.memory >= LEAST_MEMORY))
    throw new RangeError(`\`memory\` is ${options.memory} bytes. Expected ${LEAST_MEMORY} or more.`);
  const maximum = Math.min(65536, Math.floor(options.memory / PAGE));
  // The modules declare a maximum of 65,536 pages; a memory with a smaller one may be imported all the same.
  const memory = new WebAssembly.Memory({ initial: 2, maximum, shared: true });
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const heap = new Heap(new WasmMemory(memory), (maximum - 2) * PAGE);
  const control = heap.allocatePersistent(CONTROL_BYTES / 4, 'the thread pool');
  const scratch = () => heap.allocatePersistent(SCRATCH_BYTES / 4, 'the scratch memory of a thread');
  const leaderScratch = scratch();
  (instance.exports.setScratch as (pointer: number) => void)(leaderScratch);
  const { blas } = options;
  const own = kernelTable(instance, kernelNames);
  const extra = blas ? blasKernels(blas, threadTools(instance, memory, leaderScratch)) : [];
  const pool = new Pool(memory, control, [...own, ...extra], options.patience);
  const { spawn } = options;
  for (let worker = 1; spawn && worker < options.threads; worker++)
    pool.add(spawn({ module, memory, control, scratch: scratch(), kernels: kernelNames, blas: blas?.library }));
  const numbers = new Map(kernelNames.map((name, index) => [name, index]));
  const cut = (name: string, items: number, grain: number, args: readonly number[]): void =>
    pool.run(numbers.get(name) as number, items, grain, args);
  return {
    name: `${relaxed ? 'wasm-relaxed-simd' : 'wasm-simd'}${blas ? `+${blas.name}` : ''}`,
    threads: pool.threads,
    heap,
    run<N extends KernelName>(name: N, ...args: KernelArguments<N> & number[]) {
      const row = catalogue[name] as unknown as Kernel<string[]>;
      cut(name, row.items(...args), row.grain(...args), args);
    },
    runNeuron(name, rows, units, args) {
      if (name === undefined) return false;
      const row: NeuronKernel = neuronKernels[name as NeuronKernelName];
      if (!row) throw new Error(`A neuron names the kernel "${name}", which does not exist.`);
      if (row.fits?.(rows, units) === false) return false;
      cut(name, row.items(rows, units), row.grain(rows, units), args);
      return true;
    },
    ...(blas && {
      gemm({ transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc, batch }: GemmCall) {
        const product = [Number(transposeA), Number(transposeB), m, n, k, a, lda, b, ldb, beta, c, ldc];
        const args = [...product, batch.count, batch.a, batch.b, batch.c];
        pool.run(own.length, gemmParts(m, n, batch.count), 1, args);
      },
      runByBlas<N extends BlockProduct>(name: N, ...args: KernelArguments<N>) {
        const items = blockProductItems(name, args);
        const number = own.length + 1 + BLOCK_PRODUCTS.indexOf(name);
        pool.run(number, items, 1, args);
      },
    }),
    close: () => pool.close(),
  };
}
