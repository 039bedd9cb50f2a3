/**
 * Every neuron as the gater of the 2013 network (784 → 400 tanh → 2000 gates over 2000 linear experts → 10) on MNIST: does
 * each of them train? Settings of Bengio, Léonard, Courville 2013, §5, as far as the paper and its code give them.
 *
 *     FLIPGRAD_DATA=DIR node experiments/mnist-2013/run.ts [NEURON]
 *
 * Writes a record a neuron to results/mnist-2013.jsonl as it finishes (a neuron that has one is not run again) and renders
 * results/mnist-2013.md.
 */
import { createModel, dense, gated, resolveOptimizer, train } from '../../src/index.ts';
import { createEngine, loadDataset } from '../../src/platform/node/index.ts';
import { appendRecord, writeTable } from '../kit/records.ts';
import { FILE, ROWS, type Row, readRecords, renderTable } from './report.ts';

/** Factor on the learning rates after every epoch: the paper searched for its schedule and does not print it. */
const DECAY = 0.85;

async function run({ neuron, epochs, gates = {}, momentum = 0 }: Row, threads: number): Promise<void> {
  const data = await loadDataset('mnist');
  const engine = await createEngine({ threads });
  const model = createModel(engine, {
    inputs: 784,
    seed: 1,
    layers: [
      gated(2000, { neuron, gater: [400], rate: 0.1, start: 'zero', steer: false, name: 'gated', ...gates }),
      dense(10, 'linear', 'output'),
    ],
  });
  const optimizer = resolveOptimizer('sgd', { learningRate: 0.1, momentum });
  for await (const event of train(model, data, { epochs, batch: 32, optimizer, maxNorm: 2, decay: DECAY })) {
    if (event.event === 'epoch')
      console.error(
        `${neuron} ${event.epoch}/${epochs}: valid ${event.validError.toFixed(4)}, ${event.seconds.toFixed(0)} s`,
      );
    if (event.event === 'result') appendRecord(FILE, { neuron, momentum, ...event });
  }
  engine.close();
}

if (import.meta.main) {
  const [only] = process.argv.slice(2);
  for (const row of ROWS) {
    if (only && row.neuron !== only) continue;
    if (!readRecords().some(({ neuron }) => neuron === row.neuron)) await run(row, Number(process.env.THREADS ?? 2));
    writeTable('mnist-2013.md', renderTable(readRecords()));
  }
}
