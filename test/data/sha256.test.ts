import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha256 } from '../../src/math/sha256.ts';

test('checksums are those of node:crypto at every length around a block, however the data are cut', () => {
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
