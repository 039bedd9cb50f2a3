import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/io/format-error.ts';
import { decodeSafetensors, encodeSafetensors, type TensorValues } from '../../src/io/safetensors.ts';

const encoder = new TextEncoder();

/** A file with this header, as given, and so many bytes of values. */
function fileOf(header: unknown, bytes = 0, claimed?: bigint): Uint8Array {
  const json = encoder.encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + bytes);
  new DataView(file.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const f32 = (from: number, to: number, shape: unknown = [(to - from) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [from, to],
});

const DAMAGED: readonly [string, Uint8Array, RegExp][] = [
  ['nothing', new Uint8Array(0), /0 bytes; a safetensors file has at least 10/],
  ['a header that ends nowhere', fileOf({}, 0, 2n ** 63n), /claims a header of 9223372036854775808 bytes/],
  ['a header longer than the file', fileOf({}, 0, 3n), /claims a header of 3 bytes, but 2 follow/],
  ['another format', fileOf('PK  '), /does not begin with "\{"/],
  ['a header that is no text', fileOf('{').fill(0xff, 8 + 1), /not JSON/],
  ['a header in another encoding', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 123, 0xff), /not text in UTF-8/],
  [
    'two tensors of one name',
    fileOf(`{"a":${JSON.stringify(f32(0, 4))},"a":${JSON.stringify(f32(0, 4))}}`, 4),
    /"a" twice/,
  ],
  ['a negative offset', fileOf({ a: f32(-4, 0, [1]) }), /place of .*"a".* is \[-4,0\]/],
  ['an offset that is no whole number', fileOf({ a: { ...f32(0, 4), data_offsets: [0, 1e300] } }, 4), /whole numbers/],
  ['an end before its start', fileOf({ a: f32(4, 0, [1]) }, 4), /claims bytes 4 to 0 of 4/],
  ['values past the end', fileOf({ a: f32(0, 8) }, 4), /claims bytes 0 to 8 of 4/],
  ['an absurd shape', fileOf({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4), /which 4 bytes do not hold/],
  [
    'an absurd shape with no values',
    fileOf({ a: f32(0, 4, [2 ** 50, 2 ** 50, 2 ** 50, 0]) }, 4),
    /which 4 bytes do not/,
  ],
  ['a shape that is none', fileOf({ a: f32(0, 4, 'x') }, 4), /The shape of .* is "x"/],
  ['an unknown type', fileOf({ a: { ...f32(0, 4), dtype: 'Q4' } }, 4), /type "Q4"; F64, F32/],
  ['a type of every object', fileOf({ a: { ...f32(0, 4), dtype: 'constructor' } }, 4), /type "constructor"/],
  ['a gap', fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /must touch/],
  ['an overlap', fileOf({ a: f32(0, 8), b: f32(4, 12) }, 12), /must touch/],
  ['bytes after the end', fileOf({ a: f32(0, 4) }, 5), /5 bytes of values, but its tensors end at byte 4/],
  ['metadata that are no texts', fileOf({ __metadata__: { a: 1 } }), /metadata "a" .* is 1/],
  ['a field of its own', fileOf({ a: { ...f32(0, 4), more: 1 } }, 4), /field "more"/],
];

describe('safetensors', () => {
  test('the bytes are those that the format says', () => {
    const tensors = new Map([['a', { shape: [2], values: Float32Array.of(1, -2) }]]);
    const bytes = encodeSafetensors({ tensors, metadata: { k: 'v' } });
    const header = '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    assert.equal(new DataView(bytes.buffer).getBigUint64(0, true), 80n);
    assert.equal(new TextDecoder().decode(bytes.subarray(8, 88)), header.padEnd(80));
    assert.deepEqual([...bytes.subarray(88)], [0, 0, 128, 63, 0, 0, 0, 192]);
  });

  test('what is written is read back, bit for bit, from any place in memory', () => {
    const values = fc.oneof<fc.Arbitrary<TensorValues>[]>(
      fc.float32Array(),
      fc.float64Array(),
      fc.int32Array(),
      fc.uint32Array(),
      fc.int16Array(),
      fc.uint16Array(),
      fc.int8Array(),
      fc.uint8Array(),
    );
    const tensor = values.map((all) => ({ shape: all.length % 2 ? [all.length] : [2, all.length / 2], values: all }));
    const name = fc.string().filter((text) => text !== '__metadata__');
    const file = fc.record(
      {
        tensors: fc.array(fc.tuple(name, tensor)).map((entries) => new Map(entries)),
        metadata: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(file, fc.nat(9), (content, shift) => {
        const bytes = encodeSafetensors(content);
        const moved = Buffer.alloc(bytes.length + shift);
        moved.set(bytes, shift);
        const back = decodeSafetensors(moved.subarray(shift), 'x');
        assert.deepEqual(back, content);
        moved.fill(0);
        assert.deepEqual(back, content, 'a copy, not a view');
      }),
    );
  });

  test('every type starts at a multiple of its size, as other readers want it', () => {
    const tensors = new Map([
      ['a', { shape: [3], values: Int8Array.of(1, 2, 3) }],
      ['b', { shape: [1], values: Float64Array.of(1) }],
      ['c', { shape: [], values: Float32Array.of(1) }],
    ]);
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    assert.equal(header % 8, 0);
    const entries: Record<string, { data_offsets: number[] }> = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + header)),
    );
    assert.deepEqual(
      Object.values(entries).map(({ data_offsets }) => data_offsets),
      [
        [0, 8],
        [8, 12],
        [12, 15],
      ],
    );
  });

  test('a shape that does not hold the values, and a reserved name, are refused', () => {
    const one = (name: string, shape: number[]) => () =>
      encodeSafetensors({ tensors: new Map([[name, { shape, values: Float32Array.of(1) }]]), metadata: {} });
    assert.throws(one('a', [2]), /"a" has 1 values, which the shape \[2\] does not hold/);
    assert.throws(one('__metadata__', [1]), /cannot be called/);
  });

  test('tensors that overlap are refused before any is copied: they could be many times the file', () => {
    const data = new Uint8Array(2 ** 20);
    const whole = { dtype: 'U8', shape: [data.length], data_offsets: [0, data.length] };
    const header = Buffer.from(
      JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [i, whole]))),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    // 20 GB of copies, in a process that may have few of them.
    const before = process.memoryUsage().arrayBuffers;
    assert.throws(() => decodeSafetensors(Buffer.concat([length, header, data]), 'x'), /They must touch/);
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 * data.length);
  });

  for (const [name, bytes, message] of DAMAGED)
    test(`${name} is refused`, () => {
      assert.throws(
        () => decodeSafetensors(bytes, 'the file'),
        (error: Error) =>
          error instanceof FormatError && message.test(error.message) && error.message.includes('the file'),
      );
    });
});
