import type { Engine } from '../backend/engine.ts';
import { HeapError } from '../backend/heap.ts';
import { createModel, type Model, type ModelDescription } from '../nn/model.ts';
import { FormatError } from './format-error.ts';
import { sizeOfModel } from './model-size.ts';

/** What building a model may claim beside its weights: moving averages, and padding of every array. */
const SLACK = 2 ** 23;
const TOO_LARGE = 'they need more memory than the file has weights for.';

/**
 * Builds a model whose layers are from a file of unknown origin.
 * @param weights bytes of weights that the file, or the one beside it, holds: the model gets little more memory; infinite where
 * there are none
 * @param where what the layers are from, for messages
 * @throws FormatError when they cannot be built
 */
export function buildModel(engine: Engine, spec: ModelDescription, weights: number, where: string): Model {
  const { heap } = engine.backend;
  const most = 2 * weights + SLACK;
  const asked = 4 * sizeOfModel(spec).weights;
  // Counted first: layers that fit one by one would be built up to the one that does not.
  if (asked > most) throw new FormatError(`The layers of ${where} cannot be built: ${TOO_LARGE}`);
  if (asked > heap.limit)
    throw new FormatError(
      `The layers of ${where} cannot be built: they have ${asked} bytes of weights. Expected ${heap.limit} at most.`,
    );
  try {
    return heap.within(most, () => createModel(engine, spec));
  } catch (error) {
    const tooLarge = error instanceof HeapError && Number.isFinite(weights);
    const reason = tooLarge ? TOO_LARGE : (error as Error).message;
    throw new FormatError(`The layers of ${where} cannot be built: ${reason}`, { cause: error });
  }
}
