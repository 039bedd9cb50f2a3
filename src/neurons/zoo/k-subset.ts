import { sigmoid } from '../../math/special.ts';
import { extent } from '../../math/statistics.ts';
import { defineNeuron, type Firing, type Pullback } from '../contract.ts';
import { fireLargest, keepOptions, keptOf } from '../parts/keep-largest.ts';

const { k, share } = keepOptions;

/** Tolerance of the shift of the logits. Any shift gives the same probabilities given the number of open units; near the right one they are well conditioned. */
const SHIFT = 0.02;

/** P(open) of every unit as if units were independent, with all logits shifted so that `kept` units are open on average. */
function probabilities(scores: Float64Array, kept: number): Float64Array {
  const [least, most] = extent(scores);
  // If nearly all units are kept, or nearly none, the shift is at most one logit and the logarithm of the number of units.
  const room = 2 + Math.log(scores.length);
  let [low, high] = [-most - room, room - least];
  while (high - low > Math.max(SHIFT, 1e-9 * (Math.abs(low) + Math.abs(high)))) {
    const middle = (low + high) / 2;
    let open = 0;
    for (const score of scores) open += sigmoid(score + middle);
    if (open < kept) low = middle;
    else high = middle;
  }
  return scores.map((score) => sigmoid(score + high));
}

/**
 * counts[i·(kept + 1) + j] = P(exactly j of the units i, i + 1, … are open); the last row is that of no units. sums, if `dh` is given: the
 * same probability times the mean of Σ δ over the open ones. Filled from the last unit to the first.
 */
function tails(p: Float64Array, kept: number, dh?: ArrayLike<number>): { counts: Float64Array; sums: Float64Array } {
  const width = kept + 1;
  const [counts, sums] = [new Float64Array((p.length + 1) * width), new Float64Array((p.length + 1) * width)];
  counts[p.length * width] = 1;
  for (let i = p.length - 1; i >= 0; i--)
    for (let j = 0; j <= kept; j++) {
      const [to, from] = [i * width + j, (i + 1) * width + j];
      const open = j > 0 ? p[i] * counts[from - 1] : 0;
      counts[to] = (1 - p[i]) * counts[from] + open;
      if (dh) sums[to] = (1 - p[i]) * sums[from] + (j > 0 ? p[i] * sums[from - 1] : 0) + open * dh[i];
    }
  return { counts, sums };
}

/** P(unit i is open | j of the units i, i + 1, … are open) */
function chance(p: Float64Array, counts: Float64Array, kept: number, i: number, j: number): number {
  if (j === 0) return 0;
  if (j === p.length - i) return 1;
  return (p[i] * counts[(i + 1) * (kept + 1) + j - 1]) / counts[i * (kept + 1) + j];
}

const scoresOf = ({ units, logits, selectionBias }: Pick<Firing, 'units' | 'logits' | 'selectionBias'>, row: number) =>
  Float64Array.from({ length: units }, (_, i) => logits[row * units + i] + (selectionBias?.[i] ?? 0));

/** ĝ_i = Σ_j δ_j·∂μ_j/∂a_i: ∂μ_j/∂a_i is the covariance of h_j and h_i. */
function pullMarginals(pullback: Pullback, kept: number): void {
  const { rows, units, dh, gradient } = pullback;
  const width = kept + 1;
  for (let row = 0, from = 0; row < rows; row++, from += units) {
    const p = probabilities(scoresOf(pullback, row), kept);
    const own = dh.subarray(from, from + units);
    const { counts, sums } = tails(p, kept, own);
    const [all, mean] = [counts[kept], sums[kept] / counts[kept]];
    // Counts and sums of the units before i.
    let [before, along] = [new Float64Array(width).fill(1, 0, 1), new Float64Array(width)];
    for (let i = 0; i < units; i++) {
      let [open, product] = [0, 0];
      for (let j = 0; j < kept; j++) {
        const behind = (i + 1) * width + kept - 1 - j;
        open += before[j] * counts[behind];
        product += along[j] * counts[behind] + before[j] * (own[i] * counts[behind] + sums[behind]);
      }
      gradient[from + i] = (p[i] * (product - mean * open)) / all;
      const [last, lastAlong] = [before, along];
      before = last.map((one, j) => (1 - p[i]) * one + (j > 0 ? p[i] * last[j - 1] : 0));
      along = lastAlong.map(
        (one, j) => (1 - p[i]) * one + (j > 0 ? p[i] * (lastAlong[j - 1] + own[i] * last[j - 1]) : 0),
      );
    }
  }
}

export const kSubset = defineNeuron({
  name: 'k-subset',
  source: 'Ahmed, Zeng, Niepert, Van den Broeck 2023, "SIMPLE: a gradient estimator for k-subset sampling", §3–4',
  summary: 'h = 1 for k units of the row, P(h) ∝ exp(Σ a of the open ones); ĝ = Σ_j δ_j·∂μ_j/∂a, μ_j = P(h_j = 1)',
  options: { k, share },
  rule: (options) => {
    const opens = keptOf(options);
    return {
      noise: 1,
      jointNoise: 'units',
      selects: true,
      opens,
      reads: 'cotangent',
      range: 'unit-interval',
      claims: { unbiased: false },
      rowCells({ logits, noise }, at) {
        const kept = opens(logits.length);
        const p = probabilities(Float64Array.from(logits), kept);
        const { counts } = tails(p, kept);
        let left = kept;
        for (let i = 0; i < at; i++) if (noise[i] < chance(p, counts, kept, i, left)) left--;
        return [chance(p, counts, kept, at, left)];
      },
      fire(firing) {
        const { rows, units, noise, h } = firing;
        const kept = opens(units);
        for (let row = 0; row < rows; row++) {
          const scores = scoresOf(firing, row);
          const own = h.subarray(row * units, (row + 1) * units);
          if (!scores.every(Number.isFinite)) {
            own.fill(Number.NaN);
            continue;
          }
          const p = probabilities(scores, kept);
          const { counts } = tails(p, kept);
          let left = kept;
          for (let i = 0; i < units; i++) {
            own[i] = noise[row * units + i] < chance(p, counts, kept, i, left) ? 1 : 0;
            left -= own[i];
          }
        }
      },
      settle(firing) {
        fireLargest(firing, opens, 'softmax');
        for (let i = 0; i < firing.h.length; i++) if (firing.h[i] > 0) firing.h[i] = 1;
      },
      pullback: (pullback) => pullMarginals(pullback, opens(pullback.units)),
      expect: () => 1,
      whenOpen: () => 1,
      formulas: { expect: 1, settle: { keep: 'largest', value: 1 } },
    };
  },
});
