/** What theory and papers say of estimators with several evaluations of the loss, by exact integration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Integral, integrate, type Loss } from '../../src/audit/integrate.ts';
import { problemKinds, problems } from '../../src/audit/problems.ts';
import { derivative } from '../../src/audit/quadrature.ts';
import { sampleNeuron, warmState } from '../../src/audit/sample-neuron.ts';
import { trueGradient } from '../../src/audit/true-gradient.ts';
import { sigmoid, sigmoidSlope } from '../../src/math/special.ts';
import { sum } from '../../src/math/statistics.ts';
import type { Neuron, NeuronState } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { antitheticCounts, antitheticFactor } from '../../src/neurons/parts/antithetic-counts.ts';
import { coefficientState, coefficients, learnCoefficients } from '../../src/neurons/parts/control-variates.ts';
import { addControlGradient, learnedControl, learnedState } from '../../src/neurons/parts/learned-control.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { randomStream } from '../../src/random/stream.ts';
import { startingState } from '../../src/tensor/starting-state.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal, uniform } from '../helpers/numbers.ts';

const UNITS = 4;
const LOGITS = [
  [0.7, -1.3, 2.1, -0.4],
  [-2.5, 0.2, -0.8, 3],
  [-0.1, 0.3, -0.2, 0.1],
];

/** E[ĝ] and Var[ĝ] with the state of a neuron that has lived with the problem. */
function lived(spec: string, logits: readonly number[], loss: Loss): Integral {
  const neuron = resolveNeuron(spec);
  const state = warmState(neuron, logits, loss, { minibatches: 100, seed: 3 });
  return integrate(neuron, logits, loss, state);
}

const varianceOf = (spec: string, logits: readonly number[], loss: Loss): number =>
  sum(lived(spec, logits, loss).variance);

/** Runs through all problems and logits. */
function everywhere(run: (loss: Loss, logits: readonly number[], what: string) => void): void {
  for (const { name, loss } of problems(UNITS))
    for (const logits of LOGITS) run(loss, logits, `${name} at ${logits.join(', ')}`);
}

/** Of the left no unit has more variance than of the right, on any problem: as theory says. */
const ORDERED: [string, string][] = [
  ['disarm', 'arm'],
  ['local-expectation', 'bitflip'],
  ['exact', 'local-expectation'],
  ['measure-valued', 'stochastic-binary:baseline=none'],
  ['local-expectation', 'stochastic-binary:baseline=optimal'],
  ['rloo:K=3', 'rloo:K=2'],
];

for (const [i, [less, more]] of ORDERED.entries())
  test(`no unit of ${less} has more variance than of ${more}`, { skip: i > 0 && slow }, () => {
    let strictly = false;
    everywhere((loss, logits, what) => {
      const [left, right] = [less, more].map((spec) => lived(spec, logits, loss).variance);
      for (let i = 0; i < UNITS; i++) {
        assert.ok(left[i] <= right[i] + 1e-9, `${what}, unit ${i}: ${left[i]} and ${right[i]}`);
        if (left[i] < 0.99 * right[i]) strictly = true;
      }
    });
    assert.ok(strictly, 'never less: the test shows nothing');
  });

/** The left has learned what makes its variance least, and is the right where that is nothing: never much more, mostly less. */
const LEARNED: [string, string][] = [
  ['double-cv', 'rloo'],
  ['rodeo', 'rloo'],
  ['rodeo:K=3', 'rloo:K=3'],
  ['rodeo:surrogate=network', 'rloo'],
];

for (const [i, [learned, plain]] of LEARNED.entries())
  test(`${learned} has less variance than ${plain}`, { skip: i > 0 && slow }, () => {
    everywhere((loss, logits, what) => {
      const [left, right] = [learned, plain].map((spec) => varianceOf(spec, logits, loss));
      // Coefficients are fitted to samples, and move.
      assert.ok(left < 1.05 * right, `${what}: ${left} and ${right}`);
    });
    const [left, right] = [learned, plain].map((spec) => {
      let total = 0;
      everywhere((loss, logits) => {
        total += Math.log(varianceOf(spec, logits, loss) + 1e-12);
      });
      return total;
    });
    assert.ok(left < right - 3, `log variances ${left} and ${right}`);
  });

