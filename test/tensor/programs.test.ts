/** Neurons inside random programs of tensors: see test/helpers/programs.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derivative } from '../../src/audit/quadrature.ts';
import { unitOf } from '../../src/audit/unit-of.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full } from '../helpers/extent.ts';
import { assertClose } from '../helpers/numbers.ts';
import {
  exactGradient,
  expectedLoss,
  type Path,
  type Program,
  randomProgram,
  sampledGradient,
  statesFor,
  UNITS,
} from '../helpers/programs.ts';

/** Together they have every part: see the first test. */
const SEEDS = [1, 2, 3, 5, 8, 13];
const plain = SEEDS.map((seed) => randomProgram(seed));
/** Parts behind bits: with bits inside, of examples and of sequences, and three sites without. */
const parted = [1, 8, 18].map((seed) => randomProgram(seed, { parts: true }));
const programs = [...plain, ...parted];
/** One of sequences, one of examples, and one with bits inside a part. */
const sampled = full
  ? programs
  : [plain.find(({ lengths }) => lengths), plain.find(({ sites }) => sites === 3), parted[0]].filter(
      (program) => program !== undefined,
    );
const engine = builds[0];

const all = Object.keys(zoo).map((name) => resolveNeuron(name));
const fitting = all.filter(({ group = 1 }) => UNITS % group === 0);
const bits = fitting.filter((neuron) => unitOf(neuron) === 'bits');
const unbiased = bits.filter(({ claims }) => claims.unbiased && !claims.scale);

const atSites = (program: Program, ...neurons: Neuron[]): Neuron[] =>
  Array.from({ length: program.sites }, (_, site) => neurons[site % neurons.length]);

test('the programs have every part', () => {
  const texts = programs.map(({ text }) => text).join('\n');
  for (const part of ['sequences', 'examples', 'residual', 'shared', 'gates', 'smooth', 'parted', 'within', 'inside'])
    assert.match(texts, new RegExp(part));
  assert.ok(programs.some(({ lengths, sites }) => !lengths && sites === 3));
});

test('the gradient by enumeration is that of the expected loss, by differences', () => {
  for (const program of [...plain.slice(0, 3), ...parted.slice(0, 2)]) {
    const differences = Object.values(program.parameters).flatMap(({ values }) =>
      Array.from(values, (before, i) => {
        const slope = derivative(
          (value) => {
            values[i] = value;
            return expectedLoss(reference, program);
          },
          before,
          0.01,
        );
        values[i] = before;
        return slope;
      }),
    );
    assertClose(exactGradient(reference, program), differences, { relative: 1e-6, absolute: 1e-6 }, program.text);
  }
});

describe('open blocks and all blocks: the same draws, losses and gradients', () => {
  const gated = programs.filter(({ text }) => text.includes('gates') || text.includes('parted'));
  for (const neuron of fitting.filter(({ backwardSees, couples }) => backwardSees !== 'expectation' && !couples))
    test(neuron.name, () => {
      for (const program of gated) {
        if (program.sharesLosses && neuron.comparesRows) continue;
        const neurons = atSites(program, neuron, resolveNeuron('rloo'));
        // Neurons that want the gradients of closed gates compute every block while they train.
        if (neuron.reads === 'cotangent' || neuron.reads === 'both') continue;
        for (const on of [reference, engine]) {
          const [dense, blocks] = (['dense', 'blocks'] as const).map((path) =>
            sampledGradient(on, program, neurons, { copies: 7, step: 3, path, states: statesFor(on, neurons) }),
          );
          // Bits in a part that is closed for their row are not fired, and have no gradient then; closed for all, they are not drawn several times.
          const within = program.text.includes('within');
          if (within) assert.deepEqual(blocks.bits[0], dense.bits[0], program.text);
          if (within && blocks.bits[1] === undefined) continue;
          assertClose(blocks.losses, dense.losses, { relative: 1e-5, absolute: 1e-5 }, program.text);
          if (within) continue;
          assert.deepEqual(blocks.bits, dense.bits, program.text);
          assertClose(blocks.gradient, dense.gradient, { relative: 1e-5, absolute: 1e-5 }, program.text);
        }
      }
    });
});

