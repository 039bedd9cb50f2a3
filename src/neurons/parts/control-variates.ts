import type { NeuronState, StateSpec } from '../contract.ts';

/** Share of the past in the moving averages. */
const DECAY = 0.95;
/** Ridge, as a share of every square: controls that are multiples of each other share their coefficient. */
const RIDGE = 1e-4;

/**
 * State of the coefficients c of control variates: a gradient ĝ = A + Σ_m c_m·B_m with E[B_m] = 0, whose mean square is least.
 * Kept are moving averages over units and rows: of A·B_m, and of B_m·B_n.
 * @param starts the coefficients to start with
 */
export function coefficientState(starts: readonly number[]): Readonly<Record<'products' | 'squares', StateSpec>> {
  const count = starts.length;
  return {
    products: { size: () => count, start: (m) => -1e-20 * starts[m] },
    squares: { size: () => count * count, start: (at) => (at % (count + 1) === 0 ? 1e-20 : 0) },
  };
}

/** The coefficients that a state stands for: c = −squares⁻¹·products, by elimination. */
export function coefficients({ products, squares }: NeuronState): Float64Array {
  const count = products.length;
  const c = Float64Array.from(products, (value) => -value);
  const s = Float64Array.from(squares, (value, at) => (at % (count + 1) === 0 ? value * (1 + RIDGE) : value));
  for (let m = 0; m < count; m++) {
    const pivot = s[m * count + m];
    // A control that is 0, or a multiple of earlier ones.
    if (!(pivot > 1e-6 * squares[m * count + m]) || pivot < 1e-30) {
      for (let n = 0; n < count; n++) s[n * count + m] = s[m * count + n] = 0;
      s[m * count + m] = 1;
      c[m] = 0;
      continue;
    }
    for (let n = m + 1; n < count; n++) {
      const factor = s[n * count + m] / pivot;
      for (let k = m; k < count; k++) s[n * count + k] -= factor * s[m * count + k];
      c[n] -= factor * c[m];
    }
  }
  for (let m = count - 1; m >= 0; m--) {
    for (let k = m + 1; k < count; k++) c[m] -= s[m * count + k] * c[k];
    c[m] /= s[m * count + m];
  }
  return c;
}

/** Moves the averages on. @param controls [A, B_1, …, B_M], each rows × units */
export function learnCoefficients(state: NeuronState, [a, ...controls]: readonly Float64Array[]): void {
  const { products, squares } = state;
  const count = controls.length;
  const mean = (x: Float64Array, y: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
    return sum / x.length;
  };
  controls.forEach((b, m) => {
    products[m] = DECAY * products[m] + (1 - DECAY) * mean(a, b);
    controls.forEach((other, n) => {
      squares[m * count + n] = DECAY * squares[m * count + n] + (1 - DECAY) * mean(b, other);
    });
  });
}

/** Fills gradient = A + Σ_m c_m·B_m with the coefficients of the state. */
export function combine(
  state: NeuronState,
  [a, ...controls]: readonly Float64Array[],
  gradient: { [i: number]: number },
): void {
  const c = coefficients(state);
  for (let i = 0; i < a.length; i++) {
    let sum = a[i];
    for (let m = 0; m < c.length; m++) sum += c[m] * controls[m][i];
    gradient[i] = sum;
  }
}
