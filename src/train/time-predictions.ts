import { type Dataset, inputsOf, slice } from '../data/dataset.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { alternate, type RoundOptions, type RoundTimes, roundNames } from './alternate.ts';
import type { CompiledModel } from './compile.ts';

/** Options of `timePredictions`. */
export interface PredictionTimesOptions extends RoundOptions {
  /** Examples that are classified together. */
  readonly rows: number;
  /** Predictions that a network makes before the next one's turn, in use its weights may stay where the processor has them at hand; default 1. */
  readonly turn?: number;
}

const NAMES: NamesOf<PredictionTimesOptions> = { ...roundNames, rows: true, turn: true };

/** Different rows that are met before the first ones come again. */
const ROWS = 50;

/**
 * Milliseconds of an example, of frozen networks in turn: each classifies the same rows in a round, and other rows in the next.
 * @throws RangeError for fewer examples than `rows`
 */
export function timePredictions(
  nets: readonly Pick<CompiledModel, 'predict'>[],
  data: Dataset,
  options: PredictionTimesOptions,
): RoundTimes {
  checkNames('timePredictions', options, NAMES);
  const { rows, turn = 1, ...rounds } = options;
  if (data.count < rows)
    throw new RangeError(
      `${data.name} has ${data.count} examples. Expected ${rows} or more, to be classified together.`,
    );
  const count = Math.min(ROWS * turn, Math.floor(data.count / rows));
  const inputs = Array.from({ length: count }, (_, i) => inputsOf(slice(data, i * rows, (i + 1) * rows)));
  const ways = nets.map((net) => (round: number) => {
    for (let i = 0; i < turn; i++) net.predict(inputs[(round * turn + i) % count]);
  });
  return alternate(ways, rounds).map((times) => times.map((time) => time / (turn * rows)));
}
