/**
 * The picture of docs/gates-that-pay.md: which blocks of a gated network open for which digit.
 *
 *     node experiments/gates-picture/run.ts
 *
 * Trains the network of `npm start` and writes docs/gates.svg.
 */
import { writeFileSync } from 'node:fs';
import { adam, createModel, dense, evaluate, gated, gateRates, train } from '../../src/index.ts';
import { createEngine, loadDataset } from '../../src/platform/node/index.ts';

const CELL = 22;
const LEFT = 70;
const TOP = 58;

interface Heatmap {
  readonly rates: Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly title: string;
  readonly note: string;
}

/** Rows are digits, columns are blocks; the darker, the more of the digit's test images open the block. */
function heatmap({ rates, rows, columns, title, note }: Heatmap): string {
  const width = LEFT + columns * CELL + 20;
  const height = TOP + rows * CELL + 62;
  const cells = Array.from(rates, (rate, i) => {
    const [x, y] = [LEFT + (i % columns) * CELL, TOP + Math.floor(i / columns) * CELL];
    return `<rect x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3" fill="#0b5cad" fill-opacity="${(0.04 + 0.96 * rate).toFixed(3)}"/>`;
  });
  const digits = Array.from({ length: rows }, (_, digit) => {
    return `<text x="${LEFT - 10}" y="${TOP + digit * CELL + 16}" text-anchor="end">${digit}</text>`;
  });
  const foot = TOP + rows * CELL;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="14" fill="#222" role="img" aria-label="${title}">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="26" font-size="17" font-weight="600">${title}</text>
<text x="${LEFT}" y="46" fill="#555">rows: the digit shown · columns: ${columns} blocks, each skipped when its gate is closed</text>
${[...cells, ...digits].join('\n')}
<text x="${LEFT}" y="${foot + 26}" fill="#555">pale: hardly ever open · dark: open for nearly every image of the digit</text>
<text x="${LEFT}" y="${foot + 46}" fill="#555">${note}</text>
</svg>
`;
}

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
  heatmap({
    rates: sorted,
    rows: 10,
    columns: units,
    title: 'Which blocks of the network open for which digit',
    note: `${(100 * open).toFixed(1)}% of the gates open, test error ${(100 * error).toFixed(2)}% (threshold mode, seed 1)`,
  }),
);
engine.close();