test('arms with two draws is disarm, and with more of them has less variance than independent ones', () => {
  everywhere((loss, logits, what) => {
    const [two, disarm] = ['arms:K=2', 'disarm'].map((spec) => integrate(resolveNeuron(spec), logits, loss));
    assertClose(two.gradient, disarm.gradient, { absolute: 1e-12 }, what);
    assertClose(two.variance, disarm.variance, { absolute: 1e-9 }, what);
  });
  for (const { loss } of problems(3)) {
    const logits = [0.7, -1.3, 0.4];
    const [antithetic, independent] = ['arms:K=3', 'rloo:K=3'].map((spec) => varianceOf(spec, logits, loss));
    assert.ok(antithetic < independent, `${antithetic} and ${independent}`);
  }
});

test("the optimal baseline has no more variance than any constant, and than none; it is the paper's ratio", () => {
  const neuron = resolveNeuron('stochastic-binary');
  everywhere((loss, logits, what) => {
    // Exact moments of (h − σ)²L and (h − σ)², by enumeration of the states.
    const state = { numerator: new Float64Array(UNITS), denominator: new Float64Array(UNITS) };
    for (let bits = 0; bits < 2 ** UNITS; bits++) {
      const h = Float64Array.from({ length: UNITS }, (_, i) => (bits >> i) & 1);
      const p = h.reduce((product, bit, i) => product * sigmoid(bit ? logits[i] : -logits[i]), 1);
      h.forEach((bit, i) => {
        const square = (bit - sigmoid(logits[i])) ** 2;
        state.numerator[i] += p * square * loss(h).loss;
        state.denominator[i] += p * square;
      });
    }
    const best = integrate(neuron, logits, loss, state).variance;
    for (const constant of [-3, -1, -0.1, 0, 0.1, 1, 3]) {
      const other = { numerator: new Float64Array(UNITS).fill(constant), denominator: new Float64Array(UNITS).fill(1) };
      integrate(neuron, logits, loss, other).variance.forEach((variance, i) => {
        assert.ok(best[i] <= variance + 1e-9, `${what}, baseline ${constant}, unit ${i}`);
      });
    }
  });
});

test('muprop and double-cv are exact where the loss is linear, once α is 1', () => {
  const [{ loss }] = problems(UNITS);
  assert.ok(sum(integrate(resolveNeuron('muprop'), LOGITS[0], loss).variance) < 1e-12);
  const state = { products: Float64Array.of(1), squares: Float64Array.of(1 / (1 + 1e-4)) };
  const { variance } = integrate(resolveNeuron('double-cv'), LOGITS[0], loss, state);
  assert.ok(sum(variance) < 1e-6, `${variance}`);
});

test('double-cv learns the α that makes the mean square of its gradients least', () => {
  const neuron = resolveNeuron('double-cv');
  const logits = LOGITS[0];
  const { loss } = problems(UNITS)[2];
  const at = (alpha: number): number =>
    sum(integrate(neuron, logits, loss, { products: Float64Array.of(-alpha), squares: Float64Array.of(1) }).variance);
  const state = warmState(neuron, logits, loss, { minibatches: 400, seed: 5 });
  const alpha = coefficients(state)[0];
  const best = Array.from({ length: 81 }, (_, k) => at(-2 + k / 20)).reduce((a, b) => Math.min(a, b));
  assert.ok(at(alpha) < 1.03 * best, `α ${alpha}: ${at(alpha)}, at best ${best}`);
  assert.ok(best < 0.9 * at(0), 'α does nothing here');
});

test("muprop's moving average takes away what its expansion leaves on average; without it, little is gained", {
  skip: slow,
}, () => {
  for (const problem of ['quadratic', 'toy'].map((name) => problems(UNITS).find((one) => one.name === name)))
    for (const logits of LOGITS) {
      assert.ok(problem);
      // A curvature that all examples share: what of the loss is no plane has a mean of its own.
      const curved: Loss = (h) => {
        const { loss, dh } = problem.loss(h);
        const far = h.map((value) => value - 0.3);
        return {
          loss: loss + 5 * far.reduce((total, value) => total + value ** 2, 0),
          dh: Float64Array.from(dh).map((value, i) => value + 10 * far[i]),
        };
      };
      const [bare, averaged, linear, network] = ['none', 'moving-average', 'linear', 'network'].map((baseline) =>
        varianceOf(`muprop:baseline=${baseline}`, logits, curved),
      );
      const what = `${problem.name} at ${logits}: ${bare}, ${averaged}, ${linear}, ${network}`;
      assert.ok(averaged < 0.5 * bare && linear < 0.5 * bare && network < 0.5 * bare, what);
    }
});

