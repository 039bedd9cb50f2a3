// Twins of rao-blackwell-gumbel, which has second + 1 noise numbers a unit side by side. The roles are called as neurons.ts says.
import { exp4, log4, one4, sigmoid4, splat } from './math';

/** Number i of the noise of four units from unit u on, `numbers` each; behind the last unit that one again. */
// @ts-ignore: decorator
@inline
function gather(noise: usize, u: i32, last: i32, numbers: i32, i: i32): v128 {
  let x = v128.load32_splat(place(noise, u, numbers, i));
  x = v128.load32_lane(place(noise, min(u + 1, last), numbers, i), x, 1);
  x = v128.load32_lane(place(noise, min(u + 2, last), numbers, i), x, 2);
  return v128.load32_lane(place(noise, min(u + 3, last), numbers, i), x, 3);
}

// @ts-ignore: decorator
@inline
function place(noise: usize, u: i32, numbers: i32, i: i32): usize {
  return noise + ((<usize>(u * numbers + i)) << 2);
}

/** log(1 + e^x) */
// @ts-ignore: decorator
@inline
function softplus4(x: v128): v128 {
  const tail = log4(f32x4.add(one4(), exp4(f32x4.neg(f32x4.abs(x)))));
  return f32x4.add(f32x4.pmax(x, splat(0)), tail);
}

/** h = 1[u < σ(a)], u the first noise number of the unit */
export function fireFirstBernoulli(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const last = rows * units - 1;
  const numbers = <i32>second + 1;
  for (let i = begin; i < end; i++) {
    const o = (<usize>i) << 4;
    const a = v128.load(logits + o);
    const fired = v128.and(f32x4.lt(gather(noise, i << 2, last, numbers, 0), sigmoid4(a)), one4());
    v128.store(h + o, f32x4.add(fired, f32x4.sub(a, a))); // what is not finite stays so
  }
}

/**
 * out = dh·mean_k s_k(1 − s_k)/τ, s_k = σ(z_k/τ), z_k logistic around a given h, from the other noise numbers v:
 * log(1 + e^(a + log(1−v))) − log v where h is 1, else log(1−v) − log(1 + e^(log v − a)). τ is the first number, how many there are the second.
 */
export function pullbackRaoBlackwell(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, state: usize, first: f32, second: f32, third: f32,
): void {
  const last = rows * units - 1;
  const numbers = <i32>second + 1;
  const inverse = splat(1 / first);
  const share = splat(1 / (first * second));
  for (let i = begin; i < end; i++) {
    const o = (<usize>i) << 4;
    const a = v128.load(logits + o);
    const on = f32x4.eq(v128.load(h + o), one4());
    let slopes = splat(0);
    for (let k = 1; k < numbers; k++) {
      const v = gather(noise, i << 2, last, numbers, k);
      const under = log4(v);
      const over = log4(f32x4.sub(one4(), v));
      // Both cases are ±(log(1 + e^x) − y): the slope s(1 − s) does not see the sign.
      const x = v128.bitselect(f32x4.add(a, over), f32x4.sub(under, a), on);
      const z = f32x4.sub(softplus4(x), v128.bitselect(under, over, on));
      const s = sigmoid4(f32x4.mul(z, inverse));
      slopes = f32x4.add(slopes, f32x4.mul(s, f32x4.sub(one4(), s)));
    }
    v128.store(out + o, f32x4.mul(v128.load(dh + o), f32x4.mul(slopes, share)));
  }
}
