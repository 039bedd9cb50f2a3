import type { NetFinal } from '../kit/against-frontier.ts';
import type { Finished } from '../kit/experiment.ts';
import { searches } from '../kit/searches.ts';
import { nameOfNet, type TextNet } from './nets.ts';

/** Of the searches, so that no reported seed has been searched on. */
const SEARCH_SEED = 0;

/** A search trial tries one learning rate; a final trial trains with the net's best, and times it if it has gates. */
export interface TextTrial {
  readonly stage: 'search' | 'final';
  readonly net: TextNet;
  /** To train with, each seen once. */
  readonly examples: number;
  /** Of the searches. */
  readonly searchExamples: number;
  /** Held-out examples of a point of the curve, and of the end. */
  readonly valid: number;
  readonly test: number;
  readonly learningRates: readonly number[];
  /** Dense nets that a gated one is timed beside. */
  readonly against: readonly TextNet[];
  readonly seed: number;
}

/** Nats a byte; gates with a threshold at the target rate, those of a control at random as sampled. */
export interface TextResult {
  readonly learningRate: number;
  readonly validNats: number;
  /** Seconds of the processor that training took so far, and validation at that point. */
  readonly curve: readonly { readonly seconds: number; readonly examples: number; readonly validNats: number }[];
  readonly final?: NetFinal;
  readonly dataChecksum: string;
  readonly engine: string;
}

export type TextDone = Finished<TextTrial, TextResult>;

type Sizes = Pick<TextTrial, 'searchExamples' | 'learningRates' | 'valid' | 'test'>;

/** All searches first, then seed by seed every net at every budget. */
export const textGrid =
  (nets: readonly TextNet[], budgets: readonly number[], sizes: Sizes) =>
  (seeds: readonly number[]): TextTrial[] => {
    const dense = nets.filter(({ gates }) => !gates);
    return [
      ...nets.flatMap((net) =>
        sizes.learningRates.map(
          (rate): TextTrial => ({
            ...{ ...sizes, stage: 'search', net, examples: sizes.searchExamples },
            ...{ learningRates: [rate], against: [], seed: SEARCH_SEED },
          }),
        ),
      ),
      ...seeds.flatMap((seed) =>
        budgets.flatMap((examples) =>
          nets.map(
            (net): TextTrial => ({
              ...sizes,
              ...{ stage: 'final', net, examples, seed },
              against: net.gates ? dense : [],
            }),
          ),
        ),
      ),
    ];
  };

/** The searches for a net's learning rate: the one with the lowest validation loss is chosen. */
export const rateSearches = searches<TextTrial, TextResult>({
  nameOf: ({ net }) => nameOfNet(net),
  triedBy: ({ learningRates }) => learningRates,
  costs: ({ validNats }) => [validNats],
});
