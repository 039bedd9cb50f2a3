import { Command, Option } from 'commander';
import { lookAtUnit, resolveNeuron, type UnitLossName, type UnitView, unitLosses } from '../src/index.ts';
import { count, neurons, number, wholeNumber } from './options.ts';
import { print, printJson } from './output.ts';
import { table } from './table.ts';

interface MicroscopeFlags {
  neuron: string[];
  logit: number;
  loss: UnitLossName;
  target: number;
  units: number;
  seed: number;
  json?: boolean;
}

/** `flipgrad microscope`: what the lab's page of that name shows. */
export function microscopeCommand(): Command {
  return new Command('microscope')
    .description('Look at single units: what they emit, and their gradients against the exact one.')
    .exitOverride()
    .option('--neuron <names>', 'neurons, separated by commas', neurons, ['stochastic-binary', 'straight-through'])
    .option('--logit <a>', 'the pre-activation', number, 0.5)
    .addOption(
      new Option('--loss <name>', 'square: (h − t)²; linear: t·h; saturating: tanh(2h − t)')
        .choices(Object.keys(unitLosses))
        .default('square'),
    )
    .option('--target <t>', 't of the loss', number, 0.45)
    .option(
      '--units <n>',
      'units in the row; the loss is the sum of their losses, and the first unit is shown',
      count,
      1,
    )
    .option('--seed <n>', 'seed of the draws', wholeNumber, 1)
    .option('--json', 'print one JSON object per line (the default if standard output is no terminal)')
    .action(look);
}

function look({ neuron: names, logit, loss, target, units, seed, json }: MicroscopeFlags): void {
  const views = names.map((neuron) => ({
    neuron,
    ...lookAtUnit(resolveNeuron(neuron), { logit, loss: unitLosses[loss](target), units, seed }),
  }));
  if (json ?? !process.stdout.isTTY) for (const view of views) printJson(view);
  else print(`${table(rowsOf(views))}\n`);
}

function rowsOf(views: readonly (UnitView & { neuron: string })[]): string[][] {
  const header = [
    'neuron',
    'E[h]',
    'P(h≠0)',
    'P(h>0)',
    'exact ∇',
    'E[ĝ]',
    'bias',
    'variance',
    'squared error',
    'evaluations',
    'draws for the sign',
  ];
  const short = (value: number): string => (Math.abs(value) < 5e-13 ? '0' : value.toPrecision(4));
  const rows = views.map((view) => [
    view.neuron,
    ...[
      view.mean,
      view.rate,
      view.positive,
      view.truth,
      view.gradient,
      view.bias,
      view.variance,
      view.squaredError,
    ].map(short),
    String(view.evaluations),
    Number.isFinite(view.drawsForSign) ? String(view.drawsForSign) : Number.isNaN(view.drawsForSign) ? '–' : 'never',
  ]);
  return [header, ...rows];
}
