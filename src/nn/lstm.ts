import { checkNames, type NamesOf } from '../schema/names.ts';
import { concatenate } from '../tensor/ops/joining.ts';
import { lstm as readSequences } from '../tensor/ops/sequences.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine } from './affine.ts';
import { checkUnits } from './check.ts';
import { glorotUniform } from './initialize.ts';
import { flag, type LayerText, units } from './layer-text.ts';
import { type LayerDescription, type LayerKind, layerNames } from './module.ts';
import type { Scope } from './scope.ts';

/**
 * A layer of long short-term memory: rows are points in time, and every sequence starts from nothing. Equations:
 * kernels/lstm.ts. Source: Hochreiter and Schmidhuber 1997; forget gates: Gers, Schmidhuber and Cummins 2000.
 */
export interface LstmSpec extends LayerDescription {
  readonly layer: 'lstm';
  /** Units of one direction. */
  readonly units: number;
  /**
   * Is every sequence read forwards by one LSTM and backwards by another? The output is then 2·units wide. Source: Graves and
   * Schmidhuber 2005. Default: forwards only.
   */
  readonly bidirectional?: boolean;
}

/** Shorthand for an `LstmSpec`. */
export function lstm(units: number, options: Omit<LstmSpec, 'layer' | 'units'> = {}): LstmSpec {
  checkNames('lstm', options, { ...layerNames, ...lstmNames });
  return { layer: 'lstm', units, ...options };
}

export const lstmNames: NamesOf<Omit<LstmSpec, 'units' | keyof LayerDescription>> = { bidirectional: true };

export const lstmText: LayerText<LstmSpec> = { words: [units(), flag('bidirectional')] };

/** Forget gates start open, so that gradients reach far from the first step on (Gers, Schmidhuber and Cummins 2000). */
const FORGET_BIAS = 1;

/** Shape [inputs] → [units], or [2·units] in both directions. @throws RangeError for units that are not a whole number ≥ 1 */
export const applyLstm: LayerKind<LstmSpec> = (scope, { units, bidirectional = false }, x) => {
  scope.keep('checked', () => checkUnits(scope.name, units));
  const dense = x.dense;
  const forwards = read(scope, dense, units, false);
  return bidirectional ? concatenate([forwards, read(scope, dense, units, true)], -1) : forwards;
};

/** One direction of reading. */
function read(scope: Scope, x: Tensor, units: number, backwards: boolean): Tensor {
  const stream = scope.stream + (backwards ? 2 : 0);
  const name = backwards ? 'backwards' : '';
  const part = (what: string): string => (backwards ? `${name}.${what}` : what);
  const inputs = affine(scope, x, {
    name,
    units: 4 * units,
    axes: ['inputs', 'hidden'],
    stream,
    initialize: (weights, seed, at) => glorotUniform(weights, seed, at, 1, [x.columns, units]),
  });
  scope.keep(`forget ${name}`, () => scope.arrayOf(part('bias')).values.fill(FORGET_BIAS, units, 2 * units) && true);
  const recurrent = scope.parameter(part('recurrent'), [units, 4 * units], {
    axes: ['hidden', 'hidden'],
    stream: stream + 1,
    initialize: (weights, seed, at) => glorotUniform(weights, seed, at, 1, [units, units]),
  });
  return readSequences(inputs, recurrent, { backwards });
}
