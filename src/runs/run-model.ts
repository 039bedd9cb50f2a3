import type { Engine } from '../backend/engine.ts';
import { buildModel, type OwnCode } from '../io/build-model.ts';
import { FormatError } from '../io/format-error.ts';
import { loadModel } from '../io/model-file.ts';
import type { Model } from '../nn/model.ts';
import { StorageError } from './folder.ts';
import { RUN_FILE, type Run, type SavedState, WEIGHTS_FILE } from './run.ts';
import { checkSettings } from './settings.ts';

/**
 * The model of a run: that of its best epoch, at the end or so far.
 * @param own code of the user's own that it needs
 * @returns the model, and where its weights are from
 * @throws StorageError when nothing has been saved yet; FormatError when it is damaged
 */
export async function runModel(run: Run, engine: Engine, own: OwnCode = {}): Promise<{ model: Model; from: string }> {
  const { folder, record } = run;
  const { neurons, layers } = own;
  const code = { ...(neurons && { neurons }), ...(layers && { layers }) };
  const weights = record.result && (await run.weights());
  if (weights)
    return {
      model: loadModel(engine, weights, { where: `${folder.path}/${WEIGHTS_FILE}`, ...code }),
      from: WEIGHTS_FILE,
    };
  const saved = await run.latest();
  if (!saved) {
    const todo = (await folder.locked()) ? 'It is being trained. Wait for its first checkpoint.' : 'Train it first.';
    throw new StorageError(`${folder.path} has no weights yet: neither ${WEIGHTS_FILE} nor a checkpoint. ${todo}`);
  }
  checkSettings(record, saved, `${folder.path}/${RUN_FILE}`, ['model', 'data']);
  const model = untrainedModel(run, engine, saved, own);
  try {
    model.restore(saved.state.best ?? saved.state.model);
  } catch (error) {
    throw new FormatError(`The checkpoint ${saved.name} of ${folder.path} does not fit: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const epoch = saved.state.progress.best?.epoch;
  return {
    model,
    from: epoch === undefined ? `${saved.name}, before any epoch was complete` : `epoch ${epoch}, the best so far`,
  };
}

/**
 * A new model of a run's layers. Beside a checkpoint it gets no more memory than that has weights for.
 * @throws FormatError when they cannot be built
 */
export function untrainedModel(
  { record, folder }: Pick<Run, 'record' | 'folder'>,
  engine: Engine,
  saved: Pick<SavedState, 'state'> | undefined,
  own?: OwnCode,
): Model {
  const weights = saved
    ? [...saved.state.model.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
    : Number.POSITIVE_INFINITY;
  return buildModel(engine, record.model, { weights, where: `${folder.path}/${RUN_FILE}`, ...(own && { own }) });
}
