import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { exportCommand } from '../../cli/export.ts';
import { loadModel } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { onnxSession } from '../helpers/onnx-session.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-export-'));
after(() => rmSync(folder, { recursive: true }));
const run = join(folder, 'run');

/** 120 rows of bytes in two classes. */
const rows = Array.from({ length: 120 }, (_, i) => [i % 2 ? 200 : 20, i % 2 ? 10 : 180, (i * 37) % 256]);
const data = join(folder, 'bytes.csv');
const inputs = join(folder, 'inputs.csv');
writeFileSync(data, `a,b,c,label\n${rows.map((row, i) => `${row},${i % 2}`).join('\n')}\n`);
writeFileSync(inputs, `a,b,c\n${rows.slice(0, 20).join('\n')}\n`);

const exported = (...args: string[]) => runCliHere(['export', run, ...args, '--blas', 'off']);
interface Answer {
  class: number;
  probabilities: number[];
}
const answers = new Map<string, Promise<Answer[]>>();
/** What `predict` says of the inputs, asked once for each mode. */
function predicted(mode: string): Promise<Answer[]> {
  const asked =
    answers.get(mode) ??
    runCliHere(['predict', run, inputs, '--mode', mode, '--blas', 'off']).then(
      ({ lines }) => lines() as unknown as Answer[],
    );
  answers.set(mode, asked);
  return asked;
}

