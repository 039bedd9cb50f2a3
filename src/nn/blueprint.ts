import type { FiringSite } from './firing-site.ts';
import type { Parameter } from './layer.ts';

/** What an `Affine` and the neurons on it compute: neuron(x·W + b). */
export interface AffineBlueprint {
  readonly kind: 'affine';
  readonly weights: Parameter;
  readonly bias: Parameter;
  /** Where its units fire; absent where they are linear. */
  readonly site?: FiringSite | undefined;
}

/** What a gated layer computes: y_k = g_k·H_k, with g the outputs of the gater's last stage and H the experts in blocks. */
export interface GatedBlueprint {
  readonly kind: 'gated';
  /** One after another, each on the output of the one before; the first on the layer's input. */
  readonly gater: readonly AffineBlueprint[];
  /** On the layer's input; its weights stand block by block. */
  readonly experts: AffineBlueprint;
  readonly blocks: number;
  /** Units of a block. */
  readonly size: number;
}

/**
 * What a layer of long short-term memory computes: the outputs of its directions side by side, each over x·W + b and what it put out at the
 * point read before. See kernels/lstm.ts.
 */
export interface LstmBlueprint {
  readonly kind: 'lstm';
  readonly directions: readonly {
    readonly backwards: boolean;
    /** inputs → 4·units: input, forget, candidate, output. */
    readonly affine: AffineBlueprint;
    /** units × 4·units */
    readonly recurrent: Parameter;
  }[];
}

/** What a layer computes when it is used, as facts: what exports read. */
export type Blueprint = AffineBlueprint | GatedBlueprint | LstmBlueprint;
