import {
  epochCharts,
  type MetricsLine,
  type Reading,
  type Run,
  type RunRecord,
  readingText,
  resultText,
  summarize,
  type TaskEpochEvent,
} from '../../../src/index.ts';
import type { LineChart } from '../chart.ts';
import { percent } from '../percent.ts';
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

const millions = (count: number): string => `${(count / 1e6).toFixed(3)} million`;
/** The most characters of one setting: browsers break a long word in time that grows with its square. */
const MOST_SETTING = 120;
function text(value: unknown): string {
  const whole = Array.isArray(value)
    ? value.join(' ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  return whole.length > MOST_SETTING ? `${whole.slice(0, MOST_SETTING - 1)}…` : whole;
}

/** That nobody is writing a run cannot be seen in picked files. */
const STATES = { done: 'done', running: 'running', stopped: 'not done' } as const;

/** @param name of the folder as the user knows it */
export async function viewRun(run: Run, name: string): Promise<RunView> {
  const { record } = run;
  const summary = await summarize(run);
  const lines = await run.metrics();
  const epochs = lines.filter((line): line is MetricsLine & TaskEpochEvent => line.event === 'epoch');
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
      ...(record.data.table ? [['table', readingText(record.data.table)] as [string, string]] : []),
      ['engine', `${record.engine.name}, ${record.engine.threads} thread${record.engine.threads === 1 ? '' : 's'}`],
      ['time', `${summary.seconds.toFixed(1)} s in ${summary.sessions} session${summary.sessions === 1 ? '' : 's'}`],
    ],
    charts: chartsOf(epochs, run.reading),
    sites: (epochs.at(-1)?.health ?? []).map(siteOf),
    result: resultOf(record, run.reading),
    ...(published && { published }),
    unpublished: published
      ? ''
      : record.result
        ? `No published table is known here for a ${record.model.layers[0].layer} layer of ${text(record.config.neuron ?? 'these units')}.`
        : 'A run that is not done has no figures to stand beside published ones.',
  };
}

const PARTS = { train: 'training', valid: 'validation' };

function chartsOf(epochs: readonly TaskEpochEvent[], task: Reading): LineChart[] {
  if (epochs.length === 0) return [];
  const line = (name: string, of: (event: TaskEpochEvent) => number | undefined) => ({
    name,
    points: epochs.flatMap((event) => {
      const y = of(event);
      return y === undefined ? [] : [{ x: event.epoch, y }];
    }),
  });
  return [
    ...epochCharts(task).map(({ title, unit, lines }) => ({
      title: title[0].toUpperCase() + title.slice(1),
      x: 'epoch',
      y: unit,
      lines: lines.map(({ part, of }) => line(PARTS[part], of)),
    })),
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

function siteOf({ site, units, rate, dead, alwaysOn, spread }: TaskEpochEvent['health'][number]): SiteView {
  const { histogram, least, most } = spread;
  const bars = histogram.map((count, i) => ({
    from: i / histogram.length,
    to: (i + 1) / histogram.length,
    share: count / units,
  }));
  return { site, units, rate, least, most, dead, alwaysOn, bars };
}

function resultOf({ result }: RunRecord, task: Reading): [string, string][] {
  if (!result) return [];
  const { density, flops } = result;
  return [
    ...resultText(task, result),
    ...(density === undefined ? [] : [['open gates', percent(density, 1)] as [string, string]]),
    ...(flops
      ? ([
          ['multiply-adds for an example', millions(flops.executed)],
          ['of the net without gates', millions(flops.dense)],
        ] as [string, string][])
      : []),
  ];
}
