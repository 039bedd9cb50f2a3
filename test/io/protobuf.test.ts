import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PbfReader } from 'pbf';
import { double, type FieldValue, float, Message, packedDoubles } from '../../src/io/protobuf.ts';
import { full } from '../helpers/extent.ts';

/** A kind of value: how it is drawn, written and read. */
interface Kind<T> {
  readonly drawn: fc.Arbitrary<T>;
  readonly write: (value: T) => FieldValue;
  readonly read: (pbf: PbfReader) => unknown;
}

const kind = <T>(drawn: fc.Arbitrary<T>, write: Kind<T>['write'], read: Kind<T>['read']): Kind<unknown> =>
  ({ drawn, write, read }) as Kind<unknown>;

const kinds: Record<string, Kind<unknown>> = {
  whole: kind(
    fc.maxSafeInteger(),
    (x) => x,
    (pbf) => pbf.readVarint(true),
  ),
  text: kind(
    fc.string({ unit: 'binary' }),
    (x) => x,
    (pbf) => pbf.readString(),
  ),
  bytes: kind(
    fc.uint8Array({ maxLength: 300 }),
    (x) => x,
    (pbf) => Uint8Array.from(pbf.readBytes()),
  ),
  float: kind(fc.float(), float, (pbf) => pbf.readFloat()),
  double: kind(fc.double(), double, (pbf) => pbf.readDouble()),
  packed: kind(fc.array(fc.double()), packedDoubles, (pbf) => pbf.readPackedDouble()),
};

describe('protocol buffers', () => {
  it('are read by another reader as they were written: numbers, text, bytes, lists, messages within messages', () => {
    const field = fc
      .constantFrom(...Object.keys(kinds))
      .chain((name) => fc.tuple(fc.constant(name), fc.array(kinds[name].drawn, { minLength: 1, maxLength: 4 })));
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 20 }), (fields) => {
        const values = Object.fromEntries(
          fields.map(([name, list], i) => [i + 1, list.map(kinds[name].write)] as const),
        );
        const bytes = new Message({ 1000: new Message(values), 1001: new Message({}) }).toBytes();
        const seen: unknown[][] = fields.map(() => []);
        let last = 0;
        new PbfReader(bytes).readFields((number, _, pbf) => {
          last = number;
          pbf.readMessage(
            (inner, out: unknown[][], at) => out[inner - 1].push(kinds[fields[inner - 1][0]].read(at)),
            seen,
          );
        }, null);
        assert.equal(last, 1001);
        assert.deepEqual(
          seen,
          fields.map(([, list]) => list),
        );
      }),
      { numRuns: full ? 300 : 60 },
    );
  });

  it('leave out what is undefined, and know their own length', () => {
    const message = new Message({ 1: undefined, 2: [], 3: 'ä', 4: -1 });
    assert.deepEqual([...message.toBytes()], [0x1a, 2, 0xc3, 0xa4, 0x20, ...Array(9).fill(0xff), 1]);
    assert.equal(message.byteLength, message.toBytes().length);
  });

  it('take no number that is not whole', () => {
    assert.throws(() => new Message({ 3: 0.5 }), /Field 3 is 0.5\. Expected a whole number/);
    assert.throws(() => new Message({ 3: 2 ** 53 }), RangeError);
  });
});
