import type { Dataset } from '../data/dataset.ts';
import { dot, jackknife, repeatsOf, sumOf } from '../math/repeats.ts';
import { studentQuantile } from '../math/student.ts';
import type { Neuron } from '../neurons/contract.ts';
import type { FiringSite } from '../nn/firing-site.ts';
import type { Model } from '../nn/model.ts';
import { skipsInTraining } from '../nn/paths.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import type { Task } from '../tasks/task.ts';
import { drawsOf } from '../tensor/draws.ts';
import { type Measured, SiteGradients } from '../train/site-gradients.ts';
import type { Interval } from './audit-neuron.ts';
import { referenceFor } from './reference.ts';
import { unitOf } from './unit-of.ts';
import { FALSE_ALARM, type Verdict } from './verdict.ts';

/** Options of `SiteAuditor`. */
export interface SiteAuditOptions {
  /** Examples of the minibatch that gradients are drawn on: their numbers in the data set. */
  readonly indices: ArrayLike<number>;
  /** Gradients drawn of every neuron; default 48. */
  readonly repeats?: number;
  /** Passes over the minibatch that moving averages and learned control variates see first; default 30. */
  readonly warmUp?: number;
  /** Loss evaluations an example that estimates are averaged over, for comparing them; default 64. */
  readonly evaluations?: number;
  /** What is minimised; default: classification. */
  readonly task?: Task;
}

const NAMES: NamesOf<SiteAuditOptions> = { indices: true, repeats: true, warmUp: true, evaluations: true, task: true };

/** What a neuron's gradient at the logits of one site of a network is worth; squares are over |∇|², that of the minibatch. */
export interface SiteAudit {
  readonly site: string;
  readonly neuron: string;
  /** Evaluations of the loss for one gradient. */
  readonly evaluations: number;
  /** |E[ĝ] − ∇| over |∇|, with its 95% interval; undefined where nothing says what ∇ is. */
  readonly bias?: Interval;
  /** Σ Var[ĝ] over |∇|². */
  readonly variance: number;
  /** Bias² + variance. */
  readonly squaredError: number;
  /** The same after averaging gradients that take `SiteAuditOptions.evaluations` loss evaluations together. */
  readonly atEqualCompute: number;
  /** Of E[ĝ] with ∇; undefined where the noise of the mean outweighs it. */
  readonly cosine?: number;
  /** Of single draws with ∇, on average. */
  readonly cosineOfDraws: number;
  /** Share of numbers with the right sign, of those whose sign is known by two standard errors: of the mean, and of draws. */
  readonly signs: number;
  readonly signsOfDraws: number;
  /** Of one forward and backward pass of the minibatch, from the loss to the logits. */
  readonly seconds: number;
  /** May closed blocks be left out while it trains gates? */
  readonly skips: boolean;
  /** Of the claim to be unbiased, or biased. */
  readonly verdict: Verdict;
}

/** Draws of references have numbers of their own, so that nothing correlates with them. */
const REFERENCE_DRAWS = 20_000;
/** Most numbers of one array that a reference may ask the engine for. */
const MOST_NUMBERS = 3e7;

/** Measures neurons at one site of a network, on one minibatch: the same weights, logits and examples for all. */
export class SiteAuditor {
  private readonly site: FiringSite;
  private readonly data: Dataset;
  private readonly indices: ArrayLike<number>;
  private readonly gradients: SiteGradients;
  private readonly repeats: number;
  private readonly warmUp: number;
  private readonly budget: number;
  /** Of units that are bits; drawn once. */
  private readonly reference: readonly Float32Array[] | undefined;

  /** @throws RangeError for a site that is none of the model's, no examples, or fewer than eight repeats */
  constructor(model: Model, site: FiringSite, data: Dataset, options: SiteAuditOptions) {
    checkNames('SiteAuditor', options, NAMES);
    const { indices, repeats = 48, warmUp = 30, evaluations = 64, task } = options;
    if (!Number.isInteger(repeats) || repeats < 8)
      throw new RangeError(`\`repeats\` is ${repeats}. Expected a whole number from 8 up.`);
    if (indices.length === 0) throw new RangeError('There are no examples to measure on. Expected one or more.');
    this.site = site;
    this.data = data;
    this.indices = indices;
    this.gradients = new SiteGradients(model, site, task);
    this.repeats = repeats;
    this.warmUp = warmUp;
    this.budget = evaluations;
    if (unitOf(site.neuron) === 'bits') this.reference = this.drawReference();
  }

  /** Draws gradients by one neuron and compares them with the true one. @param text how it was asked for */
  audit(neuron: Neuron, text = neuron.name): SiteAudit {
    const measured = this.gradients.measured(neuron);
    if (neuron.update) for (let i = 0; i < this.warmUp; i++) this.draw(measured, this.repeats + i);
    const draws = Array.from({ length: this.repeats }, (_, i) => this.draw(measured, i));
    const vectors = draws.map(({ gradient }) => gradient);
    const own = this.reference === undefined || unitOf(neuron) !== 'bits';
    // Another unit has another true gradient: its own mean, if that is what it claims, of other draws.
    const truth = !own
      ? this.reference
      : neuron.claims.unbiased
        ? vectors.map((_, i) => this.draw(measured, REFERENCE_DRAWS + i).gradient)
        : undefined;
    const seconds = draws.map((one) => one.seconds).sort((a, b) => a - b)[draws.length >> 1];
    const facts = {
      site: this.site.name,
      neuron: text,
      evaluations: measured.evaluations,
      seconds,
      skips: skipsInTraining(neuron),
    };
    return { ...facts, ...this.compare(neuron, measured.evaluations, vectors, truth, own) };
  }

