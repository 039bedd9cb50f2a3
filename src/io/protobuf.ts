/**
 * Writes protocol buffers (the wire format that proto2 and proto3 share), as far as our files need them.
 * Source: protobuf.dev, "Encoding".
 */

/**
 * What a field can hold. A number is a whole one of up to 53 bits with a sign (int32, int64, enum); `float` and `double` make
 * other ones. Lists are repeated fields, value by value.
 */
export type FieldValue = number | string | Uint8Array | Message | Fixed | readonly FieldValue[] | undefined;

/** Fields of a message, by their numbers; those that are undefined are left out. */
export type Fields = Readonly<Record<number, FieldValue>>;

/** Wire types. */
const [VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES] = [0, 1, 2, 5];

/** A value of a fixed size. */
export interface Fixed {
  readonly wireType: number;
  readonly content: Uint8Array;
}

/** A number of 32 bits. */
export function float(value: number): Fixed {
  const content = new Uint8Array(4);
  new DataView(content.buffer).setFloat32(0, value, true);
  return { wireType: FOUR_BYTES, content };
}

/** A number of 64 bits. */
export function double(value: number): Fixed {
  return { wireType: EIGHT_BYTES, content: packedDoubles([value]) };
}

/** Numbers of 64 bits as one packed repeated field. */
export function packedDoubles(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat64(8 * i, value, true);
  });
  return bytes;
}

/** An encoded message: pieces, joined once at the end, so that large arrays are copied once. */
export class Message {
  readonly byteLength: number;
  private readonly pieces: readonly Uint8Array[];

  /** @throws RangeError for a number that is not whole, or beyond 2⁵³ */
  constructor(fields: Fields) {
    const pieces: Uint8Array[] = [];
    for (const [number, value] of Object.entries(fields)) writeField(Number(number), value, pieces);
    this.pieces = pieces;
    this.byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  }

  /** The message's bytes. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.byteLength);
    let at = 0;
    for (const piece of this.pieces) {
      bytes.set(piece, at);
      at += piece.byteLength;
    }
    return bytes;
  }

  /** Adds the message's pieces to those of the message around it. */
  appendTo(pieces: Uint8Array[]): void {
    for (const piece of this.pieces) pieces.push(piece);
  }
}

function writeField(field: number, value: FieldValue, pieces: Uint8Array[]): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    for (const each of value) writeField(field, each, pieces);
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`Field ${field} is ${value}. Expected a whole number.`);
    pieces.push(varint(8 * field + VARINT), varint(value));
    return;
  }
  if (typeof value === 'object' && 'wireType' in value) {
    pieces.push(varint(8 * field + value.wireType), value.content);
    return;
  }
  const content = typeof value === 'string' ? new TextEncoder().encode(value) : (value as Uint8Array | Message);
  pieces.push(varint(8 * field + COUNTED), varint(content.byteLength));
  if (content instanceof Message) content.appendTo(pieces);
  else pieces.push(content);
}

/** Seven bits a byte, the lowest first; the highest bit of a byte says that more follow. Negative numbers have 64 bits. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...bytes, Number(rest));
}
