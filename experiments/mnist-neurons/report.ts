import type { ResultEvent } from '../../src/index.ts';
import { percent, readRecordsOf } from '../kit/records.ts';

export const FILE = 'mnist-neurons.jsonl';

export type Role = 'gates' | 'hidden units';

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
    'Test error in percent after 10 epochs of Adam (best epoch by validation error), one seed. “Gates”: 784 → 512 rectifier experts in 32',
    'blocks → 10, with a target of 12.5% open for gates that can close. “Hidden”: 784 → 256 → 10. “Executed”: multiply-adds of the forward pass, in',
    'training and at test (sampled), in percent of the dense network without gater. Seconds are those of one run on a shared machine, not a',
    'benchmark. Made by `FLIPGRAD_DATA=DIR node experiments/mnist-neurons/run.ts`.',
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
