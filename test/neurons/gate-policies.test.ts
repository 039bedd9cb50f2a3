/** The gate policies on examples by hand; what every neuron must do besides stands in the conformance suite. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import { normalCdf, normalQuantile, sigmoid } from '../../src/math/special.ts';
import type { Neuron, Opening } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { randomStream } from '../../src/random/stream.ts';
import { assertClose } from '../helpers/numbers.ts';

const EXACT = { absolute: 1e-14, relative: 1e-13 };

/** h of one row, or of several of equal length. */
function fire(neuron: Neuron, rows: readonly (readonly number[])[], noise: readonly number[] = []): number[] {
  const h = new Float64Array(rows.length * rows[0].length);
  const logits = Float64Array.from(rows.flat());
  neuron.fire({ rows: rows.length, units: rows[0].length, logits, noise: Float64Array.from(noise), h, state: {} });
  return [...h];
}

/** ĝ of one row for cotangents δ. */
function pull(neuron: Neuron, logits: readonly number[], h: readonly number[], dh: readonly number[]): number[] {
  const gradient = new Float64Array(logits.length);
  const [a, out, d] = [logits, h, dh].map((x) => Float64Array.from(x));
  const rest = { noise: new Float64Array(0), loss: new Float64Array(1), state: {} };
  neuron.pullback({ rows: 1, units: logits.length, logits: a, h: out, dh: d, gradient, ...rest });
  return [...gradient];
}

describe('top-k', () => {
  test('keeps the k largest of every row and gives their softmax', () => {
    const neuron = resolveNeuron('top-k:k=2');
    const h = fire(neuron, [
      [1, 3, 2, -5],
      [0, -1, -2, 4],
    ]);
    const e = Math.E;
    assertClose(h, [0, e / (1 + e), 1 / (1 + e), 0, 1 / (1 + e ** 4), 0, 0, e ** 4 / (1 + e ** 4)], EXACT, 'h');
  });

  test('of equal logits keeps those with the lower index', () => {
    const kept = (logits: number[], k: number): number[] =>
      fire(resolveNeuron(`top-k:k=${k}`), [logits]).flatMap((h, i) => (h === 0 ? [] : [i]));
    assert.deepEqual(kept([5, 5, 5, 5], 2), [0, 1]);
    assert.deepEqual(kept([1, 7, 2, 7, 2, 2], 3), [1, 2, 3]);
    assert.deepEqual(kept([-0, 0, -0], 1), [0]);
  });

  test('keeps k, or a share of the units, at least one and never more than there are', () => {
    const opens = (spec: string, units: number, rate?: number): number | undefined =>
      resolveNeuron(spec, rate).opens?.(units);
    assert.deepEqual([opens('top-k', 32), opens('top-k', 3), opens('top-k:share=1', 7)], [4, 1, 7]);
    assert.deepEqual([opens('top-k:k=5', 32), opens('top-k:k=5', 3)], [5, 3]);
    // As a gate it follows the target rate of its layer, unless told otherwise.
    assert.deepEqual(
      [opens('top-k', 32, 0.5), opens('top-k:share=0.25', 32, 0.5), opens('top-k:k=3', 32, 0.5)],
      [16, 8, 3],
    );
    assert.throws(() => resolveNeuron('top-k:k=1.5'), /"k" of "top-k" is "1.5"\. Expected a whole number from 0/);
  });

  test('its gradient is the derivative of what the kept emit, and 0 for the closed', () => {
    const logits = [0.3, -1, 1.2, 0.9, -0.4];
    const dh = [0.5, -2, 1, -0.7, 3];
    for (const value of ['softmax', 'sigmoid']) {
      const neuron = resolveNeuron(`top-k:k=3,value=${value}`);
      const along = (a: number[]): number => fire(neuron, [a]).reduce((sum, h, i) => sum + dh[i] * h, 0);
      const numeric = logits.map((a, i) => derivative((x) => along(logits.with(i, x)), a, 1e-3));
      const gradient = pull(neuron, logits, fire(neuron, [logits]), dh);
      assertClose(gradient, numeric, { absolute: 1e-11 }, value);
      assert.deepEqual([gradient[1], gradient[4]], [0, 0]);
    }
  });

  test('a kept unit stays open however small its gate, and gates never exceed 1', () => {
    const far = fire(resolveNeuron('top-k:k=2'), [[0, -1e4, -2e4]]);
    assert.ok(far[0] === 1 && far[1] > 0 && Math.fround(far[1]) > 0 && far[2] === 0);
    const low = fire(resolveNeuron('top-k:k=2,value=sigmoid'), [[-5e3, -1e4, -2e4]]);
    assert.ok(low[0] > 0 && low[1] > 0 && low[2] === 0);
  });

  test('NaN breaks its row and no other', () => {
    const h = fire(resolveNeuron('top-k:k=1'), [
      [1, Number.NaN, 2],
      [1, 0, 2],
    ]);
    assert.deepEqual(h, [Number.NaN, Number.NaN, Number.NaN, 0, 0, 1]);
  });
});

