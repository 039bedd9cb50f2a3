import { sigmoid, softplus } from '../../math/special.ts';
import { defineNeuron, type Firing, type Numbers, type Pullback, type Weighing } from '../contract.ts';
import { bernoulli, unbiasedBits } from '../parts/bernoulli.ts';

/** Stands for the probability that is left where rounding leaves none. */
const NOTHING = 1e-30;

/** log P(unit is h) */
const logOf = (logit: number, h: number): number => -softplus(h ? -logit : logit);

/** Draws of a row that differ: all of its states, where those are fewer than K. */
const distinct = (K: number, units: number): number => (units < 31 ? Math.min(K, 2 ** units) : K);

/** 1 − Σ exp(logs[k]) over the set, bit k of its number for k; accurate where one of them is nearly 1. */
function rest(logs: Float64Array, set: number): number {
  let [most, left] = [-1, 1];
  for (let k = 0; set >> k; k++) if ((set >> k) & 1 && (most < 0 || logs[k] > logs[most])) most = k;
  if (most >= 0) left = -Math.expm1(logs[most]);
  for (let k = 0; set >> k; k++) if ((set >> k) & 1 && k !== most) left -= Math.exp(logs[k]);
  return left;
}

/** What unit i of a draw is, where it is 1 with probability p; undefined ends the walk. */
type Choose = (draw: number, i: number, p: number) => number | undefined;

/**
 * The states of a row one after another, each unit by unit: given those before it, and that the state is none of the earlier draws'.
 * @param states is filled: draws × units
 * @param behind scratch: log P of the units behind one, of each draw: draws × units
 */
function walk(logits: Numbers, states: Float64Array, behind: Float64Array, choose: Choose): void {
  const units = logits.length;
  const draws = states.length / units;
  const logs = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    // The earlier draws that are alike so far.
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
 * Fills `logs` with log P of the states that a row has drawn, and `sums` with F(B) of every subset B of them, bit k of its number for draw k:
 * Σ over the orders of the draws outside of B of Π 1/(1 − P(B) − P(those before)). Then P(s)·R(S, s) = F({s})/F(∅), and
 * P(s')·R^{D∖s}(S, s') = F({s, s'})/F({s}): the probabilities of what was drawn cancel.
 */
function orders(
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

/** Where the choice that noise number `at` of a row makes is cut; the numbers of a row stand draw after draw. */
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

/** K states of every row that differ; where there are fewer, the first again. */
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

/** Every state weighs P(s)·R(S, s). */
function weighSet(weighing: Weighing, K: number): void {
  const { rows, units, loss, weights, total } = weighing;
  const draws = distinct(K, units);
  const [logs, sums] = [new Float64Array(draws), new Float64Array(2 ** draws)];
  weights.fill(0);
  total.fill(0);
  for (let row = 0; row < rows; row++) {
    orders(weighing, row, logs, sums);
    for (let s = 0; s < draws; s++) {
      weights[s * rows + row] = sums[1 << s] / sums[0];
      total[row] += weights[s * rows + row] * loss[s * rows + row];
    }
  }
}

/** ĝ = Σ_s P(s)·R(S, s)·(f_s − B_s)(h_s − p), B_s = Σ_s' P(s')·R^{D∖s}(S, s')·f_s'. */
function pullSet(pullback: Pullback, K: number): void {
  const { rows, units, logits, h, loss, gradient } = pullback;
  const draws = distinct(K, units);
  const [logs, sums] = [new Float64Array(draws), new Float64Array(2 ** draws)];
  gradient.fill(0);
  for (let row = 0; row < rows; row++) {
    orders(pullback, row, logs, sums);
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
    'K states of the row without replacement, P of h = 1[u < p]; ĝ = Σ_s w_s(f_s − B_s)(h_s − p), w and B the leave-one-out ratios of the set',
  options: {
    K: {
      minimum: 2,
      maximum: 8,
      default: 2,
      whole: true,
      meaning: 'states of a row, which all differ; work grows as 2^K',
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
