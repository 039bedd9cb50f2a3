import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  logit,
  normalCdf,
  normalDensity,
  normalQuantile,
  sigmoid,
  sigmoidSlope,
  softplus,
} from '../../src/math/special.ts';
import { allFinite, countNonZero, sum } from '../../src/math/statistics.ts';
import { editDistance, suggest } from '../../src/math/text.ts';
import { assertClose } from '../helpers/numbers.ts';

const near = (actual: number, expected: number, relative: number, what: string): void =>
  assertClose([actual], [expected], { relative }, what);
const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });

describe('known values, computed with 40 digits by mpmath', () => {
  const known = {
    sigmoid: [
      [-90, 8.194012623990515e-40],
      [-20, 2.0611536181902037e-9],
      [-1, 0.2689414213699951],
      [0, 0.5],
      [1, 0.7310585786300049],
      [20, 0.9999999979388464],
      [1000, 1],
      [-1000, 0],
    ],
    softplus: [
      [-90, 8.194012623990515e-40],
      [-20, 2.061153620314381e-9],
      [-1, 0.3132616875182228],
      [0, Math.LN2],
      [1, 1.3132616875182228],
      [20, 20.000000002061153],
      [1000, 1000],
    ],
    sigmoidSlope: [
      [-90, 8.194012623990515e-40],
      [-20, 2.061153613941849e-9],
      [0, 0.25],
      [1, 0.19661193324148185],
      [20, 2.061153613941849e-9],
    ],
    logit: [
      [1e-300, -690.7755278982137],
      [0.25, -1.0986122886681098],
      [0.5, 0],
      [0.75, 1.0986122886681098],
    ],
    normalCdf: [
      [-39, 0],
      [-10, 7.619853024160525e-24],
      [-5, 2.866515718791939e-7],
      [-3.5, 0.00023262907903552504],
      [-3, 0.0013498980316300946],
      [-2.9375, 0.0016543508595475074],
      [-1, 0.15865525393145705],
      [0, 0.5],
      [0.5, 0.6914624612740131],
      [1, 0.8413447460685429],
      [2, 0.9772498680518208],
      [3, 0.9986501019683699],
      [8, 0.9999999999999993],
      [39, 1],
    ],
    normalQuantile: [
      [1e-300, -37.0470962993612],
      [1e-20, -9.262340089798407],
      [1e-8, -5.612001244174789],
      [0.001, -3.0902323061678136],
      [0.025, -1.9599639845400543],
      [0.075, -1.439531470938456],
      [0.25, -0.6744897501960817],
      [0.5, 0],
      [0.75, 0.6744897501960817],
      [0.975, 1.9599639845400538],
    ],
    normalDensity: [
      [0, 0.3989422804014327],
      [1, 0.24197072451914334],
      [-2, 0.05399096651318805],
    ],
  } as const;
  const functions = { sigmoid, softplus, sigmoidSlope, logit, normalCdf, normalQuantile, normalDensity };
  for (const [name, values] of Object.entries(known))
    test(name, () => {
      for (const [x, y] of values) near(functions[name as keyof typeof functions](x), y, 2e-13, `${name}(${x})`);
    });
});

describe('identities', () => {
  test('σ(−a) = 1 − σ(a), σ(logit p) = p, σ′ = σ(1 − σ)', () => {
    fc.assert(
      fc.property(finite(-700, 700), (a) => {
        near(sigmoid(-a) + sigmoid(a), 1, 3e-16, 'the sum');
        near(sigmoidSlope(a), sigmoid(a) * sigmoid(-a), 1e-15, 'the slope');
      }),
    );
    fc.assert(fc.property(finite(1e-300, 1 - 1e-12), (p) => near(sigmoid(logit(p)), p, 2e-13, 'σ(logit p)')));
  });

  test('softplus(a) − softplus(−a) = a', () => {
    fc.assert(
      fc.property(finite(-50, 50), (a) => {
        assertClose([softplus(a) - softplus(-a)], [a], { absolute: 1e-14 }, 'the difference');
      }),
    );
  });

  test('Φ(Φ⁻¹(p)) = p, and the quantile is odd about ½', () => {
    fc.assert(
      fc.property(finite(1e-250, 1 - 1e-9), (p) => {
        const tolerance = 1e-13 * Math.max(1, -Math.log(p));
        near(normalCdf(normalQuantile(p)), p, tolerance, 'Φ(Φ⁻¹(p))');
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (k) => {
        const p = k / 2 ** 31;
        near(normalQuantile(1 - p), -normalQuantile(p), 1e-14, 'the odd quantile');
      }),
    );
  });

  test('Φ grows, also over the seam at 3, and its slope is the density', () => {
    fc.assert(
      fc.property(finite(-8, 8), (x) => {
        const step = 1e-4;
        assert.ok(normalCdf(x + 1e-6) >= normalCdf(x));
        const slope = (normalCdf(x + step) - normalCdf(x - step)) / (2 * step);
        assertClose([slope], [normalDensity(x)], { relative: 1e-6, absolute: 1e-11 }, `the slope at ${x}`);
      }),
    );
    near(normalCdf(3 - 1e-12), normalCdf(3), 1e-13, 'Φ about 3');
    near(normalCdf(-3 + 1e-12), normalCdf(-3), 1e-10, 'Φ about −3');
  });
});

test('statistics of arrays', () => {
  assert.equal(sum([1, 2, 3.5]), 6.5);
  assert.equal(sum([]), 0);
  assert.equal(countNonZero([0, -0, 1, Number.NaN, -2]), 3);
  assert.ok(allFinite([]) && allFinite([0, -1e308]));
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) assert.ok(!allFinite([1, bad]));
});

test('edit distance, and the nearest known word', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('', 'abc'), 3);
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance <= Math.max(a.length, b.length));
    }),
  );
  assert.equal(suggest('sigmod', ['tanh', 'sigmoid']), 'Did you mean "sigmoid"? Known: tanh, sigmoid.');
  assert.equal(suggest('zzzzzzzz', ['tanh', 'sigmoid']), 'Known: tanh, sigmoid.');
});
