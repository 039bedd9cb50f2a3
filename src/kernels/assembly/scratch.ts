// Every thread has an instance of this module of its own, on the one shared memory; this global is the thread's own.
export let scratch: usize = 0;

/** Gives this thread its private scratch memory (SCRATCH_BYTES of the catalogue, 64-byte aligned). */
export function setScratch(pointer: usize): void {
  scratch = pointer;
}
