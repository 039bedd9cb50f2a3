import { kernel } from './kernel.ts';
export const packedLeftSize = (m: number, k: number): number => m * k;
export const packLeft = kernel({
  parameters: ['a*', 'packed*', 'm', 'k', 'rowStride', 'columnStride'],
  items: (_a, _p, m) => m,
  grain: () => 16,
  define(memory, a, packed, m, k, rowStride, columnStride) {
    for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) memory[packed + i * k + p] = memory[a + i * rowStride + p * columnStride];
  },
});
export const matmulPacked = kernel({
  parameters: ['packed*', 'b*', 'c*', 'm', 'n', 'k', 'bRow', 'bColumn', 'cRow', 'bias*', 'accumulate'],
  items: (_p, _b, _c, _m, n) => n,
  grain: () => 16,
  define(memory, packed, b, c, m, n, k, bRow, bColumn, cRow, bias, accumulate) {
    for (let j = 0; j < n; j++) for (let i = 0; i < m; i++) {
      let s = accumulate ? memory[c + i * cRow + j] : bias ? memory[bias + j] : 0;
      for (let p = 0; p < k; p++) s += memory[packed + i * k + p] * memory[b + p * bRow + j * bColumn];
      memory[c + i * cRow + j] = s;
    }
  },
});
