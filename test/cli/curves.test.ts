/** The picture of a run's curves, of files that a stranger may have changed and of runs that are long. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { curvesChart } from '../../cli/curves.ts';
import { classification, type MetricsLine, type RunRecord, readingOf, vae } from '../../src/index.ts';
import { decodeMetrics } from '../../src/runs/metrics.ts';
import { parsePicture, readPanel, textsOf } from '../helpers/picture.ts';

const about = { config: { neuron: 'a\u001b[2J & b' }, seed: 1, data: { name: 'two' } } as unknown as RunRecord;
const reading = readingOf(classification);
const site = (name: string) => ({
  site: name,
  rate: 0.5,
  dead: 1,
  alwaysOn: 0,
  units: 4,
  spread: { least: 0, most: 1, variance: 0.25, histogram: [2, 2] },
});
const epoch = (number: number, ...sites: string[]) => ({
  event: 'epoch',
  epoch: number,
  epochs: 3,
  trainLoss: 1 / number,
  trainError: 0.5,
  validError: 0.5,
  validLoss: 1,
  density: 0.5,
  health: sites.map(site),
  learningRate: 0.1,
  seconds: 1,
  best: true,
  time: 1,
});
/** As they come from the file. */
const linesOf = (events: readonly object[]): MetricsLine[] =>
  decodeMetrics(new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join('')), 'x', reading)
    .lines;

describe('curves', () => {
  it('have a panel for every site of any epoch, with the epochs that have it', () => {
    const lines = linesOf([epoch(1), epoch(2, 'a', 'b'), epoch(3, 'b')]);
    const svg = curvesChart(lines, about, reading);
    const openOf = (picture: string) => textsOf(picture).filter((text) => text.includes('open while training'));
    const open = ['a: open while training, %', 'b: open while training, %'];
    assert.deepEqual(openOf(svg), open);
    const points = readPanel(svg).lines.map((line) => line.points.length);
    assert.deepEqual(points, [3, 3, 3, 3, 1, 1, 1, 2, 2, 2]);
    assert.ok(!svg.includes('\u001b'));
    const told = lines.map((line) => ({ ...line, validElbo: -1 }));
    const elbo = curvesChart(told, about, readingOf(vae()));
    assert.ok(textsOf(elbo).includes('ELBO, nats'));
    assert.deepEqual(openOf(elbo), open);
  });

  it('of fifty thousand epochs are drawn', () => {
    const [one] = linesOf([epoch(1, 'a')]) as (MetricsLine & { epoch: number })[];
    const lines = Array.from({ length: 50_000 }, (_, i) => ({ ...one, epoch: i + 1 }));
    assert.ok(textsOf(curvesChart(lines, about, reading)).includes('epoch 50000'));
  });

  it('of no epoch are empty', () => {
    assert.equal(parsePicture(curvesChart([], about, reading)).querySelectorAll('path').length, 0);
  });
});
