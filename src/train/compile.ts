import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { type Dataset, inputsOf, slice } from '../data/dataset.ts';
import { type Hold, heldBySite } from '../nn/hold.ts';
import type { Model } from '../nn/model.ts';
import type { Pass } from '../nn/pass.ts';
import { losesBlocks, pruneBlocks } from '../nn/prune.ts';
import { noiseKey } from '../random/stream.ts';
import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import { largestOf } from '../tasks/link.ts';
import { NonFiniteError } from '../tensor/non-finite-error.ts';
import { Tape } from '../tensor/tape.ts';
import { allRows } from './all-rows.ts';
import { firstNonFinite } from './first-non-finite.ts';
import { gateRates } from './gate-rates.ts';

/** How a frozen network decides: one draw, noise off, thresholds, or the mean probability of several draws. */
export type InferenceMode = 'sample' | 'mean-field' | 'threshold' | 'ensemble';

/** Options of `compile`. */
export interface CompileOptions {
  /** Default `threshold`. */
  readonly mode?: InferenceMode;
  /** Draws of the ensemble; default 10. */
  readonly samples?: number;
  /** Examples on which blocks are looked at: those that never open are removed. Default: none is removed. */
  readonly prune?: Dataset;
}

const NAMES: NamesOf<CompileOptions> = { mode: true, samples: true, prune: true };

/** What a frozen network says of one or more examples. */
export interface Prediction {
  /** The most probable class of every row. */
  readonly classes: Int32Array;
  /** rows × classes, row-major. */
  readonly probabilities: Float32Array;
  /** Multiply-adds executed for all rows and draws together, the gaters' included. */
  readonly multiplyAdds: number;
  /** The gates of every gated layer. */
  readonly open: readonly OpenGates[];
}

/** Which gates of one site were open for which row. */
export interface OpenGates {
  readonly site: string;
  /** rows × gates: 1 where open, in the last draw. */
  readonly gates: Uint8Array;
  /** rows × gates: share of the draws in which the gate was open; of one draw, `gates` again. */
  readonly shares: Float64Array;
}

/** Options of `CompiledModel.predict`. */
export interface PredictOptions {
  /** Units that are held open or closed, as the compiled network counts them; default: none. */
  readonly hold?: readonly Hold[];
}

const PREDICT_NAMES: NamesOf<PredictOptions> = { hold: true };

/** A frozen network: see `compile`. */
export class CompiledModel {
  readonly mode: InferenceMode;
  /** The network behind it, without the removed blocks. */
  readonly model: Model;
  readonly blocksRemoved: number;
  private readonly samples: number;
  /** Calls of `predict` in the mode `sample` so far. */
  private calls = 0;

  constructor(model: Model, mode: InferenceMode, samples: number, blocksRemoved: number) {
    this.model = model;
    this.mode = mode;
    this.samples = mode === 'ensemble' ? samples : 1;
    this.blocksRemoved = blocksRemoved;
  }

  /**
   * Classifies rows of features (rows × inputs, row-major, as the network's input). One row computes only open blocks.
   * Every call with the mode `sample` draws anew, in the same order for every compiled network of a model; an ensemble has the same draws each time.
   * @throws RangeError when the features are no whole number of rows of finite numbers, or a held unit does not exist; NonFiniteError when
   * the network's output is not finite
   */
  predict(features: ArrayLike<number>, options: PredictOptions = {}): Prediction {
    checkNames('predict', options, PREDICT_NAMES);
    const { hold = [] } = options;
    const { model } = this;
    const held = heldBySite(model.sites, hold);
    const rows = features.length / model.inputs;
    if (!Number.isInteger(rows) || rows < 1)
      throw new RangeError(`${features.length} features are no whole number of rows of ${model.inputs}.`);
    const wrong = firstNonFinite(features);
    if (wrong >= 0)
      throw new RangeError(
        `Feature ${wrong % model.inputs} of row ${Math.floor(wrong / model.inputs)} is ${features[wrong]}. Expected a finite number.`,
      );
    const probabilities = new Float32Array(rows * model.outputs);
    const step = this.mode === 'sample' ? this.calls++ : 0;
    let multiplyAdds = 0;
    const sites = model.sites.filter(({ rate }) => rate !== undefined);
    const open = sites.map(({ name, units }) => ({
      site: name,
      gates: new Uint8Array(rows * units),
      shares: new Float64Array(rows * units),
    }));
    for (let draw = 1; draw <= this.samples; draw++) {
      model.engine.beginStep();
      const pass = this.pass(step, draw, held);
      const x = pass.tape.input(model.engine.tensor(features, [rows, model.inputs]), pass.tape.plates.examples(rows));
      const logits = model.apply(pass, x);
      addSoftmax(model.engine, logits.array, probabilities, 1 / this.samples);
      multiplyAdds += pass.tape.work.executed;
      sites.forEach((site, s) => {
        const { gates, shares } = open[s];
        gates.fill(0);
        const now = allRows(site);
        if (now) gates.set(now.open());
        for (let i = 0; i < gates.length; i++) shares[i] += gates[i];
      });
    }
    for (const { shares } of open) for (let i = 0; i < shares.length; i++) shares[i] /= this.samples;
    return { classes: mostProbable(probabilities, rows, model.outputs), probabilities, multiplyAdds, open };
  }

