import assert from 'node:assert/strict';
import { PbfReader } from 'pbf';

/** The CRC-32C of the bytes, by division bit by bit, rotated and shifted as TensorFlow's record files have it. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  const sum = ~crc >>> 0;
  return Number((BigInt(((sum >>> 15) | (sum << 17)) >>> 0) + 0xa282ead8n) & 0xffffffffn);
}

interface Histogram {
  min: number;
  max: number;
  num: number;
  sum: number;
  sumSquares: number;
  limits: number[];
  buckets: number[];
}
interface Value {
  tag: string;
  simpleValue?: number;
  histogram?: Histogram;
}
/** An Event of TensorFlow's event.proto. */
export interface ReadEvent {
  wallTime: number;
  step: number;
  fileVersion: string | undefined;
  values: Value[];
}

/** Reads an event file, by the published protocol buffers alone. @throws AssertionError for any damage */
export function readEventFile(file: Uint8Array): ReadEvent[] {
  const events: ReadEvent[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 0; at < file.length; ) {
    assert.ok(at + 12 <= file.length, 'a record’s head is whole');
    const length = Number(view.getBigUint64(at, true));
    assert.equal(view.getUint32(at + 8, true), maskedCrc(file.subarray(at, at + 8)), 'CRC of the length');
    assert.ok(at + 16 + length <= file.length, 'a record is whole');
    const data = file.slice(at + 12, at + 12 + length);
    assert.equal(view.getUint32(at + 12 + length, true), maskedCrc(data), 'CRC of the data');
    events.push(readEvent(new PbfReader(Uint8Array.from(data))));
    at += 16 + length;
  }
  return events;
}

function readEvent(reader: PbfReader): ReadEvent {
  const event: ReadEvent = { wallTime: 0, step: 0, fileVersion: undefined, values: [] };
  return reader.readFields((field, out: ReadEvent, pbf) => {
    if (field === 1) out.wallTime = pbf.readDouble();
    else if (field === 2) out.step = pbf.readVarint(true);
    else if (field === 3) out.fileVersion = pbf.readString();
    else if (field === 5) pbf.readMessage(readSummary, out);
    else assert.fail(`an Event has no field ${field} here`);
  }, event);
}

function readSummary(field: number, out: ReadEvent, pbf: PbfReader): void {
  assert.equal(field, 1);
  out.values.push(
    pbf.readMessage(
      (part, value: Value, inner) => {
        if (part === 1) value.tag = inner.readString();
        else if (part === 2) value.simpleValue = inner.readFloat();
        else if (part === 5) value.histogram = inner.readMessage(readHistogram, { limits: [], buckets: [] } as never);
        else assert.fail(`a Value has no field ${part} here`);
      },
      { tag: '' },
    ),
  );
}

function readHistogram(field: number, out: Histogram, pbf: PbfReader): void {
  if (field === 6) out.limits = pbf.readPackedDouble();
  else if (field === 7) out.buckets = pbf.readPackedDouble();
  else out[(['min', 'max', 'num', 'sum', 'sumSquares'] as const)[field - 1]] = pbf.readDouble();
}
