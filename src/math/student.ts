/** log Γ(x) for x > 0. Source: Lanczos 1964, with g = 7 and nine coefficients; relative error under 1e-13. */
function logGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const sum = coefficients.reduce((total, c, i) => total + (i === 0 ? c : c / (x - 1 + i)), 0);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The regularised incomplete beta function I_x(a, b), by its continued fraction. Source: Abramowitz and Stegun 26.5.8. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
  let fraction = 1;
  for (let m = 200; m >= 1; m--) {
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    fraction = 1 + even / (1 + odd / fraction);
  }
  return front / (1 - ((a + b) * x) / (a + 1) / fraction);
}

/** P(T ≤ t) of Student's distribution with so many degrees of freedom. */
export function studentCdf(t: number, freedom: number): number {
  const tail = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** Quantiles that have been asked for: every interval asks for one, and there are few kinds of intervals. */
const known = new Map<string, number>();

/** The t with P(T ≤ t) = p of Student's distribution (Student 1908), by bisection. @throws RangeError for p outside (0, 1) or no degree of freedom */
export function studentQuantile(p: number, freedom: number): number {
  if (!(p > 0 && p < 1) || !(freedom > 0))
    throw new RangeError(`Student's distribution has no quantile ${p} with ${freedom} degrees of freedom.`);
  if (p > 0.5) return -studentQuantile(1 - p, freedom);
  const key = `${p} ${freedom}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  let [low, high] = [-1, 0];
  while (studentCdf(low, freedom) > p) low *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, freedom) < p) low = middle;
    else high = middle;
  }
  const quantile = (low + high) / 2;
  known.set(key, quantile);
  return quantile;
}
