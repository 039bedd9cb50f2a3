import type { Engine } from '../backend/engine.ts';
import { multiplyMatrices } from '../backend/matmul.ts';
import { columnSums, flip, operand, product, targetOf } from '../backend/matrix.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { bernoulliOps } from './bernoulli-ops.ts';
import { blockOps } from './block-ops.ts';
import { type FireAttributes, fire, pullFire } from './fire.ts';
import { type Op, op } from './op.ts';
import { sequenceOps } from './sequence-ops.ts';

const like = (engine: Engine, tensor: NdArray, purpose: string): NdArray => engine.allocate(tensor.shape, purpose);

/** A penalty's value, and its gradient written into `gradient` (rows × columns, like `values`). */
export type PenaltyFunction = (
  values: Float32Array | Float64Array,
  rows: number,
  columns: number,
  gradient: Float32Array | Float64Array,
) => number;

export const ops = {
  /** a·b (+ bias by row): rows×inner · inner×columns */
  matmul: op<{ transposeA?: boolean; transposeB?: boolean }>({
    forward(engine, [a, b, bias], { transposeA = false, transposeB = false }) {
      return { output: product(engine, operand(a, transposeA), operand(b, transposeB), bias) };
    },
    pullback(engine, { inputs, attributes: { transposeA = false, transposeB = false }, needs }, dy, { descend }) {
      const a = operand(inputs[0].shownToPullbacks, transposeA);
      const b = operand(inputs[1].shownToPullbacks, transposeB);
      const d = operand(dy, false);
      // The gradient of a comes first: b may change under its own.
      const da = needs[0] ? (transposeA ? product(engine, b, flip(d)) : product(engine, d, flip(b))) : null;
      const dBias = needs[2] ? columnSums(engine, dy) : null;
      if (!needs[1]) return [da, null, dBias];
      const factor = transposeB ? undefined : descend(inputs[1]);
      if (factor !== undefined) {
        const scaled = like(engine, dy, 'a scaled cotangent');
        engine.backend.run('scale', dy.pointer, scaled.pointer, dy.size, factor);
        const size = { m: a.columns, n: d.columns, k: d.rows, accumulate: true };
        multiplyMatrices(engine, flip(a), operand(scaled, false), targetOf(inputs[1]), size);
        return [da, null, dBias];
      }
      return [da, transposeB ? product(engine, flip(d), a) : product(engine, flip(a), d), dBias];
    },
  }),

  /** a + b */
  add: op<Record<string, never>>({
    forward(engine, [a, b]) {
      sameShape('add', a, b);
      const output = like(engine, a, 'a sum');
      engine.backend.run('add', a.pointer, b.pointer, output.pointer, a.size);
      return { output };
    },
    pullback: (_engine, _record, dy) => [dy, dy],
  }),

  /** a ⊙ b */
  multiply: op<Record<string, never>>({
    forward(engine, [a, b]) {
      sameShape('multiply', a, b);
      return { output: shown([a, b], ([x, y]) => elementProduct(engine, x, y)) };
    },
    pullback(engine, { inputs, needs }, dy) {
      const times = (other: NdArray): NdArray => elementProduct(engine, dy, other.shownToPullbacks);
      return [needs[0] ? times(inputs[1]) : null, needs[1] ? times(inputs[0]) : null];
    },
  }),

  /** factor·x */
  scale: op<{ factor: number }>({
    forward(engine, [x], { factor }) {
      const scaled = (values: NdArray): NdArray => {
        const output = like(engine, values, 'a scaled tensor');
        engine.backend.run('scale', values.pointer, output.pointer, values.size, factor);
        return output;
      };
      return { output: shown([x], ([values]) => scaled(values)) };
    },
    pullback(engine, { attributes: { factor } }, dy) {
      const output = like(engine, dy, 'the gradient of a scaled tensor');
      engine.backend.run('scale', dy.pointer, output.pointer, dy.size, factor);
      return [output];
    },
  }),

  /** x + bias by row */
  addBias: op<Record<string, never>>({
    forward(engine, [x, bias]) {
      if (bias.size !== x.columns)
        throw new RangeError(`addBias: the bias has ${bias.size} elements, the rows have ${x.columns}.`);
      const biased = (values: NdArray, by: NdArray): NdArray => {
        const output = like(engine, values, 'a biased tensor');
        engine.backend.run('addBias', values.pointer, by.pointer, output.pointer, values.rows, values.columns);
        return output;
      };
      return { output: shown([x, bias], ([values, by]) => biased(values, by)) };
    },
    pullback: (engine, { needs }, dy) => [dy, needs[1] ? columnSums(engine, dy) : null],
  }),

  /** A layer of neurons: logits → h. Its pullback is the neuron's learning rule. */
  fire: op<FireAttributes>({
    withoutCotangent: true,
    ignoresCotangent: ({ neuron }) => neuron.reads === 'loss',
    forward: (engine, [logits], attributes) => fire(engine, logits, attributes),
    pullback(engine, { attributes, inputs, output, saved }, dy: NdArray | undefined, { exampleLoss }) {
      if (saved.length === 0)
        throw new Error('Only sampled firing has a gradient; mean-field and threshold are for evaluation.');
      return [pullFire(engine, attributes, inputs[0], output, saved[0], dy, exampleLoss)];
    },
  }),

  /** The rows of x again and again, `times` times: for what is computed once and used by every draw. */
  repeatRows: op<{ times: number }>({
    forward(engine, [x], { times }) {
      const output = engine.allocate([times * x.rows, x.columns], 'repeated rows');
      for (let draw = 0; draw < times; draw++)
        engine.backend.run('scale', x.pointer, output.pointer + 4 * draw * x.size, x.size, 1);
      return { output };
    },
    pullback(engine, { inputs: [x], attributes: { times } }, dy, { weightsOver }) {
      const weights = weightsOver(x);
      const weighted = weights ? weighRows(engine, dy, weights) : dy;
      const output = like(engine, x, 'the gradient of repeated rows');
      engine.backend.run('scale', weighted.pointer, output.pointer, x.size, 1);
      for (let draw = 1; draw < times; draw++)
        engine.backend.run('add', output.pointer, weighted.pointer + 4 * draw * x.size, output.pointer, x.size);
      return [output];
    },
  }),

  /** gates (rows×blocks) times values (rows×(blocks·size)): block k of every row by its gate */
  gate: op<{ size: number }>({
    forward(engine, [gates, values], { size }) {
      if (gates.rows !== values.rows || gates.columns * size !== values.columns)
        throw new RangeError(
          `gate: ${gates.rows}×${gates.columns} gates of blocks of ${size} do not fit values of ${values.rows}×${values.columns}.`,
        );
      return { output: shown([gates, values], ([g, v]) => gateProduct(engine, g, v, size)) };
    },
    pullback(engine, { inputs, attributes: { size }, needs }, dy) {
      const [gates, values] = inputs.map((input) => input.shownToPullbacks);
      const dGates = needs[0] ? like(engine, gates, 'gate gradients') : null;
      const pointers = [values.pointer, dy.pointer] as const;
      if (dGates) engine.backend.run('blockDot', ...pointers, dGates.pointer, gates.rows, gates.columns, size);
      return [dGates, needs[1] ? gateProduct(engine, gates, dy, size) : null];
    },
  }),

  /** Cross-entropy of softmax(logits) with whole-number labels: one loss a row, in nats. */
  softmaxCrossEntropy: op<{ labels: NdArray }>({
    forward(engine, [logits], { labels }) {
      if (labels.size !== logits.rows)
        throw new RangeError(`softmaxCrossEntropy: ${labels.size} labels do not fit ${logits.rows} rows of logits.`);
      const marks = engine.backend.heap.memory.integers(labels.pointer, labels.size);
      const wrong = marks.findIndex((label) => !(label >= 0 && label < logits.columns));
      if (wrong >= 0)
        throw new RangeError(
          `softmaxCrossEntropy: label ${marks[wrong]} of row ${wrong} is not one of ${logits.columns} classes.`,
        );
      const losses = engine.allocate([logits.rows], 'the example losses');
      const probabilities = like(engine, logits, 'the class probabilities');
      const pointers = [logits.pointer, labels.pointer, losses.pointer, probabilities.pointer] as const;
      engine.backend.run('softmaxCrossEntropy', ...pointers, logits.rows, logits.columns);
      return { output: losses, saved: [probabilities] };
    },
    pullback(engine, { inputs: [logits], attributes: { labels }, saved: [probabilities] }, dy) {
      const output = like(engine, logits, 'the gradient of the logits');
      const pointers = [probabilities.pointer, labels.pointer, dy.pointer, output.pointer] as const;
      engine.backend.run('softmaxCrossEntropyPullback', ...pointers, logits.rows, logits.columns);
      return [output];
    },
  }),

  /** A penalty on a matrix, with a gradient of its own: a scalar. */
  penalty: op<{ evaluate: PenaltyFunction }>({
    forward(engine, [x], { evaluate }) {
      const output = engine.allocate([1], 'a penalty');
      const gradient = like(engine, x, 'the gradient of a penalty');
      output.values[0] = evaluate(x.values, x.rows, x.columns, gradient.values);
      return { output, saved: [gradient] };
    },
    pullback(engine, { saved: [gradient] }, dy) {
      const output = like(engine, gradient, 'the gradient of a penalty');
      engine.backend.run('scale', gradient.pointer, output.pointer, gradient.size, dy.values[0]);
      return [output];
    },
  }),

  ...bernoulliOps,
  ...blockOps,
  ...sequenceOps,
} as const;

