import type { Place } from './places.ts';

/** What is known of E[ĝ] of one active unit at a place. */
export interface UnitMeasure {
  readonly unit: number;
  readonly logit: number;
  /** E[ĝ], times the factor that the neuron declares, and ∂E[loss]/∂logit. */
  readonly found: number;
  readonly truth: number;
  /** E|ĝ|. */
  readonly typical: number;
  /** What rounding, quadrature and the search for cells may make of it; of samples none. */
  readonly tolerance: number;
  /** E[ĝ] with the 2²³ numbers that are drawn in place of all of (0, 1), less the same with all. */
  readonly drawnShift: number;
  /** In standard errors, of samples; Infinity for an exact error that is no rounding, 0 for one that is. */
  readonly z: number;
  /** Of samples: how many standard errors a gradient of 0 would be from the true one. */
  readonly zOfNothing?: number;
}

export interface Measure {
  readonly place: Place;
  readonly method: 'integration' | 'sampling';
  readonly samples: number;
  readonly units: readonly UnitMeasure[];
  /** The largest loss or cotangent that it read. */
  readonly magnitude: number;
  /** A number that is none, where there is one. */
  readonly broken?: string;
  /** E[total] of the losses as the neuron weighs them, and E[loss] of the behaviour, over the size of the loss. */
  readonly total?: { readonly found: number; readonly truth: number; readonly tolerance: number };
}
