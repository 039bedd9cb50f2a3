import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { PbfReader } from 'pbf';
import {
  adam,
  attention,
  conditional,
  createModel,
  dense,
  digitsSplit,
  embedding,
  gated,
  type LayerSpec,
  lstm,
  type Model,
  positions,
  train,
} from '../../src/index.ts';
import { FROZEN_MODES } from '../../src/lower/lower.ts';
import { exportOneFile } from '../../src/lower/one-file.ts';
import { exportOnnx, type OnnxOptions } from '../../src/lower/onnx.ts';
import type { NeuronDefinition } from '../../src/neurons/contract.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { instances } from '../conformance/instances.ts';
import { full, slow } from '../helpers/extent.ts';
import { onnxSession } from '../helpers/onnx-session.ts';
import {
  compositions,
  distance,
  everywhere,
  features,
  lengths,
  ourLogits,
  readers,
  tokens,
  transformers,
} from './models.ts';

const engine = await createEngine({ threads: 1 });
after(() => engine.close());
const GATES = ['skip', 'plain'] as const;
const REFUSED = { name: 'ExportError', message: /The units of "hidden" cannot be exported/ };

/** The file's output beside ours, on as many rows. */
async function farthest(model: Model, options: OnnxOptions, rows: number, given = features(rows, model.inputs)) {
  const session = await onnxSession(exportOnnx(model, options).bytes);
  const { logits } = await session.run(given, rows);
  const ours = ourLogits(model, options.mode ?? 'threshold', given, rows);
  assert.ok(new Set(ours).size > 40, 'outputs differ from row to row');
  return distance(logits, ours);
}

const SEQUENCES = full ? 1000 : 10;

