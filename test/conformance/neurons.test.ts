/** One suite for every neuron of the zoo and every choice of its options: what it declares, held against what it does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { biasVerdicts, measureBias } from '../../src/audit/bias-claim.ts';
import { withFoundCells } from '../../src/audit/found-cells.ts';
import { estimateNodes, unitNodes } from '../../src/audit/grid.ts';
import { integrate } from '../../src/audit/integrate.ts';
import { networkProblem, type Problem, problems } from '../../src/audit/problems.ts';
import { derivative } from '../../src/audit/quadrature.ts';
import { sampleNeuron } from '../../src/audit/sample-neuron.ts';
import { behaviourOf, trueGradient } from '../../src/audit/true-gradient.ts';
import { LEAST_OPEN, type Neuron, type NeuronState } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { drawsOf } from '../../src/tensor/draws.ts';
import { startingState } from '../../src/tensor/starting-state.ts';
import { slow } from '../helpers/extent.ts';
import { assertClose, drawn, normal, uniform } from '../helpers/numbers.ts';
import { fill, instances, integrableUnits, isIntegrable, randomState, unitsWithTwoOpen } from './instances.ts';

/** No logit is 0 or near it: there deterministic units may have a kink, and ½ hides a bias by symmetry. */
const LOGITS = [0.7, -1.3, 2.1, -0.4, 1.6, -2.7, 0.25, -0.9];
const nothing = (h: Float64Array) => ({ loss: 0, dh: new Float64Array(h.length) });

/** Fires and pulls back one layer with given logits, everything else drawn by the seed. */
function passOf(
  neuron: Neuron,
  rows: number,
  units: number,
  seed: number,
  logits = drawn(normal(2), rows * units, seed),
) {
  const draws = drawsOf(neuron, units);
  const state = randomState(neuron, units, seed);
  const h = new Float64Array(draws * rows * units);
  const noise = drawn(uniform, rows * units * neuron.noise, seed, 1);
  const firing = { rows, units, logits, noise, h, state };
  neuron.fire(firing);
  const loss = drawn(normal(3), draws * rows, seed, 2);
  const dh = drawn(normal(1), h.length, seed, 3);
  return { ...firing, loss, dh, gradient: new Float64Array(rows * units) };
}

function gradientOf(neuron: Neuron, pass: ReturnType<typeof passOf>): Float64Array {
  const gradient = new Float64Array(pass.gradient.length);
  neuron.pullback({ ...pass, gradient });
  return gradient;
}

test('every file of the zoo stands in the registry under its own name', () => {
  for (const [key, { name }] of Object.entries(zoo)) assert.equal(name, key);
  assert.ok(instances.length >= Object.keys(zoo).length);
});

/** All problems, the random network first: rules that are biased anywhere mostly are there. */
const byDifficulty = (units: number): Problem[] => {
  const hardest = networkProblem(units);
  return [hardest, ...problems(units).filter(({ name }) => name !== hardest.name)];
};

/** Standard errors that nothing below exceeds by chance: about 2,000 comparisons of 2·10⁻⁹ each, with fixed seeds. */
const BEYOND_CHANCE = 6;
const SAMPLES = 5_000;
/** Units where integration is beyond reach. */
const SAMPLED_UNITS = 4;

