import type { NdArray } from '../backend/nd-array.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DrawKey } from '../tensor/uniforms.ts';
import type { FiringSite } from './firing-site.ts';
import type { Held } from './hold.ts';

/** `train` and `sample` draw; `mean-field` turns the noise off; `threshold` cuts at the calibrated logit. */
export type Mode = 'train' | 'sample' | 'mean-field' | 'threshold';

/** What fires at a site in place of its own neuron. */
export interface SiteOverride {
  readonly neuron: Neuron;
  readonly state: NdArray | undefined;
  /** The number of the site's draw; default: the pass's. */
  readonly draw?: number;
}

/** A penalty of a pass. */
export interface PassPenalty {
  /** One number. Where draws that weigh differently are below, it is to be asked for after the losses are weighed. */
  readonly tensor: Tensor;
  readonly weight: number;
  /** The examples that it is a mean over, draws counted. */
  readonly rows: number;
  /**
   * For neurons that read losses: what it is a function of, and what each row of that has to do with it, as a loss of its own. Absent: such
   * neurons do not see it.
   */
  readonly read?: { readonly of: Tensor; rowParts(): Float64Array };
}

/** One forward pass, and what the layers report of it. */
export interface Pass {
  readonly tape: Tape;
  readonly mode: Mode;
  /** Compute closed blocks too: true in the pass that builds a model, and in traces. */
  readonly everyBlock?: boolean;
  /** Key, step and draw of the random numbers; the layer is filled in by the layer. */
  readonly source: Omit<DrawKey, 'layer'>;
  /** Penalties that training adds to the mean loss. */
  readonly penalties: PassPenalty[];
  /**
   * Overrides by site: another neuron with its own state, to measure it on the same network. `draw` overrides the draw index for this site only.
   */
  readonly overrides?: ReadonlyMap<FiringSite, SiteOverride>;
  /** Units that are held open or closed. Not while training: learning rules would see outputs that were not drawn. */
  readonly held?: ReadonlyMap<FiringSite, Held> | undefined;
}
