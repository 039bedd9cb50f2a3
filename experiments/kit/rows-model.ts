import { type Compared, compared, type Interval } from './statistics.ts';
import { studentizedRangeQuantile } from './studentized-range.ts';

/**
 * One model of a whole table: value = row + seed + noise, the noise of one variance in all rows. A seed draws data, order and first
 * weights for every row, so that what it gives to all of them leaves the differences between rows. The variance is estimated from all
 * rows together: three seeds of nine rows leave 16 degrees of freedom, where two rows alone leave 2.
 * Source: the randomised block design, Fisher 1935; Tukey 1953 for all pairs.
 */
export class RowsModel {
  readonly rows: readonly string[];
  readonly seeds: number;
  /** Of the noise, and the degrees of freedom it is estimated with; NaN and 0 for a single seed or row. */
  readonly variance: number;
  readonly freedom: number;
  private readonly means: ReadonlyMap<string, number>;
  /** Of one run about its row's mean: seed and noise together, with its degrees of freedom by Satterthwaite 1946. */
  private readonly spread: { readonly variance: number; readonly freedom: number };

  /** @param values of every row, seed by seed in one order @throws RangeError where rows have different numbers of seeds, or none */
  constructor(values: ReadonlyMap<string, readonly number[]>) {
    const all = [...values.values()];
    const [rows, seeds] = [all.length, all[0]?.length ?? 0];
    if (seeds === 0 || all.some(({ length }) => length !== seeds))
      throw new RangeError(
        `Rows have ${all.map(({ length }) => length).join(', ')} seeds. Expected the same seeds for every row, one or more.`,
      );
    const mean = (own: readonly number[]): number => own.reduce((sum, x) => sum + x, 0) / own.length;
    const rowMeans = all.map(mean);
    const seedMeans = all[0].map((_, i) => mean(all.map((own) => own[i])));
    const grand = mean(rowMeans);
    const residuals = all.flatMap((own, r) => own.map((x, i) => x - rowMeans[r] - seedMeans[i] + grand));
    this.rows = [...values.keys()];
    this.seeds = seeds;
    this.means = new Map(this.rows.map((row, i) => [row, rowMeans[i]]));
    this.freedom = (rows - 1) * (seeds - 1);
    this.variance = squares(residuals) / this.freedom;
    const bySeed = (rows * squares(seedMeans.map((x) => x - grand))) / (seeds - 1);
    const noise = rows > 1 ? this.variance : 0;
    const total = (bySeed + (rows - 1) * noise) / rows;
    const uncertainty =
      (bySeed / rows) ** 2 / (seeds - 1) + (rows > 1 ? (((rows - 1) * noise) / rows) ** 2 / this.freedom : 0);
    this.spread = { variance: total, freedom: total > 0 ? total ** 2 / uncertainty : seeds - 1 };
  }

  mean(row: string): number {
    const found = this.means.get(row);
    if (found === undefined) throw new RangeError(`There is no row "${row}". Expected one of ${this.rows.join(', ')}.`);
    return found;
  }

  /** The mean of a row over seeds; p is of its difference from 0. */
  level(row: string): Compared {
    return this.about(row, 1 / this.seeds);
  }

  /** Where one more run of a row lies, 95 times in 100: what a figure that was published of one run is compared with. */
  single(row: string): Interval {
    return this.about(row, 1 + 1 / this.seeds);
  }

  /** Row a less row b, of a comparison that was asked for in advance. */
  difference(a: string, b: string): Compared {
    const error = Math.sqrt((2 * this.variance) / this.seeds);
    return compared(this.mean(a) - this.mean(b), error, this.freedom, this.seeds);
  }

  /** Row a less row b, where all pairs are looked at: all such intervals hold together 95 times in 100. */
  apart(a: string, b: string): Interval {
    const mean = this.mean(a) - this.mean(b);
    const { freedom, rows, seeds } = this;
    if (freedom === 0) return { mean, half: Number.NaN, count: seeds };
    const q = studentizedRangeQuantile(0.95, rows.length, freedom);
    return { mean, half: q * Math.sqrt(this.variance / seeds), count: seeds };
  }

  private about(row: string, share: number): Compared {
    const { variance, freedom } = this.spread;
    return compared(this.mean(row), Math.sqrt(variance * share), this.seeds > 1 ? freedom : 0, this.seeds);
  }
}

const squares = (values: readonly number[]): number => values.reduce((sum, x) => sum + x * x, 0);
