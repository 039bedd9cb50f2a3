import type { Box, GreyTools, Picture } from './grey-picture.ts';

/** Ink, 0 to 1, and its box. */
export interface Inked {
  readonly ink: Picture;
  readonly box: Box;
}

/** What finds the ink of a picture. */
export type InkFinder = ReturnType<typeof createInkFinder>;

/** Its text is copied into exported files, so that it uses nothing from outside itself but what it is given. */
export function createInkFinder({ quantile, along, cut }: GreyTools) {
  /** What is further from the ground than this share of the contrast is ink. */
  const INK = 0.2;
  /** A picture with less contrast than this is empty. */
  const CONTRAST = 0.05;
  /** Strokes are narrower than this share of the shorter side. */
  const STROKE = 0.45;
  /** Spots of less than this share of the largest are no ink. */
  const SPOT = 0.05;
  /** Ink over this share of a side goes from border to border. */
  const ACROSS = 0.98;

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

  /**
   * The ink of a photograph of paper, 0 to 1, and its box: the ground is what closes over strokes (the brightest within a stroke's width, then the
   * darkest of that), so that shadows stay ground however sharp their edge.
   */
  const inkOfPhotograph = (picture: Picture, coarse: Picture, dark: boolean): Inked => {
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
  const inkOnPlain = ({ width, height, values: given }: Picture, share: (v: number) => number): Inked => {
    const values = given.map((v) => Math.max(0, share(v)));
    return { ink: { width, height, values }, box: boxOf(width, (i) => values[i] >= INK, values.length) };
  };

  const isAcross = (box: Box, { width, height }: Picture): boolean =>
    box.width > ACROSS * width || box.height > ACROSS * height;

  return { inkOfPhotograph, inkOnPlain, isAcross, leastContrast: CONTRAST };
}
