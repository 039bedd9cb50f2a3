import type { Tensor } from '../engine/tensor.ts';
import { resolveSparsity, type SparsitySpec, type WeightedPenalty } from '../gates/index.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import type { FiringSite } from './firing-site.ts';
import type { Pass } from './layer.ts';

const probability = resolveNeuron('sigmoid');

/** Pulls the units of a firing site toward its target rate while training. */
export class Sparsity {
  readonly terms: readonly WeightedPenalty[];
  private readonly rate: number;

  /** @throws RangeError when a penalty on probabilities is asked for units that do not emit values in [0, 1] */
  constructor(site: FiringSite, rate: number, spec: SparsitySpec) {
    this.rate = rate;
    this.terms = resolveSparsity(spec, site.units);
    const misfit = this.terms.find(
      ({ penalty }) => penalty.on === 'probability' && site.neuron.range !== 'unit-interval',
    );
    if (misfit)
      throw new RangeError(
        `The penalty "${misfit.penalty.name}" is on probabilities, and "${site.neuron.name}" emits ${site.neuron.range} values; "l1" would do.`,
      );
  }

  /** Adds the penalties of this pass. */
  apply(pass: Pass, logits: Tensor, h: Tensor): void {
    if (pass.mode !== 'train' || this.terms.length === 0) return;
    const onProbabilities = this.terms.some(({ penalty }) => penalty.on === 'probability');
    const source = { ...pass.source, layer: 0 };
    const p = onProbabilities
      ? pass.tape.apply('fire', [logits], { neuron: probability, mode: 'sample', source })
      : undefined;
    for (const { penalty, weight } of this.terms) {
      const on = penalty.on === 'probability' ? (p as Tensor) : h;
      const tensor = pass.tape.apply('penalty', [on], {
        evaluate: (values, rows, units, gradient) => penalty.evaluate(values, rows, units, this.rate, gradient),
      });
      pass.penalties.push({ tensor, weight });
    }
  }

  /** After a step: lets penalties with an adaptive weight follow the share of units that were open. */
  adapt(openShare: number): void {
    for (const term of this.terms) term.weight = term.penalty.adapt?.(term.weight, openShare, this.rate) ?? term.weight;
  }

  /** The penalty that fits a neuron, for users who name none. */
  static defaultFor(site: FiringSite): SparsitySpec {
    return site.neuron.range === 'unit-interval' ? 'kl' : 'l1';
  }
}
