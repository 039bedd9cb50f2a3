/** Neurons inside random programs of tensors: see test/helpers/programs.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditProgram, type ProgramAudit } from '../../src/audit/audit-program.ts';
import { derivative } from '../../src/audit/quadrature.ts';
import { unitOf } from '../../src/audit/unit-of.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { zoo } from '../../src/neurons/index.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertClose } from '../helpers/numbers.ts';
import {
  expectedLoss,
  functionOf,
  type Path,
  type Program,
  randomProgram,
  sampledGradient,
  statesFor,
  UNITS,
  valuesOf,
} from '../helpers/programs.ts';

/** Together they have every part: see the first test. */
const SEEDS = [1, 2, 3, 5, 8, 13];
const plain = SEEDS.map((seed) => randomProgram(seed));
/** Parts behind bits: with bits inside, of examples and of sequences, and three sites without. */
const parted = [1, 8, 18].map((seed) => randomProgram(seed, { parts: true }));
const programs = [...plain, ...parted];
/** One of sequences, one of examples, and one with bits inside a part; enumerating three sites takes four times as long as two. */
const sampled = full
  ? programs
  : [plain.find(({ lengths }) => lengths), plain.find(({ lengths }) => !lengths), parted[0]].filter(
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

test('the gradient by enumeration is that of the expected loss, by differences', { skip: slow }, async () => {
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
    // Bits of parts that stay closed are drawn where all parts are computed, and not where they are left out.
    for (const path of program.text.includes('parted') ? (['dense', 'blocks'] as const) : (['dense'] as const)) {
      const f = functionOf(program, atSites(program, resolveNeuron('rloo')), { copies: 1, path });
      const { loss, parameters, method } = await auditProgram(f, valuesOf(program), { samples: 20 });
      assert.equal(method, 'enumeration');
      const truth = parameters.flatMap((one) => Array.from(one.truth));
      assertClose(truth, differences, { relative: 1e-6, absolute: 1e-6 }, `${program.text}, ${path}`);
      assertClose([loss ?? 0], [expectedLoss(reference, program)], { relative: 1e-9 }, program.text);
    }
  }
});

describe('open blocks and all blocks: the same draws, losses and gradients', () => {
  const gated = programs.filter(({ text }) => text.includes('gates') || text.includes('parted'));
  for (const [i, neuron] of fitting
    .filter(({ backwardSees, jointNoise }) => backwardSees !== 'expectation' && !jointNoise)
    .entries())
    test(neuron.name, { skip: i % 4 > 0 && slow }, () => {
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
  for (const [i, neuron] of fitting.entries())
    test(neuron.name, { skip: i % 4 > 0 && slow }, () => {
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

/** Draws, each over copies of the examples. */
const [DRAWS, COPIES] = [200, 40];

/** The program with neurons at its sites, held against an audit that enumerated it, or for the first time. */
const audited = (program: Program, neurons: readonly Neuron[], truth?: ProgramAudit, path: Path = 'dense') =>
  auditProgram(functionOf(program, neurons, { copies: 1, path: 'dense' }), valuesOf(program), {
    engine,
    samples: DRAWS,
    repeated: functionOf(program, neurons, { copies: COPIES, path }),
    ...(truth && { truth }),
  });

const truths = await Promise.all(sampled.map((program) => audited(program, atSites(program, resolveNeuron('disarm')))));

async function assertUnbiased(program: Program, neurons: readonly Neuron[], path?: Path): Promise<void> {
  const truth = truths[sampled.indexOf(program)];
  const [{ claim, verdict, evidence }] = (await audited(program, neurons, truth, path)).verdicts;
  assert.deepEqual([claim, verdict], ['unbiased', 'holds'], `${program.text}: ${evidence}`);
}

describe('what claims to be unbiased has the mean of enumeration, at every parameter', () => {
  for (const [i, neuron] of unbiased.entries())
    test(neuron.name, { skip: i % 8 > 0 && slow }, async () => {
      for (const program of sampled)
        if (!program.sharesLosses || !neuron.comparesRows) await assertUnbiased(program, atSites(program, neuron));
    });

  for (const [i, neuron] of unbiased.filter(({ reads, comparesRows }) => reads === 'loss' && !comparesRows).entries())
    test(`${neuron.name}, parts run on the rows that open them`, { skip: i % 4 > 0 && slow }, async () => {
      for (const program of sampled)
        if (program.text.includes('parted')) await assertUnbiased(program, atSites(program, neuron), 'blocks');
    });

  test('different neurons at the sites of one program', async () => {
    for (const [i, program] of (full ? sampled : sampled.slice(0, 1)).entries()) {
      const able = unbiased.filter(({ comparesRows }) => !program.sharesLosses || !comparesRows);
      for (let k = 0; k < (full ? 8 : 1); k++) {
        const chosen = [0, 1, 2].map((site) => able[(7 * i + 5 * k + 3 * site) % able.length]);
        await assertUnbiased(program, atSites(program, ...chosen));
      }
    }
  });

  test('the measure sees a bias', async () => {
    const [{ claim, verdict, evidence }] = (
      await audited(sampled[0], atSites(sampled[0], resolveNeuron('straight-through')), truths[0])
    ).verdicts;
    assert.deepEqual([claim, verdict], ['biased', 'holds']);
    assert.match(evidence, /as of straight-through is to be expected/);
    // The same from a neuron that claims to be unbiased.
    const { claims } = resolveNeuron('disarm');
    const lying = { ...resolveNeuron('straight-through'), claims };
    const [refuted] = (await audited(sampled[0], atSites(sampled[0], lying), truths[0])).verdicts;
    assert.deepEqual([refuted.claim, refuted.verdict], ['unbiased', 'refuted']);
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