test('muprop divides all of its gradient by the running deviation, where it is asked to', () => {
  const neuron = resolveNeuron('muprop:normalize=yes');
  const { loss } = problems(UNITS)[1];
  const large: Loss = (h) => {
    const { loss: value, dh } = loss(h);
    return { loss: 100 * value, dh: Float64Array.from(dh).map((slope) => 100 * slope) };
  };
  const state = warmState(neuron, LOGITS[0], large, { minibatches: 200, seed: 8 });
  const scale = neuron.claims.scale?.(state) ?? 1;
  assert.ok(scale > 10, `${scale}`);
  const { gradient } = integrate(neuron, LOGITS[0], large, state);
  assertClose(
    gradient.map((g) => g * scale),
    trueGradient(neuron, LOGITS[0], large),
    { absolute: 1e-7 },
    'scaled back',
  );
});

test('the temperature of rebar and relax goes from both ends to where the variance is least', { skip: slow }, () => {
  const { loss } = problemKinds.quadratic(3);
  const logits = [0.7, -1.3, 0.4];
  const varianceOf = (neuron: Neuron, state: NeuronState) =>
    sum(sampleNeuron(neuron, logits, loss, { samples: 8000, seed: 5, state }).variance);
  const held = (lambda: number): number => {
    const rebar = resolveNeuron(`rebar:lambda=${lambda}`);
    const update: Neuron['update'] = (pass) => {
      rebar.update?.(pass);
      pass.state.warmth[0] = 0;
    };
    const fixed = { ...rebar, update };
    return varianceOf(fixed, warmState(fixed, logits, loss, { minibatches: 200, seed: 2 }));
  };
  const [cold, best, hot] = [0.03, 1.5, 30].map(held);
  assert.ok(best < 0.7 * Math.min(cold, hot), `${cold}, ${best}, ${hot}`);
  for (const name of ['rebar', 'relax'])
    for (const lambda of [0.03, 30]) {
      const neuron = resolveNeuron(`${name}:lambda=${lambda}`);
      const state = warmState(neuron, logits, loss, { minibatches: 600, seed: 3 });
      const learned = lambda * Math.exp(state.warmth[0]);
      assert.ok(learned > 0.3 && learned < 10, `${name} from ${lambda}: λ = ${learned}`);
      const variance = varianceOf(neuron, state);
      assert.ok(variance < 1.2 * best, `${name} from ${lambda}: ${variance}, of the best fixed λ ${best}`);
    }
});

test('rebar and relax have less variance than REINFORCE without a baseline, and relax learns what rebar cannot', {
  skip: slow,
}, () => {
  // One unit is integrated exactly. On the toy, f is nearly the same at both ends, and its concrete form tells little of it.
  for (const logit of [0, 0.7, -1.3])
    for (const { name, loss } of problems(1)) {
      const [plain, rebar, relax] = ['stochastic-binary:baseline=none', 'rebar', 'relax'].map((spec) =>
        varianceOf(spec, [logit], loss),
      );
      const what = `${name} at ${logit}: ${plain}, ${rebar}, ${relax}`;
      assert.ok(rebar < (name === 'toy' ? 1.05 : 0.8) * plain, what);
      assert.ok(relax < 0.5 * plain && (name !== 'toy' || relax < 0.2 * rebar), what);
    }
  const relax = resolveNeuron('relax');
  const sampled = (state: NeuronState): number =>
    sum(sampleNeuron(relax, LOGITS[0], problems(UNITS)[2].loss, { samples: 8_000, seed: 6, state }).variance);
  const fresh = sampled(startingState(relax, UNITS));
  const state = warmState(relax, LOGITS[0], problems(UNITS)[2].loss, { minibatches: 600, seed: 7 });
  const learned = sampled(state);
  assert.ok(learned < 0.9 * fresh, `${learned} after learning, ${fresh} before`);
});

test("the learned control's gradients are those of central differences", () => {
  const units = 3;
  const state = startingState({ state: learnedState(10) }, units) as Record<string, Float64Array>;
  state.learned.set(drawn(normal(0.7), state.learned.length, 31));
  const [z, q] = [drawn(normal(1), units, 32), drawn(normal(1), units, 33)];
  const { slope } = learnedControl(state, z);
  const numeric = z.map((value, i) => derivative((x) => learnedControl(state, z.with(i, x)).value, value, 1e-3));
  assertClose(slope, numeric, { absolute: 1e-9 }, '∂r/∂z');
  const gradient = new Float64Array(state.learned.length);
  addControlGradient(state, z, 1.7, q, gradient);
  const objective = (learned: Float64Array): number => {
    const r = learnedControl({ ...state, learned }, z);
    return 1.7 * r.value + q.reduce((total, value, i) => total + value * r.slope[i], 0);
  };
  const expected = state.learned.map((value, i) => derivative((x) => objective(state.learned.with(i, x)), value, 1e-3));
  assertClose(gradient, expected, { absolute: 1e-8 }, 'the gradient at the weights');
});

