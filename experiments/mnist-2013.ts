/**
 * Every neuron as the gater of the 2013 network (784 → 400 tanh → 2000 gates over 2000 linear experts → 10) on MNIST: does
 * each of them train? Settings of Bengio, Léonard, Courville 2013, §5, as far as the paper and its code give them.
 *
 *     FLIPGRAD_DATA=../shared/data node experiments/mnist-2013.ts [NEURON]
 *
 * Writes a record a neuron to results/mnist-2013.jsonl as it finishes (a neuron that has one is not run again) and renders
 * results/mnist-2013.md.
 */
import { createModel, dense, type GatedSpec, gated, type ResultEvent, resolveOptimizer, train } from '../src/index.ts';
import { createEngine, loadDataset } from '../src/platform/node/index.ts';
import { appendRecord, percent, readRecordsOf, writeTable } from './records.ts';

interface Row {
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

const EPOCHS = 10;
/** Factor on the learning rates after every epoch: the paper searched for its schedule and does not print it. */
const DECAY = 0.85;

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

const FILE = 'mnist-2013.jsonl';

export const readRecords = (): Mnist2013Record[] => readRecordsOf<Mnist2013Record>(FILE);

/** The table as Markdown, from the records alone. */
export function renderTable(records: readonly Mnist2013Record[]): string {
  const rows = ROWS.flatMap(({ neuron }) => records.filter((record) => record.neuron === neuron));
  return [
    '# Every neuron as the gater of the 2013 network, on MNIST',
    '',
    'Test error in percent at the epoch with the best validation error; one seed. Made by',
    '`FLIPGRAD_DATA=../shared/data node experiments/mnist-2013.ts` from `mnist-2013.jsonl`.',
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
