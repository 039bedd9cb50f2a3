import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lineChart } from '../../charts/line-chart.ts';
import {
  drawVaeEqualTime,
  ESTIMATORS,
  renderVaeEqualTime,
  type VaeRecord,
} from '../../experiments/vae-equal-time/report.ts';
import { renderVaeVariance, type VarianceRecord } from '../../experiments/vae-variance/report.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { parsePicture, readPanel } from '../helpers/picture.ts';

const record = (neuron: string, seed: number, trainElbo: number): VaeRecord => ({
  neuron,
  seed,
  seconds: 600,
  steps: 60_000,
  curve: [5, 10].map((seconds) => ({ seconds, steps: 100 * seconds, elbo: trainElbo - 100 / seconds })),
  trainElbo,
  testElbo: trainElbo - 1,
  testBound: trainElbo + 6,
  samples: 100,
  engine: 'engine',
  threads: 1,
  dataChecksum: '',
  code: '',
});

describe('the race of equal time', () => {
  const records = [record('disarm', 1, -119), ...[1, 2, 3].map((seed) => record('rloo', seed, -120 - seed))];

  test('ranks by the mean ELBO, with an interval where there are several seeds and none where there is one', () => {
    const rows = renderVaeEqualTime(records)
      .split('\n')
      .filter((line) => /^\| (disarm|rloo)/.test(line));
    assert.deepEqual(rows, [
      '| disarm | 1 | 60000 | 10.0 | -119.00 | -120.00 | -113.00 |',
      // t(0.975, 2) = 4.303, deviation 1: 4.303/√3
      '| rloo | 3 | 60000 | 10.0 | -122.00 ± 2.48 | -123.00 ± 2.48 | -116.00 ± 2.48 |',
    ]);
    assert.match(renderVaeEqualTime(records), /4 of \d+ trials are in, 1 estimators with all 3 seeds/);
  });

  test('draws a line an estimator, and says which has one seed', () => {
    const picture = drawVaeEqualTime(records);
    assert.match(picture, />disarm \(one seed\)</);
    assert.deepEqual(
      readPanel(picture).lines.map(({ name }) => name),
      ['disarm (one seed)', 'rloo'],
    );
  });

  test('every estimator is one, and none stands twice', () => {
    for (const neuron of ESTIMATORS) assert.equal(typeof resolveNeuron(neuron).fire, 'function');
    assert.equal(new Set(ESTIMATORS).size, ESTIMATORS.length);
    assert.ok(ESTIMATORS.length >= 8);
  });
});

test('the variance page compares minibatch by minibatch, and tells when an ordering is not found', () => {
  const measured = (neuron: string, variances: number[]): VarianceRecord => ({
    step: 100,
    neuron,
    unbiased: true,
    draws: 2,
    variances,
    engine: '',
  });
  const page = renderVaeVariance([
    measured('rloo', [1, 10, 100]),
    measured('disarm', [0.5, 5, 50]),
    measured('arm', [0.4, 4, 40]),
    measured('double-cv', [0.1, 9, 49]),
  ]);
  assert.match(page, /^\| disarm \| 2 \| yes \| 0\.5 ± 0 \|$/m);
  assert.match(page, /^\| disarm < arm \| 100 \| 1\.25 ± 0 \| \*\*the other way round\*\*/m);
  assert.match(page, /^\| disarm < rloo \| 100 \| 0\.5 ± 0 \| as expected/m);
  assert.match(page, /^\| double-cv < disarm \| 100 \| .* \| not shown/m);
});

test('names at the ends of lines do not lie upon one another, nor under the picture', () => {
  const series = Array.from({ length: 20 }, (_, i) => ({
    name: `line ${i}`,
    points: [
      { x: 1, y: 1 },
      { x: 2, y: 1 + i / 1e3 },
    ],
  }));
  const picture = lineChart({ title: 'a < b', xLabel: 'x', yLabel: 'y', xTicks: [1, 2], yTicks: [1, 2], series });
  const heights = [...parsePicture(picture).querySelectorAll('text[font-weight="600"][fill]')].map((text) =>
    Number(text.getAttribute('y')),
  );
  assert.equal(heights.length, 20);
  const sorted = heights.toSorted((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) assert.ok(sorted[i] - sorted[i - 1] > 14, sorted.join(' '));
  assert.ok(sorted[0] > 40 && sorted[19] < 480);
  assert.match(picture, /a &lt; b/);
});
