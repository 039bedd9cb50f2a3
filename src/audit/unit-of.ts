import { sigmoid } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { cellsOf } from './found-cells.ts';
import { estimateNodes } from './grid.ts';
import { integrate, type Loss } from './integrate.ts';
import { leanUnit } from './less-noise.ts';
import { emitsBits, trueGradient } from './true-gradient.ts';

const LOGITS = [-2.7, -0.4, 0.9, 1.6];
/** Nodes of a unit that are integrated over to know its rate. */
const NODES = 20_000;

const known = new WeakMap<Neuron, 'bits' | 'own'>();

/** Is a behaviour, by what it emits and how often, 1 with probability σ(a) and else 0, or a unit of its own kind? */
export function unitOf(neuron: Neuron): 'bits' | 'own' {
  const kind = known.get(neuron) ?? kindOf(neuron);
  known.set(neuron, kind);
  return kind;
}

function kindOf(neuron: Neuron): 'bits' | 'own' {
  const unit = leanUnit(neuron);
  if (neuron.jointNoise !== undefined) return 'own';
  const bits = LOGITS.every((logit) => emitsBits(unit, logit) && Math.abs(rateOf(unit, logit) - sigmoid(logit)) < 1e-9);
  return bits ? 'bits' : 'own';
}

/** P(h ≠ 0) of a single unit: integrated, or as declared where its grid is too large or none is right. */
function rateOf(unit: Neuron, logit: number): number {
  if (cellsOf(unit).countless || estimateNodes(unit, logit) > NODES) return unit.claims.rate?.(logit) ?? Number.NaN;
  return integrate(unit, [logit], (h) => ({ loss: 0, dh: new Float64Array(h.length) })).rate[0];
}

/** `trueGradient`, by the sum over the states of bits where the behaviour is such, whether it declares its rate or not. */
export function gradientInUse(neuron: Neuron, logits: ArrayLike<number>, loss: Loss): Float64Array {
  const bits = unitOf(neuron) === 'bits';
  return trueGradient(bits ? { ...neuron, claims: { ...neuron.claims, rate: sigmoid } } : neuron, logits, loss);
}
