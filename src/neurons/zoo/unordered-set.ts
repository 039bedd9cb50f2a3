/**
 * The unordered-set policy gradient with its built-in baseline (Kool et al. 2020, §3.3 and §3.4), where a category is the state s of all units of a
 * row, P(s) = Π_i p_i^{s_i}·(1 − p_i)^{1 − s_i}, p = σ(a). K states are drawn one after another without replacement. The ordered estimator would
 * weigh the k-th draw with what is left after those before it; this one is its mean over all orders in which the same set S may have been drawn:
 *   ĝ = Σ_{s ∈ S} P(s)·R(S, s)·(f(s) − B_s)·(s − p),  B_s = Σ_{s' ∈ S} P(s')·R^{D∖s}(S, s')·f(s')
 * R(S, s) = P(S without s | s is taken out of the domain D)/P(S), and R^{D∖s}(S, s') is the same ratio in a domain without s; R^{D∖s}(S, s) = 1.
 * B_s depends on f(s) itself; that adds no bias (their appendix E).
 */
import { sigmoid, softplus } from '../../math/special.ts';
import { defineNeuron, type Firing, type Numbers, type Pullback, type Weighing } from '../contract.ts';
import { bernoulli, unbiasedBits } from '../parts/bernoulli.ts';

/** Least probability that is divided by: rounding may leave 0 of what the states of a set leave over. */
const NOTHING = 1e-30;

/** log P(unit is h) */
const logOf = (logit: number, h: number): number => -softplus(h ? -logit : logit);

/** How many different states a row draws: K, or all 2^units where they are fewer. */
const distinct = (K: number, units: number): number => (units < 31 ? Math.min(K, 2 ** units) : K);

/**
 * 1 − Σ exp(logs[k]) over the set: the probability of what is outside of it. Accurate where one state has nearly all of it.
 * @param set bit k is draw k
 */
function rest(logs: Float64Array, set: number): number {
  let [most, left] = [-1, 1];
  for (let k = 0; set >> k; k++) if ((set >> k) & 1 && (most < 0 || logs[k] > logs[most])) most = k;
  if (most >= 0) left = -Math.expm1(logs[most]);
  for (let k = 0; set >> k; k++) if ((set >> k) & 1 && k !== most) left -= Math.exp(logs[k]);
  return left;
}

/** Chooses bit i of a draw, which is 1 with probability p given what is drawn already; undefined ends the walk. */
type Choose = (draw: number, i: number, p: number) => number | undefined;

/**
 * Draws the states of a row one after another, each unit by unit: P(bit i = 1 | bits before i, and the state is none of the earlier draws). Only
 * earlier draws with the same bits before i can still be hit: each takes the probability of its remaining bits away.
 * @param states is filled: draws × units
 * @param behind scratch, draws × units: log P of the bits after i in the state of a draw
 */
function walk(logits: Numbers, states: Float64Array, behind: Float64Array, choose: Choose): void {
  const units = logits.length;
  const draws = states.length / units;
  const logs = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    // Set of earlier draws whose bits before i are those of this draw.
    let alike = 2 ** draw - 1;
    for (let i = 0; i < units; i++) {
      let p = sigmoid(logits[i]);
      let opening = 0;
      if (alike) {
        for (let k = 0; k < draw; k++) {
          logs[k] = behind[k * units + i];
          if (states[k * units + i] === 1) opening |= 1 << k;
        }
        const open = p * Math.max(0, rest(logs, alike & opening));
        const closed = sigmoid(-logits[i]) * Math.max(0, rest(logs, alike & ~opening));
        if (closed + open > 0) p = open / (closed + open);
      }
      const value = choose(draw, i, p);
      if (value === undefined) return;
      states[draw * units + i] = value;
      alike &= value === 1 ? opening : ~opening;
    }
    for (let i = units - 1, log = 0; i >= 0; i--) {
      behind[draw * units + i] = log;
      log += logOf(logits[i], states[draw * units + i]);
    }
  }
}

/**
 * What all leave-one-out ratios of a row's set S are made of: F(B), for every subset B of S, is P(S without B is drawn next | B is drawn already),
 * over all orders, divided by Π P(s) of the states outside of B. F(S) = 1 and F(B) = Σ_{s ∉ B} F(B ∪ {s})/(1 − P(B)), P(B) = Σ P(s) over B. The
 * products of P(s) cancel in the ratios: P(s)·R(S, s) = F({s})/F(∅), and P(s')·R^{D∖s}(S, s') = F({s, s'})/F({s}).
 * @param logs is filled: log P of each state of S
 * @param sums is filled: F(B) at index B, bit k of B for draw k
 */