describe('noisy-top-k', () => {
  const neuron = resolveNeuron('noisy-top-k:k=2,scale=0.5');
  const logits = [0, 0.1, -0.2, 0.4];
  const noise = [0.9, 0.2, 0.6, 0.4];
  const noisy = logits.map((a, i) => a + 0.5 * normalQuantile(noise[i]));
  const opening = neuron.opening as Opening;
  const firing = { rows: 1, units: 4, logits: Float64Array.from(logits), noise: Float64Array.from(noise) };

  test('is top-k of H = a + s·z, and of a with the noise off', () => {
    assertClose(fire(neuron, [logits], noise), fire(resolveNeuron('top-k:k=2'), [noisy]), EXACT, 'noisy');
    const settled = new Float64Array(4);
    neuron.settle?.({ ...firing, noise: new Float64Array(0), h: settled, state: {} });
    assertClose(settled, fire(resolveNeuron('top-k:k=2'), [logits]), EXACT, 'settled');
  });

  test('P(x, i) = Φ((a_i − kth_excluding(H, k, i))/s), by the definition of kth_excluding', () => {
    const p = new Float64Array(4);
    opening.probability(firing, p);
    const expected = logits.map((a, i) => {
      const others = noisy.filter((_, j) => j !== i).sort((x, y) => y - x);
      return normalCdf((a - others[1]) / 0.5);
    });
    assertClose(p, expected, EXACT, 'P');
  });

  test('all kept: P is 1 and has no gradient', () => {
    const all = resolveNeuron('noisy-top-k:k=4').opening as Opening;
    const [p, gradient] = [new Float64Array(4), new Float64Array(4).fill(Number.NaN)];
    all.probability(firing, p);
    all.pullback(firing, Float64Array.of(1, 2, 3, 4), gradient);
    assert.deepEqual([[...p], [...gradient]], [new Array(4).fill(1), new Array(4).fill(0)]);
  });

  test('the smooth load of a minibatch is the expected number of openings, by sampling', () => {
    const random = randomStream(5, 77);
    const rows = 20_000;
    const many = {
      rows,
      units: 4,
      logits: Float64Array.from({ length: 4 * rows }, (_, i) => logits[i % 4]),
      noise: Float64Array.from({ length: 4 * rows }, () => random.uniform()),
    };
    const [p, h] = [new Float64Array(4 * rows), new Float64Array(4 * rows)];
    opening.probability(many, p);
    neuron.fire({ ...many, h, state: {} });
    for (let unit = 0; unit < 4; unit++) {
      const mean = (of: (i: number) => number): number => {
        let sum = 0;
        for (let i = unit; i < h.length; i += 4) sum += of(i);
        return sum / rows;
      };
      // Each is within five standard errors (0.0035) of the truth.
      assert.ok(Math.abs(mean((i) => p[i]) - mean((i) => (h[i] === 0 ? 0 : 1))) < 0.02, `unit ${unit}`);
    }
  });
});

