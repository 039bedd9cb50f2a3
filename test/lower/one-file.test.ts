import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import {
  adam,
  compile,
  createModel,
  dense,
  digitsSplit,
  gated,
  type Model,
  nextToken,
  train,
} from '../../src/index.ts';
import { javascriptFormula } from '../../src/lower/javascript-formula.ts';
import { FROZEN_MODES } from '../../src/lower/lower.ts';
import { exportOneFile } from '../../src/lower/one-file.ts';
import type { PortablePrediction, PortableReading } from '../../src/lower/one-file-predictor.ts';
import { evaluateFormula } from '../../src/neurons/formula.ts';
import { formulasOf } from '../../src/neurons/parts/formula-misfit.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { instances } from '../conformance/instances.ts';
import { full, slow } from '../helpers/extent.ts';
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

/** Of networks that tell classes. */
type Classes = PortablePrediction & { readonly label: number; readonly probabilities: number[] };

interface Exported {
  readonly predict: (pixels: ArrayLike<number>) => Classes;
  /** In its place where layers read sequences. */
  readonly read: (
    points: ArrayLike<number>,
  ) => Omit<PortableReading, 'points'> & { readonly points: Omit<Classes, 'multiplyAdds'>[] };
  readonly mode: string;
  readonly inputs: number;
  readonly classes: number;
}

