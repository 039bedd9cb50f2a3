import { inflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { DataError } from '../../data/dataset.ts';
import type { Picture } from '../../data/picture.ts';

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** Channels by PNG's colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MOST_PIXELS = 2 ** 24;
/** Luma of ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114];

/**
 * A PNG file of unknown origin as a grey picture. Transparent parts show white, or black where what is not transparent is bright.
 * @param where what the file is, for messages
 * @throws DataError when it is no PNG, damaged, or larger than 16 million pixels
 */
export function readPng(bytes: Uint8Array, where: string): Picture {
  const plain = essentials(bytes, where);
  try {
    const { width, height, depth, channels, data, palette } = decode(plain, { checkCrc: true });
    const samples = unpack(data, { width, height, channels, depth });
    return {
      width,
      height,
      values: palette ? throughPalette(samples, palette) : grey(samples, channels, 2 ** depth - 1),
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
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) throw new DataError(`${where} is no PNG file.`);
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
    size = inflateSync(Buffer.concat(data), { maxOutputLength: limit }).length;
  } catch (error) {
    throw damaged(`its pixels cannot be inflated (${(error as Error).message})`);
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
  if (width === 0 || height === 0 || width * height > MOST_PIXELS)
    throw new DataError(`${where} has ${width} × ${height} pixels; from 1 to ${MOST_PIXELS} in all would do.`);
  if (channels === undefined || ![1, 2, 4, 8, 16].includes(depth))
    throw new DataError(`${where} is a damaged PNG file: it has ${depth} bits in colour type ${colour}.`);
  if (header[12] !== 0)
    throw new DataError(`${where} is an interlaced PNG file; saving it without interlace would do.`);
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
  const all = Array.from(samples, (index) => {
    const colour = palette[index];
    if (!colour) throw new RangeError(`there is no colour ${index} in its palette`);
    return [colour[0], colour[1], colour[2], colour[3] ?? 255];
  });
  return grey(all.flat(), 4, 255);
}

/** Luma in [0, 1], over a ground where there is transparency. */
function grey(samples: ArrayLike<number>, channels: number, most: number): Float32Array {
  const count = samples.length / channels;
  const colours = channels < 3 ? 1 : 3;
  const luma = Float32Array.from({ length: count }, (_, i) => {
    if (colours === 1) return samples[i * channels] / most;
    return LUMA.reduce((sum, weight, c) => sum + (weight * samples[i * channels + c]) / most, 0);
  });
  if (colours === channels) return luma;
  const alpha = Float32Array.from({ length: count }, (_, i) => samples[i * channels + colours] / most);
  const opaque = alpha.reduce((sum, a) => sum + a, 0);
  const bright = luma.reduce((sum, v, i) => sum + v * alpha[i], 0) > opaque / 2;
  // A picture without any transparency shows no ground at all.
  const ground = bright && opaque < count ? 0 : 1;
  return luma.map((v, i) => alpha[i] * v + (1 - alpha[i]) * ground);
}
