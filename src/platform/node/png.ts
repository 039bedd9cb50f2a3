import { decode } from 'fast-png';
import { DataError } from '../../data/dataset.ts';
import { foreignFormat } from '../../data/file-format.ts';
import type { Picture } from '../../data/grey-picture.ts';
import { inflateAtMost } from './inflate.ts';

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** Channels by PNG's colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MOST_PIXELS = 2 ** 24;
const MOST_SIDE = 2 ** 14;
/** Luma of ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114];

/**
 * A PNG file of unknown origin as a grey picture. Transparent parts show white, or black where what is not transparent is bright.
 * @param where what the file is, for messages
 * @throws DataError when it is no PNG, damaged, or larger than 16 million pixels or 16,384 a side
 */
export function readPng(bytes: Uint8Array, where: string): Picture {
  const plain = essentials(bytes, where);
  try {
    const { width, height, depth, channels, data, palette, transparency } = decode(plain, { checkCrc: true });
    const samples = unpack(data, { width, height, channels, depth });
    return {
      width,
      height,
      values: palette ? throughPalette(samples, palette) : grey(samples, channels, 2 ** depth - 1, transparency),
    };
  } catch (error) {
    throw new DataError(`${where} is a damaged PNG file: ${(error as Error).message}.`, { cause: error });
  }
}

/**
 * The chunks that pixels need, checked: a header of a sane size, and data that inflate to what it says and no further. The
 * decoder inflates without a limit.
 */
function essentials(bytes: Uint8Array, where: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const damaged = (reason: string): DataError => new DataError(`${where} is a damaged PNG file: ${reason}.`);
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) {
    const foreign = foreignFormat(bytes);
    throw new DataError(foreign ? `${where} is ${foreign}. Expected a PNG file.` : `${where} is no PNG file.`);
  }
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const data: Uint8Array[] = [];
  let limit = 0;
  let ended = false;
  for (let at = 8; !ended; ) {
    if (at + 12 > bytes.length) throw damaged('it is cut short');
    const length = view.getUint32(at);
    if (length > bytes.length - at - 12) throw damaged(`a chunk of ${length} bytes is cut short`);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const first = limit === 0;
    if ((type === 'IHDR') !== first) throw damaged('its header is not at its start, once');
    if (first) limit = inflatedSize(bytes.subarray(at + 8, at + 8 + length), where);
    if (type === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + length));
    if (['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'].includes(type)) kept.push(bytes.subarray(at, at + 12 + length));
    ended = type === 'IEND';
    at += 12 + length;
  }
  let size: number;
  try {
    size = inflateAtMost(Buffer.concat(data), limit).length;
  } catch (error) {
    throw damaged(`its data of pixels ${(error as Error).message}`);
  }
  if (size !== limit) throw damaged(`it holds ${size} bytes of pixels in place of ${limit}`);
  return new Uint8Array(Buffer.concat(kept));
}

/** Bytes of all rows with their filter bytes. */
function inflatedSize(header: Uint8Array, where: string): number {
  if (header.length !== 13)
    throw new DataError(`${where} is a damaged PNG file: its header has ${header.length} bytes.`);
  const view = new DataView(header.buffer, header.byteOffset, 13);
  const [width, height, depth, colour] = [view.getUint32(0), view.getUint32(4), header[8], header[9]];
  const channels = CHANNELS[colour];
  if (width === 0 || height === 0 || Math.max(width, height) > MOST_SIDE || width * height > MOST_PIXELS)
    throw new DataError(
      `${where} has ${width} × ${height} pixels. Expected 1 to ${MOST_SIDE} a side, and at most ${MOST_PIXELS} in all.`,
    );
  if (channels === undefined || ![1, 2, 4, 8, 16].includes(depth))
    throw new DataError(`${where} is a damaged PNG file: it has ${depth} bits in colour type ${colour}.`);
  if (header[12] !== 0) throw new DataError(`${where} is an interlaced PNG file. Expected one without interlace.`);
  return height * (1 + Math.ceil((width * channels * depth) / 8));
}

/** One number a sample; rows of fewer than 8 bits a sample are packed and start at a byte. */
function unpack(
  data: ArrayLike<number>,
  { width, height, channels, depth }: { width: number; height: number; channels: number; depth: number },
): ArrayLike<number> {
  if (depth >= 8) return data;
  const row = width * channels;
  const rowBytes = Math.ceil((row * depth) / 8);
  return Uint8Array.from({ length: row * height }, (_, i) => {
    const bit = (i % row) * depth;
    const byte = data[Math.floor(i / row) * rowBytes + (bit >> 3)];
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

function throughPalette(samples: ArrayLike<number>, palette: readonly (readonly number[])[]): Float32Array {
  const missing = Array.prototype.find.call(samples, (index: number) => palette[index] === undefined);
  if (missing !== undefined) throw new RangeError(`there is no colour ${missing} in its palette`);
  // Colours of the palette are made grey, not those of all pixels.
  const luma = Float32Array.from(palette, (colour) => lumaOf(colour, 0, 3, 255));
  const opaque = palette.every((colour) => (colour[3] ?? 255) === 255);
  const alpha = opaque ? undefined : (i: number): number => (palette[samples[i]][3] ?? 255) / 255;
  return onGround(
    Float32Array.from({ length: samples.length }, (_, i) => luma[samples[i]]),
    alpha,
  );
}

/** @param key samples of the colour that is transparent, where there is one */
function grey(samples: ArrayLike<number>, channels: number, most: number, key?: ArrayLike<number>): Float32Array {
  const colours = channels < 3 ? 1 : 3;
  const luma = Float32Array.from({ length: samples.length / channels }, (_, i) =>
    lumaOf(samples, i * channels, colours, most),
  );
  if (colours < channels) return onGround(luma, (i) => samples[i * channels + colours] / most);
  if (!key || key.length < colours) return luma;
  const isKey = (i: number): boolean => {
    for (let c = 0; c < colours; c++) if (samples[i * colours + c] !== key[c]) return false;
    return true;
  };
  return onGround(luma, (i) => (isKey(i) ? 0 : 1));
}

/** Luma in [0, 1] of one or three samples from a place on. */
function lumaOf(samples: ArrayLike<number>, at: number, colours: number, most: number): number {
  if (colours === 1) return samples[at] / most;
  return LUMA.reduce((sum, weight, c) => sum + (weight * samples[at + c]) / most, 0);
}

/** Lumas over a ground where there is transparency, in place. */
function onGround(luma: Float32Array, alpha?: (pixel: number) => number): Float32Array {
  if (!alpha) return luma;
  let [opaque, light] = [0, 0];
  for (let i = 0; i < luma.length; i++) {
    const a = Math.fround(alpha(i));
    opaque += a;
    light += luma[i] * a;
  }
  // A picture without any transparency shows no ground at all.
  const ground = light > opaque / 2 && opaque < luma.length ? 0 : 1;
  for (let i = 0; i < luma.length; i++) {
    const a = Math.fround(alpha(i));
    luma[i] = a * luma[i] + (1 - a) * ground;
  }
  return luma;
}
