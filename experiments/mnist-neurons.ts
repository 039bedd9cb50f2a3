/**
 * Does every neuron train? Each as the gates of a block-gated network (784 → 512 rectifier experts in 32 blocks → 10, gater 64)
 * and as the units of a hidden layer (784 → 256 → 10), on MNIST, 10 epochs of Adam, batch 100, one seed.
 *
 *     FLIPGRAD_DATA=../shared/data node experiments/mnist-neurons.ts
 *
 * Writes a record a trial to results/mnist-neurons.jsonl as it finishes (a finished trial is not run again) and renders
 * results/mnist-neurons.md.
 */
import { adam, createModel, dense, gated, type ResultEvent, train } from '../src/index.ts';
import { createEngine, loadDataset } from '../src/platform/node/index.ts';
import { appendRecord, percent, readRecordsOf, writeTable } from './records.ts';

const FILE = 'mnist-neurons.jsonl';
const EPOCHS = 10;

type Role = 'gates' | 'hidden units';

/** Every neuron of issue and paper, with its variants; those whose gates never close have no target rate. */
export const NEURONS: readonly { readonly neuron: string; readonly rate?: 'none' }[] = [
  { neuron: 'straight-through' },
  { neuron: 'straight-through-derivative' },
  { neuron: 'as-if-deterministic' },
  { neuron: 'stochastic-binary' },
  { neuron: 'stochastic-binary:baseline=moving-average' },
  { neuron: 'stochastic-binary:baseline=none' },
  { neuron: 'stochastic-times-smooth' },
  { neuron: 'stochastic-times-smooth:variant=code' },
  { neuron: 'noisy-rectifier' },
  { neuron: 'noisy-rectifier:noise=logistic' },
  { neuron: 'noisy-sigmoid', rate: 'none' },
  { neuron: 'rectifier' },
  { neuron: 'sigmoid', rate: 'none' },
  { neuron: 'tanh', rate: 'none' },
];

interface NeuronRecord extends ResultEvent {
  readonly neuron: string;
  readonly role: Role;
}

export const readNeuronRecords = (): NeuronRecord[] => readRecordsOf<NeuronRecord>(FILE);

/** The table as Markdown, from the records alone. */
export function renderNeurons(records: readonly NeuronRecord[]): string {
  const rows = NEURONS.flatMap(({ neuron }) =>
    records.filter((record) => record.neuron === neuron).sort((a, b) => a.role.localeCompare(b.role)),
  );
  return [
    '# Every neuron on MNIST, as gates of blocks and as hidden units',
    '',
    'Test error in percent after 10 epochs of Adam (epoch by validation error), one seed. Gates: 784 → 512 rectifier experts in 32',
    'blocks → 10, 12.5% to be open where gates can close; hidden: 784 → 256 → 10. "Executed": multiply-adds of the forward pass while',
    'training and at test (sampled), in percent of the dense network without gater. Made by',
    '`FLIPGRAD_DATA=../shared/data node experiments/mnist-neurons.ts`.',
    '',
    '| neuron | as | sampled | threshold | mean-field | valid | open | executed, train | executed, test | seconds |',
    '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map(({ neuron, role, testError, validError, density, flops, training, seconds }) => {
      const errors = [testError.sampled, testError.threshold, testError.meanField, validError, density].map(percent);
      const work = [training.executed, flops.executed].map((executed) => (100 * executed) / flops.dense);
      return `| ${[neuron, role, ...errors, ...work.map((share) => share.toFixed(0)), seconds.toFixed(0)].join(' | ')} |`;
    }),
    '',
  ].join('\n');
}

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
