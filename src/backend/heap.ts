/** Alignment and padding of every allocation, in bytes: a cache line. */
export const LINE = 64;
/** Smallest piece by which a region grows, in bytes. */
const SLAB = 1 << 22;

/** Memory grows by whole pages, in bytes. */
const PAGE = 65536;
const BYTES_PER_ELEMENT = 4;

/** Thrown when the heap cannot give what was asked. */
export class HeapError extends Error {
  override name = 'HeapError';
}

/** The raw memory under a heap: it only grows. */
export interface Memory {
  /** Makes it `bytes` longer (a multiple of 65,536) and returns the old length in bytes; throws when it cannot. */
  grow(bytes: number): number;
  /** Float elements at a byte pointer. */
  floats(pointer: number, length: number): Float32Array | Float64Array;
  /** Whole-number elements at a byte pointer. */
  integers(pointer: number, length: number): Int32Array | Float64Array;
}

interface Region {
  readonly slabs: { readonly start: number; readonly end: number }[];
  slab: number;
  cursor: number;
}

/**
 * Two regions in one memory: persistent (parameters, optimizer state) and the arena of one step, which is reset as a
 * whole. Pointers are byte offsets; every allocation starts on a cache line and is padded to whole cache lines.
 */
export class Heap {
  readonly memory: Memory;
  readonly limit: number;
  private readonly persistent: Region = { slabs: [], slab: 0, cursor: 0 };
  private readonly step: Region = { slabs: [], slab: 0, cursor: 0 };
  private claimed = 0;
  /** See `within`. */
  private ceiling = Number.POSITIVE_INFINITY;
  private stepUsed = 0;
  private stepPeak = 0;

  /** @param limit most bytes that both regions together may claim */
  constructor(memory: Memory, limit: number) {
    this.memory = memory;
    this.limit = limit;
  }

  /** Memory that lives as long as the engine, zeroed. @param elements count of 4-byte elements */
  allocatePersistent(elements: number, purpose: string): number {
    const pointer = this.take(this.persistent, elements, purpose);
    this.memory.integers(pointer, Math.ceil(elements / 16) * 16).fill(0);
    return pointer;
  }

  /** Memory of this step, not cleared; it is gone at `resetArena`. @param elements count of 4-byte elements */
  allocate(elements: number, purpose: string): number {
    const pointer = this.take(this.step, elements, purpose);
    this.stepUsed += paddedBytes(elements);
    this.stepPeak = Math.max(this.stepPeak, this.stepUsed);
    return pointer;
  }

  /** Forgets everything in the arena; its memory is used again. */
  resetArena(): void {
    this.step.slab = 0;
    this.step.cursor = this.step.slabs[0]?.start ?? 0;
    this.stepUsed = 0;
  }

  /** Bytes claimed from the memory, bytes of the arena now in use, and the most that a step has used since `resetPeak`. */
  get usage(): { claimed: number; step: number; stepPeak: number } {
    return { claimed: this.claimed, step: this.stepUsed, stepPeak: this.stepPeak };
  }

  resetPeak(): void {
    this.stepPeak = this.stepUsed;
  }

  /**
   * Lets `build` claim at most so many bytes more (4 MiB beside, which may be claimed already): for building what a file of
   * unknown origin asks for. What it has claimed when it throws stays claimed.
   * @throws HeapError from within `build` when that is not enough
   */
  within<T>(bytes: number, build: () => T): T {
    const before = this.ceiling;
    this.ceiling = Math.min(before, this.claimed + Math.max(bytes, SLAB));
    try {
      return build();
    } finally {
      this.ceiling = before;
    }
  }

  private take(region: Region, elements: number, purpose: string): number {
    if (!Number.isSafeInteger(elements) || elements < 0)
      throw new HeapError(`${purpose} asked the heap for ${elements} elements. Expected a whole number ≥ 0.`);
    const bytes = paddedBytes(elements);
    for (;;) {
      const slab = region.slabs[region.slab];
      if (slab && region.cursor + bytes <= slab.end) {
        const pointer = region.cursor;
        region.cursor += bytes;
        return pointer;
      }
      if (region.slab + 1 < region.slabs.length) {
        region.slab++;
        region.cursor = region.slabs[region.slab].start;
      } else this.grow(region, bytes, purpose);
    }
  }

  private grow(region: Region, bytes: number, purpose: string): void {
    const needed = Math.ceil(bytes / PAGE) * PAGE;
    const limit = Math.min(this.limit, this.ceiling);
    const left = Math.floor((limit - this.claimed) / PAGE) * PAGE;
    const size = Math.max(needed, Math.min(SLAB, left));
    const refusal = `The heap is exhausted: ${purpose} asked for ${megabytes(bytes)} MB, ${megabytes(this.claimed)} of ${megabytes(limit)} MB are in use. Expected a smaller batch or network, or an engine with a larger \`memory\`.`;
    if (this.claimed + size > limit) throw new HeapError(refusal);
    let start: number;
    try {
      start = this.memory.grow(size);
    } catch {
      throw new HeapError(refusal);
    }
    this.claimed += size;
    const last = region.slabs.at(-1);
    if (last && last.end === start) {
      region.slabs[region.slabs.length - 1] = { start: last.start, end: start + size };
      return;
    }
    region.slabs.push({ start, end: start + size });
    region.slab = region.slabs.length - 1;
    region.cursor = start;
  }
}

export function paddedBytes(elements: number): number {
  return Math.max(LINE, Math.ceil((elements * BYTES_PER_ELEMENT) / LINE) * LINE);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
