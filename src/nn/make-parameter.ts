import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { crc32c } from '../math/crc32c.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { shapeText } from '../tensor/define-op.ts';
import { checkShape } from '../tensor/shape.ts';
import { told } from '../tensor/told.ts';
import { glorotUniform } from './initialize.ts';
import type { Axis, NormLimit, Parameter } from './parameter.ts';

/** How a parameter starts and trains. */
export interface ParameterOptions {
  /**
   * Its values at the start: `glorot` (default for two extents and more: uniform in ±√(6/(inputs + units))), a number for all (default 0 for
   * others), or a function that fills them.
   */
  readonly initialize?: 'glorot' | number | ((array: NdArray, seed: number, stream: number) => void);
  /** Gater parameters may have a learning rate of their own; default `main`. */
  readonly group?: Parameter['group'];
  /** Default: `weights` for two extents and more, else `bias`. */
  readonly kind?: Parameter['kind'];
  readonly axes?: readonly Axis[];
  readonly learningRateScale?: number;
  readonly blocks?: Parameter['blocks'];
  /** Number of the random stream that it starts from; default: one of its own, by its name. */
  readonly stream?: number;
}

const PARAMETER_NAMES: NamesOf<ParameterOptions> = {
  initialize: true,
  group: true,
  kind: true,
  axes: true,
  learningRateScale: true,
  blocks: true,
  stream: true,
};

/** The bit of streams that are numbered by a name: all counted ones are smaller. */
const NAMED = 0x80000000;

/**
 * Makes a parameter and fills its values.
 * @param full its name from the model down: `residual2.dense0.weights`
 * @param maxNorm of its module, for weights
 * @throws RangeError for an option that there is not, a shape that is none, or a start that the shape cannot have
 */
export function makeParameter(
  { engine, seed }: { readonly engine: Engine; readonly seed: number },
  full: string,
  shape: readonly number[],
  options: ParameterOptions,
  maxNorm: NormLimit | undefined,
): Parameter {
  checkNames(`The parameter "${full}"`, options, PARAMETER_NAMES);
  checkShape(`The parameter "${full}": its shape`, shape);
  const wide = shape.length > 1;
  const { initialize = wide ? 'glorot' : 0, group = 'main', learningRateScale = 1, axes = [], blocks } = options;
  const kind = options.kind ?? (wide ? 'weights' : 'bias');
  const tensor = engine.parameter(shape, full);
  const stream = options.stream ?? NAMED | crc32c(new TextEncoder().encode(full));
  if (typeof initialize === 'number') tensor.values.fill(initialize);
  else if (typeof initialize === 'function') initialize(tensor, seed, stream);
  else if (initialize === 'glorot' && wide) glorotUniform(tensor, seed, stream, 1, shape.slice(-2));
  else
    throw new RangeError(
      `The parameter "${full}" of the shape ${shapeText(shape)}: \`initialize\` is ${told(initialize)}. Expected a number, a function that fills its values, or 'glorot' for two extents and more.`,
    );
  return {
    ...{ name: full, tensor, group, kind, axes, learningRateScale },
    ...(maxNorm !== undefined && kind === 'weights' && { maxNorm }),
    ...(blocks && { blocks }),
  };
}
