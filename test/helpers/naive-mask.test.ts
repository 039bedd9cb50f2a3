import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockMask, type CompressedLists } from './naive-mask.ts';

/** Lists of a compressed form, one by one. */
const lists = ({ start, index }: CompressedLists): number[][] =>
  Array.from({ length: start.length - 1 }, (_, i) => Array.from(index.subarray(start[i], start[i + 1])));

test('a small mask by hand', () => {
  const mask = blockMask([1, 0, 0.5, 0, 0, 0, -2, 0, 1e-30], 3, 3);
  assert.deepEqual(lists(mask.byRow), [[0, 2], [], [0, 2]]);
  assert.deepEqual(lists(mask.byBlock), [[0, 2], [], [0, 2]]);
  assert.equal(mask.pairs, 4);
});

test('both lists hold every open pair once, ascending, as a naive count does', () => {
  const masks = fc.tuple(fc.nat(12), fc.nat(12)).chain(([rows, blocks]) =>
    fc.record({
      rows: fc.constant(rows),
      blocks: fc.constant(blocks),
      gates: fc.array(fc.constantFrom(0, -0, 0, 1, 0.25, -1), { minLength: rows * blocks, maxLength: rows * blocks }),
    }),
  );
  fc.assert(
    fc.property(masks, ({ rows, blocks, gates }) => {
      const mask = blockMask(gates, rows, blocks);
      const isOpen = (r: number, k: number): boolean => gates[r * blocks + k] !== 0;
      const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
      assert.deepEqual(
        lists(mask.byRow),
        range(rows).map((r) => range(blocks).filter((k) => isOpen(r, k))),
      );
      assert.deepEqual(
        lists(mask.byBlock),
        range(blocks).map((k) => range(rows).filter((r) => isOpen(r, k))),
      );
      assert.equal(mask.pairs, gates.filter((gate) => gate !== 0).length);
      assert.equal(mask.byRow.index.length, mask.pairs);
      assert.equal(mask.byBlock.index.length, mask.pairs);
    }),
    { seed: 5, numRuns: 300 },
  );
});

test('a NaN gate counts as open, so that it is not skipped unseen', () => {
  assert.equal(blockMask([Number.NaN, 0], 1, 2).pairs, 1);
});
