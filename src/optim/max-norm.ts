import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/tensor.ts';

/**
 * Keeps the incoming weights of every unit (a column of inputs × units) within a Euclidean norm.
 * Source: Srebro and Shraibman 2005; Hinton et al. 2012; 2.0 in Bengio, Léonard, Courville 2013.
 */
export function maxNorm({ backend }: Engine, weights: Tensor, limit: number): void {
  backend.run('maxNorm', weights.pointer, weights.rows, weights.columns, limit);
}
