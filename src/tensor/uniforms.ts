import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';

/** Where a draw's random numbers come from; see kernels/random.ts. */
export interface DrawKey {
  readonly key: readonly [number, number];
  readonly step: number;
  /** The layer's number, below 65,536. */
  readonly layer: number;
  /** The draw's number, below 65,536. */
  readonly draw: number;
}

/**
 * Uniform numbers in (0, 1), a pure function of the source, the row and the column.
 * @param rowOf pointer to whole numbers: whose numbers each row has; 0: its own
 */
export function drawUniforms(
  engine: Engine,
  shape: readonly [rows: number, columns: number],
  { key, step, layer, draw }: DrawKey,
  rowOf = 0,
): NdArray {
  const noise = engine.allocate(shape, 'uniform numbers');
  if (noise.size === 0) return noise;
  const args = [noise.pointer, ...shape, ...key, step, layer * 65536 + draw] as const;
  if (rowOf) engine.backend.run('uniformsOfRows', rowOf, ...args);
  else engine.backend.run('uniforms', ...args);
  return noise;
}
