import type { Finished } from '../kit/experiment.ts';
import { searches } from '../kit/searches.ts';
import { ROWS, type Row, type Setting } from './rows.ts';

/** Of the searches, so that no reported seed has been searched on. */
export const SEARCH_SEED = 0;

/** Seeds 1 to 3 have been seen by the earlier protocol. */
export const FIRST_SEED = 4;

/** A search trial tries one setting on validation; a final trial trains with the best one of its row. */
export interface TableTrial {
  readonly data: 'digits' | 'mnist';
  /** Of training; half as many digits validate, as many test. */
  readonly examples: number;
  readonly gater: string;
  readonly stage: 'search' | 'final';
  /** Search: the one that is tried; final: those that were. */
  readonly settings: readonly Setting[];
  readonly epochs: number;
  readonly searchEpochs: number;
  /** Experts, and gates, of the wide nets; tanh units of the gater. */
  readonly units: number;
  readonly hidden: number;
  readonly seed: number;
}

/** Errors are shares in [0, 1], criteria mean nats; `threshold` where gates are cut to the target rate. */
export interface TableResult {
  readonly setting: Setting;
  readonly bestEpoch: number;
  readonly validError: number;
  readonly validLoss: number;
  /** Of the epoch with the best validation error; absent in searches. */
  readonly final?: {
    /** As sampled while the epoch was trained, and afterwards on all training examples with a threshold. */
    readonly criterion: { readonly sampled: number; readonly threshold: number };
    readonly valid: { readonly sampled: number; readonly threshold: number };
    readonly test: { readonly sampled: number; readonly threshold: number; readonly meanField: number };
    /** Share of open gates on the test, as sampled. */
    readonly open: number;
    /** For one example: in training, at test as sampled, and of the net with all experts and its gater. */
    readonly multiplyAdds: { readonly training: number; readonly test: number; readonly all: number };
  };
  readonly curve: readonly { readonly trainLoss: number; readonly validError: number; readonly open: number }[];
  readonly dataChecksum: string;
  readonly engine: string;
}

export type TableDone = Finished<TableTrial, TableResult>;

/** What all rows have; a row that says so has epochs of its own, as many times more. */
type Grid = Omit<TableTrial, 'gater' | 'stage' | 'settings' | 'seed' | 'searchEpochs'>;

/** Epochs of the full form that rows have which say nothing of their own. */
export const EPOCHS = 150;
/** Of its epochs, for a search. */
const SEARCH_SHARE = 3;

/** The grid of a form: all searches first, then the table seed by seed. */
export const gridOf =
  (common: Grid) =>
  (seeds: readonly number[]): TableTrial[] => {
    const of = ({ gater, epochs: own = EPOCHS }: Row) => {
      const epochs = Math.round((common.epochs * own) / EPOCHS);
      return { ...common, gater, epochs, searchEpochs: Math.ceil(epochs / SEARCH_SHARE) };
    };
    return [
      ...ROWS.flatMap((row) =>
        row.settings.map(
          (setting): TableTrial => ({ ...of(row), stage: 'search', settings: [setting], seed: SEARCH_SEED }),
        ),
      ),
      ...seeds.flatMap((seed) =>
        ROWS.map((row): TableTrial => ({ ...of(row), stage: 'final', settings: row.settings, seed })),
      ),
    ];
  };

/** The searches of a row: the setting with the lowest validation error is chosen. */
export const settingSearches = searches<TableTrial, TableResult>({
  nameOf: ({ gater }) => gater,
  triedBy: ({ settings }) => settings,
  costs: ({ validError, validLoss }) => [validError, validLoss],
});
