import type { Dataset } from './dataset.ts';
import type { SequenceDataset } from './sequences.ts';
import type { TableReading } from './table-reading.ts';
import type { TargetDataset } from './targets.ts';
import type { TokenDataset } from './tokens.ts';

/** What the sets of each kind are: examples with a class, or with numbers as targets; labelled sequences; sequences of tokens. */
export interface DataKinds {
  classes: Dataset;
  targets: TargetDataset;
  sequences: SequenceDataset;
  tokens: TokenDataset;
}

/** Which kind of data a task is trained on. */
export type DataKind = keyof DataKinds;

/** What a record of a run keeps of the form of its data. */
export interface DataShape {
  /** Numbers that a network takes, of an example or of a point of one. */
  readonly width: number;
  /** Numbers that it gives. */
  readonly outputs: number;
  readonly classes?: number;
  /** A stored feature times this is the network's input. */
  readonly scale?: number;
  readonly image?: { readonly width: number; readonly height: number };
  /** How tables are read: names, order, categories, what was measured on the training rows. */
  readonly table?: TableReading;
}

/** The form of each kind, where the task says nothing else. */
export const dataKinds: { readonly [K in DataKind]: (data: DataKinds[K]) => DataShape } = {
  classes: ({ width, classes, scale, image }) => ({ width, outputs: classes, classes, scale, ...(image && { image }) }),
  targets: ({ width, outputs, scale }) => ({ width, outputs, scale }),
  sequences: ({ width, classes }) => ({ width, outputs: classes, classes }),
  // A token is one number, for an embedding.
  tokens: ({ classes }) => ({ width: 1, outputs: classes, classes }),
};
