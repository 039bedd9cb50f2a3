import { DataError, type ImageShape } from './dataset.ts';

/** A grey picture: 0 is black, 1 is white; row by row from the top left. */
export interface Picture extends ImageShape {
  readonly values: Float32Array;
}

/** A picture made to look like the examples of a data set, and what was done to it. */
export interface FittedPicture {
  /** Bytes, bright ink on a dark ground. */
  readonly pixels: Uint8Array;
  /** In words, for the user; empty when nothing was done. */
  readonly done: readonly string[];
}

/** Digits of MNIST fill a box of 20 of 28 pixels. */
const INK_SHARE = 20 / 28;
/** What is brighter than this share of the brightest ink is ink. */
const INK = 0.2;
/** A picture with less contrast than this is empty. */
const CONTRAST = 0.05;

/**
 * Makes a picture look like MNIST's: bright on dark, the ink's box scaled to 20/28 of the side and its centre of mass in the
 * middle. A picture of the right size is not moved or scaled. Source: the preparation of MNIST (LeCun, Cortes, Burges).
 * @throws DataError for a picture without contrast
 */
export function fitPicture(picture: Picture, { width, height }: ImageShape): FittedPicture {
  const done: string[] = [];
  const ground = median(border(picture));
  const inverted = ground > 0.5;
  let values = picture.values;
  if (inverted) {
    values = values.map((v) => 1 - v);
    done.push('inverted (its border is bright)');
  }
  if (picture.width === width && picture.height === height) return { pixels: toBytes(values), done };
  const dark = inverted ? 1 - ground : ground;
  const brightest = values.reduce((most, v) => Math.max(most, v), 0);
  if (brightest - dark < CONTRAST) throw new DataError('The picture is of one colour; ink on a plain ground would do.');
  const ink = { ...picture, values: values.map((v) => Math.max(0, (v - dark) / (brightest - dark))) };
  const box = inkBox(ink);
  const scale = Math.min((INK_SHARE * width) / box.width, (INK_SHARE * height) / box.height);
  const size = {
    width: Math.max(1, Math.round(box.width * scale)),
    height: Math.max(1, Math.round(box.height * scale)),
  };
  const scaled = resample(ink, box, size);
  done.push(
    `its ink, ${box.width} × ${box.height} of ${picture.width} × ${picture.height} pixels, scaled to ${size.width} × ${size.height} and centred in ${width} × ${height}`,
  );
  return { pixels: toBytes(centred(scaled, { width, height }).values), done };
}

interface Box extends ImageShape {
  readonly left: number;
  readonly top: number;
}

function border({ width, height, values }: Picture): Float32Array {
  return values.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
}

const median = (values: Float32Array): number => values.sort()[values.length >> 1];

const toBytes = (values: Float32Array): Uint8Array => Uint8Array.from(values, (v) => Math.round(255 * v));

function inkBox({ width, values }: Picture): Box {
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1, -1];
  values.forEach((v, i) => {
    if (v < INK) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
  });
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Every target pixel is the mean of the source pixels under it, weighted by how much of them it covers. */
function resample({ width, values }: Picture, box: Box, size: ImageShape): Picture {
  const across = coverage(box.width, size.width);
  const down = coverage(box.height, size.height);
  const out = new Float32Array(size.width * size.height);
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++)
      for (const [sy, wy] of down[y])
        for (const [sx, wx] of across[x])
          out[y * size.width + x] += wy * wx * values[(box.top + sy) * width + box.left + sx];
  return { ...size, values: out };
}

/** For each of `to` cells: the cells of `from` that it covers, with weights that sum to 1. */
function coverage(from: number, to: number): [number, number][][] {
  const step = from / to;
  return Array.from({ length: to }, (_, cell) => {
    const [start, end] = [cell * step, (cell + 1) * step];
    const parts: [number, number][] = [];
    for (let i = Math.floor(start); i < Math.min(from, Math.ceil(end)); i++)
      parts.push([i, (Math.min(end, i + 1) - Math.max(start, i)) / step]);
    return parts;
  });
}

/** Puts a small picture into a larger dark one, its centre of mass in the middle, as far as it does not stick out. */
function centred({ width, height, values }: Picture, ground: ImageShape): Picture {
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
  return { ...ground, values: out };
}
