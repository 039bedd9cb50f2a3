/** Bends of a scanned function are found wherever they are, beside numbers that are not finite too; a smooth function has none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bendsOf } from '../../src/audit/bends.ts';
import { sigmoid } from '../../src/math/special.ts';

const scan = (of: (x: number) => number): Float64Array =>
  Float64Array.from({ length: 4001 }, (_, i) => of(20 * ((2 * i) / 4000 - 1)));
const at = (x: number): number => Math.round((x / 20 + 1) * 2000);

test('a smooth function has none; a stretch has its ends', () => {
  assert.deepEqual(bendsOf(scan(sigmoid), 8), []);
  const found = bendsOf(
    scan((x) => (x > 7.1 && x < 7.3 ? 1.1 : sigmoid(x))),
    8,
  );
  for (const end of [7.1, 7.3])
    assert.ok(
      found.some((i) => Math.abs(i - at(end)) <= 2),
      `${end}: ${found}`,
    );
});

for (const odd of [Number.POSITIVE_INFINITY, Number.NaN])
  test(`${odd} at one place is found, and hides no other bend`, () => {
    const found = bendsOf(
      scan((x) => (x === 0 ? odd : x > 7.1 && x < 7.3 ? 1.1 : sigmoid(x))),
      8,
    );
    for (const place of [0, 7.1, 7.3])
      assert.ok(
        found.some((i) => Math.abs(i - at(place)) <= 2),
        `${place}: ${found}`,
      );
  });