export type OpName = keyof typeof ops;
export type Attributes<N extends OpName> = (typeof ops)[N] extends Op<infer A> ? A : never;

/** Every row of x times its weight. */
export function weighRows(engine: Engine, x: NdArray, weights: NdArray): NdArray {
  const output = like(engine, x, 'weighted rows');
  engine.backend.run('gateMultiply', weights.pointer, x.pointer, output.pointer, x.rows, 1, x.columns);
  return output;
}

/** gates (rows×blocks) times blocks of values (rows×(blocks·size)) */
function gateProduct(engine: Engine, gates: NdArray, values: NdArray, size: number): NdArray {
  const output = like(engine, values, 'gated values');
  const pointers = [gates.pointer, values.pointer, output.pointer] as const;
  engine.backend.run('gateMultiply', ...pointers, gates.rows, gates.columns, size);
  return output;
}

function elementProduct(engine: Engine, a: NdArray, b: NdArray): NdArray {
  const output = like(engine, a, 'a product');
  engine.backend.run('multiply', a.pointer, b.pointer, output.pointer, a.size);
  return output;
}

/**
 * A product of inputs, some of which show other values to pullbacks than they have: the output then shows the product of what
 * its inputs show, so that the layer above sees it too.
 */
function shown(inputs: readonly NdArray[], compute: (inputs: readonly NdArray[]) => NdArray): NdArray {
  const output = compute(inputs);
  const others = inputs.map((input) => input.shownToPullbacks);
  if (others.some((other, i) => other !== inputs[i])) output.shownToPullbacks = compute(others);
  return output;
}

function sameShape(name: string, a: NdArray, b: NdArray): void {
  if (a.shape.length !== b.shape.length || a.shape.some((extent, i) => extent !== b.shape[i]))
    throw new RangeError(`${name}: the shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] differ.`);
}
