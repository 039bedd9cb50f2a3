/**
 * Does every neuron train? Each as the gates of a block-gated network (784 → 512 rectifier experts in 32 blocks → 10, gater 64)
 * and as the units of a hidden layer (784 → 256 → 10), on MNIST, 10 epochs of Adam, batch 100, one seed.
 *
 *     FLIPGRAD_DATA=DIR node experiments/mnist-neurons/run.ts
 *
 * Writes a record a trial to results/mnist-neurons.jsonl as it finishes (a finished trial is not run again) and renders
 * results/mnist-neurons.md.
 */
import { adam, createModel, dense, gated, train } from '../../src/index.ts';
import { createEngine, loadDataset } from '../../src/platform/node/index.ts';
import { appendRecord, writeTable } from '../kit/records.ts';
import { FILE, NEURONS, type Role, readNeuronRecords, renderNeurons } from './report.ts';

const EPOCHS = 10;

async function run(neuron: string, role: Role, rate: 'none' | undefined): Promise<void> {
  const data = await loadDataset('mnist');
  const engine = await createEngine({ threads: Number(process.env.THREADS ?? 2) });
  const gates = gated(512, {
    neuron,
    blocks: 32,
    gater: [64],
    activation: 'rectifier',
    rate: rate ?? 0.125,
    // As the figures that are kept were measured.
    steer: false,
    ...(rate && { sparsity: 'none' as const }),
  });
  const layers = [role === 'gates' ? gates : dense(256, neuron), dense(10)];
  const model = createModel(engine, { inputs: 784, layers, seed: 1 });
  for await (const event of train(model, data, { epochs: EPOCHS, batch: 100, optimizer: adam() }))
    if (event.event === 'result') {
      appendRecord(FILE, { neuron, role, ...event });
      console.error(`${neuron} as ${role}: ${JSON.stringify(event.testError)}, ${event.seconds.toFixed(0)} s`);
    }
  engine.close();
}

if (import.meta.main)
  for (const role of ['gates', 'hidden units'] as const)
    for (const { neuron, rate } of NEURONS) {
      if (!readNeuronRecords().some((record) => record.neuron === neuron && record.role === role))
        await run(neuron, role, rate);
      writeTable('mnist-neurons.md', renderNeurons(readNeuronRecords()));
    }