test("the surrogate network's gradients are those of central differences", () => {
  const [rows, units] = [3, 4];
  for (const K of [2, 3]) {
    const neuron = resolveNeuron(`rodeo:K=${K},surrogate=network`);
    const state = startingState(neuron, units);
    state.learned.set(drawn(normal(0.7), state.learned.length, 71));
    state.steps[0] = 3;
    state.losses.set([0.4, 1.9]);
    const firing = {
      rows,
      units,
      logits: drawn(normal(1), rows * units, 72),
      noise: drawn(uniform, rows * units * K, 73),
      h: new Float64Array(K * rows * units),
      state,
    };
    neuron.fire(firing);
    const [loss, dh] = [drawn(normal(2), K * rows, 74), drawn(normal(1), K * rows * units, 75)];
    const scale = 1.9 / (1 - 0.95 ** 3);
    const objective = (learned: Float64Array): number => {
      const gradient = new Float64Array(rows * units);
      neuron.pullback({ ...firing, loss, dh, gradient, state: { ...state, learned } });
      return gradient.reduce((total, g) => total + (0.5 * g * g) / scale, 0);
    };
    const numeric = state.learned.map((value, i) =>
      // So near that no rectifier has its kink in between.
      derivative((x) => objective(state.learned.with(i, x)), value, 1e-6),
    );
    const learning = { ...state, first: state.first.slice(), learned: state.learned.slice() };
    neuron.update?.({ ...firing, loss, dh, state: learning });
    // The first average of Adam has a tenth of the gradient.
    assertClose(
      learning.first.map((value) => 10 * value),
      numeric,
      { absolute: 1e-6, relative: 1e-6 },
      `at the weights, K = ${K}`,
    );
  }
});

test('coefficients solve least squares, share what controls tell twice, and are 0 where a control is', () => {
  const state = startingState({ state: coefficientState([0.5, 0, 0]) }, 1);
  assertClose(coefficients(state), [0.5, 0, 0], { absolute: 1e-3 }, 'at the start');
  const [b, c] = [drawn(normal(1), 5000, 41), drawn(normal(1), 5000, 42)];
  const a = b.map((value, i) => -3 * value + 2 * c[i]);
  const zero = new Float64Array(5000);
  for (let step = 0; step < 400; step++) learnCoefficients(state, [a, b, c, zero]);
  assertClose(coefficients(state), [3, -2, 0], { absolute: 1e-2 }, 'after learning');
  const twice = startingState({ state: coefficientState([0, 0]) }, 1);
  for (let step = 0; step < 400; step++) learnCoefficients(twice, [a, b, b]);
  const [first, second] = coefficients(twice);
  assert.ok(Math.abs(first + second - 3) < 0.2, `${first} and ${second}`);
});

test('vimco is the gradient of the K-sample bound, by enumeration of K·n bits', () => {
  const [K, units] = [3, 3];
  const neuron = resolveNeuron(`vimco:K=${K}`);
  for (const { name, loss } of problems(units)) {
    const logits = Float64Array.from([0.7, -1.3, 0.4]);
    const states = Array.from({ length: 2 ** units }, (_, bits) =>
      Float64Array.from({ length: units }, (_, i) => (bits >> i) & 1),
    );
    const losses = states.map((h) => loss(h).loss);
    const bound = (at: Float64Array): number => {
      const p = states.map((h) => h.reduce((product, bit, i) => product * sigmoid(bit ? at[i] : -at[i]), 1));
      let expected = 0;
      for (let code = 0; code < states.length ** K; code++) {
        const chosen = Array.from({ length: K }, (_, k) => Math.floor(code / states.length ** k) % states.length);
        const weight = chosen.reduce((product, state) => product * p[state], 1);
        const mean = chosen.reduce((total, state) => total + Math.exp(-losses[state]), 0) / K;
        expected -= weight * Math.log(mean);
      }
      return expected;
    };
    const truth = logits.map((logit, i) => derivative((x) => bound(logits.with(i, x)), logit, 0.005));
    const { gradient, loss: found } = integrate(neuron, logits, loss);
    assertClose(gradient, truth, { absolute: 1e-9 }, name);
    assertClose([found], [bound(logits)], { absolute: 1e-12 }, `the bound, ${name}`);
  }
});