const engine = await createEngine({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-one-file-'));
after(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

let files = 0;
/** Writes the file and imports it, as a user would. */
async function imported(text: string): Promise<Exported> {
  const path = join(folder, `network-${files++}.mjs`);
  writeFileSync(path, text);
  return (await import(pathToFileURL(path).href)) as Exported;
}

function logitsOf({ predict }: Exported, given: Float32Array, width: number): Float64Array {
  const rows = given.length / width;
  return Float64Array.from(
    Array.from({ length: rows }, (_, r) => predict(given.subarray(r * width, (r + 1) * width)).logits).flat(),
  );
}

const SEQUENCES = full ? 1000 : 30;

describe('export as one JavaScript file', () => {
  for (const [i, { title, neuron }] of instances.filter(({ neuron: { mostUnits = 64 } }) => mostUnits >= 64).entries())
    if (neuron.formulas !== 'none')
      for (const mode of full ? FROZEN_MODES : FROZEN_MODES.slice(0, 1))
        it(`gives our outputs with ${title} as gates and as units, in ${mode} mode, 1,000 rows`, {
          skip: i % 5 > 0 && slow,
        }, async () => {
          const model = everywhere(engine, neuron);
          const given = features(1000, model.inputs);
          const logits = logitsOf(await imported(exportOneFile(model, { mode })), given, model.inputs);
          assert.ok(distance(logits, ourLogits(model, mode, given, 1000)) < 1e-4);
        });

  for (const { title, neuron } of instances) {
    const formulas = formulasOf(neuron);
    if (formulas)
      it(`the formulas of ${title} as text are what they are as values`, () => {
        for (const formula of [formulas.expect, formulas.whenOpen]) {
          const asText = runInNewContext(javascriptFormula(formula)) as (a: number) => number;
          for (let logit = -12; logit <= 12; logit += 0.31)
            assert.equal(asText(logit), evaluateFormula(formula, logit), `${logit}`);
        }
      });
  }

  for (const [title, model] of Object.entries(readers(engine)))
    it(`gives our outputs on ${SEQUENCES} sequences of many lengths, read ${title}`, async () => {
      const offsets = lengths(SEQUENCES);
      const rows = offsets[SEQUENCES];
      const given = features(rows, model.inputs);
      for (const mode of FROZEN_MODES) {
        const ours = ourLogits(model, mode, given, rows, offsets);
        const { read, predict } = await imported(exportOneFile(model, { mode }));
        assert.equal(predict, undefined);
        for (let s = 0; s < SEQUENCES; s++) {
          const [from, to] = [offsets[s], offsets[s + 1]];
          const { labels, points, multiplyAdds } = read(given.subarray(3 * from, 3 * to));
          assert.ok(
            distance(
              points.flatMap(({ logits }) => logits),
              ours.subarray(5 * from, 5 * to),
            ) < 1e-4,
          );
          const best = points.map(({ probabilities }) => probabilities.indexOf(Math.max(...probabilities)));
          const merged = best.filter((label, t) => label !== best[t - 1]).filter((label) => label !== 4);
          assert.deepEqual(labels, merged);
          assert.ok(
            multiplyAdds > 0 && multiplyAdds <= (to - from) * model.cost.dense + (to - from) * model.cost.gater,
          );
        }
        assert.throws(() => read(given.subarray(0, 4)), /read was given 4 numbers\. Expected points of 3 numbers each/);
      }
    });

  for (const [title, model] of Object.entries(transformers(engine)))
    it(`gives our outputs on ${SEQUENCES} sequences of numbers of an embedding, ${title}`, async () => {
      const offsets = lengths(SEQUENCES);
      const given = tokens(offsets[SEQUENCES], 11);
      for (const mode of FROZEN_MODES) {
        const ours = ourLogits(model, mode, given, offsets[SEQUENCES], offsets);
        const { read } = await imported(exportOneFile(model, { mode, task: nextToken }));
        for (let s = 0; s < SEQUENCES; s++) {
          const [from, to] = [offsets[s], offsets[s + 1]];
          // Bytes are numbers of the embedding as they are.
          const { labels, next, points, multiplyAdds } = read(Uint8Array.from(given.subarray(from, to)));
          const logits = points.flatMap((point) => point.logits);
          assert.ok(distance(logits, ours.subarray(5 * from, 5 * to)) < 1e-4, `${mode}, sequence ${s}`);
          assert.equal(labels, undefined);
          assert.equal(next, points[points.length - 1].label);
          assert.ok(multiplyAdds > 0);
        }
        assert.throws(() => read([3, 11]), /embedding0: a number is 11\. Expected a whole number from 0 to 10/);
        assert.throws(() => read([3.5]), /embedding0: a number is 3\.5\. Expected a whole number from 0 to 10/);
      }
    });

  for (const [title, model] of Object.entries(compositions(engine)))
    it(`gives our outputs and multiply-adds of ${title}`, async () => {
      const given = features(200, model.inputs);
      for (const mode of FROZEN_MODES) {
        const file = await imported(exportOneFile(model, { mode }));
        assert.ok(distance(logitsOf(file, given, model.inputs), ourLogits(model, mode, given, 200)) < 1e-4, mode);
        const compiled = compile(model, { mode });
        for (let r = 0; r < 20; r++) {
          const row = given.subarray(r * model.inputs, (r + 1) * model.inputs);
          assert.equal(file.predict(row).multiplyAdds, compiled.predict(row).multiplyAdds, mode);
        }
      }
    });

  describe('of a trained network', async () => {
    const data = digitsSplit({ seed: 4, train: 600, valid: 200, test: 1000 });
    const digits = Float32Array.from(data.test.features, (x) => x * data.test.scale);
    const row = (r: number) => digits.subarray(r * 784, (r + 1) * 784);
    const model: Model = createModel(engine, {
      inputs: 784,
      layers: [
        gated(full ? 256 : 64, {
          blocks: 16,
          gater: [16],
          rate: 0.25,
          activation: 'rectifier',
          compute: 'blocks',
          name: 'below',
        }),
        gated(64, { blocks: 64, gater: [], rate: 0.25, activation: 'rectifier', compute: 'blocks', name: 'above' }),
        dense(10),
      ],
    });
    for await (const _ of train(model, data, { epochs: 3, batch: 50, optimizer: adam({ learningRate: 0.003 }) }));

    for (const mode of FROZEN_MODES)
      it(`gives our class, probabilities, gates and multiply-adds on 1,000 digits in ${mode} mode`, {
        skip: mode !== 'threshold' && slow,
      }, async () => {
        const file = await imported(exportOneFile(model, { mode }));
        assert.deepEqual([file.mode, file.inputs, file.classes], [mode, 784, 10]);
        const compiled = compile(model, { mode });
        for (let r = 0; r < 1000; r++) {
          const [theirs, ours] = [file.predict(row(r)), compiled.predict(row(r))];
          assert.equal(theirs.label, ours.classes[0]);
          assert.ok(distance(theirs.probabilities, ours.probabilities) < 1e-4);
          assert.equal(theirs.multiplyAdds, ours.multiplyAdds);
          const open = ours.open.map(({ gates }) => [...gates.keys()].filter((k) => gates[k] === 1));
          assert.deepEqual(
            theirs.gates,
            ['below', 'above'].map((layer, i) => ({ layer, open: open[i] })),
          );
        }
      });

    it('bytes are pixels too, scaled as the data were', async () => {
      const bytes = Uint8ClampedArray.from(data.test.features.subarray(0, 784));
      const file = await imported(exportOneFile(model));
      assert.deepEqual(file.predict(bytes), file.predict(row(0)));
      const half = await imported(exportOneFile(model, { byteScale: 1 / 510 }));
      assert.deepEqual(half.predict(bytes), file.predict(row(0).map((x) => x / 2)));
    });

    it('runs where there is nothing but the language and atob, and imports nothing', () => {
      const text = exportOneFile(model);
      assert.doesNotMatch(text, /^\s*import\b|\bimport\(|\brequire\(/m);
      const script = text.replaceAll(/^export /gm, '');
      const given = Array.from(row(0));
      const there = runInNewContext(`${script}; JSON.stringify(predict(${JSON.stringify(given)}))`, { atob });
      const ours = compile(model).predict(given);
      assert.ok(distance((JSON.parse(there) as Classes).probabilities, ours.probabilities) < 1e-4);
    });

    it('refuses pixels that do not fit', async () => {
      const { predict } = await imported(exportOneFile(model));
      assert.throws(() => predict(new Float32Array(783)), /predict was given 783 pixels\. Expected 784/);
      assert.throws(() => predict(row(0).with(5, Number.NaN)), /Number 5 is NaN\. Expected a finite number/);
      assert.throws(() => predict(undefined as unknown as number[]), /undefined pixels/);
    });
  });

  it('a gated layer at the end and experts that compare themselves are told too', async () => {
    const last = createModel(engine, { inputs: 9, layers: [gated(24, { blocks: 3, gater: [4], activation: 'tanh' })] });
    const comparing = createModel(engine, {
      inputs: 9,
      layers: [gated(24, { blocks: 3, gater: [4], activation: 'top-k:k=5', rate: 0.4 }), dense(4, 'tanh'), dense(3)],
    });
    for (const model of [last, comparing])
      for (const mode of FROZEN_MODES) {
        const given = features(50, 9);
        const logits = logitsOf(await imported(exportOneFile(model, { mode })), given, 9);
        assert.ok(distance(logits, ourLogits(model, mode, given, 50)) < 1e-4);
      }
  });

  it('what does not fit is an error that says so', () => {
    const model = createModel(engine, { inputs: 3, layers: [dense(2)] });
    assert.throws(
      () => exportOneFile(model, { mode: 'sample' as 'threshold' }),
      /An export: `mode` is "sample"\. Expected one of threshold, mean-field\./,
    );
    assert.throws(() => exportOneFile(model, { byteScale: 0 }), /`byteScale` is 0. Expected a number over 0/);
    const none = { ...instances[0].neuron, formulas: 'none' as const };
    const untold = createModel(engine, { inputs: 3, layers: [dense(2, none)] });
    assert.throws(() => exportOneFile(untold), { name: 'ExportError', message: /is no formula of its logits/ });
  });
});
