import type { EngineTimes } from '../kit/compare-times.ts';
import type { Finished } from '../kit/experiment.ts';
import { searches } from '../kit/searches.ts';
import { type Net, nameOfNet, ungated } from './nets.ts';

export const LEARNING_RATES = [0.1, 0.3, 0.6];

/** Of the searches, so that no reported seed has been searched on. */
const SEARCH_SEED = 0;

/** A search trial tries one learning rate on validation; a final trial trains with the net's best, and times it if it has gates. */
export interface SpeedTrial {
  readonly data: 'digits' | 'mnist';
  /** Of training; half as many digits validate, as many test. */
  readonly examples: number;
  readonly stage: 'search' | 'final';
  readonly net: Net;
  readonly learningRates: readonly number[];
  readonly epochs: number;
  readonly searchEpochs: number;
  /** Dense nets that a gated one is timed beside. */
  readonly against: readonly Net[];
  readonly seed: number;
}

/** Errors are shares in [0, 1], of the epoch with the best validation error; gates with a threshold at the target rate. */
export interface SpeedResult {
  readonly learningRate: number;
  readonly validError: number;
  readonly validLoss: number;
  readonly final?: {
    readonly testError: number;
    /** For one example: at test, in the forward pass of training, and of all blocks and the gater. */
    readonly multiplyAdds: { readonly test: number; readonly training: number; readonly all: number };
    /** Share of open blocks at test, as sampled: before the threshold cuts them to the target. */
    readonly open: number;
    /** Of nets with gates; one item an engine. */
    readonly times?: readonly EngineTimes[];
  };
  readonly dataChecksum: string;
  readonly engine: string;
}

export type SpeedDone = Finished<SpeedTrial, SpeedResult>;

type Grid = Pick<SpeedTrial, 'data' | 'examples' | 'epochs' | 'searchEpochs'>;

/** All searches first, then every net seed by seed. */
export const speedGrid =
  (common: Grid, nets: readonly Net[]) =>
  (seeds: readonly number[]): SpeedTrial[] => {
    const dense = nets.filter(({ gates }) => !gates);
    const againstOf = (net: Net): Net[] => {
      const own = ungated(net);
      const known = dense.some((other) => nameOfNet(other) === nameOfNet(own));
      return net.gates ? [...dense, ...(known ? [] : [own])] : [];
    };
    return [
      ...nets.flatMap((net) =>
        LEARNING_RATES.map(
          (rate): SpeedTrial => ({
            ...common,
            stage: 'search',
            net,
            learningRates: [rate],
            against: [],
            seed: SEARCH_SEED,
          }),
        ),
      ),
      ...seeds.flatMap((seed) =>
        nets.map(
          (net): SpeedTrial => ({
            ...common,
            stage: 'final',
            net,
            learningRates: LEARNING_RATES,
            against: againstOf(net),
            seed,
          }),
        ),
      ),
    ];
  };

/** The searches for a net's learning rate: the one with the lowest validation error is chosen. */
export const rateSearches = searches<SpeedTrial, SpeedResult>({
  nameOf: ({ net }) => nameOfNet(net),
  triedBy: ({ learningRates }) => learningRates,
  costs: ({ validError, validLoss }) => [validError, validLoss],
});
