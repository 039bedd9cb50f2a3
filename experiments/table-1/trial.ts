import { bestSearch } from '../kit/best-search.ts';
import type { Finished } from '../kit/experiment.ts';
import { ROWS, type Setting } from './rows.ts';

/** Of the searches, so that no reported seed has been searched on. */
const SEARCH_SEED = 0;

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

type Grid = Omit<TableTrial, 'gater' | 'stage' | 'settings' | 'seed'>;

/** The grid of a form. */
export const gridOf =
  (common: Grid) =>
  (seeds: readonly number[]): TableTrial[] => [
    ...ROWS.flatMap(({ gater, settings }) =>
      settings.map(
        (setting): TableTrial => ({ ...common, gater, stage: 'search', settings: [setting], seed: SEARCH_SEED }),
      ),
    ),
    ...seeds.flatMap((seed) =>
      ROWS.map(({ gater, settings }): TableTrial => ({ ...common, gater, stage: 'final', settings, seed })),
    ),
  ];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What the searches found that a final trial chooses among. */
export const searchesFor = (trial: TableTrial, finished: readonly TableDone[]): TableResult[] =>
  finished
    .filter(({ trial: other }) => other.stage === 'search' && other.gater === trial.gater)
    .filter(({ trial: other }) => trial.settings.some((setting) => same([setting], other.settings)))
    .map(({ result }) => result);

/** The setting with the lowest validation error among a row's searches. */
export const chosenSetting = (trial: TableTrial, finished: readonly TableDone[]): Setting =>
  bestSearch(trial.gater, trial.settings.length, searchesFor(trial, finished)).setting;
