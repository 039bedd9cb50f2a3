import { crc32c } from '../math/crc32c.ts';
import { double, float, Message, packedDoubles } from './protobuf.ts';

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
  return frame(new Message({ 1: double(time), 3: 'brain.Event:2' }));
}

/** One record. */
export function encodeEvent({ time, step, scalars, histograms }: LoggedEvent): Uint8Array {
  const values = [
    ...Object.entries(scalars).map(([tag, value]) => new Message({ 1: tag, 2: float(value) })),
    ...Object.entries(histograms).map(([tag, histogram]) => new Message({ 1: tag, 5: encodeHistogram(histogram) })),
  ];
  return frame(new Message({ 1: double(time), 2: step, 5: new Message({ 1: values }) }));
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

function frame(message: Message): Uint8Array {
  const data = message.toBytes();
  const record = new Uint8Array(LENGTH + CHECK + data.length + CHECK);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(LENGTH, maskedCrc(record.subarray(0, LENGTH)), true);
  record.set(data, LENGTH + CHECK);
  view.setUint32(record.length - CHECK, maskedCrc(data), true);
  return record;
}

function encodeHistogram({ least, most, count, sum, sumOfSquares, limits, counts }: EventHistogram): Message {
  return new Message({
    1: double(least),
    2: double(most),
    3: double(count),
    4: double(sum),
    5: double(sumOfSquares),
    6: packedDoubles(limits),
    7: packedDoubles(counts),
  });
}
