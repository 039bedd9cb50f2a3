import type { Engine } from '../backend/engine.ts';
import { HeapError } from '../backend/heap.ts';
import { createModel, type Model, type ModelSpec } from '../layers/model.ts';
import { FormatError } from './format-error.ts';

/** What building a model may claim beside its weights: moving averages, and padding of every array. */
const SLACK = 2 ** 23;

/**
 * Builds a model whose layers are from a file of unknown origin.
 * @param weights bytes of weights that the file, or the one beside it, holds: the model gets little more memory; infinite where
 * there are none
 * @param where what the layers are from, for messages
 * @throws FormatError when they cannot be built
 */
export function buildModel(engine: Engine, spec: ModelSpec, weights: number, where: string): Model {
  try {
    return engine.backend.heap.within(2 * weights + SLACK, () => createModel(engine, spec));
  } catch (error) {
    const tooLarge = error instanceof HeapError && Number.isFinite(weights);
    const reason = tooLarge ? 'they need more memory than the file has weights for.' : (error as Error).message;
    throw new FormatError(`The layers of ${where} cannot be built: ${reason}`, { cause: error });
  }
}
