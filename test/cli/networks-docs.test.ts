/** The programs and command lines of docs/networks.md. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { auditCommand } from '../../cli/audit.ts';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { generateCommand } from '../../cli/generate.ts';
import { trainCommand } from '../../cli/train.ts';
import { layerForms, parseLayers } from '../../src/index.ts';
import { slow } from '../helpers/extent.ts';
import { blocksOf, readPage } from '../helpers/page.ts';
import { runHere } from '../helpers/run-here.ts';

const page = readPage('docs/networks.md');
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-networks-'));
after(() => rmSync(folder, { recursive: true }));
const files = new Map(blocksOf(page).flatMap(({ file, code }) => (file === undefined ? [] : [[file, code]])));
for (const [name, text] of files) writeFileSync(join(folder, name), text);
const path = (name: string): string => join(folder, name);

async function good(command: Parameters<typeof runHere>[0], ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(command, args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}
const resultOf = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
const ADAM = ['--optimizer', 'adam', '--lr', '0.003'];
const SHORT = ['--epochs', '2', '--threads', '2'];

describe('docs/networks.md', () => {
  it('has programs of at most 25 lines of code', () => {
    assert.deepEqual([...files.keys()], ['deep.ts', 'transformer.ts', 'skipping.ts', 'pictures.ts', 'highway.ts']);
    for (const [name, text] of files)
      assert.ok(text.split('\n').filter((line) => line.trim() !== '').length <= 26, name);
  });

  it('gates within residual blocks learn, skip, and are exported without their file', { skip: slow }, async () => {
    const run = path('deep');
    const result = resultOf(
      await good(trainCommand(), '--net', path('deep.ts'), '--neuron', 'straight-through', '--run', run, ...SHORT),
    );
    assert.ok(result.testError.threshold < 0.2, `test error ${result.testError.threshold}`);
    assert.ok(result.flops.executed < 0.8 * result.flops.dense);
    await good(evaluateCommand(), run, '--mode', 'threshold');
    for (const format of ['onnx', 'js']) await good(exportCommand(), run, '--format', format);
  });

  it('a transformer with experts learns text, and opens one expert in eight', async () => {
    writeFileSync(path('text.txt'), 'the cat sat on the mat, and the dog sat on the log.\n'.repeat(400));
    const run = path('transformer');
    const flags = ['--task', 'next-token', '--data', path('text.txt'), '--optimizer', 'adam', '--lr', '0.005'];
    const result = resultOf(
      await good(trainCommand(), '--net', path('transformer.ts'), ...flags, '--batch', '8', '--run', run, ...SHORT),
    );
    assert.ok(result.testBits.threshold < 3, JSON.stringify(result));
    assert.ok(Math.abs(result.density - 1 / 8) < 1e-9);
    await good(generateCommand(), run, '--prompt', 'the ', '--bytes', '16');
  });

  it('a residual net skips layers while it trains, and learns', { skip: slow }, async () => {
    const result = resultOf(
      await good(
        trainCommand(),
        '--net',
        path('skipping.ts'),
        '--neuron',
        'noisy-rectifier',
        ...ADAM,
        '--run',
        path('skipping'),
        ...SHORT,
      ),
    );
    assert.ok(result.testError.threshold < 0.25, JSON.stringify(result));
    assert.ok(result.flops.executed < 0.85 * result.flops.dense);
    assert.ok(result.training.executed < result.training.all);
  });

  it('a gated convolutional net learns, skips, and is exported without its file', { skip: slow }, async () => {
    const run = path('pictures');
    const flags = ['--optimizer', 'adam', '--lr', '0.01', '--run', run, ...SHORT];
    const result = resultOf(await good(trainCommand(), '--net', path('pictures.ts'), ...flags));
    assert.ok(result.testError.threshold < 0.5, JSON.stringify(result));
    assert.ok(result.flops.executed < 0.9 * result.flops.dense);
    for (const format of ['onnx', 'js']) await good(exportCommand(), run, '--format', format);
  });

  it('a module and a neuron of one’s own learn, hold what they claim, and are exported', { skip: slow }, async () => {
    const [net, run] = [path('highway.ts'), path('highway')];
    const audited = resultOf(await good(auditCommand(), net, '--units', '2'));
    assert.deepEqual([audited.neurons, audited.refuted], [1, []]);
    const result = resultOf(await good(trainCommand(), '--net', net, '--run', run, ...SHORT));
    assert.ok(result.testError.threshold < 0.2, `test error ${result.testError.threshold}`);
    for (const format of ['onnx', 'js']) await good(exportCommand(), run, '--net', net, '--format', format);
    assert.ok(existsSync(join(run, 'model.js')));
    await good(trainCommand(), '--use', net, '--layers', 'dense 64 squared', '--run', 'none', '--epochs', '1');
  });

  it('the line of layers is one, and every kind stands in the table', () => {
    const [, text] = /--layers '(dense 256[^']*)'/.exec(page) ?? assert.fail();
    assert.equal(parseLayers(text).length, 4);
    const table = page.split('\n').filter((line) => line.startsWith('| '));
    for (const form of layerForms()) {
      const [kind] = form.split(/[ (]/);
      assert.ok(
        table.some((line) => new RegExp(`^\\| [^|]*\\b${kind}\\b`).test(line)),
        kind,
      );
    }
  });
});
