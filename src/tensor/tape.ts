import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { allFinite } from '../math/statistics.ts';
import { type BlockUpdate, movesWhole, type OpDefinition, type OpRecord } from './define-op.ts';
import type { FireOptions } from './fire.ts';
import { Levels } from './levels.ts';
import { type Numbers, placeNumbers } from './numbers.ts';
import { gatherPlate, repeatDraws } from './ops/plates.ts';
import { type Plate, Plates } from './plate.ts';
import { addParts, type LossParts, pointLossesOf } from './point-losses.ts';
import { ReversePass, type Seed } from './reverse-pass.ts';
import { Tensor } from './tensor.ts';
import { told } from './told.ts';

/** Multiply-adds executed in the forward pass: all, and those of gaters among them. */
export interface Work {
  executed: number;
  gater: number;
}

/**
 * A record of the operations of one step, for reverse-mode differentiation. Eager: every operation computes at once. Tensors know
 * their tape; there is no other way to it.
 *
 * Cotangents are those of the SUM of the example losses: each example's gradient stands unscaled in its rows, and the
 * optimizer divides by the examples. Neurons that read the loss need it so. Above an operation with several draws every row has
 * the cotangent of its own loss, whatever it weighs; the weights come in where rows of different draws are summed: in the
 * gradients of what all rows share, and of what is repeated for every draw.
 */
export class Tape {
  readonly engine: Engine;
  readonly plates: Plates;
  readonly work: Work = { executed: 0, gater: 0 };
  /** The layer that is being computed, for error messages. */
  layer = '';
  /** Fires in the place of a site's neuron where it gives something: bits that are set, another neuron. */
  firing: ((logits: Tensor, attributes: FireOptions) => Tensor | undefined) | undefined;
  /** Does what is computed now decide which gates open? */
  inGater = false;
  /** Is what is computed now a part behind a gate, of which closed rows see nothing? */
  behindGate = false;
  private readonly levels: Levels;
  private readonly records: OpRecord[] = [];
  private readonly parameters = new Map<NdArray, Tensor>();
  private readonly watched = new Set<NdArray>();
  /** What pullbacks see in the place of a tensor's values: see `OpDefinition.showsThrough`. */
  private readonly shown = new Map<Tensor, NdArray>();
  private readonly uses = new Map<NdArray, number>();
  private readonly reverse: ReversePass;
  /** Of losses with more in them: those without, and what was added. */
  private readonly added = new Map<Tensor, { readonly losses: Tensor; readonly parts: readonly LossParts[] }>();
  private readonly step: number;

  /** @param engine where the operations run; the tape is that of its step under way */
  constructor(engine: Engine) {
    this.engine = engine;
    this.plates = new Plates(engine);
    this.levels = new Levels(engine, this.plates);
    this.reverse = new ReversePass(engine, this.records, this.levels);
    this.step = engine.step;
  }

  /** Is its step still under way? Else the memory of its tensors is used again. */
  get current(): boolean {
    return this.engine.step === this.step;
  }

  /** Marks persistent arrays as wanting a gradient. Without any, nothing is recorded for the way back. */
  watch(arrays: Iterable<NdArray>): void {
    for (const array of arrays) this.watched.add(array);
  }

  /** An array that all rows share, as a tensor; the same one every time, with a gradient where it is watched. */
  parameter(array: NdArray): Tensor {
    let tensor = this.parameters.get(array);
    if (!tensor) this.parameters.set(array, (tensor = new Tensor(this, array, undefined, this.watched.has(array))));
    return tensor;
  }

  /** An array of this step as a tensor. @param plate what its first extent stands for; none: all rows share it */
  input(array: NdArray, plate?: Plate, tracked = false): Tensor {
    if (plate && array.rows !== plate.rows)
      throw new RangeError(
        `An array of ${array.rows} rows was given for ${this.plates.describe(plate)}; expected ${plate.rows} rows.`,
      );
    return new Tensor(this, array, plate, tracked);
  }

  /** Numbers that all rows share; no gradient goes to them. @throws RangeError for nested numbers of different lengths */
  constant(numbers: Numbers | number): Tensor {
    return new Tensor(this, placeNumbers(this.engine, numbers), undefined, false);
  }

