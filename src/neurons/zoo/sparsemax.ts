import { defineNeuron, type Firing, LEAST_OPEN, type Numbers, type Pullback } from '../contract.ts';
import { classes, forEachGroup } from '../parts/one-hot.ts';

/**
 * The threshold τ of a group, such that its outputs sum to 1.
 * @param z scores in descending order
 * @param power 1: Σ (z − τ)₊ = 1, sparsemax; 2: Σ (z − τ)₊² = 1, 1.5-entmax
 */
function thresholdOf(z: Float64Array, power: 1 | 2): number {
  let [sum, squares, threshold] = [0, 0, 0];
  for (let k = 1; k <= z.length; k++) {
    sum += z[k - 1];
    squares += z[k - 1] ** 2;
    const mean = sum / k;
    // The threshold if the k largest scores are the support; it is, as long as each of them is over it.
    const next = power === 1 ? mean - 1 / k : mean - Math.sqrt(Math.max(0, (1 - (squares - k * mean * mean)) / k));
    if (k > 1 && next >= z[k - 1]) break;
    threshold = next;
  }
  return threshold;
}

/** Fills h of one group with (z − τ)₊^power; NaN if a logit of the group is not finite. */
function fireGroup(logits: Numbers, h: Numbers, { power, scale }: Shape): void {
  if (!logits.every(Number.isFinite)) {
    h.fill(Number.NaN);
    return;
  }
  let most = logits[0];
  for (const logit of logits) most = Math.max(most, logit);
  // Scores relative to the largest: the outputs are the same, and squares lose no digits.
  const z = Float64Array.from(logits, (a) => scale * (a - most));
  const threshold = thresholdOf(
    z.toSorted((a, b) => b - a),
    power,
  );
  for (let i = 0; i < h.length; i++) {
    const over = z[i] - threshold;
    h[i] = over > 0 ? Math.max(LEAST_OPEN, over ** power) : 0;
  }
}

/** ∂h/∂a of a group is diag(s) − s·sᵀ/Σ s, s = 1 (sparsemax) or √h (1.5-entmax) where h > 0. */
function pullGroup(
  { h, dh, gradient }: Pick<Pullback, 'h' | 'dh' | 'gradient'>,
  first: number,
  size: number,
  s: Slope,
) {
  let [total, mean] = [0, 0];
  for (let i = first; i < first + size; i++) {
    if (h[i] === 0) continue;
    total += s(h[i]);
    mean += s(h[i]) * dh[i];
  }
  for (let i = first; i < first + size; i++) gradient[i] = h[i] === 0 ? 0 : s(h[i]) * (dh[i] - mean / total);
}

/** h = (scale·a − τ)₊^power */
interface Shape {
  readonly power: 1 | 2;
  readonly scale: number;
}

/** s of an open unit's output. */
type Slope = (h: number) => number;

export const sparsemax = defineNeuron({
  name: 'sparsemax',
  source:
    'Martins, Astudillo 2016, "From softmax to sparsemax", Eq. 2 and 14; 1.5-entmax: Peters, Niculae, Martins 2019, "Sparse sequence-to-sequence models", §3, Algorithm 2',
  summary:
    'h = (a − τ)₊ of `classes` units, or (a/2 − τ)₊², τ such that Σ h = 1; ĝ = s_i(δ_i − Σ_j s_j·δ_j/Σ_j s_j), s = 1[h > 0], or √h',
  options: {
    classes: { ...classes, meaning: 'units of a group, whose outputs sum to 1' },
    alpha: {
      choices: ['2', '1.5'],
      default: '2',
      meaning: 'α of entmax: 2 is sparsemax, the nearest point of the simplex; 1.5 stands between it and softmax',
    },
  },
  rule: ({ classes, alpha }) => {
    const shape: Shape = alpha === '2' ? { power: 1, scale: 1 } : { power: 2, scale: 0.5 };
    const slope: Slope = alpha === '2' ? () => 1 : Math.sqrt;
    const fire = (firing: Firing): void =>
      forEachGroup(firing, classes, (first, size) => {
        const [logits, h] = [firing.logits, firing.h].map((array) => array.subarray(first, first + size));
        fireGroup(logits, h, shape);
      });
    return {
      noise: 0,
      jointNoise: 'units',
      group: classes,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: true },
      fire,
      settle: fire,
      pullback: (pullback) => forEachGroup(pullback, classes, (first, size) => pullGroup(pullback, first, size, slope)),
      expect: (logit) => (Number.isFinite(logit) ? 1 : Number.NaN),
      whenOpen: () => 1,
      formulas: 'none',
    };
  },
});
