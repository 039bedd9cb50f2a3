import { lineChart } from '../../charts/line-chart.ts';
import { readRecordsOf } from '../kit/records.ts';
import { type Interval, interval } from '../kit/statistics.ts';

export const FILE = 'vae-variance.jsonl';

export const MARKS = [100, 500, 2000, 5000];

export const DRAWS = 30;

/** All others are told relative to it. */
const UNIT = 'rloo';

/** Estimators, where the zoo has them. Not NVIL, whose gradient is on another scale, and not VIMCO, which has another objective. */
export const MEASURED: readonly string[] = [
  'stochastic-binary:baseline=none',
  'stochastic-binary:baseline=moving-average',
  'stochastic-binary',
  'muprop:baseline=none',
  'muprop',
  'muprop:baseline=linear',
  'rebar',
  'relax',
  'rloo',
  'arm',
  'disarm',
  'double-cv',
  'rodeo',
  'rodeo:surrogate=network',
  'rloo:K=4',
  'arms',
  'bitflip',
  'straight-through-derivative',
  'straight-through-gumbel',
  'concrete',
  'reinmax',
];

/** One mark of the trajectory. */
export interface VarianceRecord {
  readonly step: number;
  readonly neuron: string;
  readonly unbiased: boolean;
  /** Evaluations of the loss for one gradient. */
  readonly draws: number;
  /** Of a picture's gradient, summed over the latents: one number a minibatch. */
  readonly variances: readonly number[];
  readonly engine: string;
}

export const readVarianceRecords = (): VarianceRecord[] => readRecordsOf<VarianceRecord>(FILE);

export const of = (records: readonly VarianceRecord[], neuron: string, step: number): VarianceRecord | undefined =>
  records.find((record) => record.neuron === neuron && record.step === step);

/** Variance of one estimator over that of another, minibatch by minibatch. */
function ratio(a: VarianceRecord | undefined, b: VarianceRecord | undefined): Interval | undefined {
  return a && b && interval(a.variances.map((variance, i) => variance / b.variances[i]));
}

const shown = (value: Interval | undefined): string =>
  value ? `${Number(value.mean.toPrecision(3))} ± ${Number(value.half.toPrecision(2))}` : '–';

/** Orderings that the papers print or imply: the first is expected to be the less noisy one. */
const EXPECTED = [
  ['disarm', 'arm', 'Dong, Mnih, Tucker 2020: DisARM is ARM with part of its noise integrated out'],
  ['double-cv', 'disarm', 'Titsias and Shi 2022: two control variates on RLOO'],
  ['double-cv', 'rloo', 'Titsias and Shi 2022: two control variates on RLOO'],
  [
    'rodeo',
    'double-cv',
    'Shi, Zhou, Hwang, Titsias, Mackey 2022: discrete Stein operators against two control variates',
  ],
  [
    'rodeo:surrogate=network',
    'rodeo',
    'Shi, Zhou, Hwang, Titsias, Mackey 2022: the network of the paper against one that is linear, in closed form',
  ],
  ['muprop:baseline=linear', 'muprop', 'Gu, Levine, Sutskever, Mnih 2016: a baseline of the input against an average'],
  ['disarm', 'rloo', 'Dong, Mnih, Tucker 2020: antithetic draws against independent ones'],
  ['stochastic-binary', 'stochastic-binary:baseline=none', 'the optimal baseline against none'],
] as const;

/** The tables as Markdown, from the records alone. */
export function renderVaeVariance(records: readonly VarianceRecord[]): string {
  const marks = MARKS.filter((step) => records.some((record) => record.step === step));
  const names = MEASURED.filter((neuron) => records.some((record) => record.neuron === neuron));
  const rows = names.map((neuron) => {
    const first = records.find((record) => record.neuron === neuron) as VarianceRecord;
    const ratios = marks.map((step) => shown(ratio(of(records, neuron, step), of(records, UNIT, step))));
    return `| ${[neuron, first.draws, first.unbiased ? 'yes' : 'no', ...ratios].join(' | ')} |`;
  });
  const orders = EXPECTED.flatMap(([a, b, source]) =>
    marks.flatMap((step) => {
      const measured = ratio(of(records, a, step), of(records, b, step));
      if (!measured) return [];
      const { mean, half } = measured;
      const found = mean + half < 1 ? 'as expected' : mean - half > 1 ? '**the other way round**' : 'not shown';
      return [`| ${a} < ${b} | ${step} | ${shown(measured)} | ${found} | ${source} |`];
    }),
  );
  return [
    '# Variance of gradients on one trajectory',
    '',
    'Linear VAE on MNIST (784 → 200 Bernoulli latents → 784), trained with RLOO of two draws; at each mark every estimator is measured at the',
    `same weights on the same ten minibatches of 100 pictures with fixed bits, ${DRAWS} draws each: variance of a picture’s gradient at the logits of`,
    `the latents, summed over the latents, divided by that of \`${UNIT}\` on the same minibatch. Mean and 95% interval over the ten minibatches. “Draws”`,
    'are evaluations of the loss for one gradient; nothing is divided by them. Biased estimators can have any variance. Made by',
    '`FLIPGRAD_DATA=DIR node experiments/vae-variance/run.ts`.',
    '',
    '![variances](vae-variance.svg)',
    '',
    `| estimator | draws | unbiased | ${marks.map((step) => `step ${step}`).join(' | ')} |`,
    `|---|---:|---|${marks.map(() => '---:').join('|')}|`,
    ...rows,
    '',
    '## Expected orderings',
    '',
    '| expected | step | measured ratio | | source |',
    '|---|---:|---:|---|---|',
    ...orders,
    '',
  ].join('\n');
}

/** The ratios over the trajectory. */
export function drawVaeVariance(records: readonly VarianceRecord[]): string {
  const names = MEASURED.filter((neuron) => records.some((record) => record.neuron === neuron));
  const series = names.map((name) => ({
    name,
    points: MARKS.flatMap((step) => {
      const value = ratio(of(records, name, step), of(records, UNIT, step));
      if (!value) return [];
      const { mean, half } = value;
      return [{ x: step, y: mean, low: Math.max(mean / 2, mean - half), high: mean + half }];
    }),
  }));
  return lineChart({
    title: 'Variance of the gradient at the latents, linear VAE on MNIST',
    yLabel: `relative to ${UNIT} (two draws), at the same weights and minibatches`,
    xLabel: 'step of training',
    log: { x: true, y: true },
    xTicks: MARKS,
    yTicks: [0.01, 0.1, 1, 10, 100, 1000],
    series,
  });
}
