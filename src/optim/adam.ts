import { ADAM_RULE } from '../kernels/optimizers.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { checkSetting, type Optimizer, type UpdateContext, zeroSlots } from './optimizer.ts';

export interface AdamOptions {
  /** Default 0.001. */
  readonly learningRate?: number;
  /** Decay of the first moment, default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment, default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

const NAMES: NamesOf<AdamOptions> = { learningRate: true, beta1: true, beta2: true, epsilon: true };

/** The two moments. */
const SLOTS = 2;

/** Adam. Source: Kingma and Ba 2015, algorithm 1. @throws RangeError for a negative rate or a decay outside [0, 1) */
export function adam(given: AdamOptions = {}): Optimizer {
  checkNames('adam', given, NAMES);
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = given;
  checkSetting('adam', 'learningRate', learningRate, 0, Number.POSITIVE_INFINITY);
  checkSetting('adam', 'beta1', beta1, 0, 1);
  checkSetting('adam', 'beta2', beta2, 0, 1);
  checkSetting('adam', 'epsilon', epsilon, 0, Number.POSITIVE_INFINITY);
  const numbersOf = ({ learningRate: rate, gradientScale, step }: UpdateContext) =>
    [gradientScale, rate / (1 - beta1 ** step), beta1, beta2, 1 / (1 - beta2 ** step), epsilon] as const;
  return {
    name: 'adam',
    source: 'Kingma and Ba 2015',
    learningRate,
    scaleInvariant: true,
    options: { learningRate, beta1, beta2, epsilon },
    slots: SLOTS,
    init: (engine, parameter) => zeroSlots(engine, parameter, SLOTS, 'adam'),
    rule: (context) => [ADAM_RULE, ...numbersOf(context)],
    update({ backend }, { pointer, size }, gradient, [first, second], context) {
      const pointers = [pointer, gradient.pointer, first.pointer, second.pointer] as const;
      backend.run('adamUpdate', ...pointers, size, ...numbersOf(context));
    },
  };
}
