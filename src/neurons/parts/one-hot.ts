/**
 * What categorical units share: groups of `classes` units, of which one emits 1, unit k with probability softmax(a)_k. A last group
 * that is cut short is one of fewer classes. The first noise number of a group's first unit decides which: the first k whose p_0 + … + p_k
 * is over it.
 */
import type { Firing, Numbers, Pullback } from '../contract.ts';

/** The option that all of them have. */
export const classes = {
  minimum: 2,
  maximum: 4096,
  default: 4,
  whole: true,
  meaning: 'units of a group, one of which emits 1',
} as const;

/** softmax((a + shift)/τ) of `size` numbers from index `first` on. */
export function softmax(
  a: Numbers,
  first: number,
  size: number,
  temperature = 1,
  shift: (k: number) => number = () => 0,
): Float64Array {
  const p = new Float64Array(size);
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < size; k++) {
    p[k] = (a[first + k] + shift(k)) / temperature;
    most = Math.max(most, p[k]);
  }
  let total = 0;
  for (let k = 0; k < size; k++) {
    p[k] = Math.exp(p[k] - most);
    total += p[k];
  }
  for (let k = 0; k < size; k++) p[k] /= total;
  return p;
}

/** Calls f for every group: the place of its first unit in the logits, how many units it has, and its row. */
export function forEachGroup(
  { rows, units }: Pick<Firing, 'rows' | 'units'>,
  classes: number,
  f: (first: number, size: number, row: number) => void,
): void {
  for (let row = 0; row < rows; row++)
    for (let unit = 0; unit < units; unit += classes) f(row * units + unit, Math.min(classes, units - unit), row);
}

/** `forEachGroup` with softmax(a) of the group; NaN where a logit of the group is not finite. */
export function eachGroup(
  firing: Pick<Firing, 'rows' | 'units' | 'logits'>,
  classes: number,
  f: (row: number, first: number, size: number, p: Float64Array) => void,
): void {
  const { logits } = firing;
  forEachGroup(firing, classes, (first, size, row) => {
    const p = softmax(logits, first, size);
    f(row, first, size, logits.subarray(first, first + size).every(Number.isFinite) ? p : p.fill(Number.NaN));
  });
}

/** The class that a uniform number draws. */
export function classOf(p: Float64Array, u: number): number {
  let sum = 0;
  let last = 0;
  for (let k = 0; k < p.length; k++) {
    if (p[k] > 0) last = k;
    sum += p[k];
    if (u < sum) return k;
  }
  return last; // the sum may round to less than 1
}

/** Fires as many draws as h has, each from its own noise number; groups with a logit that is not finite are NaN. */
export function fireOneHot(firing: Firing, classes: number): void {
  const { logits, noise, h } = firing;
  const numbers = noise.length / logits.length;
  eachGroup(firing, classes, (_row, first, size, p) => {
    for (let draw = 0; draw * logits.length < h.length; draw++) {
      const at = draw * logits.length + first;
      h.fill(p[0] >= 0 ? 0 : Number.NaN, at, at + size);
      if (p[0] >= 0) h[at + classOf(p, noise[first * numbers + draw])] = 1;
    }
  });
}

/** The facts shared by one-hot behaviours; each of their first `draws` noise numbers decides one draw. */
export function oneHot(classes: number, draws = 1) {
  return {
    range: 'unit-interval',
    jointNoise: 'units',
    group: classes,
    /** Only the numbers of the first unit decide, at the sums of the probabilities. */
    rowCells({ logits }: { logits: Numbers }, at: number): number[] {
      let sum = 0;
      return at < draws ? Array.from(softmax(logits, 0, logits.length), (p) => (sum += p)) : [];
    },
    sample: (firing: Firing): void => fireOneHot(firing, classes),
    settle: (firing: Firing): void =>
      eachGroup(firing, classes, (_row, first, _size, p) => {
        firing.h.set(p, first);
      }),
    expect: (logit: number): number => (Number.isFinite(logit) ? 1 : Number.NaN),
    whenOpen: () => 1,
    formulas: 'none',
  } as const;
}

/** Adds weight·J(s)·δ to the gradient of a group, J(s) = diag(s) − s·sᵀ: ∂softmax/∂a where it is s. */
export function addJacobian(
  s: Float64Array,
  { dh, gradient }: Pick<Pullback, 'dh' | 'gradient'>,
  first: number,
  weight: number,
): void {
  let mean = 0;
  for (let k = 0; k < s.length; k++) mean += s[k] * dh[first + k];
  for (let k = 0; k < s.length; k++) gradient[first + k] += weight * s[k] * (dh[first + k] - mean);
}

/** Lifts a group's backward pass, which adds to a gradient of zeros, to arrays. */
export function pullGroups(
  pullback: Pullback,
  classes: number,
  add: (first: number, size: number, p: Float64Array, row: number) => void,
): void {
  pullback.gradient.fill(0);
  eachGroup(pullback, classes, (row, first, size, p) => add(first, size, p, row));
}

/**
 * softmax((a + G)/τ) with Gumbel numbers G given that class k has the largest a + G, from uniform numbers u: with exponential numbers
 * E = −log u, a_k + G_k is −log E_k, and the others are −log(E_i/p_i + E_k). Source: Maddison, Tarlow, Minka 2014 (A* sampling); Paulus et al.
 * 2021, Eq. 5.
 */
export function relaxGiven(k: number, p: Float64Array, u: (unit: number) => number, temperature: number): Float64Array {
  const winner = -Math.log(u(k));
  const perturbed = new Float64Array(p.length);
  // p − p: a NaN stays one, in a group of one class too.
  for (let i = 0; i < p.length; i++)
    perturbed[i] = p[i] - p[i] - Math.log(i === k ? winner : -Math.log(u(i)) / p[i] + winner);
  return softmax(perturbed, 0, p.length, temperature);
}
