/** `flipgrad train --model lm`: a transformer on text whose experts stand behind gates. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { generateCommand } from '../../cli/generate.ts';
import { modelOf, presetOf } from '../../cli/named-models.ts';
import { trainCommand } from '../../cli/train.ts';
import { DEFAULTS } from '../../cli/train-config.ts';
import { createModel } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { onnxSession } from '../helpers/onnx-session.ts';
import { refused } from '../helpers/refused.ts';
import { jsonLinesHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-lm-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
writeFileSync(path('text.txt'), 'the cat sat on the mat, and the dog sat on the log.\n'.repeat(300));

/** What is read of a line of `train`, `evaluate` or `generate`. */
interface Line {
  readonly event: string;
  readonly epochs: number;
  readonly bits: number;
  readonly loss: number;
  readonly open: number;
  readonly points: number;
  readonly gates: readonly { readonly units: number; readonly fired: readonly number[] }[];
}
const lines = async (command: Parameters<typeof jsonLinesHere>[0], ...args: string[]) =>
  (await jsonLinesHere(command, args)) as unknown as Line[];

const CONTEXT = 32;
const SHAPE = { context: CONTEXT, width: 16, depth: 1, heads: 2, experts: 4, units: 16, rate: 0.5 };
const FLAGS = [
  ...['--model', 'lm', '--data', path('text.txt'), '--threads', '1', '--lr', '0.01'],
  ...Object.entries(SHAPE).flatMap(([name, value]) => [`--${name}`, String(value)]),
];

describe('flipgrad train --model lm', () => {
  before(async () => {
    const result = (await lines(trainCommand(), ...FLAGS, '--epochs', '3', '--run', path('run'))).at(-1);
    assert.equal(result?.event, 'result');
  });

  const record = () => JSON.parse(readFileSync(join(path('run'), 'run.json'), 'utf8'));

  it('learns with the settings that are given, and keeps them', () => {
    const { config, data, task, result } = record();
    for (const [name, value] of Object.entries(SHAPE)) assert.equal(config[name], value, name);
    assert.deepEqual([config.model, task.name, data.context], ['lm', 'next-token', CONTEXT]);
    assert.ok(result.testBits.threshold < 2.5, JSON.stringify(result));
    assert.equal(result.density, SHAPE.rate);
  });

  it('tells the work of an example, dense and executed, over the same points', () => {
    const { result, model } = record();
    // One block of attention and experts, and the layer to the bytes: products of a byte with weights.
    const { width, experts, units } = SHAPE;
    const dense = 3 * width ** 2 + width ** 2 + experts * 2 * width * units + 256 * width;
    const gater = width * experts;
    const points = CONTEXT - 1;
    // The last sequence of a part is shorter.
    const near = (value: number, asked: number) => assert.ok(Math.abs(value / asked - 1) < 0.05, `${value} ${asked}`);
    near(result.flops.dense, points * dense);
    near(result.training.all, points * (dense + gater));
    assert.ok(result.flops.executed < result.flops.dense, JSON.stringify(result.flops));
    assert.ok(result.training.executed < result.training.all, JSON.stringify(result.training));
    assert.equal(model.inputs, 1);
  });

  it('goes on with the same text in the same pieces, and is measured on it', async () => {
    const before = record().result.testBits.threshold;
    const [{ bits, loss }] = await lines(evaluateCommand(), path('run'), '--mode', 'threshold');
    assert.ok(Math.abs(bits - before) < 1e-6);
    // Nats, a mean over the sequences.
    assert.ok(Math.abs(loss / Math.LN2 - bits) < 0.2);
    const more = await lines(trainCommand(), '--resume', path('run'), '--epochs', '4', '--threads', '1');
    assert.equal(more.find(({ event }) => event === 'resumed')?.epochs, 3);
    assert.equal(more.at(-1)?.epochs, 4);
  });

  it('writes on, shown as many bytes as in its training, with the share of experts that woke for each', async () => {
    const written = await lines(generateCommand(), path('run'), '--prompt', 'the cat sat on ', '--bytes', '30');
    assert.equal(written.length, 30);
    for (const { open, gates } of written) {
      assert.equal(open, SHAPE.rate);
      assert.deepEqual(
        gates.map(({ units, fired }) => [units, fired.length]),
        [[4, 2]],
      );
    }
    assert.deepEqual(
      written.map(({ points }) => points),
      Array.from({ length: 30 }, (_, i) => Math.min(CONTEXT, 15 + i)),
    );
  });

  it('is exported to both formats, which tell the next byte as it does', async () => {
    const prompt = 'the cat sat on the m';
    const greedy = ['--temperature', '0', '--bytes', '1', '--prompt', prompt];
    const [{ byte }] = (await lines(generateCommand(), path('run'), ...greedy)) as unknown as { byte: number }[];
    for (const format of ['js', 'onnx']) await lines(exportCommand(), path('run'), '--format', format, '--json');
    const bytes = new TextEncoder().encode(prompt);
    const { read } = await import(pathToFileURL(join(path('run'), 'model.js')).href);
    const { next, points, labels } = read(bytes);
    assert.deepEqual([next, labels, points.length], [byte, undefined, bytes.length]);
    const session = await onnxSession(readFileSync(join(path('run'), 'model.onnx')));
    const { probabilities } = await session.run(Float32Array.from(bytes), bytes.length);
    const last = probabilities.subarray(-256);
    const distance = points.at(-1).probabilities.map((p: number, i: number) => Math.abs(p - last[i]));
    assert.ok(Math.max(...distance) < 1e-4);
  });

  it('is refused with what is no part of it, before anything is written', async () => {
    const digits = ['--data', 'digits', '--epochs', '1'];
    for (const [args, message] of [
      [[...FLAGS, '--blocks', '8'], /--blocks does not go with --model lm\. Expected it to be left out/],
      [[...digits, '--width', '8'], /--width goes with --model lm\./],
      [[...digits, '--experts', '8', '--model', 'dense'], /--experts goes with --model lm\./],
      [[...digits, '--preset', 'small'], /The preset "small" goes with --model lm, and the network is gated\./],
      [[...FLAGS, '--preset', 'sparse'], /The preset "sparse" goes with --model gated, and the network is lm\./],
      [[...FLAGS, '--preset', 'smal'], /There is no preset "smal"\. Did you mean "small"\?/],
      [[...digits, '--context', '8'], /--context says how a text is read, and the data "digits" are no text/],
      [[...FLAGS, '--task', 'classification'], /--model lm is a network for the task next-token/],
      [FLAGS.with(FLAGS.indexOf('--width') + 1, '15'), /2 heads cannot share 15 numbers/],
    ] as const) {
      const { code, stderr } = await refused(trainCommand(), [...args, '--run', path('refused')]);
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
      assert.ok(!readdirSync(folder).includes('refused'));
    }
  });
});

it('a larger preset is a larger network, and a flag changes one of its settings', async () => {
  const engine = await createEngine({ threads: 1 });
  const parameters = (more: object) => {
    const config = { ...DEFAULTS, model: 'lm' as const, ...more };
    const layers = modelOf(config)?.layers(config, { inputs: 1, outputs: 256 }) ?? [];
    return createModel(engine, { inputs: 1, layers }).parameters.reduce((sum, { tensor }) => sum + tensor.size, 0);
  };
  const [small, medium] = ['small', 'medium'].map((name) => parameters(presetOf(name, 'lm')));
  assert.ok(medium > 5 * small, `${small} ${medium}`);
  assert.ok(parameters({ ...presetOf('small', 'lm'), experts: 16 }) > 1.3 * small);
  engine.close();
});
