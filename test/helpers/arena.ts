import assert from 'node:assert/strict';
import type { Engine } from '../../src/backend/engine.ts';
import { paddedBytes } from '../../src/backend/heap.ts';

/** Lines of 64 bytes before and after every guarded array. */
const GUARD = 4 * 16;
/** What stands in guards and in the padding of arrays: no kernel computes it. */
const SENTINEL = 123456.5;

/** An array on the heap that knows what stands around it. */
export interface Guarded {
  readonly pointer: number;
  readonly length: number;
  read(): Float32Array | Float64Array;
  /** Fails when something outside the array has changed; a kernel may fill up the padding of what it writes. */
  checkSurroundings(what: string, paddingIsFree: boolean): void;
}

/** Puts values on an engine's arena between guards. */
export function guarded(engine: Engine, values: ArrayLike<number>, asIntegers = false): Guarded {
  const { heap } = engine.backend;
  const { length } = values;
  const padded = paddedBytes(length) / 4;
  const before = heap.allocate(GUARD, 'a guard');
  const pointer = heap.allocate(length, 'a guarded array');
  const after = heap.allocate(GUARD, 'a guard');
  const guards = [heap.memory.floats(before, GUARD), heap.memory.floats(after, GUARD)];
  for (const guard of guards) guard.fill(SENTINEL);
  heap.memory.floats(pointer, padded).fill(SENTINEL);
  if (asIntegers) heap.memory.integers(pointer, length).set(values);
  else heap.memory.floats(pointer, length).set(values);
  return {
    pointer,
    length,
    read: () => heap.memory.floats(pointer, length),
    checkSurroundings(what, paddingIsFree) {
      for (const at of [before, after])
        assert.ok(
          heap.memory.floats(at, GUARD).every((x) => x === SENTINEL),
          `${what}: memory ${at === before ? 'before' : 'after'} it was written`,
        );
      const padding = heap.memory.floats(pointer, padded).subarray(length);
      assert.ok(paddingIsFree || padding.every((x) => x === SENTINEL), `${what}: the padding of an input was written`);
    },
  };
}
