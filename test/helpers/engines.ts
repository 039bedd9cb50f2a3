import { createEngine, type Engine } from '../../src/backend/engine.ts';

/** The reference engine, and one engine on one thread for each build of the kernels. */
export const reference = await createEngine({ backend: 'reference' });
export const builds: readonly Engine[] = [
  await createEngine({ simd: 'simd', threads: 1 }),
  await createEngine({ simd: 'relaxed', threads: 1 }),
];

/** Whole numbers on an engine's heap, for labels: bytes in the arena. */
export function integers(engine: Engine, values: ArrayLike<number>): { pointer: number } {
  const { heap } = engine.backend;
  const pointer = heap.allocate(values.length, 'whole numbers');
  heap.memory.integers(pointer, values.length).set(values);
  return { pointer };
}
