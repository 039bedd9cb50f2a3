/** `tape.descend`: plain gradient descent on weights while their gradient is computed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Engine } from '../../src/backend/engine.ts';
import type { NdArray } from '../../src/backend/nd-array.ts';
import type { OpName } from '../../src/tensor/ops.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { inputValues, type OpCall } from '../helpers/gradient-check.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';
import { type OpCase, opCases } from './op-cases.ts';

/** Where the operations that descend in place have their weights. */
const WEIGHTS: Partial<Record<OpName, number>> = {
  matmul: 1,
  allBlocks: 1,
  denseToBlocks: 1,
  blocksToDense: 1,
  blocksToBlocks: 1,
};
const table = Object.entries(opCases) as unknown as readonly [OpName, OpCase<OpName>][];

interface Options {
  /** Ask for descent with this factor. */
  readonly factor?: number;
  /** Which input is to descend. */
  readonly at: number;
  /** Does the first input show other values to pullbacks? */
  readonly shown: boolean;
}

/** What a step makes of every input, and whether a gradient of the one that descends was kept. */
function step(engine: Engine, name: OpName, call: OpCall<OpName>, seed: number, { factor, at, shown }: Options) {
  engine.beginStep();
  const tape = new Tape(engine);
  const inputs = inputValues(call, seed).map((values, i) => engine.tensor(values, call.inputs[i].shape));
  if (shown) inputs[0].shownToPullbacks = engine.tensor(drawn(normal(), inputs[0].size, seed, 90), inputs[0].shape);
  tape.watch(inputs);
  const output = tape.apply(name, inputs, call.attributes(engine));
  const cotangent = engine.tensor(drawn(normal(), output.size, seed, 91), output.shape);
  const total = tape.apply('multiply', [output, cotangent], {});
  if (factor !== undefined) tape.descend(inputs[at], factor);
  const { lossRows = 0 } = call;
  tape.backward([{ tensor: total, cotangent: 1 }], engine.tensor(drawn(normal(2), lossRows, seed, 92)));
  const gradients = inputs.map((input) => tape.gradient(input)?.values.slice());
  return { values: inputs.map((input) => [...input.values]), gradients, kept: gradients[at] !== undefined };
}

const times = (factor: number, gradient: ArrayLike<number> | undefined, i: number): number =>
  gradient ? factor * gradient[i] : 0;

for (const engine of [reference, ...builds])
  describe(`in-place descent on ${engine.name}`, () => {
    for (const [name, { calls }] of table)
      test(`${name}: the same parameters as gradient and addScaled, and the same gradients elsewhere`, () => {
        const factors = fc.constantFrom(-0.1, -1.5, 0.75);
        fc.assert(
          fc.property(calls, fc.nat(), factors, fc.nat(), fc.boolean(), (call, seed, factor, index, shown) => {
            const at = index % call.inputs.length;
            const plain = step(engine, name, call, seed, { at, shown });
            const before = inputValues(call, seed);
            assertClose(
              plain.values.flat(),
              before.flatMap((values) => [...values]),
              {},
              `${name}: inputs that stay`,
            );
            const inPlace = step(engine, name, call, seed, { at, shown, factor });
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
            const { transposeB = false } = call.attributes(engine) as { transposeB?: boolean };
            if (at === WEIGHTS[name] && !transposeB)
              assert.ok(!inPlace.kept, `${name} has kept the gradient in memory`);
          }),
          { numRuns: engine === reference ? 30 : 60, ...(name === 'fire' ? { seed: 2013 } : {}) },
        );
      });

    test('a tensor that is used twice is not descended; its gradient is the sum', () => {
      for (const twice of [true, false]) {
        engine.beginStep();
        const tape = new Tape(engine);
        const weights = engine.tensor([1, 2, 3, 4], [2, 2]);
        const [x, y] = [engine.tensor([5, 6], [1, 2]), engine.tensor([7, 8], [1, 2])];
        tape.watch([weights]);
        const outputs: NdArray[] = [tape.apply('matmul', [x, weights], {})];
        if (twice) outputs.push(tape.apply('matmul', [y, weights], {}));
        tape.descend(weights, -1);
        tape.backward(outputs.map((tensor) => ({ tensor, cotangent: 1 })));
        const gradient = tape.gradient(weights);
        assert.deepEqual(gradient && [...gradient.values], twice ? [12, 12, 14, 14] : undefined);
        assert.deepEqual([...weights.values], twice ? [1, 2, 3, 4] : [-4, -3, -3, -2]);
      }
    });

    test('the weights that pullbacks below read are those of the forward pass', () => {
      engine.beginStep();
      const tape = new Tape(engine);
      const [x, weights] = [engine.tensor([1, -2], [1, 2]), engine.tensor([3, 5], [2, 1])];
      tape.watch([x, weights]);
      const y = tape.apply('matmul', [x, weights], {});
      tape.descend(weights, -10);
      tape.backward([{ tensor: y, cotangent: 1 }]);
      assert.deepEqual([...(tape.gradient(x)?.values ?? [])], [3, 5]);
      assert.deepEqual([...weights.values], [-7, 25]);
    });
  });
