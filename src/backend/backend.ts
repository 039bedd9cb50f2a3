import type { KernelArguments, KernelName } from '../kernels/catalogue.ts';
import type { BlockProduct } from './blas-block-items.ts';
import type { Heap } from './heap.ts';
import type { Batch } from './matmul.ts';

/** What carries out kernels: the WebAssembly one, or the slow Float64 reference. */
export interface Backend {
  /** As it stands in run records, e.g. `wasm-relaxed-simd`. */
  readonly name: string;
  readonly threads: number;
  readonly heap: Heap;
  /** Runs a kernel of the catalogue on the heap; returns when it is done. */
  run<N extends KernelName>(kernel: N, ...args: KernelArguments<N>): void;
  /**
   * Runs a neuron's kernel twin (see kernels/neurons.ts) when this backend has it.
   * @returns false when it has not: the caller then runs the neuron's definition
   */
  runNeuron(kernel: string | undefined, rows: number, units: number, args: readonly number[]): boolean;
  /**
   * A matrix product by BLAS, C = β·C + op(A)·op(B), row-major; absent where there is no BLAS. Works on the heap in place.
   */
  readonly gemm?: (product: GemmCall) => void;
  /** What the kernel of this name computes, by BLAS on gathered rows; absent where there is no BLAS. */
  readonly runByBlas?: <N extends BlockProduct>(name: N, ...args: KernelArguments<N>) => void;
  close(): void;
}

/** Arguments of BLAS products: op(A) is m×k, op(B) is k×n, C is m×n; ld* are row strides of the matrices as stored. */
export interface GemmCall {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: number;
  readonly lda: number;
  readonly b: number;
  readonly ldb: number;
  readonly beta: 0 | 1;
  readonly c: number;
  readonly ldc: number;
  readonly batch: Batch;
}
