// Twins of the neurons that keep the logits over a threshold. Items are rows. In the place of the state they get the selection bias: one
// number a unit, 0 where there is none. Arguments as in neurons.ts.
import { bytes, loadLanes, storeLanes } from './blocks-rows';
import { one4, sigmoid4, sigmoidSlope4, splat } from './math';
import { LEAST_OPEN } from './neurons-selecting';

/** h = 1[a > first], or where the second number is 0 σ(a) there; a plus the bias is what is compared. */
export function fireThreshold(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, rows: i32, units: i32, bias: usize, first: f32, second: f32, third: f32,
): void {
  const cut = splat(first);
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      const a = loadLanes(logits + o + bytes(j), lanes);
      const x = bias ? f32x4.add(a, loadLanes(bias + bytes(j), lanes)) : a;
      const open = second == 1 ? one4() : f32x4.pmax(sigmoid4(a), splat(LEAST_OPEN));
      const y = v128.and(open, f32x4.gt(x, cut));
      storeLanes(h + o + bytes(j), f32x4.add(y, f32x4.sub(x, x)), lanes);
    }
  }
}

/** δ·σ'(a); where the second number is 0 of open units alone. */
export function pullbackThreshold(
  begin: i32, end: i32, logits: usize, noise: usize, h: usize, loss: usize, dh: usize, out: usize, rows: i32, units: i32, bias: usize,
  first: f32, second: f32, third: f32,
): void {
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      const slope = sigmoidSlope4(loadLanes(logits + o + bytes(j), lanes));
      const pull = f32x4.mul(loadLanes(dh + o + bytes(j), lanes), slope);
      const open = second == 1 ? i32x4.splat(-1) : f32x4.ne(loadLanes(h + o + bytes(j), lanes), splat(0));
      storeLanes(out + o + bytes(j), v128.and(pull, open), lanes);
    }
  }
}