describe('the kernels give the draws, losses and gradients of the Float64 definitions', () => {
  for (const neuron of fitting)
    test(neuron.name, () => {
      for (const program of programs) {
        if (program.sharesLosses && neuron.comparesRows) continue;
        const neurons = atSites(program, neuron);
        const [expected, ...others] = [reference, ...builds].map((on) =>
          sampledGradient(on, program, neurons, { copies: 5, step: 4, path: 'dense', states: statesFor(on, neurons) }),
        );
        for (const other of others) {
          assertClose(other.losses, expected.losses, { relative: 1e-4, absolute: 1e-4 }, program.text);
          assertClose(other.gradient, expected.gradient, { relative: 2e-4, absolute: 2e-4 }, program.text);
        }
      }
    });
});

const STEPS = 50;
const COPIES = 60;
/** With fixed seeds. By chance in one of about 6,000 comparisons: 3·10⁻⁶ in all, were they normal; 50 steps have wider tails. */
const BEYOND_CHANCE = 6.5;

function assertUnbiased(program: Program, neurons: readonly Neuron[], truth: Float64Array, path: Path = 'dense'): void {
  const states = statesFor(engine, neurons);
  const steps = Array.from(
    { length: STEPS },
    (_, step) => sampledGradient(engine, program, neurons, { copies: COPIES, step, path, states }).gradient,
  );
  truth.forEach((expected, i) => {
    const mean = steps.reduce((total, gradient) => total + gradient[i], 0) / STEPS;
    const variance = steps.reduce((total, gradient) => total + (gradient[i] - mean) ** 2, 0) / (STEPS - 1);
    const z = (mean - expected) / (Math.sqrt(variance / STEPS) + 1e-5 * (1 + Math.abs(expected)));
    assert.ok(
      Math.abs(z) < BEYOND_CHANCE,
      `${program.text}: parameter ${i} has the mean ${mean}, expected ${expected}, ${z} standard errors`,
    );
  });
}

describe('what claims to be unbiased has the mean of enumeration, at every parameter', () => {
  const truths = sampled.map((program) => exactGradient(reference, program));
  for (const neuron of unbiased)
    test(neuron.name, () => {
      sampled.forEach((program, i) => {
        if (program.sharesLosses && neuron.comparesRows) return;
        assertUnbiased(program, atSites(program, neuron), truths[i]);
      });
    });

  for (const neuron of unbiased.filter(({ reads, comparesRows }) => reads === 'loss' && !comparesRows))
    test(`${neuron.name}, parts run on the rows that open them`, () => {
      sampled.forEach((program, i) => {
        if (program.text.includes('parted')) assertUnbiased(program, atSites(program, neuron), truths[i], 'blocks');
      });
    });

  test('different neurons at the sites of one program', () => {
    sampled.forEach((program, i) => {
      const able = unbiased.filter(({ comparesRows }) => !program.sharesLosses || !comparesRows);
      for (let k = 0; k < (full ? 8 : 2); k++) {
        const chosen = [0, 1, 2].map((site) => able[(7 * i + 5 * k + 3 * site) % able.length]);
        assertUnbiased(program, atSites(program, ...chosen), truths[i]);
      }
    });
  });

  test('the measure sees a bias', () => {
    assert.throws(
      () => assertUnbiased(sampled[0], atSites(sampled[0], resolveNeuron('straight-through')), truths[0]),
      /standard errors/,
    );
  });
});

test('a neuron that compares the draws of a row is refused where rows share a loss, and inside a part', () => {
  const program = programs.find(({ lengths }) => lengths) as Program;
  for (const neuron of bits.filter(({ comparesRows }) => comparesRows)) {
    const neurons = [resolveNeuron('rloo'), neuron];
    assert.throws(
      () =>
        sampledGradient(reference, parted[0], neurons, {
          copies: 9,
          step: 0,
          path: 'blocks',
          states: statesFor(reference, neurons),
        }),
      { name: 'RangeError', message: /compares draws .* for \d+ gathered rows of examples share losses/ },
    );
  }
  for (const neuron of bits.filter(({ comparesRows }) => comparesRows)) {
    const neurons = atSites(program, neuron);
    assert.throws(
      () =>
        sampledGradient(reference, program, neurons, {
          copies: 1,
          step: 0,
          path: 'dense',
          states: statesFor(reference, neurons),
        }),
      {
        name: 'RangeError',
        message: /compares draws that differ in one row, and its logits .* points of 2 sequences share losses/,
      },
    );
  }
});
