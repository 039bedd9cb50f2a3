import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Draws, OpRecord } from './define-op.ts';
import { isWithin, type Plate, type Plates, type RowStructure } from './plate.ts';
import { addParts, lossesBefore, lossesFrom, type PointLosses } from './point-losses.ts';
import type { Tensor } from './tensor.ts';

/** One use of a neuron with several draws. */
interface Level {
  readonly draws: Draws;
  /** The rows that it was fired for. */
  readonly below: Plate;
  /** After `weigh`: what the loss of each row above it weighs. */
  weights?: NdArray;
  /** After `weigh`: what the losses of the draws come to, one a row below it. */
  total?: NdArray;
}

/** The draws of one tape, lowest first, and what their losses weigh. */
export class Levels {
  private readonly engine: Engine;
  private readonly plates: Plates;
  private readonly levels: Level[] = [];
  private losses: Tensor | undefined;
  /** Of points, and what readers of these losses are given, by the levels of draws. */
  private points: PointLosses | undefined;
  private readonly ofPoints: Float64Array[] = [];
  private readonly fromPoints: Float64Array[] = [];
  /** What stands for the losses before a point, one number a point; the same for all levels of draws. */
  private before: Float64Array | undefined;
  /** Row weights by plate, then by the depth that they lead down to. */
  private readonly known = new Map<Plate, NdArray[]>();

  constructor(engine: Engine, plates: Plates) {
    this.engine = engine;
    this.plates = plates;
  }

  get count(): number {
    return this.levels.length;
  }

  /** Draws rows several times. @returns the plate of the drawn rows */
  add(below: Plate, draws: Draws): Plate {
    this.levels.push({ draws, below });
    this.plates.counts.push(draws.count);
    return this.plates.at(below.structure, this.levels.length);
  }

  /**
   * Takes the losses, repeated for all draws, and goes down the draws.
   * @returns one loss a row of examples, or of the program
   * @throws RangeError when there is not one number an example, or draws want a loss for rows that have none of their own
   */
  weigh(losses: Tensor): NdArray {
    if (this.losses === losses) return this.levels[0]?.total ?? losses.array;
    const structure = this.structureOf(losses);
    this.losses = losses;
    let loss = losses.array;
    for (let at = this.levels.length - 1; at >= 0; at--) {
      const level = this.levels[at];
      if (level.draws.byRow && level.below.structure !== structure)
        throw new RangeError(
          `A neuron that compares the losses of a row's draws fired for ${this.plates.describe(level.below)}, and the loss has one number for each of ${structure.rows} ${structure.kind}. Expected it where every row has a loss of its own, or another neuron.`,
        );
      level.weights = this.engine.allocate([loss.rows], 'the weights of the draws');
      level.total = this.engine.allocate([this.plates.at(structure, at).rows], 'losses over the draws');
      level.draws.weigh(loss, level.weights, level.total);
      loss = level.total;
    }
    return loss;
  }

  /**
   * Says what the losses are sums of, after `weigh`: what was computed from then on is given the losses at and after its own point. Ignored where
   * draws are combined by a bound, which is no sum over points.
   */
  divide(points: PointLosses | undefined): void {
    if (!this.levels.some(({ draws }) => draws.bound)) this.points = points;
  }

  /**
   * One loss a row of what an operation gave. @param number of its record
   * @throws RangeError where none was given, or the rows have none
   */
  lossOfRows({ layer, result }: Pick<OpRecord, 'layer' | 'result'>, who: string, number: number): NdArray {
    const { losses, points } = this;
    const plate = result.plate;
    if (!losses?.plate || !plate)
      throw new RangeError(
        `${who}${layer ? ` in "${layer}"` : ''} reads the loss of every example, and no loss was given to \`tape.backward\`.`,
      );
    if (points && number >= points.from && isWithin(plate.structure, points.plate.structure))
      return this.lossFromPoint(plate, points);
    const at = this.plates.at(losses.plate.structure, plate.depth);
    const loss = plate.depth < this.levels.length ? (this.levels[plate.depth].total as NdArray) : losses.array;
    if (plate.structure === at.structure) return loss;
    const output = this.engine.allocate([plate.rows], 'the losses of rows');
    const [from, to] = [loss.values, output.values];
    if (isWithin(plate.structure, at.structure)) {
      const owners = this.plates.ownerRows(plate, at);
      for (let i = 0; i < to.length; i++) to[i] = from[owners[i]];
    } else {
      // What all examples share has the sum of their losses.
      const owners = this.plates.ownerRows(at, plate);
      to.fill(0);
      for (let i = 0; i < from.length; i++) to[owners[i]] += from[i];
    }
    return output;
  }

