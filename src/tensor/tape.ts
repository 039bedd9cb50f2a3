import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { allFinite } from '../math/statistics.ts';
import type { Draws, Op, OpRecord, PullbackContext } from './op.ts';
import { type Attributes, type OpName, ops, weighRows } from './ops.ts';

/** An operation with several draws, and after `weigh` what its draws' losses are and weigh. */
interface Level {
  readonly draws: Draws;
  /** Rows below it. */
  readonly rows: number;
  readonly output: NdArray;
  /** One loss a row above it. */
  loss?: NdArray;
  /** What each of these weighs. */
  weights?: NdArray;
  /** What they come to: one a row below it. */
  total?: NdArray;
}

/** Thrown when a value stops being a finite number; says where it was first seen. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError';
}

/**
 * A record of the operations of one step, for reverse-mode differentiation. Eager: every `apply` computes at once.
 *
 * Cotangents are those of the SUM of the example losses: each example's gradient stands unscaled in its row, and the
 * optimizer divides by the rows. Neurons that read the loss need it so. Above an operation with several draws every row has
 * the cotangent of its own loss, whatever it weighs; the weights come in where rows of different draws are summed: in the
 * gradients of watched tensors, and in what is repeated for every draw.
 */
export class Tape {
  readonly engine: Engine;
  /** The layer that is being computed, for error messages. */
  layer = '';
  private readonly records: OpRecord[] = [];
  private readonly watched = new Set<NdArray>();
  private readonly tracked = new Set<NdArray>();
  private readonly levels: Level[] = [];
  /** How many of the levels a tensor stands above; absent: none. */
  private readonly depths = new Map<NdArray, number>();
  private readonly cotangents = new Map<NdArray, NdArray>();
  private readonly uses = new Map<NdArray, number>();
  private readonly descents = new Map<NdArray, number>();

  /** @param engine where the operations run */
  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Marks tensors as wanting a gradient. Without any, nothing is recorded for the way back. */
  watch(tensors: Iterable<NdArray>): void {
    for (const tensor of tensors) {
      this.watched.add(tensor);
      this.tracked.add(tensor);
    }
  }

  /** Computes one operation of the table. @throws RangeError when shapes do not fit */
  apply<N extends OpName>(name: N, inputs: readonly NdArray[], attributes: Attributes<N>): NdArray {
    const needs = inputs.map((input) => this.tracked.has(input));
    const { output, saved, draws } = (ops[name] as Op<unknown>).forward(this.engine, inputs, attributes);
    if (draws && this.depthOf(inputs[0]) < this.levels.length)
      throw new Error(
        `Layer "${this.layer}" makes several draws beside others that stand below it; repeat its input for each of those (\`repeatRows\`).`,
      );
    if (draws) this.levels.push({ draws, rows: inputs[0].rows, output });
    const depth =
      draws || name === 'repeatRows' ? this.levels.length : Math.max(0, ...inputs.map((x) => this.depthOf(x)));
    if (depth > 0) this.depths.set(output, depth);
    const record: OpRecord = { name, layer: this.layer, inputs, attributes, output, saved: saved ?? [], needs, depth };
    this.records.push(record);
    for (const input of inputs) this.uses.set(input, (this.uses.get(input) ?? 0) + 1);
    const row = ops[name] as Op<unknown>;
    if (needs.includes(true) && !row.ignoresCotangent?.(attributes)) this.tracked.add(output);
    return output;
  }

  /**
   * Asks `backward` to add factor·gradient to a watched tensor itself, where its operation can, in place of keeping the
   * gradient: plain gradient descent with one pass over the memory. Ignored for tensors that were used more than once.
   */
  descend(tensor: NdArray, factor: number): void {
    if (this.uses.get(tensor) === 1) this.descents.set(tensor, factor);
  }

  /** How many draws are made, where the tape stands, of every one of so many rows: 1 where nothing above asked for several. */
  drawsOf(rows: number): number {
    return this.levels.reduce((product, { draws, rows: below }) => (below < rows ? product : product * draws.count), 1);
  }

  /**
   * What the losses of the draws come to: one loss an example.
   * @param losses one a row and draw, as the operations above the last draws gave them
   */
  weigh(losses: NdArray): NdArray {
    let loss = losses;
    for (const level of this.levels.toReversed()) {
      level.loss = loss;
      level.weights = this.engine.allocate([loss.rows], 'the weights of the draws');
      level.total = this.engine.allocate([level.rows], 'losses over the draws');
      level.draws.weigh(loss, level.weights, level.total);
      loss = level.total;
    }
    return loss;
  }

  /** What each row of `output` weighs, after `weigh`; undefined where it is not the output of several draws. */
  weightsOf(output: NdArray): NdArray | undefined {
    return this.levels.find((level) => level.output === output)?.weights;
  }

