import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadModel } from '../../src/io/model-file.ts';
import { reference } from '../helpers/engines.ts';
import { runCli } from '../helpers/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-vae-'));
after(() => rmSync(folder, { recursive: true }));

describe('flipgrad train --model vae', () => {
  it('trains, tells ELBO and bound, and leaves a folder', async () => {
    const path = join(folder, 'run');
    const args = ['train', '--model', 'vae', '--neuron', 'rloo', '--units', '12', '--epochs', '2', '--samples', '3'];
    const { code, stderr, lines } = await runCli([...args, '--run', path]);
    assert.equal(code, 0, stderr);
    const [, first, second, result] = lines() as Record<string, number>[];
    assert.deepEqual(
      lines().map(({ event }) => event),
      ['run', 'epoch', 'epoch', 'result'],
    );
    assert.ok(second.validElbo > first.validElbo);
    assert.ok(result.testBound > result.testElbo && result.samples === 3);
    assert.deepEqual(readdirSync(path).sort(), ['curves.svg', 'metrics.jsonl', 'vae.json', 'weights.safetensors']);
    const record = JSON.parse(readFileSync(join(path, 'vae.json'), 'utf8'));
    assert.equal(record.result.testBound, result.testBound);
    assert.equal(record.config.neuron, 'rloo');
    const metrics = readFileSync(join(path, 'metrics.jsonl'), 'utf8').trim().split('\n');
    assert.deepEqual(
      metrics.map((line) => JSON.parse(line).event),
      ['epoch', 'epoch', 'result'],
    );
    const model = loadModel(reference, readFileSync(join(path, 'weights.safetensors')), { where: 'weights' });
    assert.deepEqual([model.inputs, model.layers[0].outputs, model.outputs], [784, 12, 784]);
    assert.match(readFileSync(join(path, 'curves.svg'), 'utf8'), /^<svg.*−ELBO, nats/s);
    const again = await runCli([...args, '--run', path]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /holds curves\.svg already; a new or empty folder would do\./);
  });

  it('refuses what does not go with it', async () => {
    for (const [args, says] of [
      [['--model', 'vae', '--blocks', '4'], /--blocks does not go with --model vae/],
      [['--samples', '4'], /--samples goes with --model vae/],
      [['--model', 'vae', '--neuron', 'linear', '--run', 'none'], /no units called "latents" that fire/],
    ] as const) {
      const { code, stderr } = await runCli(['train', '--epochs', '1', ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    }
  });
});
