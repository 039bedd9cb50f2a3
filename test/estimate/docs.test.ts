import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { estimateGradient } from '../../src/estimate/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/black-box.md'), 'utf8');
/** Every program of the page, and what the page says that it prints. */
const programs = [...page.matchAll(/```ts\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/g)];

describe('docs/black-box.md', () => {
  const folder = mkdtempSync(join(root, 'test', '.black-box-'));
  after(() => rmSync(folder, { recursive: true }));
  let outputs: string[];
  before(() => {
    outputs = programs.map(([, code], number) => {
      const file = join(folder, `program-${number}.ts`);
      writeFileSync(file, code);
      return execFileSync(process.execPath, ['--conditions=flipgrad-source', file], { encoding: 'utf8' });
    });
  });

  it('has two programs, which print what the page says', () => {
    assert.deepEqual(
      outputs,
      programs.map(([, , printed]) => printed),
    );
    assert.equal(outputs.length, 2);
  });

  it('max-cut: the search beats the greedy start', () => {
    const [, greedy] = outputs[0].match(/greedy start cuts (\d+)/) ?? assert.fail();
    const [, found] = outputs[0].match(/(\d+) edges cut after/) ?? assert.fail();
    assert.ok(Number(found) > Number(greedy), `${found} > ${greedy}`);
  });

  it('the mean of the estimates is the exact gradient, to 0.01', () => {
    const [estimated, exact] = outputs[1].split('\n').map((line) => line.split(',').map(Number));
    estimated.forEach((value, unit) => {
      assert.ok(Math.abs(value - exact[unit]) < 0.011, `${estimated} and ${exact}`);
    });
  });

  it('antithetic pairs have no gradient for a loss that is the same of mirror images, at logits of 0', async () => {
    const loss = (bits: Float64Array) => -bits.reduce((edges, bit, i) => edges + Number(bit !== bits[(i + 1) % 9]), 0);
    for (const neuron of ['arm', 'disarm']) {
      const { gradient } = await estimateGradient({ neuron, logits: new Float64Array(9), loss });
      assert.deepEqual(
        Array.from(gradient, (value) => value || 0),
        new Array(9).fill(0),
        neuron,
      );
    }
    const { gradient } = await estimateGradient({ neuron: 'rloo', logits: new Float64Array(9), loss });
    assert.ok(gradient.some((value) => value !== 0));
  });
});
