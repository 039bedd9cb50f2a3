import { DataError, type Dataset, makeDataset } from './dataset.ts';

/**
 * IDX, the format of MNIST: two zero bytes, a type byte, the number of dimensions, each size as a big-endian 32-bit
 * word, then the data, row-major. Source: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
 */

/** A tensor of unsigned bytes. */
export interface IdxTensor {
  /** Sizes, outermost first. */
  shape: number[];
  /** As many bytes as the product of the shape. */
  data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const TYPE_NAMES: Readonly<Record<number, string>> = {
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: '32-bit floats',
  14: '64-bit floats',
};

/** The first bytes in hexadecimal, for messages. */
function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Reads and checks the first four bytes; returns the number of dimensions. */
function readMagic(bytes: Uint8Array, where: string): number {
  if (bytes.length < 4)
    throw new DataError(`${where} holds ${bytes.length} bytes; an IDX file begins with a header of at least 8.`);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw new DataError(`${where} is compressed with gzip; decompress it before it is read as IDX.`);
  if (bytes[0] !== 0 || bytes[1] !== 0)
    throw new DataError(
      `${where} begins with the bytes ${hex(bytes.subarray(0, 4))}; an IDX file begins with 00 00 08.`,
    );
  if (bytes[2] !== UNSIGNED_BYTE)
    throw new DataError(
      `${where} is an IDX file of ${TYPE_NAMES[bytes[2]] ?? `unknown type ${bytes[2]}`}; only unsigned bytes (type 8) can be read.`,
    );
  if (bytes[3] === 0) throw new DataError(`${where} is an IDX file of no dimensions; it needs at least one.`);
  return bytes[3];
}

/**
 * Checks that an IDX file has the length that its header says.
 * @param bytes its first 1,024 bytes or more
 * @param length of the whole file
 * @param where what it is, for messages
 * @throws DataError when it is no IDX file of unsigned bytes, or has another length
 */
export function checkIdx(bytes: Uint8Array, length: number, where: string): { header: number; shape: number[] } {
  const dimensions = readMagic(bytes, where);
  const header = 4 + 4 * dimensions;
  if (length < header)
    throw new DataError(`${where} ends after ${length} bytes, inside its header of ${header}: it is truncated.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, extent) => product * extent, 1);
  const found = length - header;
  if (found !== size)
    throw new DataError(
      `${where} says that it holds ${shape.join(' × ')} = ${size} bytes, but ${found} follow its header: ` +
        (found < size ? 'it is truncated.' : 'it has bytes after its end.'),
    );
  return { header, shape };
}

/**
 * Reads an IDX file of unsigned bytes. Nothing is copied or allocated by what the header claims.
 * @param bytes the whole file, decompressed; the result's data is a view of it
 * @param where what the bytes are, for messages
 * @throws DataError when the bytes are not exactly one IDX tensor of unsigned bytes
 */
export function parseIdx(bytes: Uint8Array, where = 'The IDX data'): IdxTensor {
  const { header, shape } = checkIdx(bytes, bytes.length, where);
  return { shape, data: bytes.subarray(header) };
}

/**
 * Writes a tensor of unsigned bytes as an IDX file.
 * @throws DataError when the shape is not 1 to 255 sizes below 2³², or is not the shape of the data
 */
export function encodeIdx({ shape, data }: IdxTensor): Uint8Array {
  if (shape.length < 1 || shape.length > 255)
    throw new DataError(`An IDX file of ${shape.length} dimensions cannot be written. Expected 1 to 255.`);
  const bad = shape.find((length) => !Number.isInteger(length) || length < 0 || length > 0xffffffff);
  if (bad !== undefined)
    throw new DataError(`The shape ${shape.join(' × ')} has the size ${bad}; sizes are whole numbers below 2³².`);
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length)
    throw new DataError(`The shape ${shape.join(' × ')} holds ${size} bytes, but ${data.length} were given.`);
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, UNSIGNED_BYTE, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((length, i) => {
    view.setUint32(4 + 4 * i, length);
  });
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

/**
 * The data set of an IDX file of examples and an IDX file of labels.
 * @param images shape [count, height, width] or [count, width]: pixel bytes, scaled by 1/255
 * @param labels shape [count]
 * @param classes how many; one more than the largest label when left out
 * @throws DataError when the shapes do not belong together or a label is out of range
 */
export function idxDataset(name: string, images: IdxTensor, labels: IdxTensor, classes?: number): Dataset {
  const [count, ...sizes] = images.shape;
  if (sizes.length < 1)
    throw new DataError(
      `The examples of ${name} have the shape ${count}. Expected count × width or count × height × width.`,
    );
  if (labels.shape.length !== 1)
    throw new DataError(
      `The labels of ${name} have the shape ${labels.shape.join(' × ')}. Expected one label an example.`,
    );
  if (labels.shape[0] !== count)
    throw new DataError(
      `${name} holds ${count} examples and ${labels.shape[0]} labels; it needs one label an example.`,
    );
  const width = sizes.reduce((product, length) => product * length, 1);
  const largest = labels.data.reduce((most, label) => Math.max(most, label), 0);
  return makeDataset({
    name,
    features: images.data,
    labels: labels.data,
    scale: 1 / 255,
    width,
    classes: classes ?? largest + 1,
    ...(sizes.length === 2 && { image: { width: sizes[1], height: sizes[0] } }),
  });
}
