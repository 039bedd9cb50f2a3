import type { Engine } from '../backend/engine.ts';

/** What the rows of a tensor stand for. */
export type RowKind = 'program' | 'examples' | 'points' | 'gathered';

/** Rows of one kind before anything is drawn several times. */
export interface RowStructure {
  readonly kind: RowKind;
  /** Rows at the depth where the structure was made. */
  readonly rows: number;
  /** How many levels of draws stood below where it was made. */
  readonly depth: number;
  /** The coarser structure that every row belongs to; the program belongs to nothing. */
  readonly over?: RowStructure;
  /** Of points: rows of `over` + 1 numbers; row s of `over` has the points offsets[s] up to, not including, offsets[s + 1]. */
  readonly offsets?: Int32Array;
  /** The row of `over` (at this structure's depth) that every row belongs to. */
  readonly owner: ArrayLike<number>;
}

/**
 * What the rows of a tensor stand for: examples, the points of their sequences, or rows that a gate opened; each once for every
 * combination of the draws made below. The first draw's rows come first: row i of a plate belongs to row i mod n of the
 * n rows of the same structure with fewer draws.
 */
export interface Plate {
  readonly structure: RowStructure;
  /** How many levels of draws stand below. */
  readonly depth: number;
  /** Rows, all draws together. */
  readonly rows: number;
}

/** The plates of one tape. Two plates with the same structure and depth are the same object. */
export class Plates {
  /** Draws of every level, lowest first. */
  readonly counts: number[] = [];
  private readonly engine: Engine;
  private readonly known = new Map<RowStructure, Plate[]>();
  private readonly program: RowStructure = { kind: 'program', rows: 1, depth: 0, owner: [] };
  private examplesStructure: RowStructure | undefined;
  private readonly integers = new Map<Plate, Map<Plate | string, number>>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** A structure's rows at a depth. @param depth at least that of the structure */
  at(structure: RowStructure, depth: number): Plate {
    let plates = this.known.get(structure);
    if (!plates) this.known.set(structure, (plates = []));
    plates[depth] ??= { structure, depth, rows: this.rowsAt(structure, depth) };
    return plates[depth];
  }

  /** The whole program as one row: what all examples share. */
  get whole(): Plate {
    return this.at(this.program, 0);
  }

  /** The examples of this step. @throws RangeError when the step has another number of examples already */
  examples(rows: number): Plate {
    this.examplesStructure ??= { kind: 'examples', rows, depth: 0, over: this.program, owner: new Int32Array(rows) };
    if (this.examplesStructure.rows !== rows)
      throw new RangeError(
        `This step has ${this.examplesStructure.rows} examples; a tensor of ${rows} examples does not belong to it. Expected one number of examples.`,
      );
    return this.at(this.examplesStructure, 0);
  }

  /**
   * The points of one sequence an example, without padding.
   * @param offsets one number more than examples, from 0 up, none smaller than the one before
   * @throws RangeError for offsets that do not divide the points
   */
  points(offsets: Int32Array): Plate {
    const over = this.examples(offsets.length - 1).structure;
    const rows = offsets[offsets.length - 1] ?? 0;
    const owner = new Int32Array(rows);
    for (let s = 0; s + 1 < offsets.length; s++) {
      if (offsets[0] !== 0 || offsets[s + 1] < offsets[s])
        throw new RangeError(
          `The offsets [${offsets.slice(0, 8).join(', ')}${offsets.length > 8 ? ', …' : ''}] do not divide points among sequences. Expected numbers from 0 up, none smaller than the one before.`,
        );
      owner.fill(s, offsets[s], offsets[s + 1]);
    }
    return this.at({ kind: 'points', rows, depth: 0, over, offsets, owner }, 0);
  }

  /** Rows picked from those of a plate, each as often as `owner` names it. */
  gathered({ structure, depth }: Plate, owner: ArrayLike<number>): Plate {
    return this.at({ kind: 'gathered', rows: owner.length, depth, over: structure, owner }, depth);
  }

  /** The coarser plate that the rows belong to, with the same draws; undefined for the program. */
  over({ structure, depth }: Plate): Plate | undefined {
    return structure.over && this.at(structure.over, depth);
  }

  /**
   * The plate whose rows have a value of each: the finer structure with the draws of both.
   * @throws RangeError when neither structure's rows belong to rows of the other
   */
  join(a: Plate, b: Plate): Plate {
    if (a === b) return a;
    const finer = isWithin(a.structure, b.structure)
      ? a.structure
      : isWithin(b.structure, a.structure)
        ? b.structure
        : undefined;
    if (!finer)
      throw new RangeError(
        `${this.describe(a)} and ${this.describe(b)} do not fit: no row of one belongs to a row of the other.`,
      );
    return this.at(finer, Math.max(a.depth, b.depth, finer.depth));
  }

  /** The plate whose rows have a value of each operand; undefined where all rows share all of them. @throws as `join` */
  finest(operands: readonly { readonly plate: Plate | undefined }[]): Plate | undefined {
    let finest: Plate | undefined;
    for (const { plate } of operands) if (plate) finest = finest ? this.join(finest, plate) : plate;
    return finest;
  }

  /** The row of a coarser plate that every row of a finer one belongs to. @param coarse with at most as many draws */
  ownerRows(fine: Plate, coarse: Plate): Int32Array {
    const rows = new Int32Array(fine.rows);
    for (let i = 0; i < rows.length; i++) rows[i] = this.ownerOf(fine, i, coarse);
    return rows;
  }

