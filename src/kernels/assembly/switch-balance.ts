import { bytes, loadLanes, storeLanes, sumOfLanes } from './blocks-rows';
import { exp4, splat } from './math';
import { mask } from './neurons-selecting';

/**
 * The load balance of switch gates, gradient and value of every row: p is the softmax of the logits, and
 * gradient_j = units·p_j(share_j − Σ share·p)/rows; values[r] = units·Σ share·p/rows.
 */
export function switchBalance(
  begin: i32, end: i32, logits: usize, shares: usize, gradient: usize, values: usize, rows: i32, units: i32,
): void {
  for (let r = begin; r < end; r++) {
    const o = bytes(units) * r;
    const to = gradient + o;
    let top = splat(f32.NEGATIVE_INFINITY);
    for (let j = 0; j < units; j++) top = f32x4.pmax(top, v128.load32_splat(logits + o + bytes(j)));
    let total = splat(0), weighed = splat(0);
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      let e = exp4(f32x4.sub(loadLanes(logits + o + bytes(j), lanes), top));
      if (lanes < 4) e = v128.andnot(e, mask(lanes));
      total = f32x4.add(total, e);
      weighed = f32x4.add(weighed, f32x4.mul(e, loadLanes(shares + bytes(j), lanes)));
      storeLanes(to + bytes(j), e, lanes);
    }
    const sum = sumOfLanes(total);
    const dot = sumOfLanes(weighed) / sum;
    const factor = splat(<f32>units / (sum * <f32>rows));
    for (let j = 0; j < units; j += 4) {
      const lanes = min(4, units - j);
      const away = f32x4.sub(loadLanes(shares + bytes(j), lanes), splat(dot));
      storeLanes(to + bytes(j), f32x4.mul(f32x4.mul(factor, loadLanes(to + bytes(j), lanes)), away), lanes);
    }
    store<f32>(values + bytes(r), units == 0 ? 0 : <f32>units * dot / <f32>rows);
  }
}
