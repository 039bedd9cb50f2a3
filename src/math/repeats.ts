/** An estimate and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** What independent repeats of a random vector x say of it. */
export interface Repeats {
  /** |E x|², without the share that noise adds; may come out under 0. */
  readonly squaredMean: Estimate;
  /** Σ_i Var x_i. */
  readonly variance: Estimate;
}

/**
 * From repeats of a vector, all of one length: |E x|² as the mean of the products of different repeats, Σ Var x_i as the usual
 * estimate; errors by leaving out one repeat at a time (jackknife).
 * @throws RangeError for fewer than three repeats
 */
export function repeatsOf(vectors: readonly ArrayLike<number>[]): Repeats {
  const count = vectors.length;
  if (count < 3) throw new RangeError(`${count} repeats tell no error. Expected three or more.`);
  const total = sumOf(vectors);
  const own = vectors.map((vector) => dot(vector, vector));
  const withTotal = vectors.map((vector) => dot(vector, total));
  const square = dot(total, total);
  const squares = own.reduce((sum, value) => sum + value, 0);
  const meanOf = (n: number, all: number, each: number): number => (all - each) / (n * (n - 1));
  const varianceOf = (n: number, all: number, each: number): number => (each - all / n) / (n - 1);
  const estimate = (of: (n: number, all: number, each: number) => number): Estimate => ({
    value: of(count, square, squares),
    error: jackknife(own.map((each, i) => of(count - 1, square - 2 * withTotal[i] + each, squares - each))),
  });
  return { squaredMean: estimate(meanOf), variance: estimate(varianceOf) };
}

/** The standard error of an estimate, from what it is without each of the observations. */
export function jackknife(without: readonly number[]): number {
  const count = without.length;
  const mean = without.reduce((sum, value) => sum + value, 0) / count;
  return Math.sqrt(((count - 1) / count) * without.reduce((sum, value) => sum + (value - mean) ** 2, 0));
}

/** Mean of independent numbers, and its standard error. @throws RangeError for none */
export function meanOf(values: readonly number[]): Estimate {
  if (values.length === 0) throw new RangeError('No numbers have no mean. Expected one or more.');
  const count = values.length;
  const value = values.reduce((sum, x) => sum + x, 0) / count;
  const square = values.reduce((sum, x) => sum + (x - value) ** 2, 0);
  return { value, error: count > 1 ? Math.sqrt(square / (count - 1) / count) : Number.POSITIVE_INFINITY };
}

/** Sum of vectors of one length. */
export function sumOf(vectors: readonly ArrayLike<number>[]): Float64Array {
  const total = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < total.length; i++) total[i] += vector[i];
  return total;
}

/** Σ a_i·b_i. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let product = 0;
  for (let i = 0; i < a.length; i++) product += a[i] * b[i];
  return product;
}