  /** The same as whole numbers on this step's heap. */
  ownersOnHeap(fine: Plate, coarse: Plate): number {
    return this.cached(fine, coarse, () => this.ownerRows(fine, coarse));
  }

  /**
   * The rows that gates opened have been picked from: points, examples or the program, with the same draws; the plate itself where it was not
   * picked. Random numbers are those of these rows, so that they do not depend on which others were picked.
   */
  unpicked(plate: Plate): Plate {
    let { structure } = plate;
    while (structure.kind === 'gathered' && structure.over) structure = structure.over;
    return structure === plate.structure ? plate : this.at(structure, plate.depth);
  }

  /** The rows of what was picked from, as whole numbers on this step's heap; 0 for a plate that was not picked. */
  unpickedOnHeap(plate: Plate): number {
    const from = this.unpicked(plate);
    return from === plate ? 0 : this.ownersOnHeap(plate, from);
  }

  /** How many examples the rows are of, draws counted: of points their sequences, of picked rows their share of these. */
  examplesOf(plate: Plate): number {
    const whole = this.unpicked(plate);
    const examples = this.sequencesOf(plate) ?? whole;
    return whole.rows === 0 ? 0 : (examples.rows * plate.rows) / whole.rows;
  }

  /** The rows that the points of a plate are sequences of; undefined where they are no points. Points that a gate opened are points. */
  sequencesOf(plate: Plate): Plate | undefined {
    const points = this.unpicked(plate).structure;
    return points.kind === 'points' && points.over ? this.at(points.over, plate.depth) : undefined;
  }

  /** Where the sequences of a plate of points begin, for every draw, as whole numbers on this step's heap. */
  offsetsOnHeap(plate: Plate): number {
    return this.cached(plate, 'offsets', () => this.offsetsOf(plate));
  }

  /**
   * The same as an array. Of the points that a gate opened, those of one sequence are a sequence, in their order.
   * @throws RangeError when the rows are no points of sequences
   */
  offsetsOf(plate: Plate): Int32Array {
    const sequences = this.sequencesOf(plate);
    if (!sequences) throw new RangeError(`${this.describe(plate)} are no points of sequences.`);
    const all = new Int32Array(sequences.rows + 1);
    for (const owner of this.ownerRows(plate, sequences)) all[owner + 1]++;
    for (let s = 0; s < sequences.rows; s++) all[s + 1] += all[s];
    return all;
  }

  /** The place of every row in its sequence, from 0 up; of points that a gate opened, that which they had. */
  positionsOf(plate: Plate): Int32Array {
    const points = this.unpicked(plate);
    const offsets = this.offsetsOf(points);
    const all = new Int32Array(points.rows);
    for (let s = 0; s + 1 < offsets.length; s++)
      for (let row = offsets[s]; row < offsets[s + 1]; row++) all[row] = row - offsets[s];
    return points === plate ? all : this.ownerRows(plate, points).map((row) => all[row]);
  }

  /** Points of the longest sequence, of all points, whichever a gate opened. */
  longestSequence(plate: Plate): number {
    const { offsets = Int32Array.of(0) } = this.unpicked(plate).structure;
    let most = 0;
    for (let s = 0; s + 1 < offsets.length; s++) most = Math.max(most, offsets[s + 1] - offsets[s]);
    return most;
  }

  /** In words: `the 12 rows of 4 examples with 3 draws`. */
  describe(plate: Plate | undefined): string {
    if (!plate) return 'values that all rows share';
    const { structure, depth, rows } = plate;
    const draws = rows / Math.max(1, structure.rows);
    const names = {
      program: 'the row of the whole program',
      examples: `the rows of ${structure.rows} examples`,
      points: `the rows of ${structure.rows} points of ${structure.over?.rows} sequences`,
      gathered: `${structure.rows} gathered rows of ${structure.over?.kind}`,
    };
    return `${names[structure.kind]}${depth > structure.depth ? ` with ${draws} draws` : ''}`;
  }

  private rowsAt({ rows, depth: made }: RowStructure, depth: number): number {
    let product = rows;
    for (let level = made; level < depth; level++) product *= this.counts[level];
    return product;
  }

  private ownerOf(fine: Plate, row: number, coarse: Plate): number {
    let { structure } = fine;
    let at = row;
    let { depth } = fine;
    while (structure !== coarse.structure) {
      const { over } = structure;
      if (!over) throw new RangeError(`${this.describe(fine)} do not belong to ${this.describe(coarse)}.`);
      const above = Math.floor(at / structure.rows);
      at = above * this.rowsAt(over, structure.depth) + structure.owner[at % structure.rows];
      structure = over;
    }
    if (depth > coarse.depth) {
      at %= coarse.rows;
      depth = coarse.depth;
    }
    return at;
  }

  private cached(plate: Plate, what: Plate | string, make: () => Int32Array): number {
    let own = this.integers.get(plate);
    if (!own) this.integers.set(plate, (own = new Map()));
    let pointer = own.get(what);
    if (pointer === undefined) {
      const values = make();
      const { heap } = this.engine.backend;
      pointer = heap.allocate(values.length, 'whole numbers of a plate');
      heap.memory.integers(pointer, values.length).set(values);
      own.set(what, pointer);
    }
    return pointer;
  }
}

/** Do the rows of the one structure belong to rows of the other, or are they the same? */
export function isWithin(fine: RowStructure, coarse: RowStructure): boolean {
  for (let at: RowStructure | undefined = fine; at; at = at.over) if (at === coarse) return true;
  return false;
}