describe('ONNX export', () => {
  for (const [i, { title, neuron }] of instances.filter(({ neuron: { mostUnits = 64 } }) => mostUnits >= 64).entries())
    if (neuron.formulas !== 'none')
      for (const mode of full ? FROZEN_MODES : FROZEN_MODES.slice(0, 1))
        it(`gives our outputs with ${title} as gates and as units, in ${mode} mode, 1,000 rows`, {
          skip: i % 10 > 0 && slow,
        }, async () => {
          const model = everywhere(engine, neuron);
          for (const gates of GATES) assert.ok((await farthest(model, { mode, gates }, 1000)) < 1e-4, gates);
        });

  for (const { title, neuron } of instances.filter(
    ({ neuron: { mostUnits = 64, formulas } }) => mostUnits < 64 && formulas !== 'none',
  ))
    it(`gives our outputs with a few units of ${title}`, async () => {
      const layers = [dense(8, neuron, 'hidden'), dense(5)];
      const model = createModel(engine, { inputs: 3, layers });
      for (const mode of FROZEN_MODES) assert.ok((await farthest(model, { mode }, 100)) < 1e-4, mode);
    });

  for (const { title, neuron } of instances.filter(({ neuron: { formulas } }) => formulas === 'none'))
    it(`says that ${title} cannot be told`, () => {
      const model = createModel(engine, { inputs: 3, layers: [dense(20, neuron, 'hidden'), dense(5)] });
      assert.throws(() => exportOnnx(model), REFUSED);
      assert.throws(() => exportOneFile(model), REFUSED);
    });

  for (const [title, model] of Object.entries(readers(engine)))
    it(`gives our outputs on ${SEQUENCES} sequences of many lengths, read ${title}`, async () => {
      const offsets = lengths(SEQUENCES);
      const rows = offsets[SEQUENCES];
      const given = features(rows, model.inputs);
      for (const mode of FROZEN_MODES) {
        const ours = ourLogits(model, mode, given, rows, offsets);
        for (const gates of GATES) {
          const session = await onnxSession(exportOnnx(model, { mode, gates }).bytes);
          for (let s = 0; s < SEQUENCES; s++) {
            const [from, to] = [offsets[s], offsets[s + 1]];
            const { logits } = await session.run(given.subarray(3 * from, 3 * to), to - from);
            assert.ok(distance(logits, ours.subarray(5 * from, 5 * to)) < 1e-4, `${mode}, ${gates}, sequence ${s}`);
          }
        }
      }
    });

  for (const [title, model] of Object.entries(transformers(engine)))
    it(`gives our outputs on ${SEQUENCES} sequences of numbers of an embedding, ${title}`, async () => {
      const offsets = lengths(SEQUENCES);
      const given = tokens(offsets[SEQUENCES], 11);
      for (const mode of FROZEN_MODES) {
        const ours = ourLogits(model, mode, given, offsets[SEQUENCES], offsets);
        for (const gates of GATES) {
          const session = await onnxSession(exportOnnx(model, { mode, gates }).bytes);
          for (let s = 0; s < SEQUENCES; s++) {
            const [from, to] = [offsets[s], offsets[s + 1]];
            const { logits } = await session.run(given.subarray(from, to), to - from);
            assert.ok(distance(logits, ours.subarray(5 * from, 5 * to)) < 1e-4, `${mode}, ${gates}, sequence ${s}`);
          }
        }
      }
      assert.equal(readHead(exportOnnx(model).bytes).metadata.rows, 'points');
    });

  it('attention and LSTMs behind a gate are refused by name, and positions there are told', async () => {
    const behind = (part: LayerSpec) =>
      createModel(engine, {
        inputs: 1,
        layers: [embedding(11, 8), conditional({ gater: [], rate: 0.5, neuron: 'straight-through' }, [part]), dense(5)],
      });
    for (const [part, name] of [
      [attention(2), 'attention'],
      [lstm(8), 'lstm'],
    ] as const)
      for (const write of [exportOnnx, exportOneFile])
        assert.throws(() => write(behind(part)), {
          name: 'ExportError',
          message: new RegExp(`"${name}" in "conditional1.part0" cannot be exported: it reads the points that a gate`),
        });
    const model = behind(positions(9));
    const given = tokens(9, 11);
    const { logits } = await (await onnxSession(exportOnnx(model).bytes)).run(given, 9);
    assert.ok(distance(logits, ourLogits(model, 'threshold', given, 9, [0, 9])) < 1e-4);
  });

  for (const [title, model] of Object.entries(compositions(engine)))
    it(`gives our outputs of ${title}`, async () => {
      for (const mode of full ? FROZEN_MODES : FROZEN_MODES.slice(0, 1))
        for (const gates of GATES) assert.ok((await farthest(model, { mode, gates }, 200)) < 1e-4, `${mode}, ${gates}`);
    });

  it('skips blocks of gated layers within others; by default where products alone read them', () => {
    const {
      'gated layers on each other within residual branches': within,
      'gated layers that are added to their input': added,
    } = compositions(engine);
    const below = ['residual0.sequential0.gated0', 'residual0.sequential0.gated1'];
    const all = [...below, 'residual1.residual0.sequential0.gated0'];
    assert.deepEqual(exportOnnx(within).skips, all);
    assert.deepEqual(exportOnnx(within, { gates: 'plain' }).skips, []);
    assert.deepEqual(exportOnnx(added).skips, []);
    assert.deepEqual(exportOnnx(added, { gates: 'skip' }).skips, ['residual0.gated0', 'residual1.gated0']);
  });

  describe('of a trained network', async () => {
    const data = digitsSplit({ seed: 4, train: 600, valid: 200, test: 1000 });
    const digits = Float32Array.from(data.test.features, (x) => x * data.test.scale);
    const model = createModel(engine, {
      inputs: 784,
      layers: [
        gated(256, { blocks: 16, gater: [16], rate: 0.25, activation: 'rectifier', name: 'below' }),
        gated(64, { blocks: 64, gater: [], rate: 0.25, activation: 'rectifier', name: 'above' }),
        dense(10),
      ],
    });
    for await (const _ of train(model, data, { epochs: 3, batch: 50, optimizer: adam({ learningRate: 0.003 }) }));

    for (const mode of FROZEN_MODES)
      it(`gives our outputs on 1,000 digits in ${mode} mode, either way`, {
        skip: mode !== 'threshold' && slow,
      }, async () => {
        for (const gates of GATES) assert.ok((await farthest(model, { mode, gates }, 1000, digits)) < 1e-4, gates);
      });

    it('a batch of any size gives what single rows give; probabilities are the softmax of the logits', async () => {
      const session = await onnxSession(exportOnnx(model, { gates: 'skip' }).bytes);
      const all = await session.run(digits.subarray(0, 7 * 784), 7);
      for (let r = 0; r < 7; r++) {
        const one = await session.run(digits.subarray(r * 784, (r + 1) * 784), 1);
        assert.ok(distance(one.logits, all.logits.subarray(r * 10, (r + 1) * 10)) < 1e-5);
        const weights = one.logits.map(Math.exp);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        assert.ok(
          distance(
            one.probabilities,
            weights.map((weight) => weight / total),
          ) < 1e-6,
        );
      }
    });

    it('skip never reads blocks that no row opens, nor what the layer above has for them; plain reads all', async () => {
      const row = digits.subarray(0, 784);
      const [wanted, siteOf] = [
        ourLogits(model, 'threshold', row, 1),
        (name: string) => model.sites.find((site) => site.name === name),
      ];
      const closed = Array.from(siteOf('below.gates')?.last?.h.values ?? [])
        .map((gate, k) => ({ gate, k }))
        .filter(({ gate, k }) => gate === 0 && k > 0);
      assert.ok(closed.length > 3, 'some gates are closed');
      const names = ['below.experts.weights', 'above.experts.weights', 'above.gater.weights'];
      const before = names.map((name) => model.weights(name));
      const break_ = (name: string, isBroken: (row: number, column: number) => boolean) => {
        const values = model.weights(name);
        const columns = values.length / (name.startsWith('below') ? 784 : 256);
        model.setWeights(
          name,
          values.map((w, i) => (isBroken(Math.floor(i / columns), i % columns) ? Number.NaN : w)),
        );
      };
      const inClosed = (unit: number) => closed.some(({ k }) => Math.floor(unit / 16) === k);
      break_(names[0], (_, column) => inClosed(column));
      break_(names[1], (input) => inClosed(input));
      break_(names[2], (input) => inClosed(input));
      const [skip, plain] = GATES.map((gates) => exportOnnx(model, { gates }).bytes);
      names.forEach((name, i) => {
        model.setWeights(name, before[i]);
      });
      assert.ok(distance((await (await onnxSession(skip)).run(row, 1)).logits, wanted) < 1e-4);
      assert.ok((await (await onnxSession(plain)).run(row, 1)).logits.every(Number.isNaN));
    });

    it('no gate open at all is an answer, not an error', async () => {
      const site = model.sites.find(({ name }) => name === 'below.gates');
      assert.ok(site);
      const before = site.threshold;
      site.threshold = 1e6;
      for (const gates of GATES) assert.ok((await onnxSession(exportOnnx(model, { gates }).bytes)) !== undefined);
      const given = digits.subarray(0, 2 * 784);
      const session = await onnxSession(exportOnnx(model, { gates: 'skip' }).bytes);
      const { logits } = await session.run(given, 2);
      const ours = ourLogits(model, 'threshold', given, 2);
      site.threshold = before;
      assert.ok(distance(logits, ours) < 1e-4);
    });

    it('by default skips blocks of 8 units and more where gates close, and says which', () => {
      assert.deepEqual(exportOnnx(model).skips, ['below']);
      assert.deepEqual(exportOnnx(model, { mode: 'mean-field' }).skips, []);
      assert.deepEqual(exportOnnx(model, { gates: 'skip' }).skips, ['below', 'above']);
      assert.deepEqual(exportOnnx(model, { gates: 'plain' }).skips, []);
    });

    it('states IR version, opset, mode and what it skips, for any reader of protocol buffers', () => {
      assert.deepEqual(readHead(exportOnnx(model).bytes), {
        irVersion: 7,
        opset: 13,
        metadata: { mode: 'threshold', opset: '13', skips: 'below', rows: 'examples' },
        inputs: ['input'],
        outputs: ['logits', 'probabilities'],
      });
    });
  });

  it('a gated layer at the end, experts that compare themselves, and always-open units are told too', async () => {
    const last = createModel(engine, { inputs: 9, layers: [gated(24, { blocks: 3, gater: [4], activation: 'tanh' })] });
    const comparing = createModel(engine, {
      inputs: 9,
      layers: [
        gated(24, { blocks: 3, gater: [4], activation: 'top-k:k=5', rate: 0.4 }),
        dense(4, 'noisy-sigmoid'),
        dense(3),
      ],
    });
    for (const site of comparing.sites) if (site.name === 'dense1') site.threshold = Number.NEGATIVE_INFINITY;
    for (const model of [last, comparing])
      for (const mode of FROZEN_MODES)
        for (const gates of GATES) assert.ok((await farthest(model, { mode, gates }, 50)) < 1e-4);
  });

  it('a threshold between two neighbouring numbers cuts where it does here', async () => {
    const model = createModel(engine, { inputs: 1, layers: [dense(1, 'straight-through'), dense(1)] });
    const [weights, , output] = model.parameters.map(({ name }) => name);
    model.setWeights(weights, [1]);
    model.setWeights(output, [1]);
    const near = Float32Array.of(-1.5, -0.3, -1e-40, 0, 1e-40, 0.3, 1.5);
    for (const x of near) {
      const above = nextUp(x);
      for (const threshold of [x, (x + above) / 2, 0.9 * x + 0.1 * above, 0.1 * x + 0.9 * above]) {
        model.sites[0].threshold = threshold;
        const given = Float32Array.of(x, above);
        const { logits } = await (await onnxSession(exportOnnx(model).bytes)).run(given, 2);
        assert.deepEqual(
          [...logits],
          [...given].map((a) => (a > threshold ? 1 : 0)),
          `${x} ${threshold}`,
        );
      }
    }
  });

  it('what cannot be told is an error that says so', () => {
    const own: NeuronDefinition = {
      name: 'own',
      source: 'this test',
      summary: 'h = a/2; ĝ = δ/2',
      options: {},
      rule: () => ({ ...instances[0].neuron, noise: 0, expect: (a: number) => a / 2, formulas: {} }),
    };
    const model = createModel(engine, { inputs: 3, layers: [dense(2, own)] });
    assert.throws(() => exportOnnx(model), {
      name: 'ExportError',
      message: /The units of "dense0" cannot be exported\. The neuron "own" has `expect` = -15 at the logit -30/,
    });
    const fine = createModel(engine, { inputs: 3, layers: [dense(2)] });
    assert.throws(
      () => exportOnnx(fine, { mode: 'sample' as 'threshold' }),
      /^RangeError: An export: `mode` is "sample"\. Expected one of threshold, mean-field\.$/,
    );
    assert.throws(
      () => exportOnnx(fine, { gates: 'all' as 'skip' }),
      /exportOnnx: `gates` is "all"\. Expected one of skip, plain\./,
    );
  });
});

