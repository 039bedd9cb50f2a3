import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { blockMask } from '../../src/backend/block-mask.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { NdArray } from '../../src/backend/nd-array.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import type { FiringMode } from '../../src/tensor/fire.ts';
import { gateBlocks } from '../../src/tensor/ops/block-gates.ts';
import { type BlockShape, openBlocks } from '../../src/tensor/ops/block-shape.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full } from '../helpers/extent.ts';
import { checkGradient, examples, inputValues, type OpCall, type OpResult, runOp } from '../helpers/gradient-check.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { fireCall, neurons, type OpCase, opCases } from './op-cases.ts';

const table = Object.entries(opCases) as unknown as readonly [string, OpCase][];
const TOLERANCE = { relative: 2e-6, absolute: 4e-6 };
/** The same cases every time: where a uniform is within rounding of a jump, Float32 and Float64 rightly differ. */
const FIXED = { seed: 2013 };

/** Compares an engine with the reference, forward, back and in what the operation keeps. */
function compare(engine: Engine, name: string, call: OpCall, seed: number): void {
  const [actual, expected] = [runOp(engine, call, seed), runOp(reference, call, seed)];
  assertClose(actual.output, expected.output, TOLERANCE, `the output of ${name}`);
  expected.gradients.forEach((gradient, i) => {
    assertClose(actual.gradients[i] ?? [], gradient ?? [], TOLERANCE, `gradient ${i} of ${name}`);
  });
  const units = call.inputs[0].shape[1];
  assertClose(stateOf(actual, units), stateOf(expected, units), TOLERANCE, `the state after ${name}`);
}

/** The moving averages that a neuron keeps, without the padding of their rows. */
function stateOf({ prepared }: OpResult, units: number): number[] {
  return prepared instanceof NdArray ? [...prepared.values].filter((_, i) => i % prepared.columns < units) : [];
}

describe('gradients agree with central differences', () => {
  for (const [name, { calls, smooth = calls }] of table)
    test(name, () => {
      fc.assert(
        fc.property(smooth, fc.nat(), (call, seed) => checkGradient(call, seed)),
        { numRuns: full ? 40 : 10 },
      );
    });
});

for (const engine of builds)
  describe(`${engine.name} agrees with the reference engine`, () => {
    for (const [name, { calls }] of table)
      test(name, () => {
        fc.assert(
          fc.property(calls, fc.nat(), (call, seed) => compare(engine, name, call, seed)),
          { numRuns: full ? 100 : 20, ...(name === 'fire' ? FIXED : {}) },
        );
      });

    test('every neuron, on rows and units that fill no vector', () => {
      for (const spec of neurons.filter((_, i) => full || i % 4 === 0))
        for (const [rows, units] of [
          [1, 1],
          [3, 5],
          [16, 1],
          [2, 64],
          [7, 33],
          [0, 3],
        ])
          compare(engine, 'fire', fireCall(spec, rows, units, 5), 11);
    });

    test('mean-field and threshold firing of every neuron', () => {
      for (const spec of neurons)
        for (const mode of ['mean-field', { threshold: 0.3 }] as const)
          assertClose(firedIn(engine, spec, mode), firedIn(reference, spec, mode), TOLERANCE, `${spec}`);
    });
  });

function firedIn(engine: Engine, spec: string, mode: FiringMode): number[] {
  engine.beginStep();
  const tape = new Tape(engine);
  const logits = tape.input(engine.tensor(drawn(normal(3), 77, 5), [7, 11]), tape.plates.examples(7));
  const source = { key: [1, 2], step: 3, layer: 4, draw: 5 } as const;
  return [...fireTensor(logits, { neuron: resolveNeuron(spec), mode, source }).values];
}

test('threshold firing opens what is over the threshold, and only that', () => {
  const logits = drawn(normal(3), 77, 5);
  const h = firedIn(builds[0], 'stochastic-binary', { threshold: 0.3 });
  assert.deepEqual(
    h,
    Array.from(logits, (a) => (a > 0.3 ? 1 : 0)),
  );
});

