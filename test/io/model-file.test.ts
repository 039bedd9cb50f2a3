import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FormatError } from '../../src/io/format-error.ts';
import { loadModel, saveModel } from '../../src/io/model-file.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../src/io/safetensors.ts';
import { defineNeuron, fireEach, pullbackEach } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { dense } from '../../src/nn/dense.ts';
import { gated } from '../../src/nn/gated.ts';
import { createModel, type LayerSpec, type Model } from '../../src/nn/model.ts';
import { module } from '../../src/nn/module.ts';
import { residual } from '../../src/nn/residual.ts';
import { createEngine } from '../../src/platform/node/engine.ts';
import { add } from '../../src/tensor/ops/arithmetic.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { digits, resultOf } from '../train/tiny.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());

const MODELS: readonly [string, LayerSpec[]][] = [
  ['gated, by names', [gated(24, { blocks: 8, gater: [6], activation: 'tanh', rate: 0.3 }), dense(10)]],
  ['gated, by options', [gated(12, { neuron: { name: 'noisy-rectifier', noise: 'logistic' }, gater: [] }), dense(10)]],
  ['by neurons', [dense(8, resolveNeuron('stochastic-binary:baseline=none')), dense(10)]],
  ['selection biases', [gated(24, { blocks: 8, neuron: 'top-k:k=2', balance: true, sparsity: 'none' }), dense(10)]],
  ['always open', [dense(8, 'noisy-sigmoid', 'a "name" of its own'), dense(10)]],
];

const trained = async (layers: LayerSpec[]): Promise<Model> => {
  const model = createModel(engine, { inputs: 784, layers, seed: 9 });
  await resultOf(model, digits, { epochs: 1, batch: 50 });
  return model;
};

describe('a model in a file', () => {
  for (const [name, layers] of MODELS)
    test(`answers as the model does: ${name}`, async () => {
      const model = await trained(layers);
      const file = saveModel(model);
      const other = await createEngine({ threads: 2 });
      const back = loadModel(other, file);
      for (const mode of ['threshold', 'mean-field', 'sample'] as const)
        assert.deepEqual(evaluate(back, digits.test, { mode }), evaluate(model, digits.test, { mode }), mode);
      assert.deepEqual(saveModel(back), file, 'the same bytes');
      other.close();
    });

  test('holds weights as inputs × units', async () => {
    const { tensors } = decodeSafetensors(saveModel(await trained(MODELS[0][1])), 'x');
    assert.deepEqual(tensors.get('gated0.experts.weights')?.shape, [784, 24]);
    assert.deepEqual(tensors.get('gated0.gates.threshold')?.shape, [1]);
  });

  test('neurons of one’s own are asked for by name', () => {
    const half = defineNeuron({
      name: 'half',
      source: 'this test',
      summary: 'h = a/2',
      options: { by: { minimum: 1, maximum: 9, default: 2, meaning: 'divisor' } },
      rule: ({ by }) => ({
        noise: 0,
        reads: 'cotangent',
        range: 'real',
        claims: { unbiased: true },
        fire: fireEach((a) => a / by),
        pullback: pullbackEach(() => 1 / by),
        expect: (a) => a / by,
        whenOpen: (a) => a / by,
      }),
    });
    const file = saveModel(createModel(engine, { inputs: 4, layers: [dense(3, half), dense(2)] }));
    assert.throws(() => loadModel(engine, file), /no neuron "half"/);
    const back = loadModel(engine, file, { neurons: [half] });
    assert.equal(back.sites[0].neuron.options.by, 2);
    const nested = createModel(engine, {
      inputs: 4,
      layers: [residual(dense(4, 'half:by=3')), dense(2)],
      neurons: [half],
    });
    const again = loadModel(engine, saveModel(nested), { neurons: [half] });
    assert.equal(again.sites[0].neuron.options.by, 3);
  });

  test('keeps the weights of modules of one’s own, which are given again', () => {
    const shift = module('shift', (scope, x) => add(x, scope.parameter('by', [4], { initialize: 0.5 })));
    const layers = [shift, dense(2, 'linear', 'output')];
    const model = createModel(engine, { inputs: 4, layers });
    model.setWeights('shift0.by', [1, 2, 3, 4]);
    const file = saveModel(model);
    assert.throws(() => loadModel(engine, file), /"shift0" is a module of your own.* --net FILE/);
    assert.deepEqual([...loadModel(engine, file, { layers }).weights('shift0.by')], [1, 2, 3, 4]);
    const other = module('shift', (scope, x) => add(x, scope.parameter('by', [1])));
    assert.throws(
      () => loadModel(engine, file, { layers: [other, layers[1]] }),
      /4 values for "shift0.by"; its layers ask for 1/,
    );
  });
});

