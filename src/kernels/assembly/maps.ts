// Functions of single elements, by number: the order is that of MAPS in src/kernels/maps.ts. Work items are vectors of four.
import { exp4, log4, one4, sigmoid4, sigmoidSlope4, splat, tanh4, two4 } from './math';

/** e^x over the whole range: ∞ above 88.72, 0 below −104, denormal numbers between. */
// @ts-ignore: decorator
@inline
export function fullExp4(x: v128): v128 {
  if (i32x4.all_true(f32x4.le(f32x4.abs(x), splat(87)))) return exp4(x);
  return farExp4(x);
}

function farExp4(x: v128): v128 {
  const half = exp4(f32x4.mul(x, splat(0.5)));
  return v128.bitselect(exp4(x), f32x4.mul(half, half), f32x4.le(f32x4.abs(x), splat(87)));
}

/** log x for every x: −∞ at 0, NaN below. */
// @ts-ignore: decorator
@inline
export function fullLog4(x: v128): v128 {
  const plain = v128.and(f32x4.ge(x, splat(1.17549435e-38)), f32x4.lt(x, splat(f32.MAX_VALUE)));
  return i32x4.all_true(plain) ? log4(x) : farLog4(x, plain);
}

function farLog4(x: v128, plain: v128): v128 {
  // Denormal numbers times 2^24 are normal.
  const small = f32x4.sub(log4(f32x4.mul(x, splat(16777216))), splat(16.635532333438687));
  let y = v128.bitselect(log4(x), small, v128.or(plain, f32x4.ge(x, splat(f32.MAX_VALUE))));
  y = v128.bitselect(x, y, f32x4.eq(x, splat(f32.MAX_VALUE * 2)));
  y = v128.bitselect(splat(-f32.MAX_VALUE * 2), y, f32x4.eq(x, splat(0)));
  return v128.bitselect(y, splat(NaN), f32x4.ge(x, splat(0)));
}

/** log(1+e) for e ≥ 0, with the relative precision of e. Source: Kahan's quotient, HP-15C handbook. */
// @ts-ignore: decorator
@inline
function logOnePlus4(e: v128): v128 {
  const u = f32x4.add(one4(), e);
  const d = f32x4.sub(u, one4());
  return v128.bitselect(e, f32x4.div(f32x4.mul(log4(u), e), d), f32x4.eq(d, splat(0)));
}

/** −1, 0 or 1 (NaN stays) */
// @ts-ignore: decorator
@inline
export function sign4(x: v128): v128 {
  const one = v128.or(v128.and(x, i32x4.splat(0x80000000)), one4());
  return v128.bitselect(one, x, v128.or(f32x4.gt(x, splat(0)), f32x4.lt(x, splat(0))));
}

/** x^y */
export function pow4(x: v128, y: v128): v128 {
  let z = f32x4.splat(Mathf.pow(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0)));
  z = f32x4.replace_lane(z, 1, Mathf.pow(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1)));
  z = f32x4.replace_lane(z, 2, Mathf.pow(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2)));
  return f32x4.replace_lane(z, 3, Mathf.pow(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3)));
}

/** A function of an element and two parameters, and its slope. */
class Exp {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return fullExp4(x); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return fullExp4(x); }
}
class Log {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return fullLog4(x); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return f32x4.div(one4(), x); }
}
class Sqrt {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return f32x4.sqrt(x); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return f32x4.div(splat(0.5), f32x4.sqrt(x)); }
}
class Abs {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return f32x4.abs(x); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return sign4(x); }
}
class Square {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, x); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return f32x4.add(x, x); }
}
class Clip {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return f32x4.min(f32x4.max(x, p), q); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 {
    return v128.and(one4(), v128.and(f32x4.ge(x, p), f32x4.le(x, q)));
  }
}
class Sigmoid {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return sigmoid4(x); }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return sigmoidSlope4(x); }
}
class Tanh {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 { return tanh4(x); }
  /** 1 − tanh² x = 4σ′(2x), without cancellation */
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return f32x4.mul(splat(4), sigmoidSlope4(f32x4.mul(two4(), x))); }
}
class Softplus {
  // @ts-ignore: decorator
  @inline of(x: v128, p: v128, q: v128): v128 {
    return f32x4.add(f32x4.pmax(x, splat(0)), logOnePlus4(exp4(f32x4.neg(f32x4.abs(x)))));
  }
  // @ts-ignore: decorator
  @inline slope(x: v128, p: v128, q: v128): v128 { return sigmoid4(x); }
}

function mapAll<F>(begin: i32, end: i32, x: usize, out: usize, p: f32, q: f32): void {
  const p4 = splat(p), q4 = splat(q);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16)
    v128.store(out + o, changetype<F>(0).of(v128.load(x + o), p4, q4));
}

function slopesOfAll<F>(begin: i32, end: i32, x: usize, dy: usize, out: usize, p: f32, q: f32): void {
  const p4 = splat(p), q4 = splat(q);
  for (let o: usize = (<usize>begin) << 4; o < (<usize>end) << 4; o += 16)
    v128.store(out + o, f32x4.mul(v128.load(dy + o), changetype<F>(0).slope(v128.load(x + o), p4, q4)));
}

/** out = f(x) */
export function mapElements(
  begin: i32, end: i32, x: usize, out: usize, n: i32, operation: i32, p: f32, q: f32,
): void {
  switch (operation) {
    case 0: return mapAll<Exp>(begin, end, x, out, p, q);
    case 1: return mapAll<Log>(begin, end, x, out, p, q);
    case 2: return mapAll<Sqrt>(begin, end, x, out, p, q);
    case 3: return mapAll<Abs>(begin, end, x, out, p, q);
    case 4: return mapAll<Square>(begin, end, x, out, p, q);
    case 5: return mapAll<Clip>(begin, end, x, out, p, q);
    case 6: return mapAll<Sigmoid>(begin, end, x, out, p, q);
    case 7: return mapAll<Tanh>(begin, end, x, out, p, q);
    case 8: return mapAll<Softplus>(begin, end, x, out, p, q);
  }
}

/** out = dy·f′(x) */
export function mapSlopes(
  begin: i32, end: i32, x: usize, dy: usize, out: usize, n: i32, operation: i32, p: f32, q: f32,
): void {
  switch (operation) {
    case 0: return slopesOfAll<Exp>(begin, end, x, dy, out, p, q);
    case 1: return slopesOfAll<Log>(begin, end, x, dy, out, p, q);
    case 2: return slopesOfAll<Sqrt>(begin, end, x, dy, out, p, q);
    case 3: return slopesOfAll<Abs>(begin, end, x, dy, out, p, q);
    case 4: return slopesOfAll<Square>(begin, end, x, dy, out, p, q);
    case 5: return slopesOfAll<Clip>(begin, end, x, dy, out, p, q);
    case 6: return slopesOfAll<Sigmoid>(begin, end, x, dy, out, p, q);
    case 7: return slopesOfAll<Tanh>(begin, end, x, dy, out, p, q);
    case 8: return slopesOfAll<Softplus>(begin, end, x, dy, out, p, q);
  }
}
