import { crc32c } from '../math/crc32c.ts';

/** A distribution, as TensorBoard draws it: `counts[i]` values lie between `limits[i − 1]` and `limits[i]`. */
export interface EventHistogram {
  readonly least: number;
  readonly most: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** What happened at a step. */
export interface LoggedEvent {
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  /** Numbers and distributions, by tag. */
  readonly scalars: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, EventHistogram>>;
}

/**
 * TensorBoard's event files. A record is its length (8 bytes, little-endian), the masked CRC-32C of those, the data, and the
 * masked CRC-32C of the data; the data are an Event in protocol buffers. Source: TensorFlow's record_writer.h, event.proto and
 * summary.proto.
 */
const [LENGTH, CHECK] = [8, 4];

/** The first record of every file. @param time seconds since 1970 */
export function eventFileHeader(time: number): Uint8Array {
  return frame(message((out) => out.double(1, time).text(3, 'brain.Event:2')));
}

/** One record. */
export function encodeEvent({ time, step, scalars, histograms }: LoggedEvent): Uint8Array {
  const summary = message((out) => {
    for (const [tag, value] of Object.entries(scalars))
      out.bytes(
        1,
        message((one) => one.text(1, tag).float(2, value)),
      );
    for (const [tag, histogram] of Object.entries(histograms))
      out.bytes(
        1,
        message((one) => one.text(1, tag).bytes(5, encodeHistogram(histogram))),
      );
  });
  return frame(message((out) => out.double(1, time).varint(2, step).bytes(5, summary)));
}

/** How many records of a file are whole from its start on, the header included, and the bytes that they take. */
export function intactEvents(file: Uint8Array): { records: number; length: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let records = 0;
  let at = 0;
  for (;;) {
    const data = at + LENGTH + CHECK;
    if (data > file.length) break;
    const length = view.getBigUint64(at, true);
    if (length > BigInt(file.length - data - CHECK)) break;
    if (view.getUint32(at + LENGTH, true) !== maskedCrc(file.subarray(at, at + LENGTH))) break;
    const end = data + Number(length);
    if (view.getUint32(end, true) !== maskedCrc(file.subarray(data, end))) break;
    records++;
    at = end + CHECK;
  }
  return { records, length: at };
}

/** Rotated and shifted, so that a CRC of data that hold CRCs is no special case. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(LENGTH + CHECK + data.length + CHECK);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(LENGTH, maskedCrc(record.subarray(0, LENGTH)), true);
  record.set(data, LENGTH + CHECK);
  view.setUint32(record.length - CHECK, maskedCrc(data), true);
  return record;
}

function encodeHistogram({ least, most, count, sum, sumOfSquares, limits, counts }: EventHistogram): Uint8Array {
  return message((out) =>
    out
      .double(1, least)
      .double(2, most)
      .double(3, count)
      .double(4, sum)
      .double(5, sumOfSquares)
      .doubles(6, limits)
      .doubles(7, counts),
  );
}

/** A protocol buffers message, field by field. */
function message(write: (out: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter();
  write(writer);
  return writer.end();
}

/** Wire types of protocol buffers. */
const [VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES] = [0, 1, 2, 5];

class MessageWriter {
  private readonly pieces: Uint8Array[] = [];

  varint(field: number, value: number): this {
    return this.tag(field, VARINT).whole(value);
  }

  float(field: number, value: number): this {
    return this.tag(field, FOUR_BYTES).piece(4, (view) => view.setFloat32(0, value, true));
  }

  double(field: number, value: number): this {
    return this.tag(field, EIGHT_BYTES).piece(8, (view) => view.setFloat64(0, value, true));
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** Packed. */
  doubles(field: number, values: readonly number[]): this {
    this.tag(field, COUNTED).whole(8 * values.length);
    return this.piece(8 * values.length, (view) => {
      values.forEach((value, i) => {
        view.setFloat64(8 * i, value, true);
      });
    });
  }

  bytes(field: number, value: Uint8Array): this {
    this.tag(field, COUNTED).whole(value.length);
    this.pieces.push(value);
    return this;
  }

  end(): Uint8Array {
    const bytes = new Uint8Array(this.pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  private tag(field: number, wireType: number): this {
    return this.whole(8 * field + wireType);
  }

  /** Seven bits a byte, the lowest first; up to 2⁵³. */
  private whole(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    this.pieces.push(Uint8Array.of(...bytes, rest));
    return this;
  }

  private piece(length: number, fill: (view: DataView) => void): this {
    const bytes = new Uint8Array(length);
    fill(new DataView(bytes.buffer));
    this.pieces.push(bytes);
    return this;
  }
}
