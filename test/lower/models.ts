/** What exports are held against: our own outputs in the same mode, on networks of every kind. */
import type { Engine } from '../../src/backend/engine.ts';
import { createModel, dense, gated, type LayerSpec, lstm, type Model } from '../../src/index.ts';
import type { FrozenMode } from '../../src/lower/lower.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { seedToKey } from '../../src/random/stream.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { drawn, normal } from '../helpers/numbers.ts';

/**
 * Logits of a model: rows × classes.
 * @param offsets of sequences, where rows are points of some
 */
export function ourLogits(
  model: Model,
  mode: FrozenMode,
  features: Float32Array,
  rows: number,
  offsets?: readonly number[],
): Float32Array {
  model.engine.beginStep();
  const source = { key: seedToKey(model.seed), step: 0, draw: 1 };
  const tape = new Tape(model.engine);
  const plate = offsets ? tape.plates.points(Int32Array.from(offsets)) : tape.plates.examples(rows);
  const x = tape.input(model.engine.tensor(features, [rows, model.inputs]), plate);
  return model.apply({ tape, mode, source, penalties: [] }, x).array.toArray();
}

/** The largest distance of two arrays; NaN where one has it. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce(
    (most, x, i) => Math.max(most, Math.abs(x - b[i])),
    a.length === b.length ? 0 : Number.NaN,
  );
}

/** Normal features. */
export function features(rows: number, width: number, seed = 1): Float32Array {
  return Float32Array.from(drawn(normal(1), rows * width, seed));
}

/** Networks that read sequences: LSTM layers on each other, under and over gated blocks, in one direction and in both. */
export function readers(engine: Engine): Readonly<Record<string, Model>> {
  const gates = {
    gater: [4],
    neuron: 'straight-through',
    rate: 0.4,
    activation: 'rectifier',
    sparsity: 'none',
  } as const;
  const layers: Readonly<Record<string, readonly LayerSpec[]>> = {
    'in one direction': [lstm(9), dense(5)],
    'in both directions': [lstm(7, { bidirectional: true }), dense(5)],
    'on and under gates, twice': [
      gated(32, { blocks: 4, ...gates }),
      lstm(6, { bidirectional: true }),
      gated(32, { blocks: 4, ...gates }),
      lstm(5),
      dense(8, 'straight-through'),
      dense(5),
    ],
  };
  return Object.fromEntries(
    Object.entries(layers).map(([title, specs]) => {
      const model = createModel(engine, { inputs: 3, layers: specs, seed: 2 });
      model.parameters.forEach(({ name, tensor }, i) => {
        model.setWeights(name, drawn(normal(0.8), tensor.size, 5, i));
      });
      return [title, model];
    }),
  );
}

/** Where so many sequences of 1 to 13 points begin. */
export function lengths(count: number): number[] {
  const offsets = [0];
  for (let s = 0; s < count; s++) offsets.push(offsets[s] + 1 + ((s * 7) % 13));
  return offsets;
}

const WIDTH = 20;
/** Added where units are selected, so that strict thresholds let some through. */
const OPENING = 1.5;

/**
 * A small network with one neuron everywhere where a neuron can stand: as gates of blocks over two layers, as hidden units.
 * Weights and biases are random and large enough for units to differ; thresholds open about half of the units; selection
 * biases are not 0.
 */
export function everywhere(engine: Engine, neuron: Neuron, seed = 1): Model {
  const selecting = neuron.selects ? { balance: true } : {};
  const gates = { neuron, sparsity: 'none' as const, ...selecting };
  const layers: LayerSpec[] = [
    gated(48, { blocks: 6, gater: [5], activation: 'rectifier', name: 'below', rate: 0.4, ...gates }),
    gated(32, { blocks: 4, gater: [], activation: 'noisy-sigmoid', name: 'above', rate: 0.5, ...gates }),
    dense(30, neuron, 'hidden'),
    dense(7, 'linear', 'output'),
  ];
  const model = createModel(engine, { inputs: WIDTH, layers, seed });
  model.parameters.forEach(({ name, tensor, kind }, i) => {
    const scale = kind === 'bias' ? 0.3 : 3 / Math.sqrt(tensor.size / (tensor.shape.at(-1) ?? 1));
    const shift = name === 'hidden.bias' ? OPENING : 0;
    model.setWeights(
      name,
      drawn(normal(scale), tensor.size, seed, i).map((w) => w + shift),
    );
  });
  model.sites.forEach((site, i) => {
    if (site.neuron.selects)
      site.selectionBias?.set(drawn(normal(0.2), site.units, seed, 100 + i).map((b) => b + OPENING));
    else site.threshold = 0.05;
  });
  return model;
}