describe('threshold', () => {
  test('opens where σ(a) > θ, with 1 or σ(a)', () => {
    const logits = [-2, -1, 0, 1, 2];
    assert.deepEqual(fire(resolveNeuron('threshold'), [logits]), [0, 0, 0, 1, 1]);
    assert.deepEqual(fire(resolveNeuron('threshold:theta=0.25'), [logits]), [0, 1, 1, 1, 1]);
    assert.deepEqual(fire(resolveNeuron('threshold:value=sigmoid'), [logits]), [0, 0, 0, sigmoid(1), sigmoid(2)]);
    assert.deepEqual(fire(resolveNeuron('threshold:theta=0,value=sigmoid'), [[-1e4]]), [1e-30]);
  });

  test("learns by δ·σ'(a), everywhere or where open", () => {
    const slope = sigmoid(1) * sigmoid(-1);
    const [logits, dh] = [
      [-1, 1],
      [2, 3],
    ];
    assertClose(pull(resolveNeuron('threshold'), logits, [0, 1], dh), [2 * slope, 3 * slope], EXACT, 'one');
    const soft = pull(resolveNeuron('threshold:value=sigmoid'), logits, [0, sigmoid(1)], dh);
    assertClose(soft, [0, 3 * slope], EXACT, 'sigmoid');
  });
});

describe('hard-concrete', () => {
  const neuron = resolveNeuron('hard-concrete');
  const [beta, gamma, zeta] = [2 / 3, -0.1, 1.1];

  test('is the stretched and clipped concrete gate of the paper', () => {
    for (const [a, u] of [
      [0, 0.5],
      [-1, 0.7],
      [2, 0.2],
      [-3, 0.01],
      [4, 0.99],
    ]) {
      const s = sigmoid((Math.log(u) - Math.log(1 - u) + a) / beta);
      assertClose(
        fire(neuron, [[a]], [u]),
        [Math.min(1, Math.max(0, s * (zeta - gamma) + gamma))],
        EXACT,
        `${a}, ${u}`,
      );
    }
    assert.deepEqual([fire(neuron, [[-3]], [0.01]), fire(neuron, [[4]], [0.99])], [[0], [1]]);
  });

  test('P(h ≠ 0) = σ(a − β·log(−γ/ζ)): 0.832 at a = 0 for the paper’s constants', () => {
    const p = new Float64Array(3);
    const logits = Float64Array.of(0, -2, 1.5);
    neuron.opening?.probability({ rows: 1, units: 3, logits, noise: new Float64Array(0) }, p);
    assertClose(
      p,
      logits.map((a) => sigmoid(a - beta * Math.log(-gamma / zeta))),
      EXACT,
      'P',
    );
    assert.ok(Math.abs(p[0] - 0.832) < 5e-4);
  });

  test('at test time it is min(1, max(0, σ(a)(ζ − γ) + γ)), without the temperature', () => {
    for (const a of [-3, -2, 0, 0.5, 3])
      assert.equal(neuron.expect(a), Math.min(1, Math.max(0, sigmoid(a) * (zeta - gamma) + gamma)));
    assert.equal(neuron.expect(-2.5), 0);
    assert.equal(neuron.expect(2.5), 1);
    assert.equal(neuron.expect(0.5), resolveNeuron('hard-concrete:beta=0.1').expect(0.5));
  });

  test('in threshold mode an open gate emits the median of h given h ≠ 0', () => {
    for (const a of [-4, -1, 0.3]) {
      const closed = sigmoid(beta * Math.log(-gamma / zeta) - a);
      const u = closed + (1 - closed) / 2;
      assertClose([neuron.whenOpen(a)], fire(neuron, [[a]], [u]), { relative: 1e-9 }, `${a}`);
    }
  });

  test('β divides the logit: a small temperature gives binary gates, a large one values in between', () => {
    const inside = (spec: string): number =>
      Array.from({ length: 99 }, (_, k) => fire(resolveNeuron(spec), [[0.4]], [(k + 1) / 100])[0]).filter(
        (h) => h > 0 && h < 1,
      ).length;
    assert.ok(inside('hard-concrete:beta=0.01') <= 2);
    assert.ok(
      inside('hard-concrete:beta=0.01') < inside('hard-concrete') &&
        inside('hard-concrete') < inside('hard-concrete:beta=5'),
    );
  });
});
