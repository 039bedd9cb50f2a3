import type { Dataset, EpochEvent, ResultEvent } from '../src/index.ts';
import { millions, percent, table } from './table.ts';
import type { TrainConfig } from './train-config.ts';

/** What is about to be trained, in one line. */
export function headline(
  config: TrainConfig,
  { name, count: examples, width, classes }: Dataset,
  weights: number,
): string {
  const { model, neuron, units, blocks, rate: target, epochs, optimizer } = config;
  const open = target === 'none' ? '' : `, ${percent(target, 1)} to be open`;
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
