import {
  type DataShape,
  type Estimate,
  type EstimatorProbeRow,
  epochColumns,
  figureText,
  type Reading,
  type ResumedEvent,
  resultText,
  type TaskData,
  type TaskEpochEvent,
  type TaskResultEvent,
} from '../src/index.ts';
import type { Progress } from './progress.ts';
import { millions, percent, table } from './table.ts';
import type { TrainConfig } from './train-config.ts';

/** What is about to be trained, in one line. @param layers of the network, as a chain */
export function headline(
  { epochs, optimizer }: TrainConfig,
  { name, count }: TaskData,
  { width, outputs, classes }: DataShape,
  weights: number,
  layers: string,
): string {
  const end = classes === outputs ? `${classes} classes` : String(outputs);
  return `${count} training examples of ${name}: ${width} → ${layers} → ${end}; ${millions(weights)} weights, ${epochs} epochs of ${optimizer}`;
}

/** An epoch, in one line: what was minimised, what chooses the best epoch, and how units fired. */
export function epochLine(event: TaskEpochEvent, task: Reading): string {
  const dead = event.health.reduce((sum, site) => sum + site.dead, 0);
  const on = event.health.reduce((sum, site) => sum + site.alwaysOn, 0);
  const columns = epochColumns(task);
  const told = [columns[0], ...columns.filter(({ chooses }) => chooses)].map(
    ({ part, metric, figure, chooses, of }) => {
      const value = of(event);
      const best = chooses && event.best ? ' *' : '';
      return `${part} ${metric === undefined ? 'loss' : figure.title} ${value === undefined ? '–' : figureText(figure, value)}${best}`;
    },
  );
  return [
    `epoch ${String(event.epoch).padStart(String(event.epochs).length)}`,
    ...told,
    ...(event.density === undefined
      ? event.health.map(({ site, rate }) => `${site} on ${percent(rate, 1)}`)
      : [`train open ${percent(event.health[0]?.rate ?? 1, 1)}`]),
    ...(dead > 0 ? [`${dead} dead`] : []),
    ...(on > 0 ? [`${on} always on`] : []),
  ].join(' · ');
}

/** That a checkpoint was taken up, above the progress line. */
export function tellResumed({ epochs, batches, damaged, missing }: ResumedEvent, progress: Progress): void {
  for (const reason of damaged) progress.print(`not used: ${reason}`);
  if (missing.length > 0) {
    const gaps = missing.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`)).join(', ');
    progress.print(`metrics.jsonl lacks lines of epochs that are trained: ${gaps}. They do not come again.`);
  }
  progress.print(`resumed after epoch ${epochs}${batches ? `, minibatch ${batches}` : ''}`);
}

/** The end of training as a table. */
export function resultTable(result: TaskResultEvent, task: Reading): string {
  const { flops, training, density } = result;
  const skipped = training && training.executed < 0.999 * training.all;
  return table([
    ...resultText(task, result),
    ...(density === undefined ? [] : [['gates open', percent(density, 1)]]),
    ...(flops
      ? [
          ['multiply-adds executed', `${millions(flops.executed)} (gater ${millions(flops.gater)})`],
          ['multiply-adds, dense', millions(flops.dense)],
        ]
      : []),
    ...(training
      ? [
          [
            'multiply-adds in training',
            `${millions(training.executed)} of ${millions(training.all)}${skipped ? '' : ' (nothing skipped)'}`,
          ],
        ]
      : []),
    ['seconds', result.seconds.toFixed(1)],
    ['engine', `${result.engine}, ${result.threads} thread${result.threads === 1 ? '' : 's'}`],
    ['seed', String(result.seed)],
  ]);
}

/** What the probed estimators were worth in the last epoch, as a table; empty without any. */
export function estimatorTable(rows: readonly EstimatorProbeRow[]): string {
  if (rows.length === 0) return '';
  const [own] = rows;
  const size = own.squaredMean.value;
  const far = ({ distance, trains }: EstimatorProbeRow) =>
    trains ? '–' : size > 0 ? withError(distance, size) : 'lost in noise';
  const lines = rows.map((row) => [
    `${row.neuron}${row.trains ? ' (trains)' : ''}`,
    withError(row.ratio),
    `${row.evaluations}`,
    (row.ratio.value * row.evaluations).toPrecision(3),
    far(row),
    (1000 * row.seconds).toFixed(1),
  ]);
  return `
The gradients at the logits of ${own.site} in the last epoch, at ${own.steps} step${own.steps === 1 ? '' : 's'}, over those of the neuron that trains (± one standard error):
${table([['neuron', 'variance', 'evaluations', 'variance × evaluations', 'squared distance of the mean', 'ms'], ...lines])}
`;
}

function withError({ value, error }: Estimate, over = 1): string {
  const text = (value / over).toPrecision(3);
  return error === 0 ? text : `${text} ± ${Number.isFinite(error) ? (error / over).toPrecision(1) : '?'}`;
}