  /** Share of wrong answers on a data set, in [0, 1], and multiply-adds for one example. */
  evaluate(data: Dataset, batch = 250): { readonly error: number; readonly multiplyAdds: number } {
    let wrong = 0;
    let multiplyAdds = 0;
    for (let from = 0; from < data.count; from += batch) {
      const part = slice(data, from, Math.min(data.count, from + batch));
      const prediction = this.predict(inputsOf(part));
      prediction.classes.forEach((label, r) => {
        if (label !== part.labels[r]) wrong++;
      });
      multiplyAdds += prediction.multiplyAdds;
    }
    return { error: wrong / data.count, multiplyAdds: multiplyAdds / data.count };
  }

  private pass(step: number, draw: number, held: Pass['held']): Pass {
    const mode = this.mode === 'ensemble' ? 'sample' : this.mode;
    const source = { key: noiseKey(this.model.seed), step, draw };
    return { tape: new Tape(this.model.engine), mode, source, penalties: [], held };
  }
}

/**
 * Freezes a trained model for inference in one mode. Thresholds are the model's (training and `calibrate` set them).
 * @throws RangeError for an unknown mode or a count of samples that is not a whole number ≥ 1
 */
export function compile(model: Model, options: CompileOptions = {}): CompiledModel {
  checkNames('compile', options, NAMES);
  const { mode = 'threshold', samples = 10, prune } = options;
  checkOneOf('mode', mode, MODES, 'compile');
  if (!Number.isInteger(samples) || samples < 1)
    throw new RangeError(`\`samples\` is ${samples}. Expected a whole number from 1 up.`);
  if (!prune) return new CompiledModel(model, mode, samples, 0);
  const seen = gateRates(model, prune, { mode: mode === 'ensemble' ? 'sample' : mode });
  const kept = new Map<number, number[]>();
  let removed = 0;
  for (const { site, units, rates } of seen) {
    const layer = model.layers.findIndex(({ sites }) => sites.some(({ name }) => name === site));
    if (!losesBlocks(model, layer)) continue;
    const everOpen = Array.from({ length: units }, (_, k) => k).filter((k) => opened(rates, units, k));
    if (everOpen.length === units || everOpen.length === 0) continue;
    // A rule such as top-k selects differently among fewer blocks: do not prune.
    if (model.layers[layer].sites.some(({ name, neuron }) => name === site && neuron.opens)) continue;
    kept.set(layer, everOpen);
    removed += units - everOpen.length;
  }
  return new CompiledModel(kept.size > 0 ? pruneBlocks(model, kept) : model, mode, samples, removed);
}

const MODES: readonly InferenceMode[] = ['sample', 'mean-field', 'threshold', 'ensemble'];

const opened = (rates: Float64Array, units: number, k: number): boolean => {
  for (let i = k; i < rates.length; i += units) if (rates[i] > 0) return true;
  return false;
};

function addSoftmax(engine: Engine, logits: NdArray, probabilities: Float32Array, weight: number): void {
  const { rows, columns } = logits;
  const { pointer, values } = engine.allocate([rows, columns], 'class probabilities');
  engine.backend.run('softmaxAxis', logits.pointer, pointer, rows, columns, 1, 0);
  for (let r = 0; r < rows; r++)
    // NaN and infinite logits make the whole row NaN.
    if (!Number.isFinite(values[r * columns]))
      throw new NonFiniteError(
        `What the network gives for row ${r} is not finite. Expected weights that training left finite.`,
      );
  for (let i = 0; i < values.length; i++) probabilities[i] += weight * values[i];
}

function mostProbable(probabilities: Float32Array, rows: number, classes: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, r) => {
    return largestOf(probabilities.subarray(r * classes, (r + 1) * classes));
  });
}
