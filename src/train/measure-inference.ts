import type { Dataset } from '../data/dataset.ts';
import { median } from '../math/statistics.ts';
import { ungated } from '../nn/layer-kinds.ts';
import { createModel, type Model } from '../nn/model.ts';
import { isModule } from '../nn/module.ts';
import { CompiledModel, type InferenceMode } from './compile.ts';
import { timePredictions } from './time-predictions.ts';

/** Measured side by side in one run: milliseconds are medians for one example at a time, and for a batch of 100. */
export interface InferenceReport {
  readonly mode: InferenceMode;
  /** Share of wrong answers, in [0, 1]. */
  readonly error: number;
  readonly multiplyAdds: { readonly compiled: number; readonly dense: number };
  readonly milliseconds: {
    readonly one: { readonly compiled: number; readonly dense: number };
    readonly hundred: { readonly compiled: number; readonly dense: number };
  };
  readonly blocksRemoved: number;
}

const ROUNDS = 40;

/** Measures a compiled network beside the same network computed densely, alternating, on one set of data. */
export function measureInference(compiled: CompiledModel, model: Model, data: Dataset): InferenceReport {
  const { error, multiplyAdds } = compiled.evaluate(data);
  const nets = [compiled, denseTwin(model)];
  const time = (most: number) => {
    const rows = Math.min(most, data.count);
    const [own, dense] = timePredictions(nets, data, { rows, rounds: ROUNDS }).map((times) => rows * median(times));
    return { compiled: own, dense };
  };
  return {
    mode: compiled.mode,
    error,
    multiplyAdds: { compiled: multiplyAdds, dense: model.cost.dense },
    milliseconds: { one: time(1), hundred: time(100) },
    blocksRemoved: compiled.blocksRemoved,
  };
}

/** The ungated dense network of the same experts: what the gated one is to be faster than. Modules of one's own stay as they are. */
export function denseTwin(model: Model): CompiledModel {
  const layers = model.spec.layers.map((spec, i) =>
    isModule(spec) ? spec : ungated({ ...spec, name: model.layers[i].name }),
  );
  return new CompiledModel(createModel(model.engine, { ...model.spec, layers }), 'mean-field', 1, 0);
}
