import type { Engine } from '../backend/engine.ts';
import type { NdArray } from '../backend/nd-array.ts';
import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import type { DrawKey } from '../tensor/uniforms.ts';
import type { Parameter } from './parameter.ts';

/**
 * Noise on the weights: every case is seen through weights of its own, drawn from N(μ, σ²) weight by weight; its gradient is taken
 * at the draw and changes μ. Biases are weights too. Without noise (evaluation) a network has the weights μ.
 * Source: An 1996; Graves 2011, "Practical variational inference for neural networks".
 */
export type WeightNoiseSpec = FixedWeightNoise | AdaptiveWeightNoise;

/** The same σ for every weight, for ever. Minimises E[loss at noisy weights]: Graves 2011 with σ fixed and a uniform prior. */
export interface FixedWeightNoise {
  readonly noise: 'fixed';
  /** σ, over 0. */
  readonly deviation: number;
}

/** A σ for every weight, learnt with μ by the minimum description length: see `WeightNoise.gradients`. */
export interface AdaptiveWeightNoise {
  readonly noise: 'adaptive';
  /** σ at the start, over 0. */
  readonly deviation: number;
}

const NAMES: NamesOf<FixedWeightNoise> = { noise: true, deviation: true };

/** Shorthand for a `FixedWeightNoise`. */
export const fixedWeightNoise = (deviation: number): FixedWeightNoise => ({ noise: 'fixed', deviation });

/** Shorthand for an `AdaptiveWeightNoise`; σ starts at 0.075 as in Graves 2013 unless told otherwise. */
export const adaptiveWeightNoise = (deviation = 0.075): AdaptiveWeightNoise => ({ noise: 'adaptive', deviation });

/** State for one parameter; all arrays have its shape. */
interface Noisy {
  readonly name: string;
  /** The parameter: μ between cases, a draw during one. */
  readonly weights: NdArray;
  readonly mean: NdArray;
  readonly deviation: NdArray;
  /** Σ g and Σ g² of the cases since `begin`, g the gradient of one case. */
  readonly sums: NdArray;
  readonly squares: NdArray;
  readonly learnt?: {
    readonly logVariance: NdArray;
    readonly variance: NdArray;
    readonly dMean: NdArray;
    readonly dLogVariance: NdArray;
  };
}

/** The noise on a network's parameters. One minibatch: `begin`, then for every case `draw`, backward, `collect`, then `gradients`. */
export class WeightNoise {
  readonly spec: WeightNoiseSpec;
  private readonly engine: Engine;
  private readonly all: readonly Noisy[];
  /** Cases in the training set: what the description length of the weights is shared among. */
  private readonly cases: number;
  private collected = 0;

  /**
   * @param cases cases in the training set
   * @throws RangeError unless the deviation is over 0
   */
  constructor(engine: Engine, parameters: readonly Parameter[], spec: WeightNoiseSpec, cases: number) {
    checkNames('Weight noise', spec, NAMES);
    checkOneOf('noise', spec.noise, ['fixed', 'adaptive'], 'Weight noise');
    if (!(spec.deviation > 0 && spec.deviation < Number.POSITIVE_INFINITY))
      throw new RangeError(`Weight noise: \`deviation\` is ${spec.deviation}. Expected a number over 0, e.g. 0.075.`);
    this.engine = engine;
    this.spec = spec;
    this.cases = cases;
    this.all = parameters.map(({ name, tensor }) => {
      const like = (what: string): NdArray => engine.parameter(tensor.shape, `the ${what} of ${name}`);
      const noisy: Noisy = {
        name,
        weights: tensor,
        mean: like('mean'),
        deviation: like('deviation'),
        sums: like('gradient sums'),
        squares: like('sums of squared gradients'),
        ...(spec.noise === 'adaptive' && {
          learnt: {
            logVariance: like('log variance'),
            variance: like('variance'),
            dMean: like('gradient of the mean'),
            dLogVariance: like('gradient of the log variance'),
          },
        }),
      };
      noisy.deviation.values.fill(spec.deviation);
      noisy.learnt?.logVariance.values.fill(2 * Math.log(spec.deviation));
      return noisy;
    });
    this.spread();
  }

  /** What an optimizer is to change: the parameters, and for adaptive noise their log variances after them. */
  get trained(): readonly NdArray[] {
    return [...this.all.map(({ weights }) => weights), ...this.all.flatMap(({ learnt }) => learnt?.logVariance ?? [])];
  }

  /** Learnt arrays besides the parameters, by name; live. */
  arrays(): [string, Float32Array | Float64Array][] {
    return this.all.flatMap(({ name, learnt }): [string, Float32Array | Float64Array][] =>
      learnt ? [[`${name}.logVariance`, learnt.logVariance.values]] : [],
    );
  }

  /** Starts a minibatch. */
  begin(): void {
    const { backend } = this.engine;
    this.collected = 0;
    for (const { sums, squares } of this.all)
      for (const { pointer, size } of [sums, squares]) backend.run('fill', pointer, size, 0);
  }

