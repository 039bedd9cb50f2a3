import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { TargetDataset, TargetUnits } from '../data/targets.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A minibatch with numbers as targets: inputs rows × width, targets rows × outputs. Valid until the next step. */
export interface TargetBatch {
  readonly x: NdArray;
  /** Standardised where the data have `units`. */
  readonly targets: NdArray;
  readonly rows: number;
  /** Center and spread that turn targets back into the data's own units. */
  readonly units?: TargetUnits | undefined;
}

/** Puts the examples with these indices on the heap. */
export function gatherTargets(engine: Engine, data: TargetDataset, indices: ArrayLike<number>): TargetBatch {
  const { width, features, scale, outputs, targets, units } = data;
  const rows = indices.length;
  const batch = {
    x: engine.allocate([rows, width], 'a minibatch'),
    targets: engine.allocate([rows, outputs], 'targets'),
    rows,
    units,
  };
  const [x, y] = [batch.x.values, batch.targets.values];
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < width; i++) x[r * width + i] = features[indices[r] * width + i] * scale;
    for (let j = 0; j < outputs; j++) {
      const target = targets[indices[r] * outputs + j];
      y[r * outputs + j] = units ? (target - units.center[j]) / units.spread[j] : target;
    }
  }
  return batch;
}

/** A minibatch as the examples of a pass. */
export function placeTargets(
  { tape }: Pass,
  { x, targets, rows }: TargetBatch,
): { readonly x: Tensor; readonly targets: Tensor } {
  const examples = tape.plates.examples(rows);
  return { x: tape.input(x, examples), targets: tape.input(targets, examples) };
}

/** @throws RangeError when the data's width or targets do not fit the model */
export function checkTargets(model: Model, { name, width, outputs, count }: TargetDataset): void {
  if (width !== model.inputs)
    throw new RangeError(
      `The data set "${name}" has ${width} features, the model takes ${model.inputs}. Expected \`inputs: ${width}\`.`,
    );
  if (outputs !== model.outputs)
    throw new RangeError(
      `The data set "${name}" has ${outputs} targets an example, the model gives ${model.outputs} numbers. Expected a last layer of ${outputs} units.`,
    );
  if (count === 0) throw new RangeError(`The data set "${name}" is empty.`);
}
