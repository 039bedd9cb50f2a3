import type { FittedPicture, Picture } from './picture.ts';

/** What a canvas gives: four bytes a pixel, red, green, blue and how opaque it is. */
export interface CanvasPicture {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/**
 * What makes pictures look like those of a data set. Its text is copied into exported files, so that it uses nothing from outside itself.
 * @returns the function that docs of `fitPicture` are about; it throws a RangeError for a picture without contrast
 */
export function createPictureFitter(): (
  picture: Picture | CanvasPicture,
  shape: { readonly width: number; readonly height: number },
) => FittedPicture {
  /** Digits of MNIST fill a box of 20 of 28 pixels. */
  const INK_SHARE = 20 / 28;
  /** What is further from the ground than this share of the contrast is ink. */
  const INK = 0.2;
  /** A picture with less contrast than this is empty. */
  const CONTRAST = 0.05;
  /** A ground whose border varies by more of the contrast, or is rougher from pixel to pixel, is a photograph's. */
  const UNEVEN = 0.2;
  const GRAIN = 0.02;
  /** Ink is looked for on a copy with at most this many pixels a side. */
  const COARSE = 96;
  /** Strokes are narrower than this share of the shorter side. */
  const STROKE = 0.45;
  /** Spots of less than this share of the largest are no ink. */
  const SPOT = 0.05;
  /** Ink over this share of a side goes from border to border. */
  const ACROSS = 0.98;

  interface Grey {
    readonly width: number;
    readonly height: number;
    readonly values: Float32Array;
  }
  interface Box {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  }
  /** Ink, 0 to 1, and its box. */
  interface Inked {
    readonly ink: Grey;
    readonly box: Box;
  }

  const quantile = (values: ArrayLike<number>, share: number): number => {
    const sorted = Float32Array.from(values).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  };

  /** Luma of ITU-R BT.601. Transparent parts show white, or black where what is not transparent is bright. */
  const greyOf = (picture: Picture | CanvasPicture): Grey => {
    if ('values' in picture) return picture;
    const { width, height, data } = picture;
    const count = width * height;
    const luma = (i: number): number => (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
    let [opaque, light] = [0, 0];
    for (let i = 0; i < count; i++) {
      opaque += data[4 * i + 3] / 255;
      light += (luma(i) * data[4 * i + 3]) / 255;
    }
    const ground = light > opaque / 2 && opaque < count ? 0 : 1;
    const values = Float32Array.from({ length: count }, (_, i) => {
      const a = data[4 * i + 3] / 255;
      return a * luma(i) + (1 - a) * ground;
    });
    return { width, height, values };
  };

  /** The border, pixel after pixel around the picture. */
  const borderOf = ({ width, height, values }: Grey): number[] => {
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
  const resample = ({ width, values }: Grey, box: Box, size: { width: number; height: number }): Grey => {
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
  const along = ({ width, height, values }: Grey, reach: number, of: (a: number, b: number) => number): Grey => {
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
  const cut = ({ width, height, values }: Grey, before: number, size: { width: number; height: number }): Grey => {
    const within = (x: number, extent: number): number => Math.max(0, Math.min(extent - 1, x));
    const out = Float32Array.from({ length: size.width * size.height }, (_, i) => {
      const [x, y] = [(i % size.width) - before, Math.floor(i / size.width) - before];
      return values[within(y, height) * width + within(x, width)];
    });
    return { width: size.width, height: size.height, values: out };
  };

  /** The median of every pixel and those around it. */
  const smoothed = ({ width, height, values }: Grey): Grey => {
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
  const smooth = ({ width, height, values }: Grey): Float32Array => {
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

  /** Parts that hang together, but for spots. */
  const withoutSpots = (mask: Uint8Array, width: number): Uint8Array => {
    const part = new Int32Array(mask.length).fill(-1);
    const sizes: number[] = [];
    for (let start = 0; start < mask.length; start++) {
      if (mask[start] === 0 || part[start] >= 0) continue;
      const todo = [start];
      part[start] = sizes.length;
      let size = 0;
      for (let i = todo.pop(); i !== undefined; i = todo.pop()) {
        size++;
        const x = i % width;
        for (const [dx, dy] of [
          [-1, -1],
          [0, -1],
          [1, -1],
          [-1, 0],
          [1, 0],
          [-1, 1],
          [0, 1],
          [1, 1],
        ]) {
          const j = i + dy * width + dx;
          if (x + dx < 0 || x + dx >= width || j < 0 || j >= mask.length || mask[j] === 0 || part[j] >= 0) continue;
          part[j] = sizes.length;
          todo.push(j);
        }
      }
      sizes.push(size);
    }
    const most = sizes.reduce((a, b) => Math.max(a, b), 0);
    return mask.map((on, i) => (on && sizes[part[i]] >= SPOT * most ? 1 : 0));
  };

  const boxOf = (width: number, isInk: (i: number) => boolean, count: number): Box => {
    let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1, -1];
    for (let i = 0; i < count; i++) {
      if (!isInk(i)) continue;
      const [x, y] = [i % width, Math.floor(i / width)];
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
    }
    return { left, top, width: right - left + 1, height: bottom - top + 1 };
  };

  /** Puts a small picture into a larger dark one, its centre of mass in the middle, as far as it does not stick out. */
  const centred = ({ width, height, values }: Grey, ground: { width: number; height: number }): Float32Array => {
    let [mass, massX, massY] = [0, 0, 0];
    values.forEach((v, i) => {
      mass += v;
      massX += v * ((i % width) + 0.5);
      massY += v * (Math.floor(i / width) + 0.5);
    });
    const place = (middle: number, extent: number, room: number): number =>
      Math.max(0, Math.min(room - extent, Math.round(room / 2 - middle)));
    const left = place(massX / mass, width, ground.width);
    const top = place(massY / mass, height, ground.height);
    const out = new Float32Array(ground.width * ground.height);
    for (let y = 0; y < height; y++)
      out.set(values.subarray(y * width, (y + 1) * width), (top + y) * ground.width + left);
    return out;
  };

  /**
   * The ink of a photograph of paper, 0 to 1, and its box: the ground is what closes over strokes (the brightest within a stroke's width, then the
   * darkest of that), so that shadows stay ground however sharp their edge.
   */
  const inkOfPhotograph = (picture: Grey, coarse: Grey, dark: boolean): Inked => {
    const { width, height, values } = picture;
    const reach = Math.max(1, Math.round((STROKE * Math.min(coarse.width, coarse.height)) / 2));
    const [first, then] = dark ? [Math.max, Math.min] : [Math.min, Math.max];
    // Beyond the border the picture goes on as it ends, else a slope of light would look like ink there.
    const wide = cut(coarse, reach, { width: coarse.width + 2 * reach, height: coarse.height + 2 * reach });
    const ground = cut(along(along(wide, reach, first), reach, then), -reach, coarse);
    // In a shadow ink stands out by as much of the light that there is.
    const share = (v: number, g: number): number => (dark ? (g - v) / Math.max(g, CONTRAST) : v - g);
    const standsOut = coarse.values.map((v, i) => share(v, ground.values[i]));
    // Grain lies under the brightest around it, too.
    const base = quantile(standsOut, 0.5);
    const most = quantile(standsOut, 0.995) - base;
    const least = Math.max(INK * most, 2 * base);
    const mask = withoutSpots(
      Uint8Array.from(standsOut, (s) => (s - base > least ? 1 : 0)),
      coarse.width,
    );
    if (most < 2 * CONTRAST + 3 * base) mask.fill(0);
    const near = along({ ...coarse, values: Float32Array.from(mask) }, 1, Math.max);
    const ink = new Float32Array(values.length);
    const full: number[] = [];
    for (let i = 0; i < values.length; i++) {
      const x = Math.min(coarse.width - 1, Math.floor(((i % width) * coarse.width) / width));
      const y = Math.min(coarse.height - 1, Math.floor((Math.floor(i / width) * coarse.height) / height));
      const at = y * coarse.width + x;
      if (near.values[at] === 0) continue;
      ink[i] = Math.max(0, share(values[i], ground.values[at]) - base);
      if (mask[at]) full.push(ink[i]);
    }
    const brightest = quantile(full, 0.9) || 1;
    const own = boxOf(coarse.width, (i) => mask[i] === 1, mask.length);
    const [stepX, stepY] = [width / coarse.width, height / coarse.height];
    const left = Math.floor(own.left * stepX);
    const top = Math.floor(own.top * stepY);
    const box = {
      left,
      top,
      width: Math.min(width, Math.ceil((own.left + own.width) * stepX)) - left,
      height: Math.min(height, Math.ceil((own.top + own.height) * stepY)) - top,
    };
    return { ink: { width, height, values: ink.map((v) => Math.min(1, v / brightest)) }, box };
  };

  /** The ink on a ground of one colour. @param share of the contrast that a pixel stands out by */
  const inkOnPlain = ({ width, height, values: given }: Grey, share: (v: number) => number): Inked => {
    const values = given.map((v) => Math.max(0, share(v)));
    return { ink: { width, height, values }, box: boxOf(width, (i) => values[i] >= INK, values.length) };
  };

  const isAcross = (box: Box, { width, height }: Grey): boolean =>
    box.width > ACROSS * width || box.height > ACROSS * height;

  const toBytes = (values: Float32Array): Uint8Array => Uint8Array.from(values, (v) => Math.round(255 * v));

  return (given, shape) => {
    const picture = greyOf(given);
    const { width, height } = picture;
    const done: string[] = [];
    const edge = borderOf(picture);
    const ground = quantile(edge, 0.5);
    const scale = Math.max(1, Math.max(width, height) / COARSE);
    const size = { width: Math.max(1, Math.round(width / scale)), height: Math.max(1, Math.round(height / scale)) };
    const everything = { left: 0, top: 0, width, height };
    const coarse = smoothed(scale > 1 ? resample(picture, everything, size) : picture);
    const from = smooth(coarse);
    const [down, up] = [-quantile(from, 0.005), quantile(from, 0.995)];
    const same = width === shape.width && height === shape.height;
    const dark = same ? ground > 0.5 : down > up;
    const contrast = picture.values.reduce((most, v) => Math.max(most, dark ? ground - v : v - ground), 0);
    const steps = edge.map((v, i) => Math.abs(v - edge[(i + 1) % edge.length]));
    const grain = quantile(steps, 0.5) / 0.954;
    // The largest of all pixels of grain alone is about five deviations off.
    if (contrast < Math.max(CONTRAST, 6 * grain))
      throw new RangeError('The picture is of one colour. Expected ink on a plain ground.');
    if (dark) done.push(same ? 'inverted (its border is bright)' : 'inverted (its ink is darker than its ground)');
    if (same) return { pixels: toBytes(dark ? picture.values.map((v) => 1 - v) : picture.values), done };
    const around = borderOf(coarse);
    const rough =
      grain > GRAIN || quantile(around, 0.95) - quantile(around, 0.05) > UNEVEN * Math.max(down, up, CONTRAST);
    const plain = rough ? undefined : inkOnPlain(picture, (v) => (dark ? ground - v : v - ground) / contrast);
    const evened = !plain || isAcross(plain.box, picture) ? inkOfPhotograph(picture, coarse, dark) : undefined;
    // A photograph's strokes are those of a copy that is too small for the lines of ruled paper.
    const cleared = plain && evened && evened.box.width >= 1 && !isAcross(evened.box, picture);
    const { ink, box } = (plain && !cleared ? plain : evened) as Inked;
    if (rough) done.push('its ground, uneven by light or grain, evened');
    if (cleared) done.push('lines that cross it, as of ruled paper, left out');
    if (!(box.width >= 1 && box.height >= 1))
      throw new RangeError('The picture has no ink that stands out from its ground. Expected ink on a plain ground.');
    const fit = Math.min((INK_SHARE * shape.width) / box.width, (INK_SHARE * shape.height) / box.height);
    const to = {
      width: Math.max(1, Math.round(box.width * fit)),
      height: Math.max(1, Math.round(box.height * fit)),
    };
    if (isAcross(box, picture))
      done.push('its ink goes from border to border: lines of the paper, or what is cut off, are taken for ink');
    done.push(
      `its ink, ${box.width} × ${box.height} of ${width} × ${height} pixels, scaled to ${to.width} × ${to.height} and centred in ${shape.width} × ${shape.height}`,
    );
    return { pixels: toBytes(centred(resample(ink, box, to), shape)), done };
  };
}
