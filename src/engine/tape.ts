import { allFinite } from '../math/statistics.ts';
import type { Engine } from './engine.ts';
import type { Op, OpRecord } from './op.ts';
import { type Attributes, type OpName, ops } from './ops.ts';
import type { Tensor } from './tensor.ts';

/** Thrown when a value stops being a finite number; says where it was first seen. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError';
}

/**
 * A record of the operations of one step, for reverse-mode differentiation. Eager: every `apply` computes at once.
 *
 * Cotangents are those of the SUM of the example losses: each example's gradient stands unscaled in its row, and the
 * optimizer divides by the rows. Neurons that read the loss need it so.
 */
export class Tape {
  readonly engine: Engine;
  /** The layer that is being computed, for error messages. */
  layer = '';
  private readonly records: OpRecord[] = [];
  private readonly tracked = new Set<Tensor>();
  private readonly cotangents = new Map<Tensor, Tensor>();
  private readonly uses = new Map<Tensor, number>();
  private readonly descents = new Map<Tensor, number>();

  /** @param engine where the operations run */
  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Marks tensors as wanting a gradient. Without any, nothing is recorded for the way back. */
  watch(tensors: Iterable<Tensor>): void {
    for (const tensor of tensors) this.tracked.add(tensor);
  }

  /** Computes one operation of the table. @throws RangeError when shapes do not fit */
  apply<N extends OpName>(name: N, inputs: readonly Tensor[], attributes: Attributes<N>): Tensor {
    const needs = inputs.map((input) => this.tracked.has(input));
    const { output, saved } = ops[name].forward(this.engine, inputs, attributes as never);
    const record: OpRecord = { name, layer: this.layer, inputs, attributes, output, saved: saved ?? [], needs };
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
  descend(tensor: Tensor, factor: number): void {
    if (this.uses.get(tensor) === 1) this.descents.set(tensor, factor);
  }

  /**
   * Propagates cotangents from the outputs to every watched tensor.
   * @param outputs each with the cotangent that all its elements start with
   * @param exampleLoss one loss a row, for neurons that read the loss
   */
  backward(outputs: readonly { tensor: Tensor; cotangent: number }[], exampleLoss?: Tensor): void {
    const context = { exampleLoss, descend: (input: Tensor) => this.descents.get(input) };
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
      const gradients = row.pullback(this.engine, record, dy as Tensor, context);
      gradients.forEach((gradient, input) => {
        if (gradient && record.needs[input]) this.accumulate(record.inputs[input], gradient);
      });
    }
  }

  /** The gradient of the sum of the outputs' seeds at a tensor, after `backward`; undefined when nothing reached it. */
  gradient(tensor: Tensor): Tensor | undefined {
    return this.cotangents.get(tensor);
  }

  /** Names the first operation whose output is not finite. */
  firstNonFinite(): { op: string; layer: string } | undefined {
    const record = this.records.find(({ output }) => !allFinite(output.values));
    return record && { op: record.name, layer: record.layer };
  }

  private accumulate(tensor: Tensor, gradient: Tensor): void {
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