function fillRatios(
  { units, logits, h }: Omit<Firing, 'noise'>,
  row: number,
  logs: Float64Array,
  sums: Float64Array,
): void {
  for (let draw = 0; draw < logs.length; draw++) {
    logs[draw] = 0;
    for (let i = row * units; i < (row + 1) * units; i++) logs[draw] += logOf(logits[i], h[draw * logits.length + i]);
  }
  const all = sums.length - 1;
  sums[all] = 1;
  for (let set = all - 1; set >= 0; set--) {
    sums[set] = 0;
    for (let k = 0; k < logs.length; k++) if (!((set >> k) & 1)) sums[set] += sums[set | (1 << k)];
    sums[set] /= Math.max(NOTHING, rest(logs, set));
  }
}

/** `rowCells`: the probability that noise number `at` of a row is compared with. Number draw·units + i chooses bit i of a draw. */
function cutsOf(logits: Numbers, noise: Numbers, at: number, K: number): number[] {
  const { length: units } = logits;
  const draws = distinct(K, units);
  const cuts: number[] = [];
  if (at >= draws * units) return cuts;
  const [states, behind] = [new Float64Array(draws * units), new Float64Array(draws * units)];
  walk(logits, states, behind, (draw, i, p) => {
    const number = draw * units + i;
    if (number < at) return noise[number] < p ? 1 : 0;
    cuts.push(p);
    return undefined;
  });
  return cuts;
}

/** Draws K different states of every row; where a row has fewer, the first is repeated, with weight 0. */
function fireSet({ rows, units, logits, noise, h }: Firing, K: number): void {
  const draws = distinct(K, units);
  const [states, behind] = [new Float64Array(draws * units), new Float64Array(draws * units)];
  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * units, (row + 1) * units);
    const first = row * units * K;
    walk(own, states, behind, (draw, i, p) => {
      if (!Number.isFinite(own[i])) return Number.NaN;
      return noise[first + draw * units + i] < p ? 1 : 0;
    });
    for (let draw = 0; draw < K; draw++) {
      const from = draw < draws ? draw * units : 0;
      h.set(states.subarray(from, from + units), draw * logits.length + row * units);
    }
  }
}

/** The loss of a row is Σ_s P(s)·R(S, s)·f(s), the unordered-set estimate of E[f]. */
function weighSet(weighing: Weighing, K: number): void {
  const { rows, units, loss, weights, total } = weighing;
  const draws = distinct(K, units);
  const [logs, sums] = [new Float64Array(draws), new Float64Array(2 ** draws)];
  weights.fill(0);
  total.fill(0);
  for (let row = 0; row < rows; row++) {
    fillRatios(weighing, row, logs, sums);
    for (let s = 0; s < draws; s++) {
      weights[s * rows + row] = sums[1 << s] / sums[0];
      total[row] += weights[s * rows + row] * loss[s * rows + row];
    }
  }
}

/** ĝ, as at the top of this file; s − p is ∂log P(s)/∂a. */
function pullSet(pullback: Pullback, K: number): void {
  const { rows, units, logits, h, loss, gradient } = pullback;
  const draws = distinct(K, units);
  const [logs, sums] = [new Float64Array(draws), new Float64Array(2 ** draws)];
  gradient.fill(0);
  for (let row = 0; row < rows; row++) {
    fillRatios(pullback, row, logs, sums);
    for (let s = 0; s < draws; s++) {
      let baseline = Math.exp(logs[s]) * loss[s * rows + row];
      for (let other = 0; other < draws; other++)
        if (other !== s) baseline += (sums[(1 << s) | (1 << other)] / sums[1 << s]) * loss[other * rows + row];
      const signal = (sums[1 << s] / sums[0]) * (loss[s * rows + row] - baseline);
      for (let i = row * units; i < (row + 1) * units; i++)
        gradient[i] += signal * (h[s * logits.length + i] - sigmoid(logits[i]));
    }
  }
}

export const unorderedSet = defineNeuron({
  name: 'unordered-set',
  source:
    'Kool, van Hoof, Welling 2020, "Estimating gradients for discrete random variables by sampling without replacement", Eq. 8, 9 and 17',
  summary:
    'h = 1[u < P(1 | the units before, the draws before)]: K different states of the row; ĝ = Σ_s P(s)·R(S,s)·(f_s − B_s)(h_s − p), B_s = Σ_s′ P(s′)·R^{D∖s}(S,s′)·f_s′, R the leave-one-out ratio of the unordered set S',
  options: {
    K: {
      minimum: 2,
      maximum: 8,
      default: 2,
      whole: true,
      meaning: 'different states drawn for each row; work grows as 2^K',
    },
  },
  rule: ({ K }) => ({
    ...bernoulli,
    noise: K,
    draws: K,
    comparesRows: true,
    reads: 'loss',
    claims: unbiasedBits,
    cells: (logit, index) => (index === 0 ? [sigmoid(logit)] : []),
    rowCells: ({ logits, noise }, at) => cutsOf(logits, noise, at, K),
    fire: (firing) => fireSet(firing, K),
    weigh: (weighing) => weighSet(weighing, K),
    pullback: (pullback) => pullSet(pullback, K),
  }),
});
