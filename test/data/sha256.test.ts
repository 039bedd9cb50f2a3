import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha256 } from '../../src/math/sha256.ts';

const text = (string: string): Uint8Array => new TextEncoder().encode(string);

test('sha256 gives the digests of FIPS 180-4', () => {
  assert.equal(sha256(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(sha256(text('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(
    sha256(text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
});

test('sha256 agrees with node:crypto at every length around a block, however the message is cut', () => {
  const message = Uint8Array.from({ length: 200 }, (_, i) => (i * 151) & 255);
  for (let length = 0; length <= message.length; length++) {
    const whole = message.subarray(0, length);
    const expected = createHash('sha256').update(whole).digest('hex');
    for (const cut of [0, 1, 63, 64, 100])
      assert.equal(
        sha256(whole.subarray(0, cut), new Uint8Array(0), whole.subarray(cut)),
        expected,
        `${length} at ${cut}`,
      );
  }
});
