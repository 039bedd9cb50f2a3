import type { GreyTools, Picture } from './grey-picture.ts';
import type { Inked, InkFinder } from './picture-ink.ts';

/** What a canvas gives: four bytes a pixel, red, green, blue and how opaque it is. */
export interface CanvasPicture {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** A picture made to look like the examples of a data set, and what was done to it. */
export interface FittedPicture {
  /** Bytes, bright ink on a dark ground. */
  readonly pixels: Uint8Array;
  /** In words, for the user; empty when nothing was done. */
  readonly done: readonly string[];
}

/**
 * What makes pictures look like those of a data set. Its text is copied into exported files, so that it uses nothing from outside itself but what it is given.
 * @returns the function that docs of `fitPicture` are about; it throws a RangeError for a picture without contrast
 */
export function createPictureFitter(
  { quantile, borderOf, resample, smoothed, smooth }: GreyTools,
  { inkOfPhotograph, inkOnPlain, isAcross, leastContrast }: InkFinder,
): (picture: Picture | CanvasPicture, shape: { readonly width: number; readonly height: number }) => FittedPicture {
  /** Digits of MNIST fill a box of 20 of 28 pixels. */
  const INK_SHARE = 20 / 28;
  /** A ground whose border varies by more of the contrast, or is rougher from pixel to pixel, is a photograph's. */
  const UNEVEN = 0.2;
  const GRAIN = 0.02;
  /** Ink is looked for on a copy with at most this many pixels a side. */
  const COARSE = 96;

  /** Luma of ITU-R BT.601. Transparent parts show white, or black where what is not transparent is bright. */
  const greyOf = (picture: Picture | CanvasPicture): Picture => {
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

  /** Puts a small picture into a larger dark one, its centre of mass in the middle, as far as it does not stick out. */
  const centred = ({ width, height, values }: Picture, ground: { width: number; height: number }): Float32Array => {
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
    if (contrast < Math.max(leastContrast, 6 * grain))
      throw new RangeError('The picture is of one colour. Expected ink on a plain ground.');
    if (dark) done.push(same ? 'inverted (its border is bright)' : 'inverted (its ink is darker than its ground)');
    if (same) return { pixels: toBytes(dark ? picture.values.map((v) => 1 - v) : picture.values), done };
    const around = borderOf(coarse);
    const rough =
      grain > GRAIN || quantile(around, 0.95) - quantile(around, 0.05) > UNEVEN * Math.max(down, up, leastContrast);
    const plain = rough ? undefined : inkOnPlain(picture, (v) => (dark ? ground - v : v - ground) / contrast);
    const evened = !plain || isAcross(plain.box, picture) ? inkOfPhotograph(picture, coarse, dark) : undefined;
    // Lines of ruled paper cross the whole picture. The coarse copy that photographs are read on loses them, and keeps strokes.
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
