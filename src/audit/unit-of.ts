import { sigmoid } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { emitsBits, unitInUse } from './true-gradient.ts';

const LOGITS = [-2.7, -0.4, 0.9, 1.6];

/** Is a unit in use, by its declared rate and what it emits, 1 with probability σ(a) and else 0, or a unit of its own kind? */
export function unitOf(neuron: Neuron): 'bits' | 'own' {
  const unit = unitInUse(neuron);
  const { rate } = neuron.claims;
  const bits = LOGITS.every(
    (logit) => rate !== undefined && Math.abs(rate(logit) - sigmoid(logit)) < 1e-12 && emitsBits(unit, logit),
  );
  return bits && neuron.couples === undefined ? 'bits' : 'own';
}
