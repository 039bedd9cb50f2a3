// Connectionist temporal classification; items are sequences. Sums of probabilities are kept as logarithms in Float64. The exp and
// log are AssemblyScript's own, made of IEEE operations alone: the same bits everywhere.
import { scratch } from './scratch';

@inline
function bytes(elements: i32): usize {
  return (<usize>elements) << 2;
}

@inline
function bytes8(elements: i32): usize {
  return (<usize>elements) << 3;
}

/** log(e^a + e^b) */
function logAdd(a: f64, b: f64): f64 {
  if (a == -Infinity) return b;
  if (b == -Infinity) return a;
  const high = max(a, b);
  return high + Math.log(1 + Math.exp(min(a, b) - high));
}

/** The class of a state: blanks (the last class) stand between the labels and at both ends. */
@inline
function classOf(state: i32, labels: usize, columns: i32): i32 {
  return state & 1 ? load<i32>(labels + bytes(state >> 1)) : columns - 1;
}

/** May a path go from state − 2 to this state? Only past the blank between two labels that differ. */
@inline
function skips(state: i32, labels: usize): bool {
  return (state & 1) != 0 && state >= 3 && load<i32>(labels + bytes(state >> 1)) != load<i32>(labels + bytes((state >> 1) - 1));
}

/** losses[s] = −log P(labels | logits); gradient = ∂losses[s]/∂logits of its rows. See src/kernels/ctc.ts. */
export function ctc(
  begin: i32, end: i32, logits: usize, offsets: usize, labels: usize, labelOffsets: usize, losses: usize,
  gradient: usize, room: usize, roomAt: usize, sequences: i32, columns: i32,
): void {
  for (let s = begin; s < end; s++) {
    const own = load<i32>(roomAt + bytes(s));
    const from = load<i32>(offsets + bytes(s));
    const points = load<i32>(offsets + bytes(s + 1)) - from;
    const firstLabel = load<i32>(labelOffsets + bytes(s));
    const states = 2 * (load<i32>(labelOffsets + bytes(s + 1)) - firstLabel) + 1;
    const at = bytes(from * columns);
    store<f32>(
      losses + bytes(s),
      <f32>alignOne(
        own < 0 ? scratch : room + bytes(own), logits + at, gradient + at, labels + bytes(firstLabel), points, states, columns,
      ),
    );
  }
}

function alignOne(
  room: usize, logits: usize, gradient: usize, labels: usize, points: i32, states: i32, columns: i32,
): f64 {
  // In room: log Σ e^logit of every point, α of every point and state, β of two points, and log Σ αβ of every class.
  const normalizers = room;
  const alpha = normalizers + bytes8(points);
  let beta = alpha + bytes8(points * states);
  let betaNext = beta + bytes8(states);
  const byClass = betaNext + bytes8(states);
  for (let t = 0; t < points; t++) store<f64>(normalizers + bytes8(t), logSum(logits + bytes(t * columns), columns));
  for (let t = 0; t < points; t++) {
    const row = alpha + bytes8(t * states);
    for (let state = 0; state < states; state++) {
      let sum: f64 = -Infinity;
      if (t == 0) {
        if (state < 2) sum = 0;
      } else {
        const before = row - bytes8(states) + bytes8(state);
        sum = load<f64>(before);
        if (state > 0) sum = logAdd(sum, load<f64>(before - 8));
        if (skips(state, labels)) sum = logAdd(sum, load<f64>(before - 16));
      }
      store<f64>(row + bytes8(state), sum + logProbability(logits, normalizers, t, classOf(state, labels, columns), columns));
    }
  }
  const last = alpha + bytes8((points - 1) * states);
  let total = load<f64>(last + bytes8(states - 1));
  if (states > 1) total = logAdd(total, load<f64>(last + bytes8(states - 2)));
  for (let t = points - 1; t >= 0; t--) {
    for (let state = 0; state < states; state++) {
      let sum: f64 = -Infinity;
      if (t == points - 1) {
        if (state >= states - 2) sum = 0;
      } else {
        sum = onward(betaNext, logits, normalizers, t + 1, state, labels, columns);
        if (state + 1 < states) sum = logAdd(sum, onward(betaNext, logits, normalizers, t + 1, state + 1, labels, columns));
        if (state + 2 < states && skips(state + 2, labels)) {
          sum = logAdd(sum, onward(betaNext, logits, normalizers, t + 1, state + 2, labels, columns));
        }
      }
      store<f64>(beta + bytes8(state), sum);
    }
    for (let c = 0; c < columns; c++) store<f64>(byClass + bytes8(c), -Infinity);
    const row = alpha + bytes8(t * states);
    for (let state = 0; state < states; state++) {
      const slot = byClass + bytes8(classOf(state, labels, columns));
      store<f64>(slot, logAdd(load<f64>(slot), load<f64>(row + bytes8(state)) + load<f64>(beta + bytes8(state))));
    }
    for (let c = 0; c < columns; c++) {
      const p = Math.exp(logProbability(logits, normalizers, t, c, columns));
      store<f32>(gradient + bytes(t * columns + c), <f32>(p - Math.exp(load<f64>(byClass + bytes8(c)) - total)));
    }
    const swap = beta;
    beta = betaNext;
    betaNext = swap;
  }
  return -total;
}

/** β of a state at point t, times the probability of its class there. */
@inline
function onward(
  beta: usize, logits: usize, normalizers: usize, t: i32, state: i32, labels: usize, columns: i32,
): f64 {
  return load<f64>(beta + bytes8(state)) + logProbability(logits, normalizers, t, classOf(state, labels, columns), columns);
}

@inline
function logProbability(logits: usize, normalizers: usize, t: i32, c: i32, columns: i32): f64 {
  return <f64>load<f32>(logits + bytes(t * columns + c)) - load<f64>(normalizers + bytes8(t));
}

/** log Σ e^x; NaN when an x is NaN or +∞. */
function logSum(x: usize, n: i32): f64 {
  let high: f64 = -Infinity;
  for (let c = 0; c < n; c++) high = max(high, <f64>load<f32>(x + bytes(c)));
  let sum: f64 = 0;
  for (let c = 0; c < n; c++) sum += Math.exp(<f64>load<f32>(x + bytes(c)) - high);
  return high + Math.log(sum);
}

/** out = x, the rows of every sequence times its factor. */
export function scaleSequences(
  begin: i32, end: i32, x: usize, offsets: usize, factors: usize, out: usize, sequences: i32, columns: i32,
): void {
  for (let s = begin; s < end; s++) {
    const factor = load<f32>(factors + bytes(s));
    const to = bytes(load<i32>(offsets + bytes(s + 1)) * columns);
    for (let o = bytes(load<i32>(offsets + bytes(s)) * columns); o < to; o += 4) {
      store<f32>(out + o, factor * load<f32>(x + o));
    }
  }
}
