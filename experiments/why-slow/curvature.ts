/**
 * The curvature penalty of activation noise, in closed form: with h = p + ε, E ε = 0, Var ε_i = p_i(1 − p_i),
 *
 *     E[C(p + ε)] = C(p) + R(p) + …,  R = ½ Σ_i p_i(1 − p_i)·∂²C/∂h_i²
 *
 * where C is the cross-entropy of softmax(h·W + b). Then ∂²C/∂h² = W(diag q − q·qᵀ)Wᵀ, q = softmax, whatever the label.
 */

/** The layer above the units: units × classes weights, and biases. */
export interface Readout {
  readonly weights: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

/** softmax(h·W + b) of one example. */
export function softmaxOf(h: ArrayLike<number>, { weights, bias }: Readout): Float64Array {
  const q = Float64Array.from(bias);
  for (let i = 0; i < h.length; i++) for (let c = 0; c < q.length; c++) q[c] += h[i] * weights[i * q.length + c];
  const most = Math.max(...q);
  let total = 0;
  for (let c = 0; c < q.length; c++) {
    q[c] = Math.exp(q[c] - most);
    total += q[c];
  }
  return q.map((x) => x / total);
}

/** Numbers that gradients of R are added to: one example's p, and those of the readout. */
export interface CurvatureGradient {
  readonly p: Float32Array | Float64Array;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/**
 * R of one example.
 * @param p one probability a unit
 * @param gradient gets scale·∂R/∂p (written), and scale·∂R/∂W and scale·∂R/∂b (added)
 */
export function curvature(p: ArrayLike<number>, readout: Readout, gradient?: CurvatureGradient, scale = 1): number {
  const { weights: w } = readout;
  const q = softmaxOf(p, readout);
  const classes = q.length;
  // s_i = Σ_c q_c·w_ic, and ∂²C/∂h_i² = Σ_c q_c·w_ic² − s_i².
  const s = new Float64Array(p.length);
  const second = new Float64Array(p.length);
  // ∂R/∂q_c
  const r = new Float64Array(classes);
  let penalty = 0;
  for (let i = 0; i < p.length; i++) {
    let square = 0;
    for (let c = 0; c < classes; c++) {
      s[i] += q[c] * w[i * classes + c];
      square += q[c] * w[i * classes + c] ** 2;
    }
    second[i] = square - s[i] ** 2;
    const d = p[i] * (1 - p[i]);
    penalty += 0.5 * d * second[i];
    for (let c = 0; c < classes; c++) r[c] += d * (0.5 * w[i * classes + c] ** 2 - s[i] * w[i * classes + c]);
  }
  if (!gradient) return penalty;
  let mean = 0;
  for (let c = 0; c < classes; c++) mean += q[c] * r[c];
  const dz = q.map((x, c) => x * (r[c] - mean));
  for (let i = 0; i < p.length; i++) {
    const d = p[i] * (1 - p[i]);
    let through = 0;
    for (let c = 0; c < classes; c++) {
      const at = i * classes + c;
      through += w[at] * dz[c];
      gradient.weights[at] += scale * (d * q[c] * (w[at] - s[i]) + p[i] * dz[c]);
    }
    gradient.p[i] = scale * (0.5 * (1 - 2 * p[i]) * second[i] + through);
  }
  for (let c = 0; c < classes; c++) gradient.bias[c] += scale * dz[c];
  return penalty;
}
