import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';

/**
 * Keeps the incoming weights of every unit within a Euclidean norm. A unit is a column of inputs × units, or of
 * one block of blocks × inputs × units.
 * Source: Srebro and Shraibman 2005; Hinton et al. 2012; 2.0 in Bengio, Léonard, Courville 2013.
 */
export function maxNorm({ backend }: Engine, weights: NdArray, limit: number): void {
  const [inputs, units] = weights.shape.slice(-2);
  const block = inputs * units;
  for (let at = 0; at < weights.size; at += block)
    backend.run('maxNorm', weights.pointer + 4 * at, inputs, units, limit);
}
