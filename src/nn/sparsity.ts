import type { NdArray } from '../backend/nd-array.ts';
import {
  penalties,
  resolveSparsity,
  type SparsityPenalty,
  type SparsitySpec,
  type WeightedPenalty,
} from '../gates/index.ts';
import { rowPartsOf } from '../gates/penalty.ts';
import { logit } from '../math/special.ts';
import type { Neuron } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import { runFire, runPullback } from '../tensor/fire.ts';
import { fireTensor } from '../tensor/ops/fire.ts';
import { type PenaltyFunction, penalty as penaltyOf } from '../tensor/ops/penalty.ts';
import type { Tape } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { FiringSite } from './firing-site.ts';
import type { Pass, PassPenalty } from './pass.ts';

const probability = resolveNeuron('sigmoid');

/** λ of `kl-opening`, times the gates, where a rate is held by other means: a fifth of what holds it alone. Measured: docs/decisions. */
const STEERED = 4;

/** Pulls the units of a firing site toward its target rate, or toward balance, while training. */
export class Sparsity {
  /** λ of every term; those that follow the open share change while training. */
  readonly weights: Float64Array;
  private readonly terms: readonly WeightedPenalty[];
  private readonly site: FiringSite;
  private readonly rate: number | undefined;
  private readonly costs: ArrayLike<number> | undefined;

  /**
   * @param rate target share of open units; undefined: no target
   * @param costs multiply-adds of every unit's block for one example
   * @throws RangeError when a penalty does not fit the neuron, or wants a target rate that is not there
   */
  constructor(site: FiringSite, rate: number | undefined, spec: SparsitySpec, costs?: ArrayLike<number>) {
    this.site = site;
    this.rate = rate;
    this.costs = costs;
    this.terms = resolveSparsity(spec, site.units);
    this.weights = Float64Array.from(this.terms, ({ weight }) => weight);
    for (const { penalty } of this.terms) {
      const misfit = misfitOf(penalty, site.neuron, rate);
      if (misfit) throw new RangeError(`The penalty "${penalty.name}" ${misfit}`);
    }
  }

  /** Adds the penalties of this pass. */
  apply(pass: Pass, logits: Tensor, h: Tensor): void {
    if (pass.mode !== 'train') return;
    let p: Tensor | undefined;
    const source = { ...pass.source, layer: 0 };
    const inputs: Record<SparsityPenalty['on'], () => Tensor> = {
      probability: () => (p ??= fireTensor(logits, { neuron: probability, mode: 'train', source })),
      output: () => h,
      opening: () => logits,
      logits: () => logits,
    };
    const { tape } = pass;
    const { engine, layer } = tape;
    this.terms.forEach(({ penalty }, i) => {
      const { costs, rate = 0 } = this;
      const of = inputs[penalty.on]();
      const below = [of, h].map((tensor) => tape.drawsBelow(tensor));
      if (below[0] === 'bound')
        throw new RangeError(
          `${this.site.name}: the penalty "${penalty.name}" depends on draws whose losses come to a bound, no mean, so that nothing can be added to them. Expected \`sparsity: 'none'\`, or another neuron there.`,
        );
      const weighed = below.includes('weighed');
      const context = () => ({
        outputs: h.values,
        costs,
        ...(weighed && { weights: tape.weightsOf(of)?.values, outputWeights: tape.weightsOf(h)?.values }),
      });
      // What it is a function of, P(h ≠ 0) or else its tensor's values, and its gradient there.
      let at: readonly [NdArray, NdArray] | undefined;
      const own: PenaltyFunction = (values, gradient) => {
        at = [values, gradient];
        const { rows, columns } = values;
        return (
          (weighed ? undefined : penalty.run?.(engine, values, rate, gradient, { outputs: h.array, costs })) ??
          penalty.evaluate(values.values, rows, columns, rate, gradient.values, context())
        );
      };
      const evaluate = penalty.on === 'opening' ? this.throughOpening(pass, of, own) : own;
      const rows = of.plate ? of.tape.plates.examplesOf(of.plate) : 1;
      const rowParts = (): Float64Array => {
        const [values, gradient] = at as readonly [NdArray, NdArray];
        const sizes = [values.rows, values.columns] as const;
        return rowPartsOf(penalty, [values.values, gradient.values], sizes, rate, context());
      };
      const made = weighed ? undefined : penaltyOf(of, { evaluate });
      const rest = { rows, weight: this.weights[i], read: { of, rowParts } };
      pass.penalties.push(
        made
          ? { tensor: made, ...rest }
          : new LaterPenalty(() => inLayer(tape, layer, () => penaltyOf(of, { evaluate })), rest),
      );
    });
  }

