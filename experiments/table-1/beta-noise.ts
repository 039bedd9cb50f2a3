/** Noise with a Beta distribution, centred and scaled as in the 2013 experiments: a quantile function and a mean. */
export interface BetaNoise {
  /** @param u in (0, 1) */
  quantile(u: number): number;
  readonly mean: number;
}

const STEPS = 65_536;
const QUANTILES = 4096;
/** Where in the outermost 4096th its ends are read. */
const TAIL = 0.15;

/**
 * (B − ½)·c with B ~ Beta(α, β), α so that the mode of B is the target rate s, and c = log(1/s² − 1). At s = 0.1 and β = 40.1 its
 * mean is −1.76 and its standard deviation 0.22: mostly a bias, in noise's clothes.
 * Source: Bengio, Léonard, Courville 2013, appendix A.2; α and c as in the authors' code (conditional_gater.py).
 */
export function betaNoise(rate: number, beta: number): BetaNoise {
  const alpha = (rate * (beta - 2) + 1) / (1 - rate);
  const scale = Math.log(1 / rate ** 2 - 1);
  const quantiles = betaQuantiles(alpha, beta);
  return {
    mean: (alpha / (alpha + beta) - 0.5) * scale,
    quantile(u) {
      const at = u * QUANTILES;
      const i = Math.min(QUANTILES - 1, Math.floor(at));
      return (quantiles[i] + (at - i) * (quantiles[i + 1] - quantiles[i]) - 0.5) * scale;
    },
  };
}

/** Quantiles of Beta(α, β) at 1/4096, 2/4096, … by sums of its density; the first and the last stand for the means of the tails. */
function betaQuantiles(alpha: number, beta: number): Float64Array {
  const cumulative = new Float64Array(STEPS + 1);
  for (let i = 0; i < STEPS; i++) {
    const x = (i + 0.5) / STEPS;
    cumulative[i + 1] = cumulative[i] + x ** (alpha - 1) * (1 - x) ** (beta - 1);
  }
  const quantiles = new Float64Array(QUANTILES + 1);
  for (let q = 0, i = 0; q <= QUANTILES; q++) {
    const target = (cumulative[STEPS] * Math.min(QUANTILES - TAIL, Math.max(TAIL, q))) / QUANTILES;
    while (i < STEPS && cumulative[i + 1] < target) i++;
    const width = cumulative[i + 1] - cumulative[i];
    quantiles[q] = Math.min(1, (i + (width > 0 ? (target - cumulative[i]) / width : 0)) / STEPS);
  }
  return quantiles;
}
