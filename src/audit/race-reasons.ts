import { meanOf } from '../math/repeats.ts';
import { studentQuantile } from '../math/student.ts';
import type { Neuron } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import { hasGates } from '../nn/layer-kinds.ts';
import { skipsInTraining } from '../nn/paths.ts';
import type { Interval } from './audit-neuron.ts';
import type { MeasuredNeuron, MeasuredTrack } from './measured-candidates.ts';
import type { RaceResult } from './race.ts';

/** One neuron over the seeds of the final races. */
export interface RacedNeuron {
  readonly neuron: string;
  /** Validation errors, shares in [0, 1], by seed. */
  readonly errors: readonly number[];
  readonly error: number;
  /** Its error less that of the best, on the same seeds, with the 95% interval of Student's distribution; absent for the best. */
  readonly behind?: Interval;
  readonly density: number;
  readonly steps: number;
  /** Multiply-adds of training over those of all blocks. */
  readonly executed: number;
  readonly skips: boolean;
}

/** The finalists over the seeds, best mean error first, each against the best on the same seeds. */
export function compareRaces(
  finalists: readonly string[],
  results: readonly RaceResult[],
  neurons: ReadonlyMap<string, Neuron>,
): RacedNeuron[] {
  const rows = finalists.map((neuron): RacedNeuron => {
    const own = results.filter((result) => result.neuron === neuron).sort((a, b) => a.seed - b.seed);
    const average = (of: (result: RaceResult) => number): number => meanOf(own.map(of)).value;
    return {
      neuron,
      errors: own.map(({ error }) => error),
      error: average(({ error }) => error),
      density: average(({ density }) => density),
      steps: Math.round(average(({ steps }) => steps)),
      executed: average(({ executed }) => executed),
      skips: skipsInTraining(neurons.get(neuron) ?? resolveNeuron(neuron)),
    };
  });
  rows.sort((a, b) => a.error - b.error);
  const [best] = rows;
  return rows.map((row) => {
    if (row === best) return row;
    const { value, error } = meanOf(row.errors.map((one, i) => one - best.errors[i]));
    const t = studentQuantile(0.975, row.errors.length - 1);
    return { ...row, behind: { value, least: value - t * error, most: value + t * error } };
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** What speaks for the first of the races, and what is not known, in sentences. */
export function reasonsFor(
  races: readonly RacedNeuron[],
  measured: readonly MeasuredNeuron[],
  { layersOf, carrier }: MeasuredTrack,
  slice: number,
): string[] {
  const [best, ...rest] = races;
  const seeds = best.errors.length;
  const found = [
    `${best.neuron} had the least validation error, ${percent(best.error)}, after ${slice.toPrecision(2)} s of training, mean of ${seeds} seeds.`,
  ];
  const worse = rest.filter(({ behind }) => behind && behind.least > 0).map(({ neuron }) => neuron);
  const like = rest.filter(({ behind }) => behind && behind.least <= 0).map(({ neuron }) => neuron);
  if (worse.length > 0)
    found.push(`On the same seeds it is ahead of ${worse.join(', ')} (95% intervals of the difference).`);
  if (like.length > 0)
    found.push(`These races cannot tell it from ${like.join(', ')}: more seconds, or more seeds, might.`);
  const gradient = measured.find(({ neuron }) => neuron === best.neuron);
  if (gradient)
    found.push(
      `Its gradient at the logits is off by ${gradient.bias.toPrecision(2)}·|∇| in the mean and has ${gradient.variancePerEvaluation.toPrecision(2)}·|∇|² of variance for each evaluation of the loss, at ${gradient.points} point${gradient.points === 1 ? '' : 's'} of a training by ${carrier}.`,
    );
  if (layersOf(best.neuron).some((layer) => 'layer' in layer && hasGates(layer))) found.push(skipping(best, races));
  return found;
}

function skipping(best: RacedNeuron, races: readonly RacedNeuron[]): string {
  const done = `it executed ${Math.round(100 * best.executed)}% of all multiply-adds in these races`;
  if (best.skips) return `Closed blocks can be skipped while it trains: ${done}.`;
  const other = races.find(({ skips }) => skips);
  const hint = other
    ? `; with ${other.neuron} they can (${Math.round(100 * other.executed)}%, error ${percent(other.error)})`
    : '';
  return `Closed blocks are computed while it trains, as it reads the gradient of closed gates: ${done}${hint}.`;
}