for (const [index, { title, neuron }] of instances.entries()) {
  const exact = integrableUnits(neuron) > 0;
  const units = exact ? integrableUnits(neuron) : SAMPLED_UNITS;
  // Coupled units are near enough to each other for noise to change their order.
  const logitsOf = (count: number): Float64Array =>
    Float64Array.from(LOGITS.slice(0, count), (logit) => (neuron.jointNoise ? logit / 4 : logit));
  const logits = logitsOf(units);
  const { claims } = neuron;

  describe(title, () => {
    test('says where it is from and what it does', () => {
      assert.match(neuron.source, /\w{4,}/);
      assert.match(neuron.summary, /h = .*; ĝ = /);
      assert.ok(neuron.summary.split('\n').length === 1);
    });

    test('claims.mean is E[h] and claims.rate is P(h ≠ 0) of the behaviour, for logits from −6 to 6', {
      skip: index % 4 > 0 && slow,
    }, () => {
      const unit = withFoundCells(behaviourOf(neuron));
      const step = estimateNodes(unit, 0.3) > 1000 ? 3 : 0.75;
      for (let logit = -6; logit <= 6; logit += step) {
        if (!isIntegrable(unit)) {
          const { mean, rate } = sampleNeuron(unit, [logit], nothing, { samples: SAMPLES, seed: 15 });
          const error = (p: number): number => BEYOND_CHANCE * Math.sqrt(Math.max(1 / SAMPLES, p * (1 - p)) / SAMPLES);
          if (claims.mean) assertClose(mean, [claims.mean(logit)], { absolute: error(mean[0]) }, `E[h] at ${logit}`);
          if (claims.rate)
            assertClose(rate, [claims.rate(logit)], { absolute: error(rate[0]) }, `P(h ≠ 0) at ${logit}`);
          continue;
        }
        const { mean, rate } = integrate(unit, [logit], nothing);
        const scale = Math.max(1, Math.abs(mean[0]));
        if (claims.mean) assertClose(mean, [claims.mean(logit)], { absolute: 1e-9 * scale }, `E[h] at ${logit}`);
        if (claims.rate) assertClose(rate, [claims.rate(logit)], { absolute: 1e-9 }, `P(h ≠ 0) at ${logit}`);
      }
    });

    /** States that a gradient is measured in: the first, and two that are as good as any. */
    const statesOf = (count: number): NeuronState[] => [
      startingState(neuron, count),
      ...(neuron.state ? [1, 2].map((seed) => randomState(neuron, count, seed)) : []),
    ];
    const kind = claims.unbiased ? 'unbiased on every problem, whatever its state' : 'biased on some problem';

    if (exact)
      test(`is ${kind}`, { skip: index % 4 > 0 && slow }, () => {
        const biasOn = ({ name, loss }: Problem): { name: string; bias: number } => {
          const truth = trueGradient(neuron, logits, loss);
          const errors = statesOf(units).flatMap((state) => {
            const scale = claims.scale?.(state) ?? 1;
            const { gradient } = integrate(neuron, logits, loss, state);
            return Array.from(gradient, (g, i) => Math.abs(scale * g - truth[i]));
          });
          return { name, bias: Math.max(...errors) };
        };
        if (claims.unbiased)
          for (const { name, bias } of problems(units).map(biasOn)) assert.ok(bias < 1e-7, `${name}: bias ${bias}`);
        // Integration is exact: what is not rounding is bias. The problem that shows most of it comes first.
        else
          assert.ok(
            byDifficulty(units).some((problem) => biasOn(problem).bias > 1e-5),
            'no bias on any problem',
          );
      });

    // The usual options are certified at many places (results/certificates.json); all others at a few.
    if (claims.unbiased)
      test('stays unbiased at places drawn from the whole domain', { skip: index % 6 > 0 && slow }, () => {
        const [{ verdict, evidence }] = biasVerdicts([measureBias(neuron, title, false)]);
        assert.equal(verdict, 'holds', evidence);
      });

    // One unit alone has no others whose noise could disturb it.
    if (units === 1 || !exact)
      test(`is ${kind}, by ${SAMPLES} samples of ${SAMPLED_UNITS} units`, { skip: index % 4 > 0 && slow }, () => {
        const several = logitsOf(SAMPLED_UNITS);
        const scoresOn = ({ name, loss }: Problem): { name: string; z: number }[] => {
          const truth = trueGradient(neuron, several, loss);
          return statesOf(SAMPLED_UNITS).map((state) => {
            const { gradient, variance } = sampleNeuron(neuron, several, loss, { samples: SAMPLES, seed: 16, state });
            const scale = claims.scale?.(state) ?? 1;
            const scored = gradient.map(
              (g, i) => Math.abs(scale * g - truth[i]) / (1e-9 + scale * Math.sqrt(variance[i] / SAMPLES)),
            );
            return { name, z: Math.max(...scored) };
          });
        };
        const beyond = byDifficulty(SAMPLED_UNITS).find((problem) =>
          scoresOn(problem).some(({ z }) => !(z < BEYOND_CHANCE)),
        );
        assert.equal(beyond !== undefined, !claims.unbiased, beyond?.name ?? 'on no problem');
      });

    if (claims.unbiasedRelaxation && exact)
      test('is unbiased for what it trains with, on every problem', { skip: index % 4 > 0 && slow }, () => {
        const few = logits.subarray(0, Math.min(units, 2));
        // Groups have large grids: one problem, where everything depends on everything.
        const some = problems(few.length).filter(({ name }) => !neuron.group || name === 'network');
        for (const { name, loss } of some) {
          const { gradient } = integrate(neuron, few, loss);
          const truth = few.map((logit, unit) =>
            derivative((x) => integrate(neuron, few.with(unit, x), loss).loss, logit, 0.005),
          );
          assertClose(gradient, truth, { absolute: 1e-7 }, name);
        }
      });

    test('keeps to its range, sampled and as the deterministic unit', () => {
      const { h } = passOf(neuron, 40, 7, 3);
      const emitted = [
        ...h,
        ...Array.from(drawn(normal(4), 200, 4)).flatMap((a) => [neuron.expect(a), neuron.whenOpen(a)]),
      ];
      const [low, high] = { 'unit-interval': [0, 1], 'non-negative': [0, Infinity], real: [-Infinity, Infinity] }[
        neuron.range
      ];
      for (const value of emitted) assert.ok(value >= low && value <= high, `${value}`);
    });

    test('reads what it says, and closed units have no gradient where it says so', () => {
      const pass = passOf(neuron, 30, unitsWithTwoOpen(neuron, 5), 5);
      const gradient = gradientOf(neuron, pass);
      // Draws differ by more than a constant, which baselines take away.
      const otherLoss = gradientOf(neuron, { ...pass, loss: pass.loss.map((loss, i) => 1.5 * loss + 1 + (i % 7)) });
      // And units too: the gradient of a softmax takes a constant away.
      const otherCotangent = gradientOf(neuron, { ...pass, dh: pass.dh.map((d, i) => d + 1 + (i % 3)) });
      const readsLoss = gradient.some((g, i) => g !== otherLoss[i]);
      const readsCotangent = gradient.some((g, i) => g !== otherCotangent[i]);
      assert.equal(readsLoss, neuron.reads === 'loss' || neuron.reads === 'both', 'reads the loss');
      assert.equal(readsCotangent, neuron.reads !== 'loss', 'reads the cotangent');
      if (neuron.reads === 'cotangent-when-open') {
        const closed = Array.from(pass.h.keys()).filter((i) => pass.h[i] === 0);
        assert.ok(closed.length > 0, 'no unit closed: the test shows nothing');
        for (const i of closed) assert.ok(gradient[i] === 0 && otherCotangent[i] === 0, `closed unit ${i}`);
      }
    });

    test('treats every example by itself', () => {
      const rows = 6;
      const pass = passOf(neuron, rows, 5, 6);
      const gradient = gradientOf(neuron, pass);
      const draws = drawsOf(neuron, 5);
      for (let row = 0; row < rows; row++) {
        const part = (values: Float64Array, width: number, layers = 1): Float64Array =>
          Float64Array.from({ length: layers * width }, (_, i) => {
            return values[(Math.floor(i / width) * rows + row) * width + (i % width)];
          });
        const alone = {
          rows: 1,
          units: 5,
          logits: part(pass.logits, 5),
          noise: part(pass.noise, 5 * neuron.noise),
          h: new Float64Array(5 * draws),
          loss: part(pass.loss, 1, draws),
          dh: part(pass.dh, 5, draws),
          state: pass.state,
          gradient: new Float64Array(5),
        };
        neuron.fire(alone);
        neuron.pullback(alone);
        assert.deepEqual(alone.h, part(pass.h, 5, draws));
        assert.deepEqual(alone.gradient, part(gradient, 5));
      }
    });

    test('what an open unit emits is whenOpen; without noise, what fires is expect', () => {
      for (const logit of LOGITS) {
        const unit = withFoundCells(behaviourOf(neuron));
        if (!isIntegrable(unit)) continue;
        const nodes = unitNodes(unit, logit);
        if (nodes.length > 2) continue;
        for (const { noise } of nodes) {
          const h = new Float64Array(1);
          const state = startingState(neuron, 1);
          unit.fire({ rows: 1, units: 1, logits: Float64Array.of(logit), noise: Float64Array.from(noise), h, state });
          for (const value of h) if (value !== 0) assert.equal(value, neuron.whenOpen(logit));
          if (neuron.noise === 0) assert.equal(h[0], neuron.expect(logit));
        }
      }
    });

    test('units depend on others of their row where it says so, and nowhere else', () => {
      const units = unitsWithTwoOpen(neuron, 6);
      const unit = withFoundCells(behaviourOf(neuron));
      const pass = passOf(unit, 1, units, 10);
      const others = Array.from({ length: units }, (_, moved) => {
        const logits = pass.logits.map((a, i) => (i === moved ? a + 5 : a));
        const h = new Float64Array(pass.h.length);
        unit.fire({ ...pass, logits, h });
        return h.some((value, i) => i % units !== moved && value !== pass.h[i]);
      });
      assert.equal(others.includes(true), neuron.jointNoise === 'units');
    });

    const { opens, selects, opening, settle } = neuron;
    if (opens)
      test('exactly as many units are open as it says, sampled and settled, at ties and extremes too', () => {
        for (const units of [1, 2, 5, 8, 33]) {
          const count = opens(units);
          assert.ok(Number.isInteger(count) && count >= 1 && count <= units);
          for (const scale of [0, 1e-3, 1, 1e4]) {
            const rows = 20;
            const pass = passOf(neuron, rows, units, 11, drawn(normal(scale), rows * units, 12));
            const settled = new Float64Array(rows * units);
            settle?.({ ...pass, noise: new Float64Array(0), h: settled });
            for (const h of [pass.h, settled])
              for (let row = 0; row < rows; row++)
                assert.equal(h.subarray(row * units, (row + 1) * units).filter((x) => x !== 0).length, count);
          }
        }
      });

    if (settle)
      test('settled, a unit that is alone emits expect; units that the rule opens emit at least LEAST_OPEN', () => {
        for (const logit of [...LOGITS, 1e4, -1e4]) {
          const h = new Float64Array(1);
          settle({ rows: 1, units: 1, logits: Float64Array.of(logit), noise: new Float64Array(0), h, state: {} });
          assert.equal(h[0], Math.max(neuron.expect(logit), h[0] === 0 ? 0 : LEAST_OPEN));
        }
      });

    if (selects)
      test('a selection bias moves who is open, and not what open units emit or learn', () => {
        const units = 8;
        const pass = passOf(neuron, 40, units, 13);
        const selectionBias = Float64Array.from({ length: units }, (_, j) => (j === 2 ? 50 : j === 5 ? -50 : 0));
        const biased = new Float64Array(pass.h.length);
        neuron.fire({ ...pass, h: biased, selectionBias });
        assert.ok(
          biased.every((h, i) => i % units !== 2 || h !== 0) && biased.every((h, i) => i % units !== 5 || h === 0),
        );
        // Where the same units are open, h is the same.
        const zero = new Float64Array(pass.h.length);
        neuron.fire({ ...pass, h: zero, selectionBias: new Float64Array(units).fill(0) });
        assert.deepEqual(zero, pass.h);
        for (let row = 0; row < 40; row++) {
          const part = (h: Float64Array) => h.subarray(row * units, (row + 1) * units);
          const same = part(pass.h).every((h, j) => (h === 0) === (part(biased)[j] === 0));
          if (same) assert.deepEqual(part(biased), part(pass.h));
        }
      });

    if (opening) {
      test('opening is P(h ≠ 0), over all noise', () => {
        const asOutput: Neuron = {
          ...withFoundCells(behaviourOf(neuron)),
          fire: (firing) => opening.probability(firing, firing.h),
        };
        const { mean } = integrate(asOutput, logits, nothing);
        assertClose(
          mean,
          integrate(withFoundCells(behaviourOf(neuron)), logits, nothing).rate,
          { absolute: 1e-9 },
          'P(h ≠ 0)',
        );
      });

      test('the gradient of opening is that of central differences, extreme logits are finite', () => {
        const units = 7;
        const pass = passOf(neuron, 3, units, 14);
        const bias = neuron.selects && Float64Array.from({ length: units }, (_, j) => 0.3 * j - 1);
        const at = (moved: Float64Array): Float64Array => {
          const p = new Float64Array(moved.length);
          opening.probability({ ...pass, logits: moved, selectionBias: bias || undefined }, p);
          return p;
        };
        const gradient = new Float64Array(pass.logits.length).fill(Number.NaN);
        opening.pullback({ ...pass, selectionBias: bias || undefined }, pass.dh.subarray(0, gradient.length), gradient);
        const numeric = pass.logits.map((logit, i) =>
          derivative(
            (x) => at(pass.logits.with(i, x)).reduce((sum, p, j) => sum + pass.dh[j] * p, 0),
            logit,
            1e-4 * Math.min(1, Number(neuron.options.scale ?? 1)),
          ),
        );
        assertClose(gradient, numeric, { absolute: 1e-7, relative: 1e-6 }, 'gradient');
        const extreme = pass.logits.map((_, i) => [1e4, -1e4, 50, -50, 0, 0, 104][i % units]);
        opening.pullback({ ...pass, logits: extreme }, pass.dh.subarray(0, gradient.length), gradient);
        assert.ok([...gradient, ...at(extreme)].every(Number.isFinite));
      });
    }

    test('extreme logits give finite numbers; those that are not finite are seen', () => {
      const extremes = [50, -50, 1e4, -1e4, 0, -0];
      const edges = [2 ** -24, 0.5, 1 - 2 ** -24];
      const cases = extremes.flatMap((logit) => edges.map((u) => ({ logit, u })));
      const at = fill(cases.length, 1, (row) => cases[row].logit);
      const pass = passOf(neuron, cases.length, 1, 8, at);
      for (let i = 0; i < pass.noise.length; i++) pass.noise[i] = cases[Math.floor(i / neuron.noise)].u;
      neuron.fire(pass);
      const state = startingState(neuron, 1);
      const gradient = gradientOf(neuron, { ...pass, state });
      for (let step = 0; step < 3000; step++) neuron.update?.({ ...pass, state });
      const later = gradientOf(neuron, { ...pass, state });
      const fixed = extremes.flatMap((logit) => [neuron.expect(logit), neuron.whenOpen(logit)]);
      const all = [
        ...pass.h,
        ...gradient,
        ...later,
        ...fixed,
        ...Object.values(state).flatMap((values) => [...values]),
      ];
      assert.ok(all.every(Number.isFinite), JSON.stringify(all));
      for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const { h } = passOf(neuron, 3, 1, 9, Float64Array.of(broken, 1, broken));
        // Of several draws, the first.
        assert.deepEqual(
          Array.from(h.subarray(0, 3), Number.isFinite),
          [false, true, false],
          `a logit of ${broken} must not look like a closed or an open unit`,
        );
      }
    });
  });
}