  /**
   * Propagates cotangents from the outputs to every watched tensor.
   * @param outputs each with the cotangent that all its elements start with
   * @param exampleLoss one loss a row (and draw), for neurons that read the loss
   * @throws Error when something has several draws and no loss is given
   */
  backward(outputs: readonly { tensor: NdArray; cotangent: number }[], exampleLoss?: NdArray): void {
    if (this.levels.length > 0) {
      if (!exampleLoss)
        throw new Error('A neuron with several draws weighs their losses; give the loss to `tape.backward`.');
      if (this.levels[this.levels.length - 1].loss !== exampleLoss) this.weigh(exampleLoss);
    }
    for (const { tensor, cotangent } of outputs) {
      const seed = this.engine.allocate(tensor.shape, 'a cotangent');
      this.engine.backend.run('fill', seed.pointer, seed.size, cotangent);
      this.accumulate(tensor, seed);
    }
    for (let i = this.records.length - 1; i >= 0; i--) {
      const record = this.records[i];
      const dy = this.cotangents.get(record.output);
      const row = ops[record.name as OpName] as Op<unknown>;
      // A neuron that reads only the loss has a gradient though nothing comes back to it.
      if (!record.needs.includes(true) || (!dy && !row.withoutCotangent)) continue;
      this.pull(record, dy, exampleLoss);
    }
  }

  /** Through one operation; of several draws, the gradients of watched tensors take every row at its weight. */
  private pull(record: OpRecord, dy: NdArray | undefined, exampleLoss: NdArray | undefined): void {
    const isWatched = record.inputs.map((input) => this.watched.has(input));
    const context: PullbackContext = {
      exampleLoss: record.depth < this.levels.length ? this.levels[record.depth].total : exampleLoss,
      descend: (input) => this.descents.get(input),
      weightsOver: (input) => (record.depth === 0 ? undefined : this.weightsBetween(input.rows, record.depth)),
    };
    const through = (needs: readonly boolean[], cotangent: NdArray | undefined): void => {
      if (!needs.includes(true)) return;
      const part = { ...record, needs };
      const row = ops[record.name as OpName] as Op<unknown>;
      const gradients = row.pullback(this.engine, part, cotangent as NdArray, context);
      gradients.forEach((gradient, input) => {
        if (gradient && needs[input]) this.accumulate(record.inputs[input], gradient);
      });
    };
    if (record.depth === 0 || !dy || !isWatched.some((watched, i) => watched && record.needs[i])) {
      through(record.needs, dy);
      return;
    }
    // Activations first: the gradient of a watched tensor may change it.
    through(
      record.needs.map((need, i) => need && !isWatched[i]),
      dy,
    );
    const weights = this.weightsBetween(this.levels[0].rows, record.depth);
    const row = ops[record.name as OpName] as Op<unknown>;
    through(
      record.needs.map((need, i) => need && isWatched[i]),
      (row.weigh ?? weighRows)(this.engine, dy, weights, record.attributes),
    );
  }

  private depthOf(x: NdArray): number {
    return this.depths.get(x) ?? 0;
  }

  /** The weight of every row at a depth in the example, or row further down, that it belongs to. */
  private weightsBetween(rows: number, depth: number): NdArray {
    const first = this.levels.findIndex((level) => level.rows === rows);
    const [lowest, ...others] = this.levels.slice(first, depth).map(({ weights }) => weights as NdArray);
    return others.reduce((below, weights) => {
      const product = this.engine.allocate(weights.shape, 'weights of draws of draws');
      const [w, b] = [weights.values, below.values];
      const out = product.values;
      for (let i = 0; i < out.length; i++) out[i] = w[i] * b[i % b.length];
      return product;
    }, lowest);
  }

  /** The gradient of the sum of the outputs' seeds at a tensor, after `backward`; undefined when nothing reached it. */
  gradient(tensor: NdArray): NdArray | undefined {
    return this.cotangents.get(tensor);
  }

  /** Names the first operation whose output is not finite. */
  firstNonFinite(): { op: string; layer: string } | undefined {
    const record = this.records.find(({ output }) => !allFinite(output.values));
    return record && { op: record.name, layer: record.layer };
  }

  private accumulate(tensor: NdArray, gradient: NdArray): void {
    const before = this.cotangents.get(tensor);
    if (!before) {
      this.cotangents.set(tensor, gradient);
      return;
    }
    const sum = this.engine.allocate(tensor.shape, 'a sum of cotangents');
    this.engine.backend.run('add', before.pointer, gradient.pointer, sum.pointer, sum.size);
    this.cotangents.set(tensor, sum);
  }
}
