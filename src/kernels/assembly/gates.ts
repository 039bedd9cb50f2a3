// Gates times blocks: unit u of `size`·k … `size`·k + size − 1 belongs to gate k. Items are rows.
import { splat } from './math';

/** out[r, k, i] = gates[r, k]·values[r, k, i] */
export function gateMultiply(
  begin: i32, end: i32, gates: usize, values: usize, out: usize, rows: i32, blocks: i32, size: i32,
): void {
  for (let r = begin; r < end; r++) {
    let g = gates + ((<usize>(r * blocks)) << 2);
    let o = (<usize>(r * blocks * size)) << 2;
    for (let k = 0; k < blocks; k++, g += 4) {
      const gate = load<f32>(g);
      const v = splat(gate);
      let i = 0;
      for (; i + 4 <= size; i += 4, o += 16) v128.store(out + o, f32x4.mul(v, v128.load(values + o)));
      for (; i < size; i++, o += 4) store<f32>(out + o, gate * load<f32>(values + o));
    }
  }
}

/** out[r, k] = ⟨x[r, k, ·], y[r, k, ·]⟩: the gate gradient ⟨H_k, ∂L/∂y_k⟩ */
export function blockDot(
  begin: i32, end: i32, x: usize, y: usize, out: usize, rows: i32, blocks: i32, size: i32,
): void {
  for (let r = begin; r < end; r++) {
    let to = out + ((<usize>(r * blocks)) << 2);
    let o = (<usize>(r * blocks * size)) << 2;
    for (let k = 0; k < blocks; k++, to += 4) {
      let lanes = splat(0);
      let i = 0;
      for (; i + 4 <= size; i += 4, o += 16) lanes = f32x4.add(lanes, f32x4.mul(v128.load(x + o), v128.load(y + o)));
      let sum = f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1)
        + (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3));
      for (; i < size; i++, o += 4) sum += load<f32>(x + o) * load<f32>(y + o);
      store<f32>(to, sum);
    }
  }
}
