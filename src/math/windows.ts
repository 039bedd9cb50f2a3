/** How many windows of a size, a stride apart, lie inside an extent with so many places added at either end. */
export const windows = (extent: number, size: number, stride: number, padding = 0): number =>
  extent + 2 * padding < size ? 0 : Math.floor((extent + 2 * padding - size) / stride) + 1;
