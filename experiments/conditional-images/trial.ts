import type { NetFinal } from '../kit/against-frontier.ts';
import { isControl } from '../kit/control-gates.ts';
import type { Finished } from '../kit/experiment.ts';
import { searches } from '../kit/searches.ts';
import { type ImageNet, nameOfNet } from './nets.ts';

export const LEARNING_RATES = [0.001, 0.003, 0.01];
/** Of the searches, so that no reported seed has been searched on. */
const SEARCH_SEED = 0;
/** A search trial tries one learning rate; a final trial trains with the net's best, and times it if it has gates. */
export interface ImageTrial {
  readonly stage: 'search' | 'final';
  readonly data: 'digits' | 'fashion-mnist';
  readonly net: ImageNet;
  readonly examples: number;
  readonly epochs: number;
  readonly searchEpochs: number;
  readonly learningRates: readonly number[];
  /** Dense nets that a gated one is timed beside, with the first seed: what weights are does not change their time. */
  readonly against: readonly ImageNet[];
  readonly seed: number;
}

/** Nats an example; gates with a threshold at the target rate, those of the control at random as sampled. */
export interface ImageResult {
  readonly learningRate: number;
  readonly validNats: number;
  /** Seconds of the processor that training took. */
  readonly seconds: number;
  readonly final?: NetFinal;
  readonly dataChecksum: string;
  readonly engine: string;
}

export type ImageDone = Finished<ImageTrial, ImageResult>;

interface Budget extends Pick<ImageTrial, 'data' | 'examples' | 'epochs' | 'searchEpochs'> {}

/** All searches first, then seed by seed every net at every budget. Rates are searched at the smallest budget of the data. */
export const imageGrid =
  (nets: readonly ImageNet[], budgets: readonly Budget[]) =>
  (seeds: readonly number[]): ImageTrial[] => {
    const dense = nets.filter(({ gates }) => !gates);
    const first = budgets.filter(({ data }, i) => budgets.findIndex((budget) => budget.data === data) === i);
    return [
      ...first.flatMap((budget) =>
        nets.flatMap((net) =>
          LEARNING_RATES.map((rate): ImageTrial => {
            const own = { net, learningRates: [rate], against: [], seed: SEARCH_SEED };
            return { stage: 'search', ...budget, ...own };
          }),
        ),
      ),
      ...seeds.flatMap((seed) =>
        budgets.flatMap((budget) =>
          nets.map((net): ImageTrial => {
            const against = net.gates && !isControl(net.gates.neuron) && seed === seeds[0] ? dense : [];
            return { stage: 'final', ...budget, net, learningRates: LEARNING_RATES, against, seed };
          }),
        ),
      ),
    ];
  };

/** The searches for a net's learning rate on its data: the one with the lowest validation loss is chosen. */
export const rateSearches = searches<ImageTrial, ImageResult>({
  nameOf: ({ data, net }) => `${nameOfNet(net)}, ${data}`,
  triedBy: ({ learningRates }) => learningRates,
  costs: ({ validNats }) => [validNats],
});
