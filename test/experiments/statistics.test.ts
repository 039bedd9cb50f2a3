import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowsModel } from '../../experiments/kit/rows-model.ts';
import {
  agrees,
  another,
  compared,
  interval,
  judge,
  near,
  paired,
  pairedRatio,
  shareOf,
  verdict,
  withFactor,
} from '../../experiments/kit/statistics.ts';
import { studentizedRangeCdf, studentizedRangeQuantile } from '../../experiments/kit/studentized-range.ts';
import { randomStream } from '../../src/random/stream.ts';

test('a mean and its interval, by hand', () => {
  // Deviations −1, 0, 1: standard deviation 1, standard error 1/√3, t for two degrees of freedom, in closed form, 4.303.
  const { mean, half, count } = interval([1, 2, 3]);
  assert.deepEqual([mean, count], [2, 3]);
  const t = 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2));
  assert.ok(Math.abs(half - t / Math.sqrt(3)) < 1e-12);
  assert.ok(Number.isNaN(interval([5]).half));
});

test('an interval is as wide as a printed table of Student’s t says, for few numbers and for many', () => {
  for (const [freedom, quantile] of [
    [1, 12.7062],
    [4, 2.7764],
    [20, 2.086],
    [21, 2.0796],
    [60, 2.0003],
  ]) {
    const values = Array.from({ length: freedom + 1 }, (_, i) => i);
    const { mean, half } = interval(values);
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / freedom);
    assert.ok(Math.abs((half * Math.sqrt(freedom + 1)) / deviation - quantile) < 5e-4, `${freedom}`);
  }
});

test('intervals of normal numbers hold their mean 95 times in 100, for every count', () => {
  for (const count of [2, 3, 5, 8, 21, 40]) {
    const random = randomStream(11, count);
    const trials = 4000;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { mean, half } = interval(Array.from({ length: count }, () => random.normal()));
      if (Math.abs(mean) <= half) held++;
    }
    // Four and a half standard errors of a share of 4,000.
    assert.ok(Math.abs(held / trials - 0.95) < 4.5 * Math.sqrt((0.95 * 0.05) / trials), `${count}: ${held / trials}`);
  }
});

test('paired differences say which way they point, or nothing', () => {
  assert.equal(verdict(paired([1, 2, 3, 4], [2, 3.1, 4, 5])), 'better');
  assert.equal(verdict(paired([2, 3.1, 4, 5], [1, 2, 3, 4])), 'worse');
  assert.equal(verdict(paired([1, 2, 3], [2, 1, 3])), 'not shown');
  assert.equal(verdict(paired([1], [2])), 'not shown');
  assert.throws(() => paired([1], []), RangeError);
});

test('a mean is near a figure, or is not, by its whole interval', () => {
  const at = (mean: number, half: number) => near({ mean, half, count: 3 }, 2, 0.25);
  assert.equal(at(2.1, 0.1), 'holds');
  assert.equal(at(2.1, 0.2), 'not shown');
  assert.equal(at(1.5, 0.3), 'not shown');
  assert.equal(at(1.5, 0.2), 'refuted');
  assert.equal(at(2, Number.NaN), 'not shown');
});

test('a share of means holds the true one 95 times in 100, and says nothing where the whole may be 0', () => {
  const trials = 4000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const random = randomStream(12, trial);
    const whole = Array.from({ length: 5 }, () => 3 + random.normal());
    const { low, high } = shareOf(
      whole.map((x) => 0.4 * x + 0.3 * random.normal()),
      whole,
    );
    if (low <= 0.4 && high >= 0.4) held++;
  }
  assert.ok(Math.abs(held / trials - 0.95) < 4.5 * Math.sqrt((0.95 * 0.05) / trials), `${held / trials}`);
  // By hand: part is half of the whole in every pair.
  const { value, low, high } = shareOf([10, 11, 12], [20, 22, 24]);
  for (const x of [value, low, high]) assert.ok(Math.abs(x - 0.5) < 1e-6, `${x}`);
  assert.equal(shareOf([1, 2, 3], [-1, 0, 1]).high, Number.POSITIVE_INFINITY);
  assert.equal(shareOf([1], [2]).low, Number.NEGATIVE_INFINITY);
  assert.throws(() => shareOf([1], []), RangeError);
});