test('vimco has no overflow where losses are large or far apart', () => {
  const neuron = resolveNeuron('vimco:K=2');
  const firing = { rows: 1, units: 1, logits: Float64Array.of(0.3), noise: Float64Array.of(0.1, 0.9), state: {} };
  const h = Float64Array.of(1, 0);
  for (const losses of [
    [1000, 1000],
    [-1000, 1000],
    [1e30, 0],
  ]) {
    const [weights, total, gradient] = [new Float64Array(2), new Float64Array(1), new Float64Array(1)];
    const loss = Float64Array.from(losses);
    neuron.weigh?.({ ...firing, h, loss, weights, total });
    neuron.pullback({ ...firing, h, loss, dh: new Float64Array(2), gradient });
    assert.ok([...weights, ...total, ...gradient].every(Number.isFinite), `${losses}: ${weights} ${total} ${gradient}`);
    assert.ok(Math.abs(weights[0] + weights[1] - 1) < 1e-12);
  }
});

test('arms draws what the Dirichlet copula of its paper does: patterns of the bits, by samples', () => {
  const samples = 60_000;
  for (const [K, logit] of [
    [3, -1.2],
    [4, 0.3],
    [5, 2.2],
  ] as const) {
    const q = sigmoid(-Math.abs(logit));
    const random = randomStream(9, K);
    const counts = new Float64Array(2 ** K);
    for (let i = 0; i < samples; i++) {
      const e = Array.from({ length: K }, () => -Math.log(random.uniform()));
      const total = sum(e);
      let pattern = 0;
      e.forEach((value, k) => {
        const rare = (1 - value / total) ** (K - 1) < q;
        if (rare === logit < 0) pattern |= 1 << k;
      });
      counts[pattern]++;
    }
    const neuron = resolveNeuron(`arms:K=${K}`);
    const h = new Float64Array(K * samples);
    const noise = drawn(uniform, K * samples, 17, K);
    neuron.fire({ rows: samples, units: 1, logits: new Float64Array(samples).fill(logit), noise, h, state: {} });
    const own = new Float64Array(2 ** K);
    for (let row = 0; row < samples; row++) {
      let pattern = 0;
      for (let k = 0; k < K; k++) if (h[k * samples + row]) pattern |= 1 << k;
      own[pattern]++;
    }
    // The difference of two counts has at most the variance of their sum; 5.5 deviations: 4·10⁻⁸ in each of 56 comparisons.
    own.forEach((count, pattern) => {
      const z = (count - counts[pattern]) / Math.sqrt(count + counts[pattern] + 1);
      assert.ok(Math.abs(z) < 5.5, `K ${K}, pattern ${pattern}: ${count} and ${counts[pattern]}`);
    });
    // 1/(1 − ρ), from the exact counts.
    const at = antitheticCounts(logit, K);
    const pairs = at.reduce((total, most, m) => total + (most - (m ? at[m - 1] : 0)) * m * (m - 1), 0) / (K * (K - 1));
    assertClose([antitheticFactor(logit, K)], [(q * (1 - q)) / (q - pairs)], { relative: 1e-9 }, '1/(1 − ρ)');
  }
});

test('nvil divides by its running deviation, and says by how much', () => {
  const neuron = resolveNeuron('nvil');
  const { loss } = problems(UNITS)[1];
  const large: Loss = (h) => ({ loss: 100 * loss(h).loss, dh: new Float64Array(UNITS) });
  const state = warmState(neuron, LOGITS[0], large, { minibatches: 200, seed: 8 });
  const scale = neuron.claims.scale?.(state) ?? 1;
  assert.ok(scale > 10, `${scale}`);
  const { gradient } = integrate(neuron, LOGITS[0], large, state);
  const truth = trueGradient(neuron, LOGITS[0], large);
  assertClose(
    gradient.map((g) => g * scale),
    truth,
    { absolute: 1e-7 },
    'scaled back',
  );
  // Its baseline takes away what does not depend on h.
  const none = integrate(resolveNeuron('stochastic-binary:baseline=none'), LOGITS[0], large);
  const lifted: Loss = (h) => ({ ...large(h), loss: large(h).loss + 1000 });
  const far = warmState(neuron, LOGITS[0], lifted, { minibatches: 400, seed: 8 });
  const factor = neuron.claims.scale?.(far) ?? 1;
  const found = sum(integrate(neuron, LOGITS[0], lifted, far).variance) * factor ** 2;
  assert.ok(found < 1.1 * sum(none.variance), `${found} and ${sum(none.variance)}`);
});

