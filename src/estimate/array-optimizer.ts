import { createEngine } from '../backend/engine.ts';
import type { Optimizer } from '../optim/index.ts';

/** A parameter in Float64 and the optimizer that changes it. */
export interface OptimizedArray {
  /** The live values. */
  readonly values: Float64Array;
  /** One update by gradientScale·gradient; the optimizer keeps its own arrays. */
  update(gradient: ArrayLike<number>, gradientScale: number): void;
}

/** Any optimizer on an array, in Float64: the reference engine carries out the kernels' definitions, without WebAssembly or threads. */
export async function optimizedArray(optimizer: Optimizer, start: ArrayLike<number>): Promise<OptimizedArray> {
  const engine = await createEngine({ backend: 'reference' });
  const parameter = engine.parameter([start.length], 'the logits');
  const slots = optimizer.init(engine, parameter);
  const { learningRate } = optimizer;
  let step = 0;
  parameter.values.set(start);
  return {
    get values() {
      return parameter.values as Float64Array;
    },
    update(gradient, gradientScale) {
      engine.beginStep();
      step++;
      optimizer.update(engine, parameter, engine.tensor(gradient), slots, { learningRate, gradientScale, step });
    },
  };
}
