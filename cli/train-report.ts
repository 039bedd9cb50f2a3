import type { BasketRow, Dataset, EpochEvent, Estimate, ResultEvent, ResumedEvent } from '../src/index.ts';
import type { Progress } from './progress.ts';
import { millions, percent, table } from './table.ts';
import type { TrainConfig } from './train-config.ts';

/** What is about to be trained, in one line. */
export function headline(
  config: TrainConfig,
  { name, count: examples, width, classes }: Dataset,
  weights: number,
  layers?: string,
): string {
  const { model, neuron, units, blocks, rate: target, epochs, optimizer } = config;
  const open = target === 'none' ? '' : `, ${percent(target, 1)} to be open`;
  if (layers !== undefined)
    return `${examples} ${name}: ${width} → ${layers} → ${classes} classes; ${millions(weights)} weights, ${epochs} epochs of ${optimizer}`;
  const middle =
    model === 'dense' ? `${units} ${neuron}` : `${units} units in ${blocks || units} blocks, ${neuron} gates${open}`;
  return `${examples} ${name}: ${width} → ${middle} → ${classes}; ${millions(weights)} weights, ${epochs} epochs of ${optimizer}`;
}

/** An epoch, in one line. */
export function epochLine(event: EpochEvent): string {
  const dead = event.health.reduce((sum, site) => sum + site.dead, 0);
  const on = event.health.reduce((sum, site) => sum + site.alwaysOn, 0);
  return [
    `epoch ${String(event.epoch).padStart(String(event.epochs).length)}`,
    `train loss ${event.trainLoss.toFixed(4)}`,
    `valid error ${percent(event.validError)}${event.best ? ' *' : ''}`,
    `open ${percent(event.health[0]?.rate ?? 1, 1)}`,
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
export function resultTable(result: ResultEvent): string {
  const { testError, flops, training } = result;
  const skipped = training.executed < 0.999 * training.all;
  return table([
    ['test error, sampled', percent(testError.sampled)],
    ['test error, thresholded', percent(testError.threshold)],
    ['test error, mean-field', percent(testError.meanField)],
    ['validation error (best epoch)', `${percent(result.validError)} (epoch ${result.bestEpoch})`],
    ['gates open', percent(result.density, 1)],
    ['multiply-adds executed', `${millions(flops.executed)} (gater ${millions(flops.gater)})`],
    ['multiply-adds, dense', millions(flops.dense)],
    [
      'multiply-adds in training',
      `${millions(training.executed)} of ${millions(training.all)}${skipped ? '' : ' (nothing skipped)'}`,
    ],
    ['seconds', result.seconds.toFixed(1)],
    ['engine', `${result.engine}, ${result.threads} thread${result.threads === 1 ? '' : 's'}`],
    ['seed', String(result.seed)],
  ]);
}

/** What the neurons of the basket were worth in the last epoch, as a table; nothing without a basket. */
export function basketTable(rows: readonly BasketRow[]): string {
  if (rows.length === 0) return '';
  const [own] = rows;
  const size = own.squaredMean.value;
  const far = ({ distance, trains }: BasketRow) =>
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
