import type { Engine } from '../backend/engine.ts';
import { HeapError } from '../backend/heap.ts';
import type { NeuronDefinition } from '../neurons/contract.ts';
import { createModel, type LayerSpec, type Model, type ModelDescription } from '../nn/model.ts';
import type { Module } from '../nn/module.ts';
import { FormatError } from './format-error.ts';
import { sizeOfModel } from './model-size.ts';

/** What building a model may claim beside its weights: moving averages, and padding of every array. */
const SLACK = 2 ** 23;
const TOO_LARGE = 'they need more memory than the file has weights for.';

/** Code that a model needs and no file of it holds. */
export interface OwnCode {
  /** Neurons of one's own that its layers ask for by name. */
  readonly neurons?: readonly NeuronDefinition[];
  /** All of its layers, where modules of one's own are among them: the description has only the names of those. */
  readonly layers?: readonly (Module | LayerSpec)[];
}

/**
 * Builds a model whose layers are from a file of unknown origin.
 * @param options.weights bytes of weights that the file, or the one beside it, holds: the model gets little more memory; infinite where
 * there are none
 * @param options.where what the layers are from, for messages
 * @throws FormatError when they cannot be built
 */
export function buildModel(
  engine: Engine,
  description: ModelDescription,
  { weights, where, own = {} }: { weights: number; where: string; own?: OwnCode },
): Model {
  const { heap } = engine.backend;
  const most = 2 * weights + SLACK;
  const asked = 4 * sizeOfModel(description).weights;
  // Counted first: layers that fit one by one would be built up to the one that does not.
  if (asked > most) throw new FormatError(`The layers of ${where} cannot be built: ${TOO_LARGE}`);
  if (asked > heap.limit)
    throw new FormatError(
      `The layers of ${where} cannot be built: they have ${asked} bytes of weights. Expected ${heap.limit} at most.`,
    );
  const { layers = description.layers, neurons = [] } = own;
  try {
    return heap.within(most, () => createModel(engine, { ...description, layers, neurons }));
  } catch (error) {
    const tooLarge = error instanceof HeapError && Number.isFinite(weights);
    const reason = tooLarge ? TOO_LARGE : (error as Error).message;
    throw new FormatError(`The layers of ${where} cannot be built: ${reason}`, { cause: error });
  }
}
