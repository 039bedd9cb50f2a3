import { closed, eachOptional, list, oneOf, optional, over, text, unknown, whole } from '../schema/schema.ts';

/** The most gradients of a neuron that a probe draws each time. */
const MOST_REPEATS = 1000;

/** Settings of the one loop that are plain JSON: what each may be. */
export const loopSettings = {
  epochs: whole(1),
  batch: whole(1),
  examplesPerEpoch: whole(1),
  gaterLearningRate: over(0),
  maxNorm: over(0),
  decay: over(0),
  patience: whole(1),
  seed: whole(0),
  validation: oneOf(['threshold', 'mean-field', 'sample']),
  validateEvery: whole(1),
} as const;

/** Settings of a probe of estimators whose neurons are texts. */
export const estimatorProbeSettings = {
  neurons: list(text, 'neurons'),
  every: optional(whole(1)),
  repeats: optional(whole(3, MOST_REPEATS)),
  site: optional(text),
} as const;

/** Options of `train`: settings, and what no JSON holds. */
export const trainOptionsSchema = closed({
  ...eachOptional({ ...loopSettings, seed: unknown() }),
  ...eachOptional({
    optimizer: unknown(),
    signal: unknown(),
    weightNoise: unknown(),
    estimatorProbe: closed({ ...estimatorProbeSettings, neurons: unknown() }),
    task: unknown(),
    resume: unknown(),
  }),
});

/** Options of `predictTask`. */
export const predictOptionsSchema = closed(
  eachOptional({
    mode: oneOf(['threshold', 'mean-field', 'sample', 'ensemble']),
    samples: whole(1),
    hold: unknown(),
    batch: whole(1),
  }),
);

/** Options of `evaluate` and its like. */
export const evaluateOptionsSchema = closed(
  eachOptional({
    mode: oneOf(['sample', 'threshold', 'mean-field']),
    batch: whole(1),
    draw: whole(0),
    hold: unknown(),
    examples: whole(1),
  }),
);
