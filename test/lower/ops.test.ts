/** Every operation of flipgrad/tensor in exports: each gives what it gives here, or is refused by name. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { createModel, exportOneFile, exportOnnx, type Model } from '../../src/index.ts';
import type { PortablePrediction } from '../../src/lower/one-file-predictor.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { type Module, module } from '../../src/nn/module.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import * as t from '../../src/tensor/index.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { full } from '../helpers/extent.ts';
import { drawn, normal } from '../helpers/numbers.ts';
import { onnxSession } from '../helpers/onnx-session.ts';
import { type Argument, type Call, calls } from '../tensor/nd-cases.ts';
import { distance, ourLogits } from './models.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());
const ROWS = 3;

/** Losses are no part of a network, and a table that all rows share is read at places that the input does not say. */
const UNTOLD = new Set([
  'squaredError',
  'absoluteError',
  'huber',
  'softmaxCrossEntropy',
  'sigmoidCrossEntropy',
  'bernoulliDivergence',
]);

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const isGiven = ({ shared, below }: Argument): boolean => !shared && below === undefined;

/** A model whose rows are the arguments of a call, one after another; which of them (bits) all rows share instead. */
function modelOf({ inputs, run }: Call, shared: number): { model: Model; features: Float32Array } {
  const own = inputs.map((argument, i) => isGiven(argument) && ((shared >> i) & 1) === 0);
  if (!own.includes(true)) own[inputs.findIndex(isGiven)] = true;
  const numbers = inputs.map(({ shape, draw = normal() }, i) => drawn(draw, sizeOf(shape), 7, i));
  const call = module('call', (scope, x) => {
    let at = 0;
    const tensors = inputs.map(({ shape, below }, i) => {
      const size = sizeOf(shape);
      if (below !== undefined) {
        const places = t.wholeNumbers(
          x.tape,
          Array.from({ length: size }, (_, j) => (3 * j + i) % below),
        );
        return t.reshape(places, shape);
      }
      if (!own[i])
        return scope.parameter(`argument ${i}`, shape, { initialize: ({ values }) => values.set(numbers[i]) });
      at += size;
      return t.reshape(t.slice(x, [at - size], [at]), shape);
    });
    const y = run(...tensors);
    return t.reshape(y, [y.columns]);
  });
  const kept = inputs.filter((_, i) => own[i]);
  const width = kept.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const row = (r: number) =>
    kept.flatMap(({ shape, draw = normal() }, i) => [...drawn(draw, sizeOf(shape), 20 + r, i)]);
  const features = Float32Array.from(Array.from({ length: ROWS }, (_, r) => row(r)).flat());
  return { model: createModel(engine, call, { inputs: width, seed: 1 }), features };
}

/** A number or two of rounding apart, relative where numbers are large. */
function near(given: ArrayLike<number>, wanted: Float32Array): boolean {
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return distance(given, wanted) < 1e-4 * scale;
}

describe('operations in exports', () => {
  for (const [name, arbitrary] of Object.entries(calls)) {
    if (name === 'gather') continue;
    const filled = arbitrary.filter(({ inputs }) => inputs.every(({ shape }) => sizeOf(shape) > 0));
    test(`${name}: ${UNTOLD.has(name) ? 'is refused by name' : 'ONNX and JavaScript give what it gives'}`, async () => {
      await fc.assert(
        fc.asyncProperty(filled, fc.nat(7), async (call, shared) => {
          const { model, features } = modelOf(call, shared);
          if (model.outputs === 0) {
            assert.throws(() => exportOnnx(model), { name: 'ExportError', message: /hence no elements/ });
            return;
          }
          if (UNTOLD.has(name)) {
            const message = new RegExp(`The operation "${name}" in "call0" cannot be exported: .* Expected \`lower\``);
            for (const make of [exportOnnx, exportOneFile])
              assert.throws(() => make(model), { name: 'ExportError', message });
            return;
          }
          const wanted = ourLogits(model, 'threshold', features, ROWS);
          const { logits } = await (await onnxSession(exportOnnx(model).bytes)).run(features, ROWS);
          assert.ok(near(logits, wanted), `ONNX: ${logits.join()} for ${wanted.join()}`);
          const file = (await import(`data:text/javascript,${encodeURIComponent(exportOneFile(model))}`)) as {
            predict(row: ArrayLike<number>): PortablePrediction;
          };
          const theirs = Array.from({ length: ROWS }, (_, r) =>
            file.predict(features.subarray(r * model.inputs, (r + 1) * model.inputs)),
          );
          assert.ok(
            near(
              theirs.flatMap((one) => one.logits),
              wanted,
            ),
            'JavaScript',
          );
        }),
        { numRuns: full ? 40 : 3, seed: 11 },
      );
    });
  }
});

describe('what cannot be exported is told in a sentence', () => {
  const refused = (layers: Module, message: RegExp) => {
    const model = createModel(engine, layers, { inputs: 4 });
    for (const make of [exportOnnx, exportOneFile]) assert.throws(() => make(model), { name: 'ExportError', message });
  };

  test('an operation without `lower`, a mixture of rows, random units, an output that is the same for all', () => {
    const untold = t.defineOp({
      name: 'untold',
      forward: (_engine, [x]) => ({ output: x }),
      pullback: (_engine, _record, dy) => [dy],
    });
    refused(
      module('own', (_scope, x) => untold(x)),
      /The operation "untold" in "own0" cannot be exported: it does not say/,
    );
    refused(
      module('pool', (_scope, x) => t.add(x, t.meanRows(x))),
      /The operation "sumRows" in "pool0" cannot be exported/,
    );
    refused(
      module('random', (scope, x) =>
        fireTensor(x, {
          neuron: resolveNeuron('straight-through'),
          mode: 'sample',
          source: { ...scope.pass.source, layer: 9 },
        }),
      ),
      /The units of "random0" cannot be exported: the neuron "straight-through" draws random numbers/,
    );
    refused(
      module('same', (scope, x) => t.multiply(scope.parameter('p', [x.columns], { initialize: 2 }), 3)),
      /does not depend on its input/,
    );
  });

  test('what the output is not made of may be anything', () => {
    const model = createModel(
      engine,
      module('own', (_scope, x) => {
        t.bernoulliDivergence(x);
        return t.exp(x);
      }),
      { inputs: 4 },
    );
    assert.ok(exportOnnx(model).bytes.length > 0);
    assert.match(exportOneFile(model), /Math\.exp\(a\)/);
  });

  test('a `lower` that gives another shape than its operation', () => {
    const wrong = t.defineOp({
      name: 'wrong',
      forward: (_engine, [x]) => ({ output: x }),
      pullback: (_engine, _record, dy) => [dy],
      lower: (to, [x]) => to.reduce('sum', x, [0]),
    });
    refused(
      module('own', (_scope, x) => wrong(x)),
      /"wrong" in "own0" cannot be exported: its `lower` gives the shape \[1\] for a row\. Expected \[4\]/,
    );
  });
});
