/** A whole network that reads sequences: gradients against central differences, and the engines against one another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/backend/engine.ts';
import { penStrings } from '../../src/data/pen-strings.ts';
import { sum } from '../../src/math/statistics.ts';
import { dense } from '../../src/nn/dense.ts';
import { lstm } from '../../src/nn/lstm.ts';
import { createModel, type Model } from '../../src/nn/model.ts';
import type { Pass } from '../../src/nn/pass.ts';
import { ctc } from '../../src/tensor/ops/sequences.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { builds, reference } from '../helpers/engines.ts';
import { full } from '../helpers/extent.ts';
import { assertClose } from '../helpers/numbers.ts';

const data = penStrings({ seed: 4, count: 3, writers: 2 });

const modelOf = (engine: Engine): Model =>
  createModel(engine, {
    inputs: data.width,
    seed: 3,
    layers: [lstm(5, { bidirectional: true }), dense(6, 'tanh'), lstm(3), dense(11)],
  });

/** The summed loss of all sequences, and its tape. */
function lossOf({ engine, ...model }: Model, apply: Model['apply']): { tape: Tape; loss: number; back: () => void } {
  engine.beginStep();
  const tape = new Tape(engine);
  const source = { key: [1, 2] as const, step: 0, draw: 0 };
  const pass: Pass = { tape, mode: 'train', source, penalties: [] };
  const parameters = model.layers.flatMap((layer) => layer.parameters);
  tape.watch(parameters.map(({ tensor }) => tensor));
  const points = engine.tensor(data.features, [data.features.length / data.width, data.width]);
  const logits = apply(pass, tape.input(points, tape.plates.points(Int32Array.from(data.offsets))));
  const strings = { labels: Int32Array.from(data.labels), offsets: Int32Array.from(data.labelOffsets) };
  const losses = ctc(logits, strings);
  return {
    tape,
    loss: sum(losses.values),
    back: () => tape.backward([{ tensor: losses, cotangent: 1 }], losses),
  };
}

/** The gradient of the summed loss, by parameter. */
function gradientsOf(model: Model): Map<string, Float64Array> {
  const { tape, back } = lossOf(model, (pass, x) => model.apply(pass, x));
  back();
  return new Map(
    model.parameters.map(({ name, tensor }) => [name, Float64Array.from(tape.gradient(tensor)?.values ?? [])]),
  );
}

test('gradients of a network with two LSTM layers and CTC agree with central differences', () => {
  const model = modelOf(reference);
  const gradients = gradientsOf(model);
  const loss = (): number => lossOf(model, (pass, x) => model.apply(pass, x)).loss;
  for (const { name, tensor } of model.parameters) {
    const gradient = gradients.get(name) as Float64Array;
    assert.equal(gradient.length, tensor.size, `${name} has a gradient`);
    assert.ok(
      gradient.some((g) => Math.abs(g) > 1e-3),
      `the gradient of ${name} is not nothing`,
    );
    // In `npm test` every fifth number of a parameter.
    const numbers = Array.from(gradient.keys()).filter((i) => full || i % 5 === 0);
    const differences = numbers.map((i) => {
      const before = tensor.values[i];
      tensor.values[i] = before + 1e-5;
      const above = loss();
      tensor.values[i] = before - 1e-5;
      const below = loss();
      tensor.values[i] = before;
      return (above - below) / 2e-5;
    });
    const ours = numbers.map((i) => gradient[i]);
    assertClose(ours, differences, { relative: 1e-6, absolute: 1e-7 }, name);
  }
});

test('the gradients on WebAssembly are those of the reference engine', () => {
  const expected = gradientsOf(modelOf(reference));
  for (const engine of builds)
    for (const [name, gradient] of gradientsOf(modelOf(engine)))
      assertClose(gradient, expected.get(name) as Float64Array, { relative: 1e-4, absolute: 1e-4 }, name);
});
