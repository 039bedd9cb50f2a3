import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { DrawKey, FiringMode } from '../tensor/fire.ts';
import { type BlockShape, scatterBlocks } from '../tensor/ops/blocks.ts';
import type { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Blueprint } from './blueprint.ts';
import type { FiringSite } from './firing-site.ts';
import type { Held } from './hold.ts';

/** What the rows and columns of a parameter stand for: the layer's inputs, its units, its gates, or units inside a gater. */
export type Axis = 'inputs' | 'units' | 'gates' | 'hidden';

/** A trainable array. */
export interface Parameter {
  /** Unique within the model, e.g. `hidden.weights`. */
  readonly name: string;
  readonly tensor: NdArray;
  /** Gater parameters may have a learning rate of their own. */
  readonly group: 'main' | 'gater';
  /** Weight matrices (inputs × units) are subject to max-norm; biases are not. */
  readonly kind: 'weights' | 'bias';
  /** Of weights [rows, columns], of a bias [columns]. */
  readonly axes: readonly Axis[];
  /** Learning rate as a multiple of its group's. */
  readonly learningRateScale: number;
  /** Weights stored block by block (blocks × inputs × units of a block); absent where they are inputs × units. */
  readonly blocks?: { readonly count: number; readonly inputs: number; readonly size: number };
}

/** What flows between layers: a dense matrix (rows × units), or the values of open blocks alone. */
export type Activation = Tensor | BlockActivation;

/** Values of the open blocks of a minibatch (pairs × size); closed blocks are zeros that nobody stores. */
export interface BlockActivation extends BlockShape {
  readonly values: Tensor;
}

export const isBlocks = (x: Activation): x is BlockActivation => 'mask' in x;

/** The same numbers with those of closed blocks. */
export function toDense(_pass: Pass, x: Activation): Tensor {
  return isBlocks(x) ? scatterBlocks(x.values, x) : x;
}

/** `train` and `sample` draw; `mean-field` turns the noise off; `threshold` cuts at the calibrated logit. */
export type Mode = 'train' | 'sample' | 'mean-field' | 'threshold';

/** What fires at a site in place of its own neuron. */
export interface Stand {
  readonly neuron: Neuron;
  readonly state: NdArray | undefined;
  /** The number of the site's draw; default: the pass's. */
  readonly draw?: number;
}

/** One forward pass, and what the layers report of it. */
export interface Pass {
  readonly tape: Tape;
  readonly mode: Mode;
  /** Key, step and draw of the random numbers; the layer is filled in by the layer. */
  readonly source: Omit<DrawKey, 'layer'>;
  /** Penalties that training adds to the mean loss, with their weights and the rows that they are over. */
  readonly penalties: { tensor: Tensor; weight: number; rows: number }[];
  /**
   * Neurons that fire in place of a site's own, with states of their own: to measure them on the same network. Where they name a
   * draw, the site alone draws with it.
   */
  readonly instead?: ReadonlyMap<FiringSite, Stand>;
  /** Units that are held open or closed; not while training, where learning rules would see what did not happen. */
  readonly held?: ReadonlyMap<FiringSite, Held> | undefined;
}

/** Multiply-adds for one example. */
export interface LayerCost {
  /** Without gates: every block computed, no gater. */
  readonly dense: number;
  /** Of the gater alone. */
  readonly gater: number;
}

export interface Layer {
  readonly name: string;
  /** Width of the input and of the output rows. */
  readonly inputs: number;
  readonly outputs: number;
  readonly parameters: readonly Parameter[];
  /** Where neurons fire in this layer. */
  readonly sites: readonly FiringSite[];
  /** What its rules keep from step to step beside parameters and sites, by name: live arrays. */
  readonly memory?: Readonly<Record<string, Float64Array>>;
  readonly cost: LayerCost;
  /** Absent where exports know no form of what the layer computes. */
  readonly blueprint?: Blueprint;
  /** rows×inputs → rows×outputs */
  apply(pass: Pass, x: Activation): Activation;
  /** After every training step. */
  afterStep?(): void;
}

/** What a layer is built with. */
export interface LayerContext {
  readonly engine: Engine;
  readonly name: string;
  readonly inputs: number;
  /** The layer's number; it names its random streams. Sites take layer·8, layer·8 + 1, … */
  readonly index: number;
  readonly seed: number;
}

export type { FiringMode };
