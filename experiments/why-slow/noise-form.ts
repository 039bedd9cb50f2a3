import { curvature, type Readout, softmaxOf } from './curvature.ts';

/** One example: what its units fire with, and its label. */
export interface Fired {
  readonly p: ArrayLike<number>;
  readonly label: number;
}

/** The mean shift of the loss in nats, and the trace of the covariance of ∂C/∂h, measured and as the second order predicts them. */
export interface NoiseForm {
  readonly shift: { readonly measured: number; readonly predicted: number };
  readonly trace: { readonly measured: number; readonly predicted: number };
  /** Cosine of measured and predicted covariances as vectors, mean over the examples. */
  readonly cosine: number;
  /** |E ∂C/∂h − ∂C/∂h at p|², over the trace of the covariance: how much of the noise's square is no noise. */
  readonly bias: number;
}

type Matrix = readonly Float64Array[];

const zeros = (size: number): Float64Array[] => Array.from({ length: size }, () => new Float64Array(size));
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => row.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
/** tr(a·b) */
const inner = (a: Matrix, b: Matrix): number =>
  a.reduce((sum, row, i) => sum + row.reduce((part, x, j) => part + x * b[j][i], 0), 0);
/** Σ_i weight_i·w_i·w_iᵀ over the units, classes × classes. */
function gram({ weights, bias }: Readout, units: number, weight: (unit: number) => number): Matrix {
  const result = zeros(bias.length);
  for (let i = 0; i < units; i++)
    for (let c = 0; c < bias.length; c++)
      for (let k = 0; k < bias.length; k++)
        result[c][k] += weight(i) * weights[i * bias.length + c] * weights[i * bias.length + k];
  return result;
}

/**
 * Measures the noise that binary units put into the loss and its gradient, against the second order in ε = h − p:
 *
 *     E[C(h)] − C(p) = ½ Σ_i p_i(1 − p_i)·∂²C/∂h_i²,  Cov[∂C/∂h] = H·diag(p(1 − p))·H/m,  H = ∂²C/∂h²
 *
 * for h = Binomial(m, p)/m and C the cross-entropy of softmax(h·W + b). H is exact: W(diag q − q·qᵀ)Wᵀ. As ∂C/∂h = W(q − y), all is computed in
 * the space of the classes.
 * @param samples of h an example; the first-order term, whose mean is 0, is taken from each
 * @param uniform numbers in (0, 1)
 */
export function noiseForm(
  examples: readonly Fired[],
  readout: Readout,
  { samples, m = 1, uniform }: { samples: number; m?: number; uniform: () => number },
): NoiseForm {
  const sums = { measured: 0, predicted: 0, trace: 0, predictedTrace: 0, cosine: 0, bias: 0 };
  const units = examples[0].p.length;
  const whole = gram(readout, units, () => 1);
  for (const { p, label } of examples) {
    const q = softmaxOf(p, readout);
    const { shift, mean, covariance } = sampled(p, label, q, readout, { samples, m, uniform });
    sums.measured += shift;
    sums.predicted += curvature(p, readout) / m;
    const softmaxSlope = zeros(q.length).map((row, c) => row.map((_, k) => (c === k ? q[c] : 0) - q[c] * q[k]));
    const noise = gram(readout, units, (i) => (p[i] * (1 - p[i])) / m);
    const predicted = times(times(softmaxSlope, noise), softmaxSlope);
    const [a, b] = [covariance, predicted].map((matrix) => times(matrix, whole));
    const traceOf = (matrix: Matrix): number => matrix.reduce((sum, row, i) => sum + row[i], 0);
    sums.trace += traceOf(a);
    sums.predictedTrace += traceOf(b);
    const lengths = Math.sqrt(inner(a, a) * inner(b, b));
    sums.cosine += lengths > 0 ? inner(a, b) / lengths : 1;
    const moved = mean.map((x, c) => x - q[c]);
    sums.bias += moved.reduce((sum, x, c) => sum + x * moved.reduce((part, y, k) => part + y * whole[c][k], 0), 0);
  }
  const count = examples.length;
  return {
    shift: { measured: sums.measured / count, predicted: sums.predicted / count },
    trace: { measured: sums.trace / count, predicted: sums.predictedTrace / count },
    cosine: sums.cosine / count,
    // The square of a mean of samples holds its own variance.
    bias: sums.bias / sums.trace - 1 / samples,
  };
}

/** E[C(h)] − C(p), and mean and covariance of softmax(h·W + b) over samples of h. */
function sampled(
  p: ArrayLike<number>,
  label: number,
  q: Float64Array,
  readout: Readout,
  { samples, m, uniform }: { samples: number; m: number; uniform: () => number },
) {
  const classes = q.length;
  const [mean, covariance] = [new Float64Array(classes), zeros(classes)];
  let shift = 0;
  const h = new Float64Array(p.length);
  for (let sample = 0; sample < samples; sample++) {
    for (let i = 0; i < h.length; i++) {
      let ones = 0;
      for (let bit = 0; bit < m; bit++) if (uniform() < p[i]) ones++;
      h[i] = ones / m;
    }
    const drawn = softmaxOf(h, readout);
    let first = 0;
    for (let c = 0; c < classes; c++) {
      let z = 0;
      for (let i = 0; i < h.length; i++) z += (h[i] - p[i]) * readout.weights[i * classes + c];
      first += z * (q[c] - (c === label ? 1 : 0));
      mean[c] += drawn[c] / samples;
      for (let k = 0; k <= c; k++) covariance[c][k] += (drawn[c] * drawn[k]) / samples;
    }
    shift += (Math.log(q[label]) - Math.log(drawn[label]) - first) / samples;
  }
  const unbiased = samples / (samples - 1);
  for (let c = 0; c < classes; c++)
    for (let k = 0; k <= c; k++) {
      covariance[c][k] = unbiased * (covariance[c][k] - mean[c] * mean[k]);
      covariance[k][c] = covariance[c][k];
    }
  return { shift, mean, covariance };
}
