import { lineChart } from '../../charts/line-chart.ts';
import { readRecordsOf } from '../kit/records.ts';
import { interval } from '../kit/statistics.ts';

export const FILE = 'vae-equal-time.jsonl';

export const SEEDS = [1, 2, 3];

export const SECONDS = 600;

/** CPU seconds at which the ELBO of 10,000 training pictures is taken. */
export const MARKS = [5, 10, 20, 40, 60, 90, 120, 180, 240, 300, 360, 420, 480, 540, 600];

/** Every estimator in the race, with the options that it runs with. */
export const ESTIMATORS: readonly string[] = [
  'rloo',
  'disarm',
  'double-cv',
  'concrete',
  'stochastic-binary',
  'rebar',
  'reinmax',
  'muprop',
  'nvil',
  'rodeo',
  'muprop:baseline=linear',
  'rodeo:surrogate=network',
  'straight-through-gumbel',
  'straight-through-derivative',
  'arm',
  'vimco',
  'relax',
  'rloo:K=4',
  'arms',
  'straight-through',
  // As MuProp was measured first; no paper runs it bare.
  'muprop:baseline=none',
];

/** One estimator and seed, at the end of its time; nats a picture. */
export interface VaeRecord {
  readonly neuron: string;
  readonly seed: number;
  /** CPU seconds of training, and how many steps they held. */
  readonly seconds: number;
  readonly steps: number;
  readonly curve: readonly { readonly seconds: number; readonly steps: number; readonly elbo: number }[];
  /** Over all 50,000 training pictures, one binarisation. */
  readonly trainElbo: number;
  readonly testElbo: number;
  /** Of `samples` draws. */
  readonly testBound: number;
  readonly samples: number;
  readonly engine: string;
  readonly threads: number;
  readonly dataChecksum: string;
  /** Commit when the program began. */
  readonly code: string;
}

export const readVaeRecords = (): VaeRecord[] => readRecordsOf<VaeRecord>(FILE);

/** In the order of their mean train ELBO, the best first. */
function ranked(records: readonly VaeRecord[]): { neuron: string; runs: VaeRecord[] }[] {
  const groups = ESTIMATORS.map((neuron) => ({
    neuron,
    runs: records.filter((record) => record.neuron === neuron).sort((a, b) => a.seed - b.seed),
  })).filter(({ runs }) => runs.length > 0);
  const mean = (runs: readonly VaeRecord[]) => interval(runs.map(({ trainElbo }) => trainElbo)).mean;
  return groups.sort((a, b) => mean(b.runs) - mean(a.runs));
}

/** The table as Markdown, from the records alone. */
export function renderVaeEqualTime(records: readonly VaeRecord[]): string {
  const groups = ranked(records);
  const shown = (values: readonly number[]): string => {
    const { mean, half } = interval(values);
    return Number.isNaN(half) ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${half.toFixed(2)}`;
  };
  const rows = groups.map(({ neuron, runs }) => {
    const steps = runs.reduce((sum, run) => sum + run.steps, 0) / runs.length;
    const bounds = [
      runs.map(({ trainElbo }) => trainElbo),
      runs.map(({ testElbo }) => testElbo),
      runs.map(({ testBound }) => testBound),
    ];
    const milliseconds = (1000 * runs.reduce((sum, run) => sum + run.seconds, 0)) / (steps * runs.length);
    const trials = [neuron, runs.length, steps.toFixed(0), milliseconds.toFixed(1), ...bounds.map(shown)];
    return `| ${trials.join(' | ')} |`;
  });
  const complete = groups.filter(({ runs }) => runs.length === SEEDS.length).length;
  const engines = [...new Set(records.map(({ engine, threads }) => `${engine}, ${threads} thread`))].join('; ');
  return [
    '# Discrete VAE, equal time',
    '',
    'Linear VAE on dynamically binarised MNIST (784 → 200 Bernoulli latents → 784, fair-coin prior, 50,000 training pictures), Adam 0.001, batch 100.',
    `Every run has ${SECONDS} seconds of the process’s own CPU time (user and system) for its training steps, measurement left out: other work on the machine`,
    'then costs no steps, though it still slows them (shared caches and memory), and a step costs what this library’s implementation of the estimator costs. ELBO: last',
    'weights, the latents drawn from Bernoulli(σ(a)) whatever trained, one draw a picture; bound: importance-weighted, 100 draws. Nats, mean and 95% interval',
    `over seeds (one seed: no interval, and no claim about order). ${records.length} of ${SEEDS.length * ESTIMATORS.length} trials are in, ${complete} estimators with all ${SEEDS.length} seeds. Engine: ${engines}. Made by`,
    '`FLIPGRAD_DATA=DIR node experiments/vae-equal-time/run.ts`, which continues when it is run again.',
    '',
    '![ELBO against CPU seconds](vae-equal-time.svg)',
    '',
    '| estimator | seeds | steps | ms a step | train ELBO | test ELBO | test bound, 100 draws |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}

/** ELBO of 10,000 training pictures against CPU seconds: the mean over seeds as a line, all seeds as a band. */
export function drawVaeEqualTime(records: readonly VaeRecord[]): string {
  const series = ranked(records).map(({ neuron, runs }) => ({
    name: runs.length === 1 ? `${neuron} (one seed)` : neuron,
    points: runs[0].curve.map((_, i) => {
      const elbos = runs.map(({ curve }) => curve[i].elbo);
      const y = elbos.reduce((sum, elbo) => sum + elbo, 0) / elbos.length;
      return { x: MARKS[i], y, low: Math.min(...elbos), high: Math.max(...elbos) };
    }),
  }));
  return lineChart({
    title: 'Discrete VAE (linear, MNIST): equal CPU time',
    yLabel: 'ELBO of 10,000 training pictures, nats',
    xLabel: 'CPU seconds of training',
    log: { x: true },
    least: -170,
    xTicks: [5, 10, 20, 60, 120, 300, 600],
    yTicks: [-170, -160, -150, -140, -130, -125, -120, -115, -110],
    series,
  });
}
