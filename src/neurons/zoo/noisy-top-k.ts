import { normalCdf, normalDensity, normalQuantile, sigmoid } from '../../math/special.ts';
import { defineNeuron, type Firing, type Opening } from '../contract.ts';
import {
  fireLargest,
  forEachRow,
  keepOptions,
  keptOf,
  largest,
  largestFormulas,
  largestTwin,
  pullLargest,
} from '../parts/keep-largest.ts';

/**
 * The paper learns the width of the noise, softplus(x·W_noise), from a second matrix of weights. A neuron here has one logit
 * a unit, so the width is a constant s; its default log 2 = softplus(0) is the paper's own at the start of training, when
 * W_noise is 0.
 */
export const noisyTopK = defineNeuron({
  name: 'noisy-top-k',
  source: 'Shazeer et al. 2017, §2.1, Eq. 3–5; P(open) is the smooth load of appendix A, Eq. 8–9; constant noise width',
  summary: 'h = top-k of H = a + s·z, z standard normal; ĝ = that of top-k at H, blind to who is selected',
  options: {
    ...keepOptions,
    scale: { minimum: 1e-6, maximum: 1e6, default: Math.LN2, meaning: 's: standard deviation of the noise' },
  },
  rule: (options) => {
    const { value, scale } = options;
    const opens = keptOf(options);
    const alone = value === 'softmax' ? () => 1 : sigmoid;
    return {
      noise: 1,
      jointNoise: 'units',
      selects: true,
      opens,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: false },
      // The order of a unit and of one before it changes where a_i + s·z_i = a_j + s·z_j.
      rowCells: ({ logits, noise }, at) =>
        Array.from({ length: at }, (_, j) => normalCdf((logits[j] - logits[at]) / scale + normalQuantile(noise[j]))),
      opening: smoothLoad(opens, scale),
      fire: (firing) => fireLargest(firing, opens, value, noiseOf(firing, scale)),
      settle: (firing) => fireLargest(firing, opens, value),
      pullback: (pullback) => pullLargest(pullback, value),
      expect: alone,
      whenOpen: alone,
      formulas: largestFormulas(value),
      twin: {
        ...largestTwin(opens, value, scale),
        opening: { probability: 'openLargest', pullback: 'pullbackOpenLargest' },
      },
    };
  },
});

const noiseOf =
  ({ noise }: Pick<Firing, 'noise'>, scale: number) =>
  (at: number): number =>
    scale * normalQuantile(noise[at]);

/**
 * P(x, i) = Φ((a_i − kth_excluding(H, k, i))/s): the probability that unit i is kept when its own noise is drawn again. The
 * k-th largest of the others is the first closed unit for a kept one, and the last kept unit for a closed one.
 */
function smoothLoad(opens: (units: number) => number, scale: number): Opening {
  /** For each unit its distance to the border in standard deviations, and the unit at the border (−1: none). */
  const forEachUnit = (
    firing: Omit<Firing, 'h' | 'state'>,
    visit: (at: number, z: number, border: number) => void,
  ): void => {
    const { units, logits, selectionBias } = firing;
    forEachRow(firing, noiseOf(firing, scale), (from, _values, scores) => {
      const selection = scores && largest(scores, opens(units));
      for (let i = 0; i < units; i++) {
        const border = selection?.marks[i] ? selection.firstClosed : (selection?.lastKept ?? -1);
        const z = (logits[from + i] + (selectionBias?.[i] ?? 0) - (scores?.[border] ?? Number.NaN)) / scale;
        visit(from + i, scores && border < 0 ? Number.POSITIVE_INFINITY : z, border < 0 ? -1 : from + border);
      }
    });
  };
  return {
    probability(firing, p) {
      forEachUnit(firing, (at, z) => {
        p[at] = normalCdf(z);
      });
    },
    pullback(firing, dp, gradient) {
      gradient.fill(0);
      forEachUnit(firing, (at, z, border) => {
        if (border < 0) return;
        const pull = (dp[at] * normalDensity(z)) / scale;
        gradient[at] += pull;
        gradient[border] -= pull;
      });
    },
  };
}
