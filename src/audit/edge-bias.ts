import { sigmoidSlope } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { unitInUse } from '../neurons/unit-in-use.ts';
import { startingState } from '../tensor/starting-state.ts';
import { estimatePoints } from './grid.ts';
import { integrate, type Loss } from './integrate.ts';
import { problems } from './problems.ts';
import { derivative } from './quadrature.ts';
import { warmState } from './sample-neuron.ts';
import { unitOf } from './unit-of.ts';

/** Logits where one of the two states of a bit has a probability of 1e-4, and of 1e-7. */
const EDGES = [-16, -9, 9, 16];
/** What E[ĝ] may be off by: rounding, and a share of the true gradient, which is as small as the probability there. */
const [ROUNDING, SHARE] = [1e-9, 1e-3];
/** Most points of the grid of one unit. */
const POINTS = 20_000;

/** A place where the mean of a neuron's gradient is not the true gradient. */
export interface EdgeBias {
  readonly logit: number;
  readonly problem: string;
  readonly found: number;
  readonly truth: number;
}

/**
 * Is an unbiased neuron biased where a state is unlikely? Bias is then small, and still many times the true gradient: what clamps
 * probabilities looks right elsewhere. One unit by exact integration, in the state that it starts with and in a state that it has lived
 * with; undefined where nothing is off, the grid is too large, or units are coupled.
 */
export function edgeBias(neuron: Neuron): EdgeBias | undefined {
  if (neuron.couples || EDGES.some((logit) => estimatePoints(neuron, [logit]) > POINTS)) return undefined;
  const bits = unitOf(neuron) === 'bits';
  for (const logit of EDGES)
    for (const { name, loss } of problems(1)) {
      const truth = bits ? truthOfBit(logit, loss) : truthOfUnit(unitInUse(neuron), logit, loss);
      for (const state of [startingState(neuron, 1), warmState(neuron, [logit], loss, { minibatches: 20, seed: 22 })]) {
        const found = integrate(neuron, [logit], loss, state).gradient[0] * (neuron.claims.scale?.(state) ?? 1);
        const most = ROUNDING + SHARE * Math.abs(truth);
        if (!(Math.abs(found - truth) <= most)) return { logit, problem: name, found, truth };
      }
    }
  return undefined;
}

const truthOfBit = (logit: number, loss: Loss): number =>
  sigmoidSlope(logit) * (loss(Float64Array.of(1)).loss - loss(Float64Array.of(0)).loss);

const truthOfUnit = (unit: Neuron, logit: number, loss: Loss): number =>
  derivative((x) => integrate(unit, [x], loss).loss, logit, 0.005);
