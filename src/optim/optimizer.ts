import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';

/** The arguments of an update besides its arrays. */
export interface UpdateContext {
  readonly learningRate: number;
  /** The gradient is this times what the tape gives: 1/rows, because the tape sums over examples. */
  readonly gradientScale: number;
  /** 1 for the first update. */
  readonly step: number;
}

/** An optimizer: a pair of functions, and the number of arrays that it keeps for a parameter. */
export interface Optimizer {
  readonly name: string;
  readonly source: string;
  readonly learningRate: number;
  /** Is an update the same for a gradient of any scale? Then neurons' own learning-rate scales, meant for SGD, do not apply. */
  readonly scaleInvariant?: true;
  /** Its settings, for run records. */
  readonly options: Readonly<Record<string, number>>;
  /** How many arrays it keeps for a parameter, where that is known in advance: a network that is too large is then refused before it is built. */
  readonly slots?: number;
  /** Persistent arrays (zeroed) for one parameter. */
  init(engine: Engine, parameter: NdArray): readonly NdArray[];
  /**
   * The factor f of an update that is only w = w + f·gradient, so that it can be done while the gradient is computed.
   * Absent where an update needs more.
   */
  descent?(context: UpdateContext): number;
  /**
   * The update of one element as the numbers of a rule (kernels/optimizers.ts): the same as `update`, with the arrays in their order.
   * With it, blocks that no example opened can be left for later. Absent where an update is none of the rules.
   */
  rule?(context: UpdateContext): readonly number[];
  /** Changes the parameter, and the arrays, in place. */
  update(
    engine: Engine,
    parameter: NdArray,
    gradient: NdArray,
    slots: readonly NdArray[],
    context: UpdateContext,
  ): void;
}

/** `count` zeroed arrays of the parameter's shape. */
export function zeroSlots(engine: Engine, parameter: NdArray, count: number, optimizer: string): NdArray[] {
  return Array.from({ length: count }, () => engine.parameter(parameter.shape, `the state of ${optimizer}`));
}

/** @throws RangeError unless minimum ≤ value < below */
export function checkSetting(optimizer: string, name: string, value: number, minimum: number, below: number): void {
  if (!(value >= minimum && value < below))
    throw new RangeError(`${optimizer}: \`${name}\` is ${value}. Expected a number from ${minimum} to below ${below}.`);
}
