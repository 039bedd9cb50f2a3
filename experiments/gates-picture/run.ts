/**
 * The picture of docs/gates-that-pay.md: which blocks of a gated network open for which digit.
 *
 *     node experiments/gates-picture/run.ts
 *
 * Trains the network of `npm start` and writes docs/gates.svg.
 */
import { writeFileSync } from 'node:fs';
import { cellChart } from '../../charts/cell-chart.ts';
import { adam, createModel, dense, evaluate, gated, gateRates, train } from '../../src/index.ts';
import { createEngine, loadDataset } from '../../src/platform/node/index.ts';

const engine = await createEngine();
const data = await loadDataset('digits', { seed: 1 });
const model = createModel(engine, {
  inputs: 784,
  layers: [gated(512, { blocks: 32, gater: [64], rate: 0.125, activation: 'rectifier' }), dense(10)],
});
for await (const _ of train(model, data, { epochs: 20, optimizer: adam() }));
const { error } = evaluate(model, data.test, { mode: 'threshold' });
const [{ rates, units }] = gateRates(model, data.test, { mode: 'threshold' });
// Blocks in the order of the digit that opens them most, so that specialists stand together.
const owner = (k: number) => Array.from({ length: 10 }, (_, digit) => rates[digit * units + k]);
const order = Array.from({ length: units }, (_, k) => k).sort((a, b) => {
  const [x, y] = [owner(a), owner(b)];
  return x.indexOf(Math.max(...x)) - y.indexOf(Math.max(...y)) || Math.max(...y) - Math.max(...x);
});
const sorted = Float64Array.from(rates, (_, i) => rates[Math.floor(i / units) * units + order[i % units]]);
const open = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
writeFileSync(
  new URL('../../docs/gates.svg', import.meta.url),
  cellChart({
    title: 'Which blocks of the network open for which digit',
    subtitle: `rows: the digit shown · columns: ${units} blocks, each skipped when its gate is closed`,
    rows: Array.from({ length: 10 }, (_, digit) => String(digit)),
    shares: sorted,
    notes: [
      'pale: hardly ever open · dark: open for nearly every image of the digit',
      `${(100 * open).toFixed(1)}% of the gates open, test error ${(100 * error).toFixed(2)}% (threshold mode, seed 1)`,
    ],
  }),
);
engine.close();
