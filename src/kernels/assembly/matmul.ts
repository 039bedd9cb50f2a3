export function packLeft(begin: i32, end: i32, a: usize, packed: usize, m: i32, k: i32, rowStride: i32, columnStride: i32): void {
  for (let i = begin; i < end; i++) for (let p = 0; p < k; p++)
    store<f32>(packed + ((<usize>(i * k + p)) << 2), load<f32>(a + ((<usize>(i * rowStride + p * columnStride)) << 2)));
}
export function matmulPacked(begin: i32, end: i32, packed: usize, b: usize, c: usize, m: i32, n: i32, k: i32, bRow: i32, bColumn: i32, cRow: i32, bias: usize, accumulate: i32): void {
  for (let j = begin; j < end; j++) for (let i = 0; i < m; i++) {
    const to = c + ((<usize>(i * cRow + j)) << 2);
    let s: f32 = accumulate ? load<f32>(to) : bias ? load<f32>(bias + ((<usize>j) << 2)) : 0;
    for (let p = 0; p < k; p++) s += load<f32>(packed + ((<usize>(i * k + p)) << 2)) * load<f32>(b + ((<usize>(p * bRow + j * bColumn)) << 2));
    store<f32>(to, s);
  }
}
