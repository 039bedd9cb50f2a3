/**
 * One row of the kernel catalogue: how a kernel is called, how its work is cut into parts, and what it means.
 *
 * A kernel is an export of the WebAssembly modules with the signature `name(begin, end, ...arguments)`. It does the
 * work items [begin, end) and writes nothing that another item writes. Its parts depend on shapes only, never on the
 * number of threads: that is why results are the same bits for any number of threads.
 */
export interface Kernel<P extends readonly string[] = readonly string[]> {
  /** Names of the arguments in order; a name that ends in `*` is a pointer into the heap (bytes, 4-byte elements). */
  readonly parameters: P;
  /** How many work items a call has. */
  items(...args: Numbers<P>): number;
  /** How many items a thread takes at a time. */
  grain(...args: Numbers<P>): number;
  /**
   * The living definition: the whole call on a Float64 heap, slow and plain. Pointers arrive as element indices.
   * It is the kernel's oracle in the tests, and the reference engine runs on it.
   */
  define(memory: Float64Array, ...args: Numbers<P>): void;
}

export type Numbers<P extends readonly string[]> = { [K in keyof P]: number };

/** Declares a kernel; keeps the argument count in its type. */
export function kernel<const P extends readonly string[]>(row: Kernel<P>): Kernel<P> {
  return row;
}

/** Bytes of private scratch memory that every thread hands to its kernels. */
export const SCRATCH_BYTES = 1 << 20;
