import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { estimateGradient } from '../../src/estimate/index.ts';
import { runPage } from '../helpers/page.ts';

describe('docs/black-box.md', () => {
  let outputs: string[] = [];
  before(async () => {
    outputs = (await runPage('docs/black-box.md', { slow: true })).map(({ printed }) => printed);
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
