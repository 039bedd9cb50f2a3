/** `tape.descend`: plain gradient descent on weights while their gradient is computed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Engine } from '../../src/backend/engine.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full } from '../helpers/extent.ts';
import { forward, inputValues, lossesOf, type OpCall, weighed } from '../helpers/gradient-check.ts';
import { assertClose } from '../helpers/numbers.ts';
import { type OpCase, opCases } from './op-cases.ts';

const table = Object.entries(opCases) as unknown as readonly [string, OpCase][];

interface Options {
  /** Ask for descent with this factor. */
  readonly factor?: number;
  /** Which input is to descend. */
  readonly at: number;
}

/** What a step makes of every input, and whether a gradient of the one that descends was kept. */
function step(engine: Engine, call: OpCall, seed: number, { factor, at }: Options) {
  const { tape, arrays, inputs, output } = forward(engine, call, inputValues(call, seed));
  const total = weighed(output, seed, 91);
  if (factor !== undefined) tape.descend(arrays[at], factor);
  tape.backward([{ tensor: total, cotangent: 1 }], lossesOf(tape, call, seed, 92));
  const gradients = inputs.map((input) => tape.gradient(input)?.values.slice());
  return { values: arrays.map((array) => [...array.values]), gradients, kept: gradients[at] !== undefined };
}

/** Weights of which the shape does not say whether they are transposed. */
const isSquare = ({ inputs }: OpCall): boolean => inputs[1]?.shape[0] === inputs[1]?.shape[1];

const times = (factor: number, gradient: ArrayLike<number> | undefined, i: number): number =>
  gradient ? factor * gradient[i] : 0;

for (const engine of [reference, ...builds])
  describe(`in-place descent on ${engine.name}`, () => {
    for (const [name, { calls, descends }] of table)
      test(`${name}: the same parameters as gradient and addScaled, and the same gradients elsewhere`, () => {
        const factors = fc.constantFrom(-0.1, -1.5, 0.75);
        fc.assert(
          fc.property(calls, fc.nat(), factors, fc.nat(), (call, seed, factor, index) => {
            const at = index % call.inputs.length;
            const plain = step(engine, call, seed, { at });
            const before = inputValues(call, seed);
            assertClose(
              plain.values.flat(),
              before.flatMap((values) => [...values]),
              {},
              `${name}: inputs that stay`,
            );
            const inPlace = step(engine, call, seed, { at, factor });
            // The products of a sum may cancel: its scale is that of the terms, all about 1.
            const tolerance = { relative: 1e-6, absolute: 4e-6 };
            for (const i of call.inputs.keys()) {
              if (i !== at) {
                assertClose(inPlace.values[i], plain.values[i], {}, `input ${i} of ${name}`);
                assertClose(inPlace.gradients[i] ?? [], plain.gradients[i] ?? [], {}, `gradient ${i} of ${name}`);
                continue;
              }
              const stepped = inPlace.values[i].map((w, j) => w + times(factor, inPlace.gradients[i], j));
              const expected = Array.from(before[i], (w, j) => w + times(factor, plain.gradients[i], j));
              assertClose(stepped, expected, tolerance, `input ${i} of ${name}, descended`);
            }
            const isTransposed = name === 'matmul' && call.inputs[0].shape[1] !== call.inputs[1].shape[0];
            if (at === descends && !isTransposed && !isSquare(call))
              assert.ok(!inPlace.kept, `${name} has kept the gradient in memory`);
          }),
          { numRuns: full ? (engine === reference ? 30 : 60) : 15, ...(name === 'fire' ? { seed: 2013 } : {}) },
        );
      });

    const start = () => {
      engine.beginStep();
      return new Tape(engine);
    };
    const rowOf = (tape: Tape, values: number[], tracked = false) =>
      tape.input(engine.tensor(values, [1, values.length]), tape.plates.examples(1), tracked);

    test('an array that is used twice is not descended; its gradient is the sum', () => {
      for (const twice of [true, false]) {
        const tape = start();
        const weights = engine.tensor([1, 2, 3, 4], [2, 2]);
        tape.watch([weights]);
        const w = tape.parameter(weights);
        const outputs = [matmul(rowOf(tape, [5, 6]), w)];
        if (twice) outputs.push(matmul(rowOf(tape, [7, 8]), w));
        tape.descend(weights, -1);
        tape.backward(outputs.map((tensor) => ({ tensor, cotangent: 1 })));
        const gradient = tape.gradient(weights);
        assert.deepEqual(gradient && [...gradient.values], twice ? [12, 12, 14, 14] : undefined);
        assert.deepEqual([...weights.values], twice ? [1, 2, 3, 4] : [-4, -3, -3, -2]);
      }
    });

    test('the weights that pullbacks below read are those of the forward pass', () => {
      const tape = start();
      const weights = engine.tensor([3, 5], [2, 1]);
      tape.watch([weights]);
      const x = rowOf(tape, [1, -2], true);
      const y = matmul(x, tape.parameter(weights));
      tape.descend(weights, -10);
      tape.backward([{ tensor: y, cotangent: 1 }]);
      assert.deepEqual([...(tape.gradient(x)?.values ?? [])], [3, 5]);
      assert.deepEqual([...weights.values], [-7, 25]);
    });
  });
