import { type Estimate, meanOf, repeatsOf } from '../math/repeats.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { Model } from '../nn/model.ts';
import type { Task, TaskData } from '../tasks/task.ts';
import { type Measured, SiteGradients } from './site-gradients.ts';

/** Neurons that are measured along a training that another one trains; plain JSON where the neurons are texts. */
export interface EstimatorProbeOptions {
  readonly neurons: readonly NeuronSpec[];
  /** Steps from one measurement to the next; default 50. */
  readonly every?: number;
  /** Gradients drawn of every neuron each time, from 3; default 6. */
  readonly repeats?: number;
  /** Where neurons fire; default: the first site of the model with noise. */
  readonly site?: string;
}

/** What a neuron's gradients at the logits were worth during an epoch; means over the measured steps, with their standard errors. */
export interface EstimatorProbeRow {
  readonly site: string;
  readonly neuron: string;
  /** Is it the one that trains? */
  readonly trains: boolean;
  /** Evaluations of the loss for one gradient. */
  readonly evaluations: number;
  /** Steps that were measured: of a site in a part behind gates, those in which some row opened it. */
  readonly steps: number;
  /** Σ Var[ĝ] over the units, for one example. */
  readonly variance: Estimate;
  /** The same over that of the neuron that trains, step by step. */
  readonly ratio: Estimate;
  /** |E ĝ − E ĝ of the neuron that trains|² for one example; noise can bring it under 0. */
  readonly distance: Estimate;
  /** |E ĝ|² for one example; noise can bring it under 0. */
  readonly squaredMean: Estimate;
  /** Of one gradient of the minibatch, forward and backward. */
  readonly seconds: number;
}

interface Member extends Measured {
  readonly text: string;
  readonly steps: { variance: number; ratio: number; distance: number; squaredMean: number; seconds: number }[];
}

/** The place in a model that estimators are compared at: the one of that name, or the first with noise. @throws RangeError for none */
export function siteOf(model: Model, name?: string): FiringSite {
  const noisy = model.sites.filter(({ neuron }) => neuron.noise > 0);
  const site = name === undefined ? noisy[0] : model.sites.find((one) => one.name === name);
  if (site) return site;
  const known = noisy.map((one) => one.name).join(', ') || 'none';
  throw new RangeError(
    `The model has no firing site ${name === undefined ? 'with noise' : `"${name}"`}. Those with noise: ${known}.`,
  );
}

/** Measures neurons beside the one that trains, on the same weights, logits and minibatches, and changes nothing of the training. */
export class EstimatorProbe {
  private readonly site: FiringSite;
  private readonly gradients: SiteGradients;
  private readonly members: readonly Member[];
  private readonly every: number;
  private readonly repeats: number;

  /** @throws RangeError for an unknown neuron or site, or numbers that are too small */
  constructor(model: Model, { neurons, every = 50, repeats = 6, site }: EstimatorProbeOptions, task?: Task) {
    if (!Number.isInteger(every) || every < 1)
      throw new RangeError(`\`every\` of the probe of estimators is ${every}. Expected a whole number from 1 up.`);
    if (!Number.isInteger(repeats) || repeats < 3)
      throw new RangeError(`\`repeats\` of the probe of estimators is ${repeats}. Expected a whole number from 3 up.`);
    this.site = siteOf(model, site);
    this.gradients = new SiteGradients(model, this.site, task);
    const own = this.site.neuron;
    this.members = [own, ...neurons.map((spec) => resolveNeuron(spec, this.site.rate, model.neurons))].map(
      (neuron, i) => ({
        ...this.gradients.measured(neuron),
        text: i === 0 ? textOf(own) : specText(neurons[i - 1], neuron),
        steps: [],
      }),
    );
    this.every = every;
    this.repeats = repeats;
  }

  /** After a step, so numbered from 1: measures on its minibatch when its turn has come. */
  afterStep(step: number, dataset: TaskData, indices: ArrayLike<number>): void {
    if (step % this.every !== 0) return;
    const rows = indices.length;
    let trained: readonly Float32Array[] = [];
    let own = Number.NaN;
    for (const member of this.members) {
      const draws = Array.from({ length: this.repeats }, (_, draw) =>
        this.gradients.draw(member, dataset, indices, step, draw),
      );
      const vectors = draws.map(({ gradient }) => gradient);
      // No row opened the part that the site is in: there is nothing to measure, for any neuron.
      if (vectors[0].length === 0) return;
      if (trained.length === 0) trained = vectors;
      const { variance, squaredMean } = repeatsOf(vectors);
      if (Number.isNaN(own)) own = variance.value;
      const apart = vectors.map((vector, draw) => vector.map((value, i) => value - trained[draw][i]));
      member.steps.push({
        variance: variance.value / rows,
        ratio: variance.value === own ? 1 : variance.value / own,
        distance: trained === vectors ? 0 : repeatsOf(apart).squaredMean.value / rows,
        squaredMean: squaredMean.value / rows,
        seconds: Math.min(...draws.map(({ seconds }) => seconds)),
      });
    }
  }

  /** What was measured since the last call; the first row is the neuron that trains. */
  take(): EstimatorProbeRow[] {
    const rows = this.members.flatMap(({ text, evaluations, steps }, i): EstimatorProbeRow[] => {
      if (steps.length === 0) return [];
      const over = (field: 'variance' | 'ratio' | 'distance' | 'squaredMean') =>
        meanOf(steps.map((step) => step[field]));
      return [
        {
          site: this.site.name,
          neuron: text,
          trains: i === 0,
          evaluations,
          steps: steps.length,
          variance: over('variance'),
          ratio: over('ratio'),
          distance: over('distance'),
          squaredMean: over('squaredMean'),
          seconds: Math.min(...steps.map(({ seconds }) => seconds)),
        },
      ];
    });
    for (const { steps } of this.members) steps.length = 0;
    return rows;
  }
}

/** How a neuron would be asked for: its name, and its options in full. */
function textOf({ name, options }: Measured['neuron']): string {
  const pairs = Object.entries(options).map(([option, value]) => `${option}=${value}`);
  return pairs.length === 0 ? name : `${name}:${pairs.join(',')}`;
}

const specText = (spec: NeuronSpec, neuron: Measured['neuron']): string =>
  typeof spec === 'string' ? spec : textOf(neuron);