  private draw(measured: Measured, draw: number) {
    return this.gradients.draw(measured, this.data, this.indices, 0, draw);
  }

  private drawReference(): Float32Array[] {
    const { units } = this.site;
    const neuron = referenceFor(units);
    const numbers = drawsOf(neuron, units) * units * this.indices.length;
    const affordable = numbers <= MOST_NUMBERS ? neuron : referenceFor(Number.POSITIVE_INFINITY);
    const measured = this.gradients.measured(affordable);
    return Array.from({ length: this.repeats }, (_, i) => this.draw(measured, REFERENCE_DRAWS + i).gradient);
  }

  private compare(
    neuron: Neuron,
    evaluations: number,
    vectors: readonly Float32Array[],
    truth: readonly Float32Array[] | undefined,
    own: boolean,
  ) {
    const { variance, squaredMean } = repeatsOf(vectors);
    const known = truth ?? vectors;
    const size = Math.max(truth ? repeatsOf(truth).squaredMean.value : squaredMean.value, Number.MIN_VALUE);
    const apart = truth && repeatsOf(vectors.map((vector, i) => vector.map((value, k) => value - truth[i][k])));
    const count = known.length;
    const mean = sumOf(known).map((value) => value / count);
    const ownMean = sumOf(vectors).map((value) => value / count);
    const product = dot(mean, ownMean);
    const cosine = product / Math.sqrt(size * squaredMean.value);
    const along = vectors.reduce((total, vector) => total + dot(vector, mean) / Math.sqrt(dot(vector, vector) || 1), 0);
    const t95 = studentQuantile(0.975, count - 1);
    const root = (square: number): number => Math.sqrt(Math.max(0, square) / size);
    // What is compared with its own mean is unbiased by that mean's word alone.
    const bias =
      apart && !own
        ? {
            value: root(apart.squaredMean.value),
            least: root(apart.squaredMean.value - t95 * apart.squaredMean.error),
            most: root(apart.squaredMean.value + t95 * apart.squaredMean.error),
          }
        : undefined;
    const relative = variance.value / size;
    const off = (bias?.value ?? 0) ** 2;
    return {
      ...(bias && { bias }),
      variance: relative,
      squaredError: off + relative,
      atEqualCompute: off + (relative * evaluations) / this.budget,
      ...(squaredMean.value > 0 && truth && { cosine: Math.min(1, Math.max(-1, cosine)) }),
      cosineOfDraws: along / (count * Math.sqrt(size)),
      ...signsOf(known, mean, ownMean, vectors),
      verdict: verdictOf(neuron, bias, apart?.squaredMean, count),
    };
  }
}

/** Signs where the mean of the truth is over two standard errors of it. */
function signsOf(
  truth: readonly Float32Array[],
  mean: Float64Array,
  ownMean: Float64Array,
  vectors: readonly Float32Array[],
): { signs: number; signsOfDraws: number } {
  let [numbers, right, rightOfDraws] = [0, 0, 0];
  for (let i = 0; i < mean.length; i++) {
    const error = jackknife(truth.map((vector) => (mean[i] * truth.length - vector[i]) / (truth.length - 1)));
    if (mean[i] === 0 || Math.abs(mean[i]) < 2 * error) continue;
    numbers++;
    if (Math.sign(ownMean[i]) === Math.sign(mean[i])) right++;
    for (const vector of vectors) if (Math.sign(vector[i]) === Math.sign(mean[i])) rightOfDraws++;
  }
  return { signs: right / numbers, signsOfDraws: rightOfDraws / (numbers * vectors.length) };
}

function verdictOf(
  { claims }: Neuron,
  bias: Interval | undefined,
  apart: { value: number; error: number } | undefined,
  repeats: number,
): Verdict {
  const claim = claims.unbiased ? 'unbiased' : 'biased';
  if (!bias || !apart || claims.scale)
    return {
      claim,
      verdict: 'undecided',
      evidence: 'its unit, or a factor of its own, has no gradient here to compare with',
    };
  const t = apart.error > 0 ? apart.value / apart.error : apart.value > 0 ? Number.POSITIVE_INFINITY : 0;
  const chance = studentQuantile(1 - FALSE_ALARM, repeats - 1);
  const evidence = `its mean is ${bias.value.toPrecision(2)}·|∇| off (95%: ${bias.least.toPrecision(2)} to ${bias.most.toPrecision(2)}), ${t.toFixed(1)} standard errors (${chance.toFixed(1)} would be chance)`;
  const seen = t > chance;
  if (claims.unbiased) return { claim, verdict: seen ? 'refuted' : 'holds', evidence };
  return { claim, verdict: seen ? 'holds' : 'undecided', evidence };
}