  /** A function of P(h ≠ 0) as a function of the logits. */
  private throughOpening(pass: Pass, of: Tensor, own: PenaltyFunction): PenaltyFunction {
    const { neuron } = this.site;
    const { opening, twin } = neuron;
    const { noise, ...source } = this.site.noiseOf(pass, of);
    const logits = of.array;
    const { engine } = pass.tape;
    return (_logits, gradient) => {
      const p = engine.allocate(logits.shape, 'P(h ≠ 0)');
      const dh = engine.allocate(logits.shape, 'the gradient at P(h ≠ 0)');
      const { rows, columns: units } = logits;
      const firing = { rows, units, logits: logits.values, noise: noise.values, selectionBias: source.selectionBias };
      if (!runFire(engine, twin?.opening?.probability, { neuron, ...source }, logits, noise, p))
        opening?.probability(firing, p.values);
      const value = own(p, dh);
      if (!runPullback(engine, twin?.opening?.pullback, { neuron, ...source }, { logits, noise, dh, gradient }))
        opening?.pullback(firing, dh.values, gradient.values);
      return value;
    };
  }

  /** After a step: lets penalties with an adaptive weight follow the share of units that were open. */
  adapt(openShare: number): void {
    const { rate, weights } = this;
    if (rate === undefined) return;
    this.terms.forEach(({ penalty }, i) => {
      weights[i] = penalty.adapt?.(weights[i], openShare, rate) ?? weights[i];
    });
  }

  /**
   * The penalty that fits a neuron, for users who name none: balance where the rule itself fixes how many units open.
   * @param steered whether the rate is held by moving biases
   */
  static defaultFor({ neuron, rate, units }: FiringSite, steered = false): SparsitySpec {
    // Steered gates need no pull toward the rate, only a weak penalty on P(h ≠ 0) against dead gates.
    if (steered && rate !== undefined && !opensAsSigmoid(neuron, rate))
      return neuron.opening ? { 'kl-opening': STEERED / units } : 'none';
    // `importance` reaches open gates alone: with it, plain top-k left more gates dead than without a penalty (docs/decisions).
    if (neuron.opens) return neuron.opening ? 'load' : 'switch';
    if (neuron.penalized === 'opening') return 'expected-l0';
    return neuron.range === 'unit-interval' ? 'kl' : 'l1';
  }
}

/** A penalty that is made when it is first asked for: what its rows weigh is known once the losses are. */
class LaterPenalty implements PassPenalty {
  readonly rows: number;
  readonly weight: number;
  readonly read: NonNullable<PassPenalty['read']>;
  private readonly make: () => Tensor;
  private made: Tensor | undefined;

  /** @param make in the layer that the penalty is of */
  constructor(make: () => Tensor, { rows, weight, read }: Required<Omit<PassPenalty, 'tensor'>>) {
    this.make = make;
    this.rows = rows;
    this.weight = weight;
    this.read = read;
  }

  get tensor(): Tensor {
    this.made ??= this.make();
    return this.made;
  }
}

/** What `make` gives, computed as a part of a layer. */
function inLayer(tape: Tape, layer: string, make: () => Tensor): Tensor {
  const before = tape.layer;
  tape.layer = layer;
  try {
    return make();
  } finally {
    tape.layer = before;
  }
}

/** Is P(h ≠ 0) about the rate where σ(a) is? */
export function opensAsSigmoid({ claims }: Neuron, rate: number): boolean {
  const opened = claims.rate?.(logit(rate)) ?? 0;
  return opened > rate / 1.5 && opened < 1.5 * rate;
}

/** Why a penalty cannot stand on a neuron's units; undefined when it can. */
function misfitOf(penalty: SparsityPenalty, neuron: Neuron, rate: number | undefined): string | undefined {
  const { on, untargeted, nonNegative } = penalty;
  if (on === 'probability' && neuron.range !== 'unit-interval')
    return `is on probabilities, and "${neuron.name}" emits ${neuron.range} values. Expected "l1".`;
  if (on === 'opening' && !neuron.opening)
    return `is on P(h ≠ 0), of which "${neuron.name}" declares no smooth function. Expected "importance".`;
  if (nonNegative && neuron.range === 'real')
    return `is on outputs from 0 up, and "${neuron.name}" emits real values. Expected gates in [0, 1].`;
  if (!untargeted && rate === undefined) {
    const others = Object.values<SparsityPenalty>(penalties).filter((other) => other.untargeted);
    return `pulls toward a target rate, and there is none. Expected a rate, or ${others.map(({ name }) => name).join(', ')}.`;
  }
  return undefined;
}
