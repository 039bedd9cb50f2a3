/** A grey picture: 0 is black, 1 is white; row by row from the top left. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** A part of a picture, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What is done with grey pictures to find the ink on them. */
export type GreyTools = ReturnType<typeof createGreyTools>;

/** Its text is copied into exported files, so that it uses nothing from outside itself. */
export function createGreyTools() {
  const quantile = (values: ArrayLike<number>, share: number): number => {
    const sorted = Float32Array.from(values).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  };

  /** The border, pixel after pixel around the picture. */
  const borderOf = ({ width, height, values }: Picture): number[] => {
    const at = (x: number, y: number): number => values[y * width + x];
    const across = Array.from({ length: width }, (_, x) => x);
    const down = Array.from({ length: Math.max(0, height - 2) }, (_, y) => y + 1);
    return [
      ...across.map((x) => at(x, 0)),
      ...down.map((y) => at(width - 1, y)),
      ...across.map((x) => at(width - 1 - x, height - 1)),
      ...down.map((y) => at(0, height - 1 - y)),
    ];
  };

  /** For each of `to` cells: the cells of `from` that it covers, with weights that sum to 1. */
  const coverage = (from: number, to: number): [number, number][][] => {
    const step = from / to;
    return Array.from({ length: to }, (_, cell) => {
      const [start, end] = [cell * step, (cell + 1) * step];
      const parts: [number, number][] = [];
      for (let i = Math.floor(start); i < Math.min(from, Math.ceil(end)); i++)
        parts.push([i, (Math.min(end, i + 1) - Math.max(start, i)) / step]);
      return parts;
    });
  };

  /** Every target pixel is the mean of the source pixels under it, weighted by how much of them it covers. */
  const resample = ({ width, values }: Picture, box: Box, size: { width: number; height: number }): Picture => {
    const across = coverage(box.width, size.width);
    const down = coverage(box.height, size.height);
    const out = new Float32Array(size.width * size.height);
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++)
        for (const [sy, wy] of down[y])
          for (const [sx, wx] of across[x])
            out[y * size.width + x] += wy * wx * values[(box.top + sy) * width + box.left + sx];
    return { ...size, values: out };
  };

  /** For every pixel what `of` says of those within `reach`, across and then down. */
  const along = ({ width, height, values }: Picture, reach: number, of: (a: number, b: number) => number): Picture => {
    const pass = (from: Float32Array, length: number, step: number, lines: number, stride: number): Float32Array => {
      const out = new Float32Array(from.length);
      for (let line = 0; line < lines; line++)
        for (let i = 0; i < length; i++) {
          let value = from[line * stride + i * step];
          for (let j = Math.max(0, i - reach); j <= Math.min(length - 1, i + reach); j++)
            value = of(value, from[line * stride + j * step]);
          out[line * stride + i * step] = value;
        }
      return out;
    };
    const rows = pass(values, width, 1, height, width);
    return { width, height, values: pass(rows, height, width, width, 1) };
  };

  /** A picture of a size around, or within, another one that goes on as it ends; its left top is `before` pixels before that one's. */
  const cut = (
    { width, height, values }: Picture,
    before: number,
    size: { width: number; height: number },
  ): Picture => {
    const within = (x: number, extent: number): number => Math.max(0, Math.min(extent - 1, x));
    const out = Float32Array.from({ length: size.width * size.height }, (_, i) => {
      const [x, y] = [(i % size.width) - before, Math.floor(i / size.width) - before];
      return values[within(y, height) * width + within(x, width)];
    });
    return { width: size.width, height: size.height, values: out };
  };

  /** The median of every pixel and those around it. */
  const smoothed = ({ width, height, values }: Picture): Picture => {
    const out = values.map((_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      const near: number[] = [];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) near.push(values[v * width + u]);
      return quantile(near, 0.5);
    });
    return { width, height, values: out };
  };

  /** How far pixels are from a light that changes smoothly: the second-degree polynomial of the place that fits the border best. */
  const smooth = ({ width, height, values }: Picture): Float32Array => {
    const terms = (i: number): number[] => {
      const x = (2 * (i % width)) / Math.max(1, width - 1) - 1;
      const y = (2 * Math.floor(i / width)) / Math.max(1, height - 1) - 1;
      return [1, x, y, x * x, x * y, y * y];
    };
    const count = terms(0).length;
    // Normal equations with a little ridge, as a border of few pixels does not fix all terms; by Gauss and Jordan.
    const rows = Array.from({ length: count }, (_, j) =>
      Array.from({ length: count + 1 }, (_, k) => (j === k ? 1e-6 : 0)),
    );
    values.forEach((v, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      if (x > 0 && y > 0 && x < width - 1 && y < height - 1) return;
      const own = terms(i);
      for (let j = 0; j < count; j++) {
        for (let k = 0; k < count; k++) rows[j][k] += own[j] * own[k];
        rows[j][count] += own[j] * v;
      }
    });
    for (let j = 0; j < count; j++) {
      const pivot = rows[j][j];
      for (let k = j; k <= count; k++) rows[j][k] /= pivot;
      for (let r = 0; r < count; r++) {
        if (r === j) continue;
        const factor = rows[r][j];
        for (let k = j; k <= count; k++) rows[r][k] -= factor * rows[j][k];
      }
    }
    return values.map((v, i) => v - terms(i).reduce((sum, term, j) => sum + term * rows[j][count], 0));
  };

  return { quantile, borderOf, resample, along, cut, smoothed, smooth };
}
