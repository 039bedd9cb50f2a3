import type { Dataset } from '../data/dataset.ts';
import { allocateState } from '../engine/fire.ts';
import { Tape } from '../engine/tape.ts';
import type { Tensor } from '../engine/tensor.ts';
import type { FiringSite } from '../layers/firing-site.ts';
import type { Pass } from '../layers/layer.ts';
import type { Model } from '../layers/model.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import { seedToKey } from '../random/stream.ts';
import { gatherBatch } from './batches.ts';
import type { Objective } from './objective.ts';

/**
 * What the gradient at a layer's logits would be, were another neuron there: fires that neuron in place of the layer's own, with a state of its
 * own, and changes nothing in the model. So several estimators are measured at the same weights on the same minibatches.
 */
export class GradientProbe {
  readonly neuron: Neuron;
  private readonly model: Model;
  private readonly site: FiringSite;
  private readonly objective: Objective;
  private readonly state: Tensor | undefined;
  /** Numbers the draws: no two passes share their noise. */
  private draws = 0;

  /**
   * @param site the name of the layer, or of its place, where the neuron is to fire
   * @throws RangeError for an unknown place, or a neuron that there is not
   */
  constructor(model: Model, site: string, spec: NeuronSpec, objective: Objective) {
    const found = model.sites.find(({ name }) => name === site);
    if (!found)
      throw new RangeError(
        `The model has no neurons at "${site}". Known: ${model.sites.map(({ name }) => name).join(', ')}.`,
      );
    this.model = model;
    this.site = found;
    this.objective = objective;
    this.neuron = resolveNeuron(spec);
    this.state = allocateState(model.engine, this.neuron, found.units);
  }

  /** Lets the neuron's state (baselines, control variates) move on a minibatch, as a step of training would. */
  warm(data: Dataset, indices: ArrayLike<number>): void {
    this.gradient(data, indices);
  }

  /**
   * Variance of the examples' gradients over `repeats` draws: summed over the units, mean over the examples of the minibatch. Of the
   * sum of the examples' losses, as everywhere on the tape.
   * @throws RangeError for fewer than two repeats
   */
  variance(data: Dataset, indices: ArrayLike<number>, repeats: number): number {
    if (!(repeats >= 2)) throw new RangeError(`A variance of ${repeats} draws is none; 2 or more would do.`);
    const first = Float64Array.from(this.gradient(data, indices));
    const sums = new Float64Array(first.length);
    const squares = new Float64Array(first.length);
    for (let repeat = 1; repeat < repeats; repeat++) {
      const gradient = this.gradient(data, indices);
      for (let i = 0; i < first.length; i++) {
        // The distance from the first draw: no cancellation where the mean is large.
        const x = gradient[i] - first[i];
        sums[i] += x;
        squares[i] += x * x;
      }
    }
    let total = 0;
    for (let i = 0; i < first.length; i++) total += (squares[i] - sums[i] ** 2 / repeats) / (repeats - 1);
    return total / indices.length;
  }

  /** rows×units; valid until the next step. */
  private gradient(data: Dataset, indices: ArrayLike<number>): Tensor['values'] {
    const { model, site, neuron, state } = this;
    model.engine.beginStep();
    const tape = new Tape(model.engine);
    tape.watch(this.below);
    // Training's draws are number 0.
    const source = { key: seedToKey(model.seed), step: Math.floor(this.draws / DRAWS), draw: 1 + (this.draws % DRAWS) };
    this.draws++;
    const instead = new Map([[site, { neuron, state }]]);
    const pass: Pass = { tape, mode: 'train', source, penalties: [], instead, work: { executed: 0, gater: 0 } };
    const { losses, also = [] } = this.objective(model, pass, gatherBatch(model.engine, data, indices));
    const logits = (site.last as NonNullable<typeof site.last>).logits;
    const seeds = [losses, ...also].map((tensor) => ({ tensor, cotangent: 1 }));
    tape.weigh(losses);
    tape.backward(seeds, losses);
    return tape.gradient(logits)?.values ?? new Float64Array(logits.size);
  }

  /** Parameters up to the probed layer: with a gradient at them there is one at its logits. */
  private get below(): readonly Tensor[] {
    const { layers } = this.model;
    const last = layers.findIndex(({ sites }) => sites.includes(this.site));
    return layers.slice(0, last + 1).flatMap(({ parameters }) => parameters.map(({ tensor }) => tensor));
  }
}

/** Numbers of draws within a step. */
const DRAWS = 65_534;