  /** For every row the losses at and after its point, those of draws above it averaged. */
  private lossFromPoint(plate: Plate, points: PointLosses): NdArray {
    const { plates } = this;
    const at = plates.at(points.plate.structure, plate.depth);
    const losses = (this.fromPoints[plate.depth] ??= lossesFrom(
      plates,
      at,
      this.lossesOfPoints(plate.depth, points),
      (this.before ??= lossesBefore(
        plates.offsetsOf(plates.at(points.plate.structure, 0)),
        this.lossesOfPoints(0, points),
        points.shares,
      )),
    ));
    const output = this.engine.allocate([plate.rows], 'the losses from points on');
    const to = output.values;
    if (plate.structure === at.structure) to.set(losses);
    else
      plates.ownerRows(plate, at).forEach((owner, i) => {
        to[i] = losses[owner];
      });
    return output;
  }

  /** What every point adds to the loss of its example, with so many levels of draws: those above come to what they weigh. */
  private lossesOfPoints(depth: number, points: PointLosses): Float64Array {
    this.ofPoints[depth] ??=
      depth < this.levels.length
        ? this.overDraws(depth, this.lossesOfPoints(depth + 1, points))
        : this.allDraws(points);
    return this.ofPoints[depth];
  }

  /** Every point with all draws, its parts added: those of examples stand at the last point, which all before it see. */
  private allDraws({ plate, values, parts }: PointLosses): Float64Array {
    const { plates } = this;
    const all = plates.at(plate.structure, this.levels.length);
    const sums = Float64Array.from({ length: all.rows }, (_, row) => values[row % values.length]);
    addParts(plates, all, sums, parts);
    return sums;
  }

  private overDraws(level: number, above: Float64Array): Float64Array {
    const { plates } = this;
    const structure = this.points?.plate.structure as RowStructure;
    const owners = plates.ownerRows(plates.at(structure, level + 1), plates.at(this.structure, level + 1));
    const weights = (this.levels[level].weights as NdArray).values;
    const output = new Float64Array(plates.at(structure, level).rows);
    for (let row = 0; row < above.length; row++) output[row % output.length] += weights[owners[row]] * above[row];
    return output;
  }

  /** Of the losses. */
  private get structure(): RowStructure {
    return this.losses?.plate?.structure as RowStructure;
  }

  /** Facts of the draws that a plate's rows repeat. */
  drawsOf(plate: Plate): readonly Draws[] {
    return this.levels.slice(0, plate.depth).map(({ draws }) => draws);
  }

  /** The weight of every row of a plate in the row with only `depth` levels of draws that it repeats. */
  weightsOf(plate: Plate, depth: number): NdArray {
    let own = this.known.get(plate);
    if (!own) this.known.set(plate, (own = []));
    own[depth] ??= this.product(plate, depth);
    return own[depth];
  }

  /** Every row of x times its weight; x itself where nothing was drawn in between. */
  weighed(x: NdArray, plate: Plate, depth: number): NdArray {
    if (plate.depth <= depth) return x;
    const weights = this.weightsOf(plate, depth);
    const output = this.engine.allocate(x.shape, 'weighted rows');
    this.engine.backend.run('gateMultiply', weights.pointer, x.pointer, output.pointer, x.rows, 1, x.columns);
    return output;
  }

  private product(plate: Plate, depth: number): NdArray {
    const { structure } = this;
    const output = this.engine.allocate([plate.rows], 'weights of draws');
    const out = output.values;
    out.fill(1);
    const hasLosses = isWithin(plate.structure, structure);
    const owners =
      hasLosses && plate.structure !== structure
        ? this.plates.ownerRows(plate, this.plates.at(structure, plate.depth))
        : undefined;
    for (let level = depth; level < plate.depth; level++) {
      const weights = (this.levels[level].weights as NdArray).values;
      const losses = this.plates.at(structure, level + 1).rows;
      if (hasLosses) for (let i = 0; i < out.length; i++) out[i] *= weights[(owners ? owners[i] : i) % losses];
      else {
        const rows = this.plates.at(plate.structure, level + 1).rows;
        for (let i = 0; i < out.length; i++) out[i] *= this.shared(weights, i % rows, losses / rows);
      }
    }
    return output;
  }

  /** The weight of one draw of the whole program: that of all its examples, which have to agree. */
  private shared(weights: ArrayLike<number>, draw: number, examples: number): number {
    const weight = weights[draw * examples];
    for (let i = 1; i < examples; i++)
      if (weights[draw * examples + i] !== weight)
        throw new RangeError(
          'A value of the whole program was computed from draws whose weights differ between examples. Expected a neuron with equal weights below it.',
        );
    return weight;
  }

  private structureOf(losses: Tensor): RowStructure {
    const { plate, array } = losses;
    const structure = plate?.structure;
    if (
      !plate ||
      !structure ||
      (structure.kind !== 'examples' && structure.kind !== 'program') ||
      array.size !== plate.rows
    )
      throw new RangeError(
        `The loss has the shape [${losses.shape.join(', ')}] for each of ${this.plates.describe(plate)}. Expected one number an example: \`sum\` or \`mean\` over a row, \`sumRows\` over the points of a sequence.`,
      );
    return structure;
  }
}