test('quantiles of the studentized range are those of printed tables, and twice-nested sums agree with them', () => {
  // The first figures: Harter 1960; the others by Gauss–Legendre quadrature over s and z in NumPy.
  for (const [p, count, freedom, quantile] of [
    [0.95, 3, 10, 3.87677675],
    [0.95, 9, 16, 5.031007472],
    [0.95, 5, 20, 4.231856748],
    [0.95, 3, 2, 8.330782645],
    [0.99, 5, 20, 5.293252518],
  ])
    assert.ok(Math.abs(studentizedRangeQuantile(p, count, freedom) - quantile) < 1e-6, `${count}, ${freedom}`);
  // Of two numbers, the range over s is √2 times the absolute Student’s t.
  for (const freedom of [1, 4, 20])
    assert.ok(
      Math.abs(
        studentizedRangeQuantile(0.95, 2, freedom) -
          Math.SQRT2 * (interval(ramp(freedom + 1)).half / unit(freedom + 1)),
      ) < 1e-6,
    );
  assert.equal(studentizedRangeCdf(0, 3, 10), 0);
  assert.throws(() => studentizedRangeQuantile(0.95, 1, 10), /Expected a share between 0 and 1, two numbers or more/);
});

const ramp = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The standard error of a ramp. */
const unit = (count: number): number => {
  const own = ramp(count);
  const middle = (count - 1) / 2;
  return Math.sqrt(own.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (count - 1) / count);
};

/** Rows with means of their own, what a seed gives to all of them, and noise. */
const draw = (trial: number, rows: number, seeds: number, bySeed = 2): Map<string, number[]> => {
  const random = randomStream(13, trial);
  const shared = Array.from({ length: seeds }, () => bySeed * random.normal());
  return new Map(ramp(rows).map((row) => [`${row}`, shared.map((x) => x + random.normal())]));
};

test('the model of rows and seeds, by hand', () => {
  // Row means 2, 4, 9; seed means 4, 6; grand mean 5. Residuals: ∓0, ±1, ∓1: squares 0 + 0 + 1 + 1 + 1 + 1 = 4, over 2 degrees of freedom.
  const model = new RowsModel(
    new Map([
      ['a', [1, 3]],
      ['b', [4, 4]],
      ['c', [7, 11]],
    ]),
  );
  assert.deepEqual([model.freedom, model.variance], [2, 2]);
  const { mean, half } = model.difference('c', 'a');
  const t = 4.302652729911275;
  assert.equal(mean, 7);
  assert.ok(Math.abs(half - t * Math.sqrt(2)) < 1e-9);
  assert.ok(Math.abs(model.apart('c', 'a').half - 8.330782645 * 1) < 1e-5);
  // Between seeds: 3·(1 + 1)/1 = 6; of one run: (6 + 2·2)/3, by (10/3)²/((6/3)²/1 + ((2·2)/3)²/2) degrees of freedom.
  const freedom = (10 / 3) ** 2 / (4 + 16 / 9 / 2);
  const expected = compared(2, Math.sqrt(10 / 3 / 2), freedom, 2);
  assert.ok(Math.abs(model.level('a').half - expected.half) < 1e-9);
  assert.ok(Math.abs(model.single('a').half - expected.half * Math.sqrt(3)) < 1e-9);
  assert.throws(() => model.mean('d'), /no row "d"\. Expected one of a, b, c/);
  assert.throws(
    () =>
      new RowsModel(
        new Map([
          ['a', [1]],
          ['b', [1, 2]],
        ]),
      ),
    /Expected the same seeds for every row/,
  );
});

test('a single seed, or a single row, has no comparisons and says nothing', () => {
  const one = new RowsModel(
    new Map([
      ['a', [1]],
      ['b', [2]],
    ]),
  );
  assert.ok(
    [one.level('a'), one.single('a'), one.difference('a', 'b'), one.apart('a', 'b')].every(({ half }) =>
      Number.isNaN(half),
    ),
  );
  const alone = new RowsModel(new Map([['a', [1, 2, 3]]]));
  assert.ok(Math.abs(alone.level('a').half - interval([1, 2, 3]).half) < 1e-12);
  assert.ok(Math.abs(alone.single('a').half - another([1, 2, 3]).half) < 1e-12);
});

