import { defineNeuron, type Firing, LEAST_OPEN } from '../contract.ts';
import { classes } from '../parts/one-hot.ts';

/** The groups of a layer, the last one may be cut short. */
function eachGroup(
  { units, logits }: Pick<Firing, 'units' | 'logits'>,
  classes: number,
  f: (from: number, to: number) => void,
) {
  for (let row = 0; row < logits.length; row += units)
    for (let unit = 0; unit < units; unit += classes) f(row + unit, row + Math.min(units, unit + classes));
}

/** τ of z in descending order: Σ (z − τ)₊ is 1 (power 1), or Σ (z − τ)₊² is (power 2). */
function thresholdOf(z: Float64Array, power: 1 | 2): number {
  let [sum, squares, threshold] = [0, 0, 0];
  for (let k = 1; k <= z.length; k++) {
    sum += z[k - 1];
    squares += z[k - 1] ** 2;
    const mean = sum / k;
    const next = power === 1 ? mean - 1 / k : mean - Math.sqrt(Math.max(0, (1 - (squares - k * mean * mean)) / k));
    if (k > 1 && next >= z[k - 1]) break;
    threshold = next;
  }
  return threshold;
}

export const sparsemax = defineNeuron({
  name: 'sparsemax',
  source:
    'Martins, Astudillo 2016, "From softmax to sparsemax", Eq. 2 and 14; 1.5-entmax: Peters, Niculae, Martins 2019, "Sparse sequence-to-sequence models", §3, Algorithm 2',
  summary:
    'h = (a − τ)₊ of `classes` units, or (a/2 − τ)₊², τ such that Σ h = 1; ĝ = s_i(δ_i − Σ_j s_j·δ_j/Σ_j s_j), s = 1[h > 0], or √h',
  options: {
    classes,
    alpha: {
      choices: ['2', '1.5'],
      default: '2',
      meaning: 'α of entmax: 2 is sparsemax, the nearest point of the simplex; 1.5 stands between it and softmax',
    },
  },
  rule: ({ classes, alpha }) => {
    const [power, scale] = alpha === '2' ? ([1, 1] as const) : ([2, 0.5] as const);
    const fire = (firing: Firing): void =>
      eachGroup(firing, classes, (from, to) => {
        const own = Float64Array.from(firing.logits.subarray(from, to));
        if (!own.every(Number.isFinite)) {
          firing.h.fill(Number.NaN, from, to);
          return;
        }
        const most = own.reduce((a, b) => Math.max(a, b));
        const z = own.map((a) => scale * (a - most));
        const threshold = thresholdOf(
          z.toSorted((a, b) => b - a),
          power,
        );
        for (let i = from; i < to; i++) {
          const over = z[i - from] - threshold;
          firing.h[i] = over > 0 ? Math.max(LEAST_OPEN, over ** power) : 0;
        }
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
      pullback(pullback) {
        const { h, dh, gradient } = pullback;
        const weight = (i: number): number => (h[i] === 0 ? 0 : power === 1 ? 1 : Math.sqrt(h[i]));
        eachGroup(pullback, classes, (from, to) => {
          let [total, mean] = [0, 0];
          for (let i = from; i < to; i++) {
            total += weight(i);
            if (h[i] !== 0) mean += weight(i) * dh[i];
          }
          for (let i = from; i < to; i++) gradient[i] = h[i] === 0 ? 0 : weight(i) * (dh[i] - mean / total);
        });
      },
      expect: (logit) => (Number.isFinite(logit) ? 1 : Number.NaN),
      whenOpen: () => 1,
      formulas: 'none',
    };
  },
});
