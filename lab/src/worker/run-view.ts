import { type EpochEvent, type MetricsLine, type Run, type RunRecord, summarize } from '../../../src/index.ts';
import type { LineChart } from '../chart.ts';
import { type Published, publishedBesideRun } from './published.ts';

/** A run, for a page. */
export interface RunView {
  readonly kind: 'run';
  readonly name: string;
  /** Somebody is writing it, as far as can be seen from here. */
  readonly running: boolean;
  readonly facts: readonly (readonly [string, string])[];
  readonly charts: readonly LineChart[];
  /** How the gates and other stochastic units fired in the last epoch. */
  readonly sites: readonly SiteView[];
  /** Name and figure; empty before the end. */
  readonly result: readonly (readonly [string, string])[];
  readonly published?: Published;
  /** Why no published table stands beside it. */
  readonly unpublished: string;
}

export interface SiteView {
  readonly site: string;
  readonly units: number;
  /** Shares in [0, 1]. */
  readonly rate: number;
  readonly least: number;
  readonly most: number;
  readonly dead: number;
  readonly alwaysOn: number;
  /** Share of the units whose rate is in that twentieth of [0, 1]. */
  readonly bars: readonly { readonly from: number; readonly to: number; readonly share: number }[];
}

const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)}%`;
const millions = (count: number): string => `${(count / 1e6).toFixed(3)} million`;
const text = (value: unknown): string =>
  Array.isArray(value) ? value.join(' ') : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** That nobody is writing a run cannot be seen in picked files. */
const STATES = { done: 'done', running: 'running', stopped: 'not done' } as const;

/** @param name of the folder as the user knows it */
export async function viewRun(run: Run, name: string): Promise<RunView> {
  const { record } = run;
  const summary = await summarize(run);
  const lines = await run.metrics();
  const epochs = lines.filter((line): line is MetricsLine & EpochEvent => line.event === 'epoch');
  const { train, valid, test } = record.data.examples;
  const published = publishedBesideRun(record);
  return {
    kind: 'run',
    name,
    running: summary.state === 'running',
    facts: [
      ['state', `${STATES[summary.state]}, ${summary.epochs} of ${summary.ofEpochs} epochs`],
      [
        'settings',
        Object.entries(record.config)
          .map(([key, value]) => `${key} ${text(value)}`)
          .join(', '),
      ],
      ['seed', String(record.seed)],
      ['data', `${record.data.name}: ${train} examples to train with, ${valid} and ${test} to check`],
      ['engine', `${record.engine.name}, ${record.engine.threads} thread${record.engine.threads === 1 ? '' : 's'}`],
      ['time', `${summary.seconds.toFixed(1)} s in ${summary.sessions} session${summary.sessions === 1 ? '' : 's'}`],
    ],
    charts: chartsOf(epochs),
    sites: (epochs.at(-1)?.health ?? []).map(siteOf),
    result: resultOf(record),
    ...(published && { published }),
    unpublished: published
      ? ''
      : record.result
        ? `No published table is known here for a ${record.model.layers[0].layer} layer of ${text(record.config.neuron ?? 'these units')}.`
        : 'A run that is not done has no figures to stand beside published ones.',
  };
}

function chartsOf(epochs: readonly EpochEvent[]): LineChart[] {
  if (epochs.length === 0) return [];
  const line = (name: string, of: (event: EpochEvent) => number) => ({
    name,
    points: epochs.map((event) => ({ x: event.epoch, y: of(event) })),
  });
  return [
    {
      title: 'Cross-entropy',
      x: 'epoch',
      y: 'nats',
      lines: [line('training', ({ trainLoss }) => trainLoss), line('validation', ({ validLoss }) => validLoss)],
    },
    {
      title: 'Error',
      x: 'epoch',
      y: '%',
      lines: [
        line('training', ({ trainError }) => 100 * trainError),
        line('validation', ({ validError }) => 100 * validError),
      ],
    },
    ...epochs[0].health.map(({ site, units }, i) => ({
      title: `${site}: open while training`,
      x: 'epoch',
      y: '%',
      lines: [
        line('mean', ({ health }) => 100 * health[i].rate),
        line('most open', ({ health }) => 100 * health[i].spread.most),
        line(`dead, of ${units}`, ({ health }) => (100 * health[i].dead) / units),
      ],
    })),
  ];
}

function siteOf({ site, units, rate, dead, alwaysOn, spread }: EpochEvent['health'][number]): SiteView {
  const { histogram, least, most } = spread;
  const bars = histogram.map((count, i) => ({
    from: i / histogram.length,
    to: (i + 1) / histogram.length,
    share: count / units,
  }));
  return { site, units, rate, least, most, dead, alwaysOn, bars };
}

function resultOf({ result }: RunRecord): [string, string][] {
  if (!result) return [];
  const { testError, validError, density, flops, bestEpoch } = result;
  return [
    ['test error, sampled', percent(testError.sampled)],
    ['test error, threshold', percent(testError.threshold)],
    ['test error, mean-field', percent(testError.meanField)],
    ['validation error', percent(validError)],
    ['open gates', percent(density, 1)],
    ['multiply-adds for an example', millions(flops.executed)],
    ['of the net without gates', millions(flops.dense)],
    ['best epoch', String(bestEpoch)],
  ];
}