test('the network of nvil tells what a linear baseline cannot, and less variance is left', () => {
  // Examples whose loss is a product of two probabilities, whatever is drawn: nothing linear tells it.
  const [rows, steps] = [64, 600];
  const left = ['linear', 'network'].map((baseline) => {
    const neuron = resolveNeuron(`nvil:baseline=${baseline}`);
    const state = startingState(neuron, 2);
    let variance = 0;
    for (let step = 0; step < steps; step++) {
      const logits = drawn(normal(3), 2 * rows, 61, step);
      const loss = Float64Array.from({ length: rows }, (_, row) => {
        return 8 * (sigmoid(logits[2 * row]) - 0.5) * (sigmoid(logits[2 * row + 1]) - 0.5);
      });
      const firing = {
        rows,
        units: 2,
        logits,
        noise: drawn(uniform, 2 * rows, 62, step),
        h: new Float64Array(2 * rows),
      };
      neuron.fire({ ...firing, state });
      neuron.update?.({ ...firing, state, loss, dh: new Float64Array(2 * rows) });
      if (step >= steps - 50) variance += state.variance[0] / 50;
    }
    return variance;
  });
  assert.ok(left[1] < 0.4 * left[0], `${left}`);
});

test("spsa's bias goes with the square of c", () => {
  const { loss } = problems(UNITS)[1];
  const bias = (c: number): number => {
    const { gradient } = integrate(resolveNeuron(`spsa:c=${c}`), LOGITS[0], loss);
    const truth = trueGradient(resolveNeuron('spsa'), LOGITS[0], loss);
    return Math.sqrt(sum(gradient.map((g, i) => (g - truth[i]) ** 2)));
  };
  for (const c of [0.4, 0.1]) assert.ok(Math.abs(bias(c) / bias(c / 2) - 4) < 0.15, `${bias(c)} and ${bias(c / 2)}`);
});

test('where p is 0 or 1 in Float32, no gradient is NaN or infinite, and few are not 0', () => {
  const bits = Object.keys(zoo)
    .map((name): Neuron => resolveNeuron(name))
    .filter(({ claims, jointNoise, noise }) => claims.rate?.(0.3) === sigmoid(0.3) && !jointNoise && noise > 0);
  assert.ok(bits.length > 15);
  for (const neuron of bits)
    for (const logit of [200, -200, 50, -50]) {
      assert.ok(Math.fround(sigmoid(logit)) === (logit > 0 ? 1 : 0) || sigmoid(logit) < 1e-20);
      const logits = Float32Array.of(logit, logit, logit);
      const draws = typeof neuron.draws === 'function' ? neuron.draws(3) : (neuron.draws ?? 1);
      for (const u of [2 ** -24, 0.5, 1 - 2 ** -24]) {
        const noise = new Float32Array(3 * neuron.noise).fill(u);
        const [h, gradient] = [new Float32Array(3 * draws), new Float32Array(3)];
        const state = startingState(neuron, 3);
        const firing = { rows: 1, units: 3, logits, noise, h, state };
        neuron.fire(firing);
        const [loss, dh] = [new Float32Array(draws).map((_, k) => 2 + k), new Float32Array(3 * draws).fill(1)];
        neuron.pullback({ ...firing, loss, dh, gradient });
        assert.ok([...h, ...gradient].every(Number.isFinite), `${neuron.name} at ${logit}, u ${u}: ${h}; ${gradient}`);
        if (neuron.claims.unbiased && neuron.reads === 'loss' && neuron.name !== 'arm' && neuron.name !== 'spsa')
          assert.ok(
            gradient.every((g) => Math.abs(g) < 1e-6),
            `${neuron.name} at ${logit}, u ${u}: ${gradient}`,
          );
      }
    }
  assert.equal(sigmoidSlope(200), sigmoidSlope(-200));
});

test('infinite logits and NaN are refused where gradients are measured, with the unit and what was expected', () => {
  const { loss } = problems(2)[0];
  for (const name of Object.keys(zoo))
    for (const logit of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
      assert.throws(() => integrate(resolveNeuron(name), [0.5, logit], loss), {
        name: 'RangeError',
        message:
          /^The logit of unit 1 is (NaN|-?Infinity), and ".*" has no gradient there\. Expected a finite number\.$/,
      });
});
