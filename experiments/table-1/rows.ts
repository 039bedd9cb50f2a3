import { type GatedSpec, instantiate, type NeuronSpec } from '../../src/index.ts';
import { stochasticTimesSmooth2013 } from './stochastic-times-smooth-2013.ts';

/** What the search of a row chooses among; learning rates are those of the first epoch. */
export interface Setting {
  /** 0.1 in the paper. */
  readonly learningRate: number;
  /** Default: the same. */
  readonly gaterLearningRate?: number;
  readonly momentum?: number;
  /** λ of the row's penalty for 2,000 gates; with fewer it is as many times larger, since the penalty is a sum over gates. */
  readonly lambda?: number;
  readonly start?: 'rate' | 'zero';
  /** Standard deviation of Gaussian noise, for gaters that have it. */
  readonly noise?: number;
}

/** The training criterion in nats, errors in percent. */
export interface Published {
  readonly train: number;
  readonly valid: number;
  readonly test: number;
  /** Epochs of the published training curve; absent where none is printed. Source: the figures of Bengio, Léonard, Courville 2013. */
  readonly epochs?: number;
}

/** One line of the table: a gater, its net, and what is tried for it. */
export interface Row {
  readonly gater: string;
  readonly neuron: (setting: Setting) => NeuronSpec;
  readonly kind: 'stochastic' | 'baseline';
  /** Absent: L1 with a weight that follows the open share, or none where there is no target rate. */
  readonly penalty?: 'kl' | 'kl-opening';
  /** Of the gates and experts; the sigmoid baselines have a tenth and no target rate, which is as many as others have open. */
  readonly width: 1 | 0.1;
  readonly published?: Published;
  /** Of the full form, where it needs more than other rows; searches take a third. */
  readonly epochs?: number;
  readonly settings: readonly Setting[];
}

const row = (
  gater: string,
  neuron: NeuronSpec | Row['neuron'],
  settings: readonly Setting[],
  others: Partial<Row> = {},
): Row => ({
  gater,
  neuron: typeof neuron === 'function' ? neuron : () => neuron,
  kind: 'stochastic',
  width: 1,
  settings,
  ...others,
});

/** The paper's own setting first, then what this search adds. */
const rates = (setting: Omit<Setting, 'learningRate'>, ...learningRates: readonly number[]): Setting[] =>
  learningRates.map((learningRate) => ({ learningRate, ...setting }));

/** Every row of the table, with as many settings each. Published numbers: Bengio, Léonard, Courville 2013, Table 1. */
export const ROWS: readonly Row[] = [
  row('noisy rectifier', 'noisy-rectifier', rates({}, 0.1, 0.03, 0.05, 0.15, 0.2, 0.3), {
    published: { train: 6.7e-4, valid: 1.52, test: 1.87, epochs: 152 },
  }),
  row(
    'straight-through',
    'straight-through',
    [...rates({ lambda: 0.1 }, 0.1, 0.3), ...rates({ lambda: 0.01 }, 0.1, 0.3), ...rates({ lambda: 0.001 }, 0.1, 0.3)],
    { penalty: 'kl', published: { train: 3.3e-3, valid: 1.42, test: 1.39, epochs: 660 } },
  ),
  row(
    'straight-through, times σ′',
    'straight-through-derivative',
    [...rates({ lambda: 0.1 }, 0.1, 0.3), ...rates({ lambda: 0.01 }, 0.3, 1), ...rates({ lambda: 0.001 }, 0.3, 1)],
    { penalty: 'kl' },
  ),
  row(
    'stochastic times smooth',
    instantiate(stochasticTimesSmooth2013, { variant: 'paper' }),
    [
      ...rates({ lambda: 0.001, momentum: 0.5 }, 0.1, 0.3, 1),
      ...rates({ lambda: 0.01, momentum: 0.5 }, 0.1, 0.3),
      ...rates({ lambda: 0.1, momentum: 0.5 }, 0.1),
    ],
    { penalty: 'kl-opening', published: { train: 4.4e-3, valid: 1.86, test: 1.96, epochs: 170 } },
  ),
  row(
    'stochastic times smooth, 2013 code',
    instantiate(stochasticTimesSmooth2013, { variant: 'code' }),
    [
      ...rates({ lambda: 0.001, momentum: 0.5 }, 0.1, 0.3, 1),
      ...rates({ lambda: 0.01, momentum: 0.5 }, 0.1, 0.3),
      ...rates({ lambda: 0.1, momentum: 0.5 }, 0.1),
    ],
    { penalty: 'kl-opening' },
  ),
  row(
    'stochastic binary neuron',
    'stochastic-binary',
    [
      // The paper's 0.001 and λ of 1 and 3: its code sums the gater's gradient over the 32 examples, and a penalty beside it; here is their mean.
      { learningRate: 0.1, gaterLearningRate: 0.032, lambda: 0.031 },
      { learningRate: 0.1, gaterLearningRate: 0.032, lambda: 0.094 },
      { learningRate: 0.1, gaterLearningRate: 0.032, lambda: 0.01, start: 'rate' },
      { learningRate: 0.3, gaterLearningRate: 0.032, lambda: 0.01, start: 'rate' },
      { learningRate: 0.3, gaterLearningRate: 0.01, lambda: 0.01, start: 'rate' },
      { learningRate: 0.3, gaterLearningRate: 0.1, lambda: 0.01, start: 'rate' },
    ],
    { penalty: 'kl', epochs: 300, published: { train: 9.9e-3, valid: 1.78, test: 1.89, epochs: 830 } },
  ),
  row('baseline rectifier', 'rectifier', rates({}, 0.1, 0.03, 0.05, 0.15, 0.2, 0.3), {
    kind: 'baseline',
    published: { train: 6.3e-5, valid: 1.66, test: 1.6 },
  }),
  row(
    'baseline sigmoid + noise',
    ({ noise = 1 }) => ({ name: 'noisy-sigmoid', scale: noise }),
    [...rates({ noise: 1 }, 0.1, 0.03, 0.2, 0.3), ...rates({ noise: 3 }, 0.1), ...rates({ noise: 7 }, 0.1)],
    { kind: 'baseline', width: 0.1, published: { train: 1.8e-3, valid: 1.88, test: 1.87 } },
  ),
  row('baseline sigmoid', 'sigmoid', rates({}, 0.1, 0.03, 0.05, 0.2, 0.3, 0.5), {
    kind: 'baseline',
    width: 0.1,
    published: { train: 3.2e-3, valid: 1.97, test: 1.92 },
  }),
];

/** Gates that the λ of settings are for. */
const GATES = 2000;

/** The gates of a row under a setting, over so many experts in the wide nets. */
export function gatesOf(
  { neuron, width, penalty }: Row,
  setting: Setting,
  { units, hidden }: { readonly units: number; readonly hidden: number },
): Omit<GatedSpec, 'layer' | 'units'> {
  const { lambda, start = 'zero' } = setting;
  return {
    neuron: neuron(setting),
    gater: [hidden],
    rate: width === 1 ? 0.1 : 'none',
    start,
    steer: false,
    ...(penalty && lambda !== undefined && { sparsity: `${penalty}=${(lambda * GATES) / units}` }),
  };
}
