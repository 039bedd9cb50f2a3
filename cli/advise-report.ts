import type { Advice, MeasuredNeuron, RacedNeuron } from '../src/index.ts';
import { short } from './audit-report.ts';
import { percent, table } from './table.ts';

/** Gradients shown, best first. */
const SHOWN = 12;

/** The recommendation and its evidence, for people. */
export function adviceText({ neuron, because, measured, heat, races, slice, seconds }: Advice): string {
  const parts = [
    `--neuron ${neuron}`,
    because.map((sentence) => `  ${sentence}`).join('\n'),
    `Final: ${slice.toPrecision(2)} s of training each, the same ${races[0].errors.length} seeds for all\n${raceTable(races)}`,
    `Heat, one seed: ${heat.map((one) => `${one.neuron} ${percent(one.error)} (${one.steps} steps)`).join(', ')}`,
    ...(measured.length > 0 ? [gradientTable(measured)] : []),
    `${seconds.toFixed(0)} s in all.`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function raceTable(races: readonly RacedNeuron[]): string {
  const points = (share: number) => (100 * share).toFixed(2);
  return table([
    ['neuron', 'validation error', 'behind the best (95%), points', 'open', 'steps', 'executed', 'skips blocks'],
    ...races.map(({ neuron, error, behind, density, steps, executed, skips }) => [
      neuron,
      percent(error),
      behind ? `${points(behind.value)} (${points(behind.least)} to ${points(behind.most)})` : '–',
      percent(density, 1),
      `${steps}`,
      percent(executed, 0),
      skips ? 'yes' : 'no',
    ]),
  ]);
}

function gradientTable(measured: readonly MeasuredNeuron[]): string {
  const [{ points }] = measured;
  const rest = measured.length > SHOWN ? ` (the best ${SHOWN} of ${measured.length})` : '';
  const lines = measured
    .slice(0, SHOWN)
    .map((row) => [
      row.neuron,
      short(row.bias),
      short(row.variance),
      `${row.evaluations}`,
      short(row.variancePerEvaluation),
      short(row.atEqualCompute),
      row.skips ? 'yes' : 'no',
    ]);
  return `Gradients at the logits, at ${points} point${points === 1 ? '' : 's'} of a short training${rest}; bias over |∇|, variance over |∇|²
${table([['neuron', 'bias', 'variance', 'evaluations', 'variance × evaluations', 'error² at 64', 'skips blocks'], ...lines])}`;
}
