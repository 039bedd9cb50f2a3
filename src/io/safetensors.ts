import { FormatError } from './format-error.ts';
import { asObject, decodeText, parseJson, shorten } from './json.ts';

/**
 * safetensors: eight bytes with the header's length, a JSON header with type, shape and place of every tensor, then the values,
 * little-endian, without gaps. Source: the format's description in Hugging Face's safetensors repository.
 */
const TYPES = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const;

type TypeName = keyof typeof TYPES;
export type TensorValues =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** An array and its shape, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The most bytes of a header: a hundred thousand tensors. JSON may take twenty times its bytes of memory. */
const MOST_HEADER = 2 ** 24;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

/**
 * A safetensors file. Values stand in the order of the tensors, wider types first, so that all are aligned; the same content
 * gives the same bytes.
 * @throws RangeError for a shape that does not hold the values, or the name that the format keeps for its metadata
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].sort(([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  let at = 0;
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  for (const [name, { shape, values }] of entries) {
    if (name === METADATA) throw new RangeError(`A tensor cannot be called "${METADATA}".`);
    if (shape.reduce((product, n) => product * n, 1) !== values.length)
      throw new RangeError(
        `"${name}" has ${values.length} values, which the shape [${shape.join(', ')}] does not hold.`,
      );
    header[name] = { dtype: typeOf(values), shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(json, LENGTH_BYTES);
  file.fill(32, LENGTH_BYTES + json.length, LENGTH_BYTES + headerBytes);
  let place = LENGTH_BYTES + headerBytes;
  for (const [, { values }] of entries) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), place);
    place += values.byteLength;
  }
  return file;
}

/**
 * Reads a safetensors file of unknown origin. Values are copied, and nothing is allocated for what the header only claims.
 * @param where what the file is, for messages
 * @throws FormatError when it is cut short, its header is not such a header, or the tensors do not fill the file without gaps
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const { header, data } = splitHeader(bytes, where);
  const entries: ({ name: string } & ReturnType<typeof checkEntry>)[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) {
      metadata = checkMetadata(entry, where);
      continue;
    }
    entries.push({ name, ...checkEntry(entry, data.length, `The tensor ${shorten(name)} of ${where}`) });
  }
  checkPlaces(entries, data.length, where);
  const tensors = new Map<string, NamedTensor>();
  for (const { name, type, shape, from, to } of entries) {
    // A copy: `slice` of Node's Buffer is none.
    const values = new TYPES[type](new Uint8Array(data.subarray(from, to)).buffer);
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata };
}

/** @throws FormatError unless tensors fill the values without a gap; what overlaps could be many times the file */
function checkPlaces(
  entries: readonly { name: string; from: number; to: number }[],
  length: number,
  where: string,
): void {
  let end = 0;
  for (const { name, from, to } of entries.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end)
      throw new FormatError(
        `The values of ${shorten(name)} in ${where} begin at byte ${from}; the values before it end at ${end}. They must touch.`,
      );
    end = to;
  }
  if (end !== length)
    throw new FormatError(`${where} holds ${length} bytes of values, but its tensors end at byte ${end}.`);
}

function splitHeader(
  bytes: Uint8Array,
  where: string,
): { header: Readonly<Record<string, unknown>>; data: Uint8Array } {
  if (bytes.length < LENGTH_BYTES)
    throw new FormatError(`${where} has ${bytes.length} bytes; a safetensors file has at least ${LENGTH_BYTES + 2}.`);
  const claimed = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const rest = bytes.length - LENGTH_BYTES;
  if (claimed > BigInt(Math.min(rest, MOST_HEADER)))
    throw new FormatError(
      `${where} claims a header of ${claimed} bytes, but ${rest} follow (and ${MOST_HEADER} is the most): it is cut short, damaged or no safetensors file.`,
    );
  const end = LENGTH_BYTES + Number(claimed);
  if (bytes[LENGTH_BYTES] !== 123) throw new FormatError(`The header of ${where} does not begin with "{".`);
  const text = decodeText(bytes.subarray(LENGTH_BYTES, end), `The header of ${where}`);
  const header = asObject(parseJson(text, `The header of ${where}`), `The header of ${where}`);
  return { header, data: bytes.subarray(end) };
}

function checkMetadata(value: unknown, where: string): Record<string, string> {
  const metadata = asObject(value, `The metadata of ${where}`);
  for (const [name, text] of Object.entries(metadata))
    if (typeof text !== 'string')
      throw new FormatError(`The metadata ${shorten(name)} of ${where} is ${shorten(text)}. Expected a text.`);
  return metadata as Record<string, string>;
}

function checkEntry(value: unknown, available: number, what: string) {
  const { dtype, shape, data_offsets: offsets, ...others } = asObject(value, what);
  const other = Object.keys(others)[0];
  if (other !== undefined)
    throw new FormatError(`${what} has a field ${shorten(other)} that the format does not know.`);
  if (typeof dtype !== 'string' || !Object.hasOwn(TYPES, dtype))
    throw new FormatError(
      `${what} has values of type ${shorten(dtype)}; ${Object.keys(TYPES).join(', ')} can be read.`,
    );
  const type = dtype as TypeName;
  const [from, to] = wholeNumbers(offsets, `The place of ${what}`, 2);
  if (from > to || to > available) throw new FormatError(`${what} claims bytes ${from} to ${to} of ${available}.`);
  const extents = wholeNumbers(shape, `The shape of ${what}`);
  let size: number = TYPES[type].BYTES_PER_ELEMENT;
  for (const extent of extents) {
    size *= extent;
    if (size > available && !extents.includes(0)) break;
  }
  if (size !== to - from)
    throw new FormatError(
      `${what} has the shape [${shorten(extents)}] of ${type}, which ${to - from} bytes do not hold.`,
    );
  return { type, shape: extents, from, to };
}

function wholeNumbers(value: unknown, what: string, count?: number): readonly number[] {
  const numbers = Array.isArray(value) ? value : undefined;
  if (numbers && (count === undefined || numbers.length === count))
    if (numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) return numbers;
  throw new FormatError(`${what} is ${shorten(value)}. Expected ${count ?? 'some'} whole numbers from 0 up.`);
}

function typeOf(values: TensorValues): TypeName {
  return (Object.keys(TYPES) as TypeName[]).find((name) => values instanceof TYPES[name]) as TypeName;
}