describe('a model file of unknown origin', () => {
  const model = createModel(engine, { inputs: 6, layers: [gated(8, { blocks: 4, gater: [3] }), dense(2)] });
  const file = decodeSafetensors(saveModel(model), 'x');
  const spec = JSON.parse(file.metadata.spec);
  type Change = { tensors?: (tensors: Map<string, NamedTensor>) => void; spec?: unknown; format?: string };
  const changed = ({ tensors: change, spec: other, format }: Change): Uint8Array => {
    const tensors = new Map(file.tensors);
    change?.(tensors);
    const metadata = {
      format: format ?? file.metadata.format,
      spec: other === undefined ? file.metadata.spec : JSON.stringify(other),
    };
    return encodeSafetensors({ tensors, metadata });
  };
  const layer = (fields: object) => ({ ...spec, layers: [{ ...spec.layers[0], ...fields }, spec.layers[1]] });
  const values = (name: string, all: Float32Array | Float64Array) => (tensors: Map<string, NamedTensor>) =>
    tensors.set(name, { shape: [all.length], values: all });
  const cases: readonly [string, Change, RegExp][] = [
    ['another format', { format: 'pt' }, /the format "pt"/],
    [
      'a missing tensor',
      { tensors: (t) => t.delete('dense1.bias') },
      /nothing for "dense1.bias"; its layers ask for 2/,
    ],
    ['a misshapen one', { tensors: values('dense1.bias', new Float32Array(3)) }, /3 values for "dense1.bias"/],
    ['a foreign one', { tensors: values('extra', new Float32Array(3)) }, /holds "extra"/],
    ['NaN', { tensors: values('dense1.bias', Float32Array.of(1, Number.NaN)) }, /NaN or infinity in "dense1.bias"/],
    [
      'a NaN threshold',
      { tensors: values('gated0.gates.threshold', Float64Array.of(Number.NaN)) },
      /NaN for the threshold/,
    ],
    [
      'layers larger than the file',
      { spec: layer({ units: 2 ** 30, blocks: 4 }) },
      /more memory than the file has weights/,
    ],
    ['inputs without end', { spec: { ...spec, inputs: 2 ** 52 } }, /more memory than/],
    ['a wide gater', { spec: layer({ gater: [2 ** 40] }) }, /more memory than/],
    ['no layers', { spec: { ...spec, layers: [] } }, /has no layers/],
    ['layers that are none', { spec: { ...spec, layers: [null] } }, /A layer of the model file is null/],
    ['an unknown layer', { spec: layer({ layer: 'telepathy' }) }, /no layer "telepathy"/],
    ['an unknown neuron', { spec: layer({ neuron: 'abacus' }) }, /no neuron "abacus"/],
    ['a neuron that is a number', { spec: layer({ neuron: 7 }) }, /cannot be built/],
    ['a spec that is a list', { spec: [] }, /is an array/],
  ];
  for (const [name, change, message] of cases)
    test(`${name} is refused, and claims no memory`, () => {
      const before = engine.backend.heap.usage.claimed;
      assert.throws(
        () => loadModel(engine, changed(change)),
        (error: Error) => error instanceof FormatError && message.test(error.message),
      );
      assert.ok(engine.backend.heap.usage.claimed - before <= 2 ** 24, 'megabytes');
    });

  test('what was not changed is read', () => assert.ok(loadModel(engine, changed({}))));
});
