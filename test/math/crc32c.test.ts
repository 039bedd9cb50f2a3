import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../src/math/crc32c.ts';

const range = (from: number, step: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => from + step * i);

/** RFC 3720, appendix B.4, and the check value of the catalogues of CRCs. */
const PUBLISHED: readonly [string, Uint8Array, number][] = [
  ['32 bytes of 0', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of 255', new Uint8Array(32).fill(255), 0x62a8ab43],
  ['0 to 31', range(0, 1), 0x46dd794e],
  ['31 to 0', range(31, -1), 0x113fdb5c],
  ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
];

for (const [name, bytes, expected] of PUBLISHED)
  test(`CRC-32C of ${name}`, () => assert.equal(crc32c(bytes), expected));

test('any bytes have the CRC-32C that division bit by bit gives', () => {
  const slow = (bytes: Uint8Array): number => {
    let crc = 0xffffffff;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc >>> 0;
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => crc32c(bytes) === slow(bytes)));
});
