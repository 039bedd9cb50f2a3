import type { GatedSpec, ResultEvent } from '../../src/index.ts';
import { percent, readRecordsOf } from '../kit/records.ts';

const EPOCHS = 10;

export interface Row {
  readonly neuron: string;
  readonly epochs: number;
  readonly gates?: Partial<GatedSpec>;
  readonly momentum?: number;
}

export interface Mnist2013Record extends ResultEvent {
  readonly neuron: string;
  readonly momentum: number;
  readonly node: string;
  /** The commit that the run was made with. */
  readonly commit: string;
}

/** The paper's setting, but for what a row says. Gates that never close have no target rate. */
export const ROWS: readonly Row[] = [
  { neuron: 'straight-through', epochs: 15 },
  { neuron: 'straight-through-derivative', epochs: EPOCHS },
  { neuron: 'as-if-deterministic', epochs: EPOCHS },
  { neuron: 'stochastic-binary', epochs: EPOCHS },
  { neuron: 'stochastic-times-smooth', epochs: EPOCHS, momentum: 0.9 },
  { neuron: 'noisy-rectifier', epochs: EPOCHS },
  { neuron: 'noisy-sigmoid', epochs: EPOCHS, gates: { rate: 'none' } },
  { neuron: 'rectifier', epochs: EPOCHS },
  { neuron: 'sigmoid', epochs: EPOCHS, gates: { rate: 'none' } },
  { neuron: 'tanh', epochs: EPOCHS, gates: { rate: 'none' } },
  { neuron: 'stochastic-binary:baseline=moving-average', epochs: EPOCHS },
  { neuron: 'stochastic-binary:baseline=none', epochs: EPOCHS },
  { neuron: 'stochastic-times-smooth:variant=code', epochs: EPOCHS, momentum: 0.9 },
  { neuron: 'noisy-rectifier:noise=logistic', epochs: EPOCHS },
];

export const FILE = 'mnist-2013.jsonl';

export const readRecords = (): Mnist2013Record[] => readRecordsOf<Mnist2013Record>(FILE);

/** The table as Markdown, from the records alone. */
export function renderTable(records: readonly Mnist2013Record[]): string {
  const rows = ROWS.flatMap(({ neuron }) => records.filter((record) => record.neuron === neuron));
  return [
    '# Every neuron as the gater of the 2013 network, on MNIST',
    '',
    'Test error in percent at the epoch with the best validation error; one seed. Made by',
    '`FLIPGRAD_DATA=DIR node experiments/mnist-2013/run.ts` from `mnist-2013.jsonl`.',
    '',
    '| gater | momentum | epochs | sampled | threshold | mean-field | valid | open | train loss | minutes | engine |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|',
    ...rows.map(({ neuron, momentum, epochs, testError, validError, density, trainLoss, seconds, engine, threads }) => {
      const errors = [testError.sampled, testError.threshold, testError.meanField, validError, density].map(percent);
      const cells = [
        neuron,
        momentum,
        epochs,
        ...errors,
        trainLoss.toFixed(4),
        (seconds / 60).toFixed(1),
        `${engine}, ${threads}`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
  ].join('\n');
}