  /** Computes one operation. @throws RangeError when shapes or plates do not fit, or the step of a tensor is over */
  apply<A>(op: OpDefinition<A>, operands: readonly Tensor[], attributes: A): Tensor {
    this.checkStep(op.name, operands);
    const { tensors, plate } = this.aligned(
      op,
      operands.map(({ dense }) => dense),
      attributes,
    );
    const arrays = tensors.map(({ array }) => array);
    const whole = movesWhole(op, arrays);
    const layout = { plated: tensors.map((tensor) => tensor.plate !== undefined), rows: plate?.rows };
    const { profile } = this.engine;
    profile?.enter('forward', this.layer, op.name);
    const made = op.forward(this.engine, arrays, attributes, layout);
    made.output.whole ||= whole;
    if (op.cost) this.count(op.cost(arrays, attributes, layout));
    const needs = tensors.map(({ tracked }) => tracked);
    const tracked = needs.includes(true) && !op.ignoresCotangent?.(attributes);
    const { draws } = made;
    const outPlate = draws && plate ? this.levels.add(plate, draws) : plate;
    const result = new Tensor(this, made.output, outPlate, tracked);
    const seen = tensors.map((tensor) => this.shown.get(tensor) ?? tensor.array);
    if (made.shown) this.shown.set(result, made.shown);
    else if (op.showsThrough && seen.some((array, i) => array !== arrays[i]))
      this.shown.set(result, op.forward(this.engine, seen, attributes, layout).output);
    const { output, saved = [] } = made;
    this.records.push({
      op: op as OpDefinition<unknown>,
      layer: this.layer,
      behindGate: this.behindGate,
      tensors,
      inputs: seen,
      attributes,
      result,
      output,
      saved,
      needs,
      layout,
    });
    for (const array of arrays) this.uses.set(array, (this.uses.get(array) ?? 0) + 1);
    profile?.leave();
    return result;
  }

  /** A tensor repeated for the rows of a finer plate, or for more draws. What all rows share stays as it is, as all does without a plate. */
  lift(given: Tensor, plate: Plate | undefined): Tensor {
    if (!plate || !given.plate || given.plate === plate) return given;
    const x = given.dense;
    const from = given.plate;
    const { plates } = this;
    if (from.structure === plate.structure) return repeatDraws(x, { to: plate, plates });
    const { structure } = plate;
    const over = structure.over;
    if (!over) throw new RangeError(`${plates.describe(from)} cannot be repeated for ${plates.describe(plate)}.`);
    // By way of the structure's own depth, where its rows were picked.
    const below = this.lift(x, plates.at(over, Math.max(from.depth, structure.depth)));
    const gathered = gatherPlate(below, { to: plates.at(structure, below.plate?.depth ?? 0), plates });
    return this.lift(gathered, plate);
  }

  /** A tensor repeated for every draw made so far on this tape. */
  atDraws(x: Tensor): Tensor {
    return x.plate ? this.lift(x, this.plates.at(x.plate.structure, this.plates.counts.length)) : x;
  }

  /**
   * Asks `backward` to add factor·gradient to a watched array itself, where its operation can, in place of keeping the
   * gradient: plain gradient descent with one pass over the memory. Ignored for arrays that were used more than once.
   */
  descend(array: NdArray, factor: number): void {
    if (this.uses.get(array) === 1) this.reverse.descents.set(array, factor);
  }

  /**
   * Asks `backward` to hand a watched array's gradient to this, block by block, where its operation can, in place of keeping it.
   * Ignored for arrays that were used more than once.
   */
  update(array: NdArray, by: BlockUpdate): void {
    if (this.uses.get(array) === 1) this.reverse.updates.set(array, by);
  }

  /**
   * What the losses of the draws come to: one loss an example.
   * @param losses one number a row, of examples or of the whole program
   * @throws RangeError when they are something else
   */
  weigh(losses: Tensor): NdArray {
    return this.levels.weigh(this.atDraws(losses));
  }

  /** What each row of a tensor weighs, after `weigh`; undefined where nothing was drawn several times below it. */
  weightsOf(x: Tensor): NdArray | undefined {
    return x.plate && x.plate.depth > 0 ? this.levels.weightsOf(x.plate, 0) : undefined;
  }

  /** Of the draws that a tensor's rows repeat: `alike`, equal weights; `weighed`, weights that differ; `bound`, combined by a bound, which is no sum. */
  drawsBelow(x: Tensor): 'alike' | 'bound' | 'weighed' {
    const draws = x.plate ? this.levels.drawsOf(x.plate) : [];
    return draws.some(({ bound }) => bound) ? 'bound' : draws.some(({ weighed }) => weighed) ? 'weighed' : 'alike';
  }