  /** Puts a draw in the place of the weights, a pure function of the key (of `weights`: see `noiseKey`) and the step. Needs a started step of the engine. */
  draw({ key, step, draw }: Omit<DrawKey, 'layer'>): void {
    const { engine } = this;
    const { backend } = engine;
    this.all.forEach(({ weights, mean, deviation }, i) => {
      const [rows, columns] = weights.shape.length > 1 ? [weights.rows, weights.columns] : [1, weights.size];
      const noise = engine.allocate([rows, columns], 'weight noise');
      const stream = i * 65536 + draw;
      backend.run('uniforms', noise.pointer, rows, columns, key[0], key[1], step, stream);
      copy(engine, weights, mean);
      const pointers = [mean.pointer, deviation.pointer, noise.pointer, weights.pointer] as const;
      backend.run('perturb', ...pointers, weights.size);
    });
  }

  /** Takes the gradients of one case (by parameter; undefined is none) and puts the weights μ back. */
  collect(gradientOf: (parameter: NdArray) => NdArray | undefined): void {
    const { engine } = this;
    this.collected++;
    for (const { weights, mean, sums, squares } of this.all) {
      const gradient = gradientOf(weights);
      const pointers = [sums.pointer, squares.pointer] as const;
      if (gradient) engine.backend.run('addMoments', gradient.pointer, ...pointers, weights.size);
      copy(engine, mean, weights);
    }
  }

  /**
   * The gradients of the minibatch, in the order of `trained`: sums over its cases.
   *
   * Fixed noise: Σ g. Adaptive noise: the gradient of a case's share of the description length, E[loss] + KL/N with N cases in the
   * training set, q = N(μ, diag σ²) and one prior N(m, s²) for all weights (Graves 2011, diagonal Gaussian posterior):
   *
   *     ∂/∂μ  = E[g] + (μ − m)/(s²·N)
   *     ∂/∂σ² = ½E[∂²loss/∂w²] + ½(1/s² − 1/σ²)/N,  with E[∂²loss/∂w²] ≈ E[g²], the empirical Fisher information
   *     m = mean of μ,  s² = mean of σ² + (μ − m)²    the best prior, in closed form, anew for every minibatch
   *
   * Expectations are over the draws of the cases at hand, one a case. What learns is log σ², by the chain rule: σ² stays positive.
   */
  gradients(): readonly NdArray[] {
    if (this.spec.noise === 'fixed') return this.all.map(({ sums }) => sums);
    const { mean: m, variance: s } = this.prior();
    const share = this.collected / this.cases;
    const learnt = this.all.flatMap((noisy) => (noisy.learnt ? [{ ...noisy, ...noisy.learnt }] : []));
    for (const { weights, variance, sums, squares, dMean, dLogVariance } of learnt) {
      const given = [weights.pointer, variance.pointer, sums.pointer, squares.pointer] as const;
      const made = [dMean.pointer, dLogVariance.pointer] as const;
      this.engine.backend.run('descriptionLength', ...given, ...made, weights.size, share, m, s);
    }
    return [...learnt.map(({ dMean }) => dMean), ...learnt.map(({ dLogVariance }) => dLogVariance)];
  }

  /** After the optimizer has changed what is `trained`: σ follows log σ². */
  spread(): void {
    for (const { deviation, learnt } of this.all) {
      if (!learnt) continue;
      const { logVariance, variance } = learnt;
      this.engine.backend.run('spread', logVariance.pointer, variance.pointer, deviation.pointer, deviation.size);
    }
  }

  /** The prior that codes the weights in the fewest nats: its mean and variance. */
  private prior(): { mean: number; variance: number } {
    let count = 0;
    let total = 0;
    for (const { weights } of this.all) {
      const { values } = weights;
      count += values.length;
      for (let i = 0; i < values.length; i++) total += values[i];
    }
    const mean = total / count;
    let squares = 0;
    for (const { weights, deviation } of this.all) {
      const [mu, sigma] = [weights.values, deviation.values];
      for (let i = 0; i < mu.length; i++) squares += sigma[i] * sigma[i] + (mu[i] - mean) * (mu[i] - mean);
    }
    return { mean, variance: squares / count };
  }

  /** KL(posterior ‖ best prior) in nats: what the weights cost to send. Undefined for fixed noise, whose prior is uniform. */
  complexity(): number | undefined {
    if (this.spec.noise === 'fixed') return undefined;
    const { variance } = this.prior();
    // With the best prior the quadratic terms add up to the count of weights and cancel.
    return this.sumOf((sigma) => 0.5 * Math.log(variance) - Math.log(sigma));
  }

  /** Geometric mean of σ over all weights. */
  deviation(): number {
    return Math.exp(this.sumOf(Math.log) / this.all.reduce((count, { weights }) => count + weights.size, 0));
  }

  private sumOf(term: (sigma: number) => number): number {
    let total = 0;
    for (const { deviation } of this.all) for (const sigma of deviation.values) total += term(sigma);
    return total;
  }
}

function copy({ backend }: Engine, from: NdArray, to: NdArray): void {
  backend.run('scale', from.pointer, to.pointer, from.size, 1);
}
