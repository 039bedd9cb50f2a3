/** What exports are held against: our own outputs in the same mode, on networks of every kind. */
import type { Engine } from '../../src/backend/engine.ts';
import {
  attention,
  createModel,
  dense,
  embedding,
  experts,
  gated,
  type LayerSpec,
  lstm,
  type Model,
  positions,
} from '../../src/index.ts';
import type { FrozenMode } from '../../src/lower/lower.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { conditional } from '../../src/nn/conditional.ts';
import { convolution } from '../../src/nn/convolution.ts';
import { depthwise } from '../../src/nn/depthwise.ts';
import { dropout } from '../../src/nn/dropout.ts';
import { type Module, module } from '../../src/nn/module.ts';
import { norm } from '../../src/nn/norm.ts';
import { parallel } from '../../src/nn/parallel.ts';
import { pool } from '../../src/nn/pool.ts';
import { reshape } from '../../src/nn/reshape.ts';
import { residual } from '../../src/nn/residual.ts';
import { sequential } from '../../src/nn/sequential.ts';
import { noiseKey } from '../../src/random/stream.ts';
import * as t from '../../src/tensor/index.ts';
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
  const source = { key: noiseKey(model.seed), step: 0, draw: 1 };
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
  // Reads what is no product of weights.
  const remembered = module('remembered', (scope, x) => {
    const recurrent = scope.parameter('recurrent', [4, 16]);
    const z = t.tanh(scope.call(dense(16), x));
    return t.concatenate([t.lstm(z, recurrent), t.lstm(z, recurrent, { backwards: true }), x]);
  });
  const layers: Readonly<Record<string, readonly (Module | LayerSpec)[]>> = {
    'by a module of one’s own': [residual(sequential(lstm(3), dense(3))), remembered, dense(5)],
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

/** Networks that attend among the points of sequences of whole numbers below 11, by positions of either kind, with gates and without. */
export function transformers(engine: Engine): Readonly<Record<string, Model>> {
  const block = (options: Parameters<typeof attention>[1] = {}, heads = 2) =>
    residual(sequential(norm(), attention(heads, options)));
  const part = conditional({ gater: [4], neuron: 'straight-through', rate: 0.4, sparsity: 'none', copies: 3 }, [
    sequential(dense(6, 'rectifier'), dense(8)),
  ]);
  const layers: Readonly<Record<string, readonly LayerSpec[]>> = {
    'with rotary positions': [block(), residual(sequential(norm(), dense(8, 'tanh')))],
    'with learned positions, to all points': [positions(13), block({ positions: 'none', bidirectional: true })],
    'with one head and rotary positions to all points': [block({ bidirectional: true }, 1)],
    'with experts, twice': [block(), residual(sequential(norm(), part)), block(), residual(part)],
    'with experts unit by unit, and an LSTM': [
      block(),
      residual(experts(8, { experts: 4, hidden: 3, open: 2 })),
      lstm(8),
      block(),
    ],
  };
  return Object.fromEntries(
    Object.entries(layers).map(([title, specs]) => {
      const model = createModel(engine, { inputs: 1, layers: [embedding(11, 8), ...specs, norm(), dense(5)], seed: 2 });
      model.parameters.forEach(({ name, tensor }, i) => {
        model.setWeights(name, drawn(normal(0.8), tensor.size, 5, i));
      });
      return [title, model];
    }),
  );
}

/** Random whole numbers below a bound. */
export const tokens = (count: number, below: number): Float32Array =>
  Float32Array.from(drawn((random) => random.integer(below), count, 6));

/** x·σ(βx), an operation of a user's own with an attribute, a cost and a lowering. */
export const swish = t.defineOp<{ readonly beta: number }>({
  name: 'swish',
  cost: ([x]) => 2 * x.size,
  forward(engine, [x], { beta }) {
    const output = engine.allocate(x.shape, 'swish');
    x.values.forEach((value, i) => {
      output.values[i] = value / (1 + Math.exp(-beta * value));
    });
    return { output };
  },
  pullback(engine, { inputs: [x], attributes: { beta } }, dy) {
    const gradient = engine.allocate(x.shape, 'the gradient of swish');
    x.values.forEach((value, i) => {
      const s = 1 / (1 + Math.exp(-beta * value));
      gradient.values[i] = dy.values[i] * (s + beta * value * s * (1 - s));
    });
    return [gradient];
  },
  lower: (to, [x], { attributes: { beta } }) =>
    to.elementwise(t.f.multiply(t.f.logit, t.f.sigmoid(t.f.multiply(beta, t.f.logit))), x),
});

/** A layer norm, then attention of `heads` among the `points` that a row of 12 numbers holds, from tensor operations alone. */
const attended = module('attention', (scope, x) => {
  const centred = t.subtract(x, t.mean(x, -1, { keepDims: true }));
  const deviation = t.sqrt(t.add(t.mean(t.square(centred), -1, { keepDims: true }), 1e-5));
  const points = t.reshape(t.multiply(t.divide(centred, deviation), scope.parameter('gain', [12])), [4, 3]);
  const heads = (name: string) =>
    t.transpose(t.reshape(t.matmul(points, scope.parameter(name, [3, 6])), [4, 2, 3]), [1, 0, 2]);
  const scores = t.matmul(heads('queries'), heads('keys'), undefined, { transposeB: true });
  const mixed = t.matmul(t.softmax(t.scale(scores, { factor: 0.5 })), heads('values'));
  const [first, second] = [t.slice(mixed, [0], [1]), t.slice(mixed, [1])];
  return t.reshape(t.concatenate([t.squeeze(first, 0), t.squeeze(second, 0)], 1), [24]);
});

const GATES = {
  neuron: 'straight-through',
  rate: 0.4,
  sparsity: 'none',
  compute: 'blocks',
  activation: 'rectifier',
} as const;

const PARTED = { neuron: 'straight-through', rate: 0.4, sparsity: 'none', gater: [5] } as const;

/** Modules one in another, of every kind of use that layers one after another have not: each reads 12 numbers. */
export function compositions(engine: Engine): Readonly<Record<string, Model>> {
  const blocks = (units: number, count: number, neuron: 'straight-through' | 'top-k' = 'straight-through') =>
    gated(units, { ...GATES, blocks: count, gater: [5], neuron });
  const again = dense(12, 'tanh');
  const gatesAgain = blocks(12, 3);
  const layers: Readonly<Record<string, readonly (Module | LayerSpec)[]>> = {
    'residual dense layers': [residual(dense(12, 'straight-through')), residual(dense(12, 'rectifier')), dense(7)],
    'gated layers that are added to their input': [
      residual(blocks(12, 3)),
      residual(blocks(12, 12, 'top-k')),
      dense(7),
    ],
    'gated layers on each other within residual branches': [
      residual(sequential(blocks(48, 4), blocks(64, 4, 'top-k'), dense(12))),
      residual(residual(sequential(blocks(32, 4), dense(12, 'noisy-rectifier')))),
      dense(7),
    ],
    'parts behind gates, one within another': [
      residual(
        conditional({ ...PARTED, copies: 2 }, [
          sequential(dense(9, 'rectifier'), dense(12)),
          conditional({ ...PARTED, neuron: 'top-k:k=1', copies: 2 }, [dense(12, 'tanh')]),
        ]),
      ),
      residual(conditional({ ...PARTED, neuron: 'rectifier', join: 'concatenate', copies: 3 }, [dense(4, 'tanh')])),
      parallel([dense(7), sequential(dense(5, 'tanh'), dense(7))]),
    ],
    'convolutions, blocks of their channels behind gates': [
      dense(48, 'tanh'),
      reshape([4, 4, 3]),
      convolution(6, 3, 'rectifier'),
      residual(conditional({ ...PARTED, copies: 3, join: 'concatenate' }, [convolution(2, 3, 'tanh')])),
      residual(conditional({ ...PARTED }, [sequential(depthwise(3, 'tanh'), convolution(6, 1))])),
      convolution(4, 2, 'noisy-rectifier', { padding: 'valid', stride: [2, 1] }),
      pool('all', { by: 'mean' }),
      dense(7),
    ],
    'normalised and pooled pictures': [
      dense(48, 'tanh'),
      residual(norm()),
      reshape([4, 4, 3]),
      norm(),
      residual(conditional({ ...PARTED }, [sequential(dropout(0.5), norm())])),
      pool(2, { stride: [1, 2] }),
      pool([2, 1], { by: 'mean', stride: [1, 1] }),
      dense(7),
    ],
    'shared weights': [
      module('shared', (scope, x) => {
        const twice = scope.call(again, scope.call(again, x, 'one'), 'one');
        return scope.call(gatesAgain, scope.call(gatesAgain, twice, 'gates'), 'gates');
      }),
      dense(7),
    ],
    'a module of one’s own, with an operation of one’s own': [
      attended,
      module('mixed', (scope, x) => {
        const u = swish(scope.call(dense(12), x), { beta: 1.5 });
        const bits = scope.fire('straight-through', t.reshape(scope.call(dense(12), x), [3, 4]));
        const few = scope.fire('top-k:k=2', t.reshape(u, [3, 4]));
        return t.reshape(t.maximum(t.multiply(bits, few), t.where(t.greater(few, 0.2), t.abs(few), bits)), [12]);
      }),
      dense(7),
    ],
  };
  return Object.fromEntries(
    Object.entries(layers).map(([title, specs]) => {
      const model = createModel(engine, { inputs: 12, layers: specs, seed: 3 });
      model.parameters.forEach(({ name, tensor }, i) => {
        model.setWeights(name, drawn(normal(0.6), tensor.size, 6, i));
      });
      model.sites.forEach((site) => {
        if (!site.neuron.selects) site.threshold = 0.05;
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