interface Head {
  irVersion: number;
  opset: number;
  metadata: Record<string, string>;
  inputs: string[];
  outputs: string[];
}

/** What a ModelProto says of itself, by the field numbers of onnx.proto. */
function readHead(bytes: Uint8Array): Head {
  const head: Head = { irVersion: 0, opset: 0, metadata: {}, inputs: [], outputs: [] };
  const texts = (pbf: PbfReader): string[] =>
    pbf.readMessage((field, out, at) => {
      if (field <= 2 && out.length < field) out.push(at.readString());
    }, [] as string[]);
  return new PbfReader(bytes).readFields((field, out, pbf) => {
    if (field === 1) out.irVersion = pbf.readVarint();
    if (field === 8)
      pbf.readMessage((inner, _, at) => {
        if (inner === 2) out.opset = at.readVarint();
      }, out);
    if (field === 14) {
      const [key, value] = texts(pbf);
      out.metadata[key] = value;
    }
    if (field === 7)
      pbf.readMessage((inner, _, at) => {
        const name = (valueInfo: PbfReader) =>
          valueInfo.readMessage((part, names: string[], of) => {
            if (part === 1) names.push(of.readString());
          }, [] as string[])[0];
        if (inner === 11) out.inputs.push(name(at));
        if (inner === 12) out.outputs.push(name(at));
      }, out);
  }, head);
}

/** The next larger Float32. */
function nextUp(x: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  if (x === 0) return 2 ** -149;
  bits[0] += x > 0 ? 1 : -1;
  return new Float32Array(bits.buffer)[0];
}
