import type { KernelArguments, KernelName } from '../kernels/catalogue.ts';
import type { Heap } from './heap.ts';

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
  close(): void;
}
