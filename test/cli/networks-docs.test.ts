/** The programs and command lines of docs/networks.md. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { auditCommand } from '../../cli/audit.ts';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { trainCommand } from '../../cli/train.ts';
import { layerForms, parseLayers } from '../../src/index.ts';
import { runHere } from '../helpers/run-here.ts';

const page = readFileSync(new URL('../../docs/networks.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-networks-'));
after(() => rmSync(folder, { recursive: true }));
const files = new Map([...page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name, text]) => [name, text]));
for (const [name, text] of files) writeFileSync(join(folder, name), text);
const path = (name: string): string => join(folder, name);

async function good(command: Parameters<typeof runHere>[0], ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(command, args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}
const resultOf = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
const SHORT = ['--epochs', '2', '--threads', '2'];

describe('docs/networks.md', () => {
  it('has two programs of at most 25 lines of code', () => {
    assert.deepEqual([...files.keys()], ['deep.ts', 'highway.ts']);
    for (const [name, text] of files)
      assert.ok(text.split('\n').filter((line) => line.trim() !== '').length <= 25, name);
  });

  it('gates within residual blocks learn, skip, and are exported without their file', async () => {
    const run = path('deep');
    const result = resultOf(
      await good(trainCommand(), '--net', path('deep.ts'), '--neuron', 'straight-through', '--run', run, ...SHORT),
    );
    assert.ok(result.testError.threshold < 0.2, `test error ${result.testError.threshold}`);
    assert.ok(result.flops.executed < 0.8 * result.flops.dense);
    await good(evaluateCommand(), run, '--mode', 'threshold');
    for (const format of ['onnx', 'js']) await good(exportCommand(), run, '--format', format);
  });

  it('a module and a neuron of one’s own learn, hold what they claim, and are exported', async () => {
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
