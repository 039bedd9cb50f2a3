import { catalogue, type KernelArguments, type KernelName } from '../kernels/catalogue.ts';
import type { Kernel } from '../kernels/kernel.ts';
import type { Backend } from './backend.ts';
import { Heap, type Memory } from './heap.ts';

const MAXIMUM_BYTES = 2 ** 31;

/** A heap of Float64 elements: a pointer of n bytes is element n/4. Whole numbers are kept as Float64 too. */
class Float64Memory implements Memory {
  private readonly buffer = new ArrayBuffer(0, { maxByteLength: MAXIMUM_BYTES });
  readonly elements = new Float64Array(this.buffer);
  grow(bytes: number): number {
    const old = this.buffer.byteLength / 2;
    this.buffer.resize(this.buffer.byteLength + 2 * bytes);
    return old;
  }
  floats(pointer: number, length: number): Float64Array {
    return new Float64Array(this.buffer, pointer * 2, length);
  }
  integers(pointer: number, length: number): Float64Array {
    return this.floats(pointer, length);
  }
}

/**
 * The reference backend: runs the kernels' living definitions in Float64 and the neurons' own functions. Slow; it is the
 * oracle for gradients (central differences need Float64) and for whole networks.
 */
export function createReferenceBackend(): Backend {
  const memory = new Float64Memory();
  const heap = new Heap(memory, MAXIMUM_BYTES / 2);
  heap.allocatePersistent(1, 'the null pointer');
  return {
    name: 'reference-float64',
    threads: 1,
    heap,
    run<N extends KernelName>(name: N, ...args: KernelArguments<N>) {
      const row = catalogue[name] as unknown as Kernel;
      const indices = args.map((value, i) => (/[*#]$/.test(row.parameters[i]) ? value / 4 : value));
      row.define(memory.elements, ...indices);
    },
    runNeuron: () => false,
    close() {},
  };
}
