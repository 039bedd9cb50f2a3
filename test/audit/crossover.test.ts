import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crossoverOf, type DensityPoint, gatherFromOf } from '../../src/audit/crossover.ts';

/** Points at densities 0.1, 0.2, 0.5 and 1 where all blocks take 10 ms. */
const points = (blocks: readonly number[], gathered?: readonly number[]): DensityPoint[] =>
  [0.1, 0.2, 0.5, 1].map((density, i) => ({
    density,
    blocks: blocks[i],
    dense: 10,
    ...(gathered && { gathered: gathered[i] }),
  }));

describe('where open blocks alone pay', () => {
  test('up to the crossing of the lines, interpolated', () => {
    assert.equal(crossoverOf(points([1, 2, 5, 9])), 1);
    assert.equal(crossoverOf(points([11, 12, 15, 19])), 0);
    assert.equal(crossoverOf(points([1, 2, 5, 15])), 0.75);
  });

  test('by the faster of kernels and BLAS', () => {
    assert.equal(crossoverOf(points([1, 2, 12, 30], [2, 3, 5, 15])), 0.75);
    assert.equal(crossoverOf(points([1, 2, 5, 15], [3, 6, 9, 14])), crossoverOf(points([1, 2, 5, 14])));
  });

  test('BLAS from the density on where it is always faster, in examples of a block', () => {
    assert.equal(gatherFromOf(points([1, 2, 5, 9]), 100), undefined);
    assert.equal(gatherFromOf(points([1, 2, 5, 9], [2, 3, 6, 10]), 100), undefined);
    assert.equal(gatherFromOf(points([1, 2, 5, 9], [2, 1.5, 4, 8]), 100), 20);
    assert.equal(gatherFromOf(points([1, 2, 5, 9], [0.5, 3, 4, 8]), 50), 25);
    assert.equal(gatherFromOf(points([1, 2, 5, 9], [0.5, 1, 4, 8]), 100), 10);
  });

  test('a way that is slower only where all blocks are faster still counts as the faster one', () => {
    assert.equal(gatherFromOf(points([2, 3, 6, 12], [1, 2, 5, 13]), 100), 10);
  });
});
