import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { BlockUpdate, OpRecord, PullbackContext } from './define-op.ts';
import type { FireOptions } from './fire.ts';
import type { Levels } from './levels.ts';
import type { Tensor } from './tensor.ts';

/** What a backward pass starts from. */
export interface Seed {
  readonly tensor: Tensor;
  /** The cotangent that all its elements start with. */
  readonly cotangent: number;
}

/** The way back through the operations of a tape: cotangents, from the last operation to the first. */
export class ReversePass {
  readonly cotangents = new Map<Tensor, NdArray>();
  /** Watched arrays that gradient descent is done on where their gradient is made: the factor on it. */
  readonly descents = new Map<NdArray, number>();
  /** Watched arrays whose gradient is handed on block by block. */
  readonly updates = new Map<NdArray, BlockUpdate>();
  private readonly engine: Engine;
  private readonly records: readonly OpRecord[];
  private readonly levels: Levels;
  /** Operations that had a cotangent and gave none to these inputs, though they want one. */
  private readonly withheld = new Map<OpRecord, Set<Tensor>>();

  constructor(engine: Engine, records: readonly OpRecord[], levels: Levels) {
    this.engine = engine;
    this.records = records;
    this.levels = levels;
  }

  /** Propagates cotangents from the seeds to every watched array and tracked input; the draws have been weighed. */
  run(seeds: readonly Seed[]): void {
    for (const { tensor, cotangent } of seeds) {
      const seed = this.engine.allocate(tensor.array.shape, 'a cotangent');
      this.engine.backend.run('fill', seed.pointer, seed.size, cotangent);
      this.accumulate(tensor, seed);
    }
    let i = this.records.length - 1;
    const context: PullbackContext = {
      lossOfRows: (record, who) => this.levels.lossOfRows(record, who, i),
      weighed: (x, plate, depth) => this.levels.weighed(x, plate, depth),
      descend: (input) => this.descents.get(input),
      updateOf: (input) => this.updates.get(input),
    };
    for (; i >= 0; i--) {
      const record = this.records[i];
      const dy = this.cotangents.get(record.result);
      if (!dy && record.op.needsCotangent?.(record.attributes)) this.checkReached(record, seeds);
      // A neuron that reads only the loss has a gradient though nothing comes back to it.
      if (!record.needs.includes(true) || !(dy || record.op.withoutCotangent)) continue;
      const { profile } = this.engine;
      profile?.enter('backward', record.layer, record.op.name);
      this.pull(record, dy, context);
      profile?.leave();
    }
  }

  /** @throws RangeError where the seeds depend on what an operation gives, and no cotangent comes back from any */
  private checkReached({ op, layer, result, attributes }: OpRecord, seeds: readonly Seed[]): void {
    const readsLosses = op.readsLosses?.(attributes) === true;
    const sloped = new Set([result]);
    /** What depends on it through an operation that gives no cotangent, with that operation. */
    const behind = new Map<Tensor, string>();
    for (const record of this.records) {
      const ends = (tensor: Tensor): boolean =>
        this.withheld.get(record)?.has(tensor) === true ||
        (record.op.ignoresCotangent?.(record.attributes) === true && !record.op.readsLosses?.(record.attributes));
      for (const tensor of record.tensors) {
        const at = behind.get(tensor);
        if (at !== undefined) behind.set(record.result, at);
        if (!sloped.has(tensor)) continue;
        if (!ends(tensor)) sloped.add(record.result);
        else if (readsLosses || !record.op.withholds) behind.set(record.result, record.op.name);
      }
    }
    if (seeds.some(({ tensor }) => sloped.has(tensor.dense))) return;
    const end = seeds.map(({ tensor }) => behind.get(tensor.dense)).find((name) => name !== undefined);
    if (end === undefined) return;
    const { neuron } = attributes as Partial<FireOptions>;
    throw new RangeError(
      `${neuron ? `The neuron "${neuron.name}"` : op.name}${layer ? ` in "${layer}"` : ''} reads the slope of the loss at its output, and what is computed of it ends at "${end}", which has none. Expected a loss with slopes, or a neuron that reads the loss alone, e.g. "rloo".`,
    );
  }

  /** Through one operation; the gradient of what all rows share takes every row at its weight. */
  private pull(record: OpRecord, dy: NdArray | undefined, context: PullbackContext): void {
    const through = (needs: readonly boolean[], cotangent: NdArray | undefined): void => {
      if (!needs.includes(true)) return;
      const gradients = record.op.pullback(this.engine, { ...record, needs }, cotangent as NdArray, context);
      gradients.forEach((gradient, input) => {
        if (!needs[input]) return;
        if (gradient) this.accumulate(record.tensors[input], gradient);
        else this.withhold(record, record.tensors[input]);
      });
    };
    const { plate } = record.result;
    const { needs, layout } = record;
    if (!dy || !plate || plate.depth === 0 || !needs.some((need, i) => need && !layout.plated[i])) {
      through(needs, dy);
      return;
    }
    // Rows first: the gradient of what they share may change it.
    through(
      needs.map((need, i) => need && layout.plated[i]),
      dy,
    );
    through(
      needs.map((need, i) => need && !layout.plated[i]),
      this.levels.weighed(dy, plate, 0),
    );
  }

  private withhold(record: OpRecord, input: Tensor): void {
    const inputs = this.withheld.get(record);
    if (inputs) inputs.add(input);
    else this.withheld.set(record, new Set([input]));
  }

  private accumulate(tensor: Tensor, gradient: NdArray): void {
    const before = this.cotangents.get(tensor);
    if (!before) {
      this.cotangents.set(tensor, gradient);
      return;
    }
    const sum = this.engine.allocate(tensor.array.shape, 'a sum of cotangents');
    this.engine.backend.run('add', before.pointer, gradient.pointer, sum.pointer, sum.size);
    this.cotangents.set(tensor, sum);
  }
}
