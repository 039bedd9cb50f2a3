import { MOMENTUM_RULE } from '../kernels/optimizers.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { checkSetting, type Optimizer, zeroSlots } from './optimizer.ts';

export interface SgdOptions {
  /** Default 0.1. */
  readonly learningRate?: number;
  /** Default 0: none. */
  readonly momentum?: number;
}

const NAMES: NamesOf<SgdOptions> = { learningRate: true, momentum: true };

/** v = μ·v − η·g; w = w + v. Source: Polyak 1964. @throws RangeError for a negative rate or a momentum outside [0, 1) */
export function sgd(given: SgdOptions = {}): Optimizer {
  checkNames('sgd', given, NAMES);
  const { learningRate = 0.1, momentum = 0 } = given;
  checkSetting('sgd', 'learningRate', learningRate, 0, Number.POSITIVE_INFINITY);
  checkSetting('sgd', 'momentum', momentum, 0, 1);
  const slots = momentum > 0 ? 1 : 0;
  return {
    name: 'sgd',
    source: 'Robbins and Monro 1951; momentum: Polyak 1964',
    learningRate,
    options: { learningRate, momentum },
    slots,
    init: (engine, parameter) => zeroSlots(engine, parameter, slots, 'sgd'),
    ...(momentum === 0 && { descent: ({ learningRate: rate, gradientScale }) => -rate * gradientScale }),
    ...(momentum > 0 && {
      rule: ({ learningRate: rate, gradientScale }) => [MOMENTUM_RULE, rate * gradientScale, momentum],
    }),
    update({ backend }, { pointer, size }, gradient, [velocity], context) {
      const rate = context.learningRate * context.gradientScale;
      if (velocity) backend.run('momentumUpdate', pointer, gradient.pointer, velocity.pointer, size, rate, momentum);
      else backend.run('addScaled', gradient.pointer, pointer, size, -rate);
    },
  };
}
