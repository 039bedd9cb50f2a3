import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { explain } from '../../cli/exit.ts';
import { openRun } from '../../cli/run-folder.ts';
import { comparison, listed as listedRun } from '../../cli/runs.ts';
import { trainCommand } from '../../cli/train.ts';
import { loadModel } from '../../src/io/model-file.ts';
import { summarize } from '../../src/runs/summary.ts';
import { reference } from '../helpers/engines.ts';
import { textsOf } from '../helpers/picture.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { digitsTable } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-vae-'));
after(() => rmSync(folder, { recursive: true }));
/** Few pictures, so that a training takes a second. */
const PICTURES = [
  '--data',
  digitsTable(join(folder, 'digits.csv'), 400),
  '--batch',
  '20',
  '--threads',
  '1',
  '--blas',
  'off',
];

describe('flipgrad train --model vae', () => {
  it('trains, tells ELBO and bound, and leaves a folder', async () => {
    const path = join(folder, 'run');
    const args = [
      'train',
      '--model',
      'vae',
      '--neuron',
      'rloo',
      '--units',
      '12',
      '--epochs',
      '2',
      '--samples',
      '3',
      ...PICTURES,
    ];
    const { code, stderr, lines } = await runCliHere([...args, '--run', path]);
    assert.equal(code, 0, stderr);
    const [, , first, second, result] = lines() as Record<string, number>[];
    assert.deepEqual(
      lines().map(({ event }) => event),
      ['data', 'run', 'epoch', 'epoch', 'result'],
    );
    assert.ok(second.validElbo > first.validElbo);
    assert.ok(result.testBound > result.testElbo && result.samples === 3);
    const names = readdirSync(path).filter((name) => !name.startsWith('.'));
    assert.deepEqual(names.sort(), ['checkpoints', 'curves.svg', 'metrics.jsonl', 'run.json', 'weights.safetensors']);
    const record = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'));
    assert.equal(record.result.testBound, result.testBound);
    assert.equal(record.config.neuron, 'rloo');
    const metrics = readFileSync(join(path, 'metrics.jsonl'), 'utf8').trim().split('\n');
    assert.deepEqual(
      metrics.map((line) => JSON.parse(line).event),
      ['session', 'epoch', 'epoch', 'result'],
    );
    const model = loadModel(reference, readFileSync(join(path, 'weights.safetensors')), { where: 'weights' });
    assert.deepEqual([model.inputs, model.layers[0].outputs, model.outputs], [784, 12, 784]);
    assert.ok(textsOf(readFileSync(join(path, 'curves.svg'), 'utf8')).includes('ELBO, nats'));
    const again = await runCliHere([...args, '--run', path]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /holds checkpoints already\. Expected a new or empty folder\./);
  });

  it('Ctrl-C saves and says how to go on; --resume ends with the same bytes', async () => {
    const path = join(folder, 'stopped');
    const args = ['--model', 'vae', '--neuron', 'rloo', '--units', '12', '--epochs', '2', '--samples', '3'];
    const end = trainCommand()
      .parseAsync([...args, ...PICTURES, '--json', '--run', path], { from: 'user' })
      .then(() => undefined, explain);
    for (let turns = 0; turns < 2000 && !existsSync(join(path, 'metrics.jsonl')); turns++) await setTimeout(10);
    process.emit('SIGINT');
    const stopped = await end;
    assert.equal(stopped?.code, 130);
    assert.equal(stopped.text, `Interrupted and saved. To go on: flipgrad train --resume ${path}`);
    assert.equal((await summarize(await openRun(path))).state, 'stopped');
    const other = await runCliHere(['train', '--resume', path, '--samples', '4']);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /--samples is 4 here and 3 in/);
    await trainCommand().parseAsync(['--resume', path, '--json'], { from: 'user' });
    const weights = (run: string) => readFileSync(join(folder, run, 'weights.safetensors'));
    assert.ok(weights('stopped').equals(weights('run')));
  });

  it('runs and show know it, and what wants a classifier says so', async () => {
    const path = join(folder, 'run');
    const [listed] = (await runCliHere(['runs', folder])).lines() as Record<string, unknown>[];
    assert.deepEqual([listed.state, listed.epochs, typeof listed.testBound], ['done', 2, 'number']);
    const text = comparison([await listedRun(await openRun(path))]);
    assert.match(text, /valid ELBO {2}test ELBO {2}test bound of 3 draws.*\n.*-\d+\.\d\d +-\d+\.\d\d +-\d+\.\d\d/);
    const [shown] = (await runCliHere(['show', path])).lines() as Record<string, unknown>[];
    assert.deepEqual([shown.validElbo, shown.epochs], [listed.validElbo, 2]);
  });

  it('evaluate tells ELBO and bound of the test pictures, as training did; predict gives the pixels; export writes it', async () => {
    const path = join(folder, 'run');
    const { result } = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'));
    const [told] = (await runCliHere(['evaluate', path])).lines() as Record<string, number>[];
    assert.deepEqual([told.elbo, told.bound], [result.testElbo, result.testBound]);
    const rows = join(folder, 'rows.csv');
    writeFileSync(rows, `${Array.from({ length: 784 }, (_, i) => (i % 3 === 0 ? 255 : 0)).join(',')}\n`);
    const [{ pixels }] = (await runCliHere(['predict', path, rows])).lines() as { pixels: number[] }[];
    assert.equal(pixels.length, 784);
    assert.ok(pixels.every((share) => share > 0 && share < 1));
    const out = join(folder, 'model.safetensors');
    assert.equal((await runCliHere(['export', path, '--format', 'safetensors', '--out', out])).code, 0);
    assert.equal(loadModel(reference, readFileSync(out), { where: out }).outputs, 784);
  });

  it('refuses what does not go with it', async () => {
    for (const [args, says] of [
      [['--model', 'vae', '--blocks', '4'], /--blocks does not go with --model vae/],
      [['--samples', '4'], /--samples goes with --model vae/],
      [['--model', 'vae', '--neuron', 'linear', '--run', 'none'], /no units called "latents" that fire/],
    ] as const) {
      const { code, stderr } = await refused(trainCommand(), ['--epochs', '1', ...PICTURES, ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    }
  });
});