describe('flipgrad export', () => {
  before(async () => {
    const network = [
      '--units',
      '32',
      '--blocks',
      '4',
      '--gater',
      '6',
      '--rate',
      '0.5',
      '--batch',
      '20',
      '--epochs',
      '3',
    ];
    const { code, stderr } = await runCliHere([
      'train',
      '--data',
      data,
      ...network,
      '--run',
      run,
      '--blas',
      'off',
      '--threads',
      '1',
    ]);
    assert.equal(code, 0, stderr);
  });

  for (const mode of ['threshold', 'mean-field']) {
    it(`--format js --mode ${mode}: the file predicts what \`predict\` does, from bytes`, async () => {
      const out = join(folder, `${mode}.js`);
      const { code, lines } = await exported('--format', 'js', '--mode', mode, '--out', out);
      assert.equal(code, 0);
      const [{ bytes, ...told }] = lines();
      assert.deepEqual(told, { file: out, format: 'js', mode, weights: 'weights.safetensors' });
      assert.equal(bytes, readFileSync(out).length);
      const { predict } = await import(pathToFileURL(out).href);
      for (const [i, ours] of (await predicted(mode)).entries()) {
        const { label, probabilities } = predict(Uint8Array.from(rows[i]));
        assert.equal(label, ours.class);
        ours.probabilities.forEach((p, c) => {
          assert.ok(Math.abs(p - probabilities[c]) < 1e-4);
        });
      }
    });

    it(`--format onnx --mode ${mode}: onnxruntime predicts what \`predict\` does`, async () => {
      const { code, lines } = await exported('--mode', mode);
      assert.equal(code, 0);
      const skips = mode === 'threshold' ? ['gated'] : [];
      const [{ bytes: _, ...told }] = lines();
      const file = join(run, 'model.onnx');
      assert.deepEqual(told, { file, format: 'onnx', mode, opset: '13', skips, weights: 'weights.safetensors' });
      const session = await onnxSession(readFileSync(file));
      const features = Float32Array.from(rows.slice(0, 20).flat());
      const { probabilities } = await session.run(features, 20);
      for (const [i, ours] of (await predicted(mode)).entries())
        ours.probabilities.forEach((p, c) => {
          assert.ok(Math.abs(p - probabilities[2 * i + c]) < 1e-4);
        });
    });
  }

  it('--format safetensors: the weights, as they are', async () => {
    const { code } = await exported('--format', 'safetensors');
    assert.equal(code, 0);
    const engine = await createEngine({ threads: 1 });
    const [again, own] = ['model', 'weights'].map((name) =>
      loadModel(engine, readFileSync(join(run, `${name}.safetensors`))),
    );
    for (const { name } of own.parameters) assert.deepEqual(again.weights(name), own.weights(name));
    engine.close();
  });

  it('the ending of --out says the format, where --format does not; of others onnx is written', async () => {
    const own = mkdtempSync(join(tmpdir(), 'flipgrad-endings-'));
    for (const [name, format] of [
      ['a.js', 'js'],
      ['a.safetensors', 'safetensors'],
      ['a.onnx', 'onnx'],
      ['a.bin', 'onnx'],
    ]) {
      const { code, stdout } = await exported('--out', join(own, name), '--json');
      assert.equal(code, 0);
      assert.equal(JSON.parse(stdout).format, format);
    }
    const { stdout } = await exported('--out', join(own, 'b.js'), '--format', 'onnx', '--json');
    assert.equal(JSON.parse(stdout).format, 'onnx');
  });

  it('--out writes what a link leads to, and into a pipe or a device, which stay what they are', async () => {
    const own = mkdtempSync(join(tmpdir(), 'flipgrad-out-'));
    const at = (name: string) => join(own, name);
    mkdirSync(at('shared'));
    writeFileSync(at('shared/model.js'), 'old');
    symlinkSync('shared/model.js', at('link.js'));
    const linked = await exported('--format', 'js', '--out', at('link.js'));
    assert.equal(linked.code, 0, linked.stderr);
    assert.ok(lstatSync(at('link.js')).isSymbolicLink());
    const text = readFileSync(at('shared/model.js'), 'utf8');
    assert.ok(text.length > 1000);
    assert.deepEqual(readdirSync(own).sort(), ['link.js', 'shared']);
    execFileSync('mkfifo', [at('pipe')]);
    // Who reads a pipe is another process.
    const reading = promisify(execFile)('cat', [at('pipe')]);
    const piped = await exported('--format', 'js', '--out', at('pipe'));
    assert.equal(piped.code, 0, piped.stderr);
    assert.equal((await reading).stdout, text);
    assert.ok(lstatSync(at('pipe')).isFIFO());
    const full = await exported('--format', 'js', '--out', '/dev/full');
    assert.deepEqual([full.code, /ENOSPC|no space|disk is full/.test(full.stderr)], [2, true], full.stderr);
    assert.ok(!full.stderr.includes('\n    at '));
    symlinkSync('later/model.js', at('ahead.js'));
    assert.equal((await exported('--format', 'js', '--out', at('ahead.js'))).code, 0);
    assert.ok(lstatSync(at('ahead.js')).isSymbolicLink());
    assert.equal(readFileSync(at('later/model.js'), 'utf8'), text);
    // Where the file leads is counted from its folder, not from the link to that.
    mkdirSync(at('shared/deep'));
    symlinkSync('../beside.js', at('shared/deep/up.js'));
    symlinkSync('shared/deep', at('folder'));
    assert.equal((await exported('--format', 'js', '--out', at('folder/up.js'))).code, 0);
    assert.equal(readFileSync(at('shared/beside.js'), 'utf8'), text);
    for (const [out, message] of [
      [at('shared'), /shared is a folder\. Expected the path of a file\./],
      ['', /name of the file to write is empty\. Expected the path of a file/],
    ] as const) {
      const { code, stderr } = await exported('--format', 'js', '--out', out);
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
    }
    // Found before the race, not after it.
    const raced = await runCliHere(['race', '--data', 'nowhere', '--plot', at('shared')]);
    assert.match(raced.stderr, /shared is a folder\. Expected the path of a file\./);
    rmSync(own, { recursive: true });
  });

  it('bad usage is a sentence and exit code 2, and leaves nothing behind', async () => {
    const before = readdirSync(run).sort();
    const cases: [string[], RegExp][] = [
      [
        ['--format', 'safetensors', '--mode', 'threshold'],
        /--mode says nothing to --format safetensors\. Expected --format onnx or --format js/,
      ],
      [['--format', 'js', '--gates', 'skip'], /--gates says nothing to --format js\. Expected --format onnx/],
      [['--format', 'pickle'], /Allowed choices are onnx, js, safetensors/],
      [['--mode', 'sample'], /Allowed choices are threshold, mean-field/],
      [['--out', join(run, 'run.json', 'model.onnx')], /run\.json/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await refused(exportCommand(), [run, ...args, '--blas', 'off']);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.equal(code, 2);
    }
    assert.deepEqual(readdirSync(run).sort(), before);
    const { code, stderr, stdout } = await runCliHere(['export', folder]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /holds no run/);
  });
});