test('rows without differences are told apart once in 20 tables, and levels and single runs are held 95 times in 100', () => {
  const trials = 2000;
  const tolerance = 4.5 * Math.sqrt((0.95 * 0.05) / trials);
  let [quiet, asked, held, next] = [0, 0, 0, 0];
  for (let trial = 0; trial < trials; trial++) {
    const model = new RowsModel(draw(trial, 5, 4));
    const pairs = model.rows.flatMap((a, i) => model.rows.slice(i + 1).map((b) => model.apart(a, b)));
    if (pairs.every((own) => verdict(own) === 'not shown')) quiet++;
    if (model.difference('0', '1').p > 0.05) asked++;
    const spread = randomStream(14, trial);
    if (Math.abs(model.level('0').mean) <= model.level('0').half) held++;
    const run = 2 * spread.normal() + spread.normal();
    const single = model.single('0');
    if (Math.abs(single.mean - run) <= single.half) next++;
  }
  for (const [name, count] of Object.entries({ quiet, asked }))
    assert.ok(Math.abs(count / trials - 0.95) < tolerance, `${name}: ${count / trials}`);
  // Satterthwaite’s degrees of freedom are approximate.
  for (const [name, count] of Object.entries({ held, next }))
    assert.ok(Math.abs(count / trials - 0.95) < 0.03, `${name}: ${count / trials}`);
});

test('one model shows differences that pairs of three seeds do not: its variance is that of the whole table', () => {
  let [byModel, byPairs] = [0, 0];
  for (let trial = 0; trial < 400; trial++) {
    const table = new Map([...draw(trial, 9, 3)].map(([row, own]) => [row, own.map((x) => x + (row === '0' ? 3 : 0))]));
    if (verdict(new RowsModel(table).difference('0', '1')) === 'worse') byModel++;
    if (verdict(paired(table.get('0') as number[], table.get('1') as number[])) === 'worse') byPairs++;
  }
  // A difference of 3 with a standard error of √(2/3): t = 3.7, against quantiles of 2.1 with 16 degrees of freedom, 4.3 with 2.
  assert.ok(byModel > 0.88 * 400 && byPairs < 0.6 * 400, `${byModel}, ${byPairs}`);
});

test('p values of a family are corrected by Holm, and what has no interval is not in the family', () => {
  const none = compared(1, Number.NaN, 0, 1);
  const found = judge([compared(-3, 1, 60, 4), compared(2.2, 1, 60, 4), compared(-0.1, 1, 60, 4), none]);
  // p of t = 3, 2.2 and 0.1 with 60 degrees of freedom, from a table; times 3, 2 and 1.
  const p = [0.003932, 0.031653, 0.920677];
  for (const [i, times] of [3, 2, 1].entries()) assert.ok(Math.abs(found[i].p - times * p[i]) < 1e-4, `${found[i].p}`);
  assert.deepEqual(
    found.map(({ verdict: is }) => is),
    ['better', 'not shown', 'not shown', 'not shown'],
  );
  assert.deepEqual(
    found.map(({ of }) => of),
    [3, 3, 3, 3],
  );
});

test('a published figure agrees with one more run, or lies outside, or the interval is too wide to say', () => {
  const at = (mean: number, half: number) => agrees({ mean, half, count: 3 }, 2, 0.25);
  assert.equal(at(2.1, 0.25), 'holds');
  assert.equal(at(2.1, 0.26), 'not shown');
  assert.equal(at(2.2, 0.1), 'refuted');
  assert.equal(at(2, Number.NaN), 'not shown');
});

test('ratios are geometric means', () => {
  const own = pairedRatio([2, 8, 4], [1, 2, 2]);
  assert.ok(Math.abs(Math.exp(own.mean) - Math.cbrt(2 * 4 * 2)) < 1e-12);
  assert.equal(withFactor({ mean: Math.log(2), half: Math.log(2), count: 3 }), '× 2.00 (1.00 to 4.00)');
  assert.equal(withFactor({ mean: Math.log(2), half: Number.NaN, count: 1 }), '× 2.00');
});