test('a draw depends on its key, step, layer and draw, and on nothing else', () => {
  const draw = (change: object): number[] => {
    const engine = builds[0];
    engine.beginStep();
    const tape = new Tape(engine);
    const logits = tape.input(engine.tensor(new Float32Array(64), [4, 16]), tape.plates.examples(4));
    const source = { key: [1, 2] as const, step: 3, layer: 4, draw: 5, ...change };
    return [...fireTensor(logits, { neuron: resolveNeuron('straight-through'), mode: 'sample', source }).values];
  };
  assert.deepEqual(draw({}), draw({}));
  for (const change of [{ key: [1, 3] }, { key: [0, 2] }, { step: 4 }, { layer: 5 }, { draw: 6 }])
    assert.notDeepEqual(draw(change), draw({}), JSON.stringify(change));
});

describe('shapes that do not fit are refused in a sentence', () => {
  for (const [name, { mistake }] of table)
    if (mistake)
      test(name, () => {
        for (const engine of [reference, ...builds])
          assert.throws(() => runOp(engine, mistake.call, 1), { name: 'RangeError', message: mistake.says });
      });

  test('a bias that does not fit a product', () => {
    const call: OpCall = {
      inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [3] }],
      apply: ([a, b, bias]) => matmul(a, b, bias),
    };
    const message = 'matmul: the bias has 3 elements, the product has 4 columns.';
    assert.throws(() => runOp(reference, call, 1), { name: 'RangeError', message });
  });
});

test('weights on the gradients of gates multiply them one by one, and nothing else', () => {
  const weights = [1, 2, 3, 4, 5, 6];
  const call = (weighted: boolean): OpCall<BlockShape> => ({
    prepare(tape) {
      const { engine, plates } = tape;
      // The fifth is closed, but computed: a probe.
      const mask = blockMask(engine, engine.tensor([1, 0, 1, 0, 1, 1], [2, 3]));
      const shape = openBlocks({ tape, plate: plates.examples(2) }, mask, 2);
      return { ...shape, ...(weighted && { gradientWeights: engine.tensor(weights, [2, 3]) }) };
    },
    inputs: [
      { shape: [2, 3], plate: examples(2) },
      { shape: [4, 2], plate: (_tape, { pairs }) => pairs },
    ],
    apply: ([gates, values], shape) => gateBlocks(gates, values, shape),
  });
  for (const engine of [reference, ...builds]) {
    const [plain, weighted] = [false, true].map((choice) => runOp(engine, call(choice), 4));
    assert.deepEqual(weighted.output, plain.output);
    const [dGates, dValues] = plain.gradients;
    assert.equal(dGates?.filter((gradient) => gradient !== 0).length, 4);
    const expected = dGates?.map((gradient, i) => gradient * weights[i]) ?? [];
    assertClose(weighted.gradients[0] ?? [], expected, { relative: 1e-7 }, 'gate gradients');
    assert.deepEqual(weighted.gradients[1], dValues);
  }
});

test('a product with transposed operands is the product of the transposes', () => {
  const call: OpCall = {
    inputs: [{ shape: [3, 2] }, { shape: [4, 3] }],
    apply: ([a, b]) => matmul(a, b, undefined, { transposeA: true, transposeB: true }),
  };
  const [a, b] = inputValues(call, 3);
  const expected = Array.from({ length: 8 }, (_, at) => {
    const [i, j] = [at >> 2, at & 3];
    return a[i] * b[3 * j] + a[2 + i] * b[3 * j + 1] + a[4 + i] * b[3 * j + 2];
  });
  assertClose(runOp(reference, call, 3).output, expected, { relative: 1e-14, absolute: 1e-14 }, 'aᵀ·bᵀ');
});
