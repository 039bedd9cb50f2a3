import { crc32, deflateSync } from 'node:zlib';

/** What a PNG file of a test is like; its samples are a gradient unless given. */
export interface PngFacts {
  readonly width: number;
  readonly height: number;
  /** Bits a sample. */
  readonly depth: number;
  /** PNG's colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colour: number;
  /** Row-major, channel by channel. */
  readonly samples?: readonly number[];
  /** Red, green, blue for each index. */
  readonly palette?: readonly (readonly number[])[];
  readonly interlace?: number;
  /** Samples of 16 bits each: the colour that is transparent. */
  readonly key?: readonly number[];
}

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** A PNG file, written by the specification (chunks, zlib, no filter). */
export function pngFile({ width, height, depth, colour, samples, palette, interlace = 0, key }: PngFacts): Buffer {
  const row = width * CHANNELS[colour];
  const values =
    samples ?? Array.from({ length: row * height }, (_, i) => (i * Math.max(1, 2 ** depth / 8)) % 2 ** depth);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  const colours =
    palette ?? Array.from({ length: 2 ** depth }, (_, i) => [0, 0, 0].fill(Math.round((255 * i) / (2 ** depth - 1))));
  const chunks = [
    chunk('IHDR', header),
    ...(colour === 3 ? [chunk('PLTE', Buffer.from(colours.flat()))] : []),
    ...(key ? [chunk('tRNS', Buffer.from(key.flatMap((sample) => [sample >> 8, sample & 255])))] : []),
    chunk('tEXt', Buffer.from('Comment\0a chunk that no pixel needs', 'latin1')),
    chunk('IDAT', deflateSync(pack(values, row, height, depth))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...chunks]);
}

/** One chunk with its length and checksum. */
export function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** A damaged PNG file with the checksums of its chunks made right, as far as the chunks can be told. */
export function resealed(file: Uint8Array): Buffer {
  const out = Buffer.from(file);
  for (let at = 8; at + 12 <= out.length; ) {
    const end = at + 8 + out.readUInt32BE(at);
    if (end + 4 > out.length) break;
    out.writeUInt32BE(crc32(out.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return out;
}

/** Rows, each with its filter byte (none), samples packed from the highest bit. */
function pack(samples: readonly number[], row: number, height: number, depth: number): Buffer {
  const bytes = Math.ceil((row * depth) / 8);
  const out = Buffer.alloc(height * (1 + bytes));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < row; x++)
      for (let bit = 0; bit < depth; bit++) {
        const at = x * depth + bit;
        if ((samples[y * row + x] >> (depth - 1 - bit)) & 1) out[y * (1 + bytes) + 1 + (at >> 3)] |= 128 >> (at & 7);
      }
  return out;
}