  /**
   * Propagates cotangents from the outputs to every watched array and tracked input.
   * @param losses one loss a row, for neurons that read the loss and for several draws; it is no seed by itself
   * @throws RangeError when something has several draws and no loss is given
   */
  backward(seeds: readonly Seed[], losses?: Tensor): void {
    if (losses) this.weighPoints(losses);
    else if (this.levels.count > 0)
      throw new RangeError(
        'A neuron with several draws weighs their losses, and no loss was given to `tape.backward`.',
      );
    this.reverse.run(seeds);
  }

  /** The gradient of the sum of the seeds at a tensor or a watched array, after `backward`; undefined when nothing reached it. */
  gradient(of: Tensor | NdArray): NdArray | undefined {
    const tensor = of instanceof Tensor ? of : this.parameters.get(of);
    return tensor && this.reverse.cotangents.get(tensor);
  }

  /** Every operation so far, in order: the trace that exports, counts and pictures are read off. */
  get trace(): readonly OpRecord[] {
    return this.records;
  }

  /** What pullbacks see in place of a tensor's values. */
  shownOf(x: Tensor): NdArray {
    return this.shown.get(x) ?? x.array;
  }

  /**
   * Losses with more in them.
   * @param parts one number a row of a tensor, whose rows belong to those of the losses
   */
  withParts(losses: Tensor, parts: readonly LossParts[]): Tensor {
    const own = this.atDraws(losses);
    const plate = own.plate as Plate;
    const total = this.engine.allocate([plate.rows], 'losses and penalties');
    const sums = Float64Array.from(own.values);
    addParts(this.plates, plate, sums, parts);
    total.values.set(sums);
    const result = this.input(total, plate);
    this.added.set(result, { losses, parts });
    return result;
  }

  /** Weighs the draws, and finds what readers of the losses are given where they are sums over points. */
  private weighPoints(given: Tensor): void {
    const { losses, parts } = this.added.get(given) ?? { losses: given, parts: [] };
    this.levels.weigh(this.atDraws(given));
    const reads = ({ op, attributes, result }: OpRecord) =>
      op.readsLosses?.(attributes) && result.plate && this.plates.sequencesOf(result.plate);
    if (this.records.some(reads)) this.levels.divide(pointLossesOf(this.records, losses, parts));
  }

  /** Names the first operation whose output is not finite. */
  firstNonFinite(): { op: string; layer: string } | undefined {
    const record = this.records.find(({ output }) => !allFinite(output.values));
    return record && { op: record.op.name, layer: record.layer };
  }

  private aligned<A>(op: OpDefinition<A>, operands: readonly Tensor[], attributes: A) {
    if (op.plates) {
      const { inputs, output } = op.plates(operands, attributes);
      return { tensors: operands.map((x, i) => this.lift(x, inputs[i])), plate: output };
    }
    const plate = this.plates.finest(operands);
    const differs = (x: Tensor): boolean => x.plate !== undefined && x.plate !== plate;
    return { tensors: plate && operands.some(differs) ? operands.map((x) => this.lift(x, plate)) : operands, plate };
  }

  /** Checks what a function gave. @param who gave it, for messages @throws RangeError for what is no tensor of this tape */
  checkResult(who: string, value: unknown): void {
    if (!(value instanceof Tensor))
      throw new RangeError(`${who} gives ${told(value)}. Expected a tensor, and no promise of one.`);
    if (value.tape !== this)
      throw new RangeError(
        `${who} gives a tensor of another pass, whose memory is used again. Expected one that is computed in this pass.`,
      );
  }

  /** @param what is done with tensors of this tape, for messages @throws RangeError when its step is over */
  checkCurrent(what: string): void {
    if (this.current) return;
    throw new RangeError(
      `${what}: the step of its tensors is over, and their memory is used again. Expected tensors of the step under way; read what is needed later with \`await tensor.read()\` before the next step begins.`,
    );
  }

  private checkStep(name: string, operands: readonly Tensor[]): void {
    this.checkCurrent(name);
    for (const { tape } of operands)
      if (tape !== this)
        throw new RangeError(
          `${name}: two of its tensors belong to different passes. Expected tensors of one function or model pass.`,
        );
  }

  private count(multiplyAdds: number): void {
    this.work.executed += multiplyAdds;
    if (this.inGater) this.work.gater += multiplyAdds;
  }
}
