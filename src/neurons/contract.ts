/**
 * The neuron contract. A neuron is a value: pure functions with the noise handed in, and declared facts. Nothing anywhere
 * branches on a neuron's name.
 *
 * Shapes: logits, h, dh and gradient are rows × units (row-major); noise is rows × (units·`noise`); loss has one number a
 * row. In neurons with several draws (`draws` > 1) h and dh have draws·rows rows, draw after draw, and loss draws·rows
 * numbers: the network above the neuron runs on all of them.
 *
 * h = 0 means closed and nothing else: a unit that is open by its rule emits at least `LEAST_OPEN`, however small its value.
 * A logit that is NaN or infinite gives no finite h (of several draws, none in the first), so that the loss shows it.
 */

import type { Formulas } from './formula.ts';

export type Numbers = Float32Array | Float64Array;

/** The least that an open unit emits, well inside what Float32 can hold. */
export const LEAST_OPEN = 1e-30;

/** What `fire` is given; it fills `h`. */
export interface Firing {
  readonly rows: number;
  readonly units: number;
  readonly logits: Numbers;
  /** Uniform numbers in (0, 1), never 0 or 1. */
  readonly noise: Numbers;
  readonly h: Numbers;
  /**
   * What the logits are computed from, rows × inputs: the input of the layer. Only neurons that declare `readsInput` are given one, and where
   * nothing is known of it (a black box, logits of one's own) the logits stand for it, as they do for
   * `sample` and `settle`, which come outside of training. Absent: the logits.
   */
  readonly input?: Numbers | undefined;
  /**
   * One number a unit, added to the logits where units are selected and never where they are weighed. Only neurons that
   * declare `selects` are given one; absent: zeros.
   */
  readonly selectionBias?: Numbers | undefined;
  /** The neuron's state; empty for neurons without. */
  readonly state: NeuronState;
}

/** What `pullback` is given; it fills `gradient`: each example's gradient at the logits, not divided by the rows. */
export interface Pullback extends Firing {
  /** The loss of every example and draw. */
  readonly loss: Numbers;
  /** ∂loss/∂h, the cotangent: of each draw's own loss, whatever the draw weighs. */
  readonly dh: Numbers;
  readonly gradient: Numbers;
}

/** What `update` is given after the pullback; it changes `state`. */
export interface Update extends Firing {
  readonly loss: Numbers;
  readonly dh: Numbers;
}

/** What `weigh` is given, `loss` with one number an example and draw; it fills `weights` (the same) and `total`. */
export interface Weighing extends Firing {
  readonly loss: Numbers;
  /** ∂total/∂loss: what the network above the neuron is trained with. */
  readonly weights: Numbers;
  /** One number an example: what training minimises. */
  readonly total: Numbers;
}

/**
 * P(h ≠ 0) as a smooth function of the logits: what penalties on the rate of opening are functions of. Where units are
 * coupled, it is that of one unit given the noise of the others in its row.
 */
export interface Opening {
  /** Fills `p` (rows × units). */
  probability(firing: Omit<Firing, 'h' | 'state'>, p: Numbers): void;
  /** Fills `gradient` (rows × units) with Σ_j dp_j·∂p_j/∂logits, the noise held fixed. */
  pullback(firing: Omit<Firing, 'h' | 'state'>, dp: Numbers, gradient: Numbers): void;
}

/** Moving averages, learned control variates and the like: under every name one number a unit, or as many as it says. */
export type NeuronState = Readonly<Record<string, Numbers>>;

/** What the learning rule needs. It decides whether closed blocks may be skipped while training. */
export type Reads = 'loss' | 'cotangent' | 'cotangent-when-open' | 'both';

export interface Claims {
  /**
   * Is E[gradient] = ∂E[loss]/∂logits, the loss that of the behaviour (`sample`)? Tested by exact integration, whichever is
   * claimed.
   */
  readonly unbiased: boolean;
  /** A neuron that trains by a relaxation of the behaviour: is the gradient unbiased for E[loss] of what it trains with? */
  readonly unbiasedRelaxation?: true;
  /** E[gradient] is ∂E[loss]/∂logits divided by this factor, which the state knows (a normalisation of the variance). */
  readonly scale?: (state: NeuronState) => number;
  /** E[h] as a function of the logit. */
  readonly mean?: (logit: number) => number;
  /** P(h ≠ 0) as a function of the logit. */
  readonly rate?: (logit: number) => number;
}

/** Kernels that do the same faster; the neuron's own functions stay their definition. Names of src/kernels/neurons.ts. */
export interface KernelTwin {
  readonly fire?: string;
  readonly pullback?: string;
  readonly update?: string;
  /** A fire kernel that gives `expect` of every logit. */
  readonly expect?: string;
  /** A fire kernel that, without noise, gives `settle`. */
  readonly settle?: string;
  /** `opening`: its probability, called as a fire kernel is, and its pullback. */
  readonly opening?: { readonly probability: string; readonly pullback: string };
  /**
   * The last arguments of all its kernels, for a layer of `units` units; missing ones are 0. Where the neuron reads the layer's input, a
   * pointer to it and the number of inputs follow.
   */
  readonly numbers?: TwinNumbers | ((units: number) => TwinNumbers);
}

export type TwinNumbers = readonly [first: number, second?: number, third?: number];

/** A number: every unit starts with it. Else `size` numbers for the layer, of which number `index` starts at `start`. */
export type StateSpec =
  | number
  | {
      readonly size: (units: number, inputs: number) => number;
      readonly start: (index: number, units: number, inputs: number) => number;
    };

/** Values that h can take: decides which sparsity penalties make sense. */
export type Range = 'unit-interval' | 'non-negative' | 'real';

/** A neuron's behaviour, with its options already chosen. */
export interface NeuronRule {
  /** Uniform numbers per unit and draw. */
  readonly noise: number;
  /**
   * Evaluations of the loss for a layer of `units` units; default 1. Everything below the neuron is computed once, and
   * everything above it on the draws stacked as rows.
   */
  readonly draws?: number | ((units: number) => number);
  /** The most units of a layer, for neurons whose number of draws grows exponentially with them. */
  readonly mostUnits?: number;
  /** Combines the losses of the draws into one, with their weights; default: the mean. */
  weigh?(weighing: Weighing): void;
  /**
   * Does its rule compare draws that differ in units of one row? Then every row needs a loss of its own: rows that share one (points of a
   * sequence, gathered rows) would attribute each other's changes to themselves.
   */
  readonly comparesRows?: true;
  /**
   * Must the losses of its draws be −log of importance weights? Then an objective with a prior over h includes −log q(h) in each draw's loss,
   * with its gradient at the logits, instead of adding the divergence once. For bounds of several draws, which are no means of losses.
   */
  readonly wantsLogWeights?: true;
  /** One draw of the behaviour (sample mode, and what the bias is measured against); default: `fire`. */
  sample?(firing: Firing): void;
  readonly reads: Reads;
  /** Do its functions see the input of the layer, as baselines that tell the loss of an example from it do? See `Firing.input`. */
  readonly readsInput?: true;
  readonly range: Range;
  readonly claims: Claims;
  /**
   * Where in (0, 1) the output jumps or has a kink as a function of the unit's noise number `index` (0 is the first), given
   * its noise numbers before that one, and which unit of a row it is (default: the only one): the cells of exact integration.
   */
  readonly cells?: (
    logit: number,
    index: number,
    before: readonly number[],
    place?: { readonly unit: number; readonly units: number },
  ) => readonly number[];
  /**
   * Does h of a unit depend on the logits and the noise of the other units of its row? Then `expect`, `whenOpen` and
   * `cells` are those of a unit that is alone in its row, and `settle` and `rowCells` stand for them in whole rows.
   */
  readonly jointNoise?: 'units';
  /**
   * Units of a group, for coupled units: that many consecutive units depend on each other and on no other unit. Layers hold whole groups. The
   * functions treat an incomplete last group as a smaller one; `rowCells` gets the logits and noise of one group.
   */
  readonly group?: number;
  /**
   * `cells` of whole rows: where in (0, 1) the row's output jumps as a function of noise number `at` of the row, given its logits and the
   * noise numbers before `at`; later ones are not known yet. Declared for coupled units with noise, and for units that are not coupled but whose
   * draws are joint over the row (without replacement): there `cells` are those of `sample`.
   */
  readonly rowCells?: (row: { readonly logits: Numbers; readonly noise: Numbers }, at: number) => readonly number[];
  /**
   * Does the rule itself say which units are open, with the noise off too? Then threshold mode fires the deterministic
   * form and calibrates no cut, and a selection bias may steer it.
   */
  readonly selects?: true;
  /** How many units of a row are open, where the rule fixes that number. */
  readonly opens?: (units: number) => number;
  readonly opening?: Opening;
  /** Should the default penalty pull on P(h ≠ 0), because σ(logit) is far from it? */
  readonly penalized?: 'opening';
  fire(firing: Firing): void;
  pullback(pullback: Pullback): void;
  /** The deterministic unit used at test time, noise off (mean-field mode). */
  expect(logit: number): number;
  /**
   * `expect` for a whole matrix, for neurons whose deterministic form depends on other units or on the state: fills h; the noise is
   * empty. Without a state: as before training.
   */
  settle?(firing: Firing): void;
  /** The output of a unit that is open (threshold mode). */
  whenOpen(logit: number): number;
  /**
   * `expect`, `whenOpen` and `settle` as formulas, which exports translate; those left out are σ(a), 1 and none. The conformance
   * suite holds them against the functions. `'none'`: they are no formulas of a logit, and exports say so.
   */
  readonly formulas?: Formulas | 'none';
  /** Should consumers' weight gradients see E[h] in place of the sample? (as-if-deterministic) */
  readonly backwardSees?: 'sample' | 'expectation';
  /** Arrays that persist from step to step, by name. */
  readonly state?: Readonly<Record<string, StateSpec>>;
  update?(update: Update): void;
  readonly twin?: KernelTwin;
  /** Is h = a, so that firing can be left out? */
  readonly identity?: true;
  /** Learning rate of the weights into this neuron, as a multiple of the network's: a sensible default. */
  readonly learningRateScale?: number;
}

/** An option of a neuron: a choice of words or a number with bounds. */
export type OptionSpec =
  | { readonly choices: readonly string[]; readonly default: string; readonly meaning: string }
  | {
      readonly minimum: number;
      readonly maximum: number;
      readonly default: number;
      readonly meaning: string;
      readonly whole?: true;
      /** In a gated layer, the default is the layer's target rate. */
      readonly follows?: 'rate';
    };

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The values of a neuron's options, by their specs. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends { readonly choices: readonly (infer C)[] } ? C : number;
};

/** One file of the zoo: facts that hold for all options, and the rule for given options. */
export interface NeuronDefinition<S extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** Paper or lecture, with section or equation. */
  readonly source: string;
  /** One line with the equation. */
  readonly summary: string;
  readonly options: S;
  rule(options: OptionValues<S>): NeuronRule;
}

/** A neuron ready for use. */
export interface Neuron extends NeuronRule {
  readonly name: string;
  readonly source: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, string | number>>;
}

/** Declares a neuron; keeps the types of its options. */
export function defineNeuron<const S extends OptionSpecs>(definition: NeuronDefinition<S>): NeuronDefinition<S> {
  return definition;
}

/**
 * Lifts h = f(logit, u) to arrays, for neurons with at most one uniform per unit. A logit that is not finite gives NaN:
 * `u < σ(NaN)` would hide that something has broken as a closed unit, and σ(∞) = 1 as an open one.
 */
export function fireEach(f: (logit: number, u: number) => number): NeuronRule['fire'] {
  return ({ logits, noise, h }) => {
    for (let i = 0; i < h.length; i++) h[i] = Number.isFinite(logits[i]) ? f(logits[i], noise[i]) : Number.NaN;
  };
}

/** Lifts gradient = dh·slope(logit, h, u) to arrays. */
export function pullbackEach(slope: (logit: number, h: number, u: number) => number): NeuronRule['pullback'] {
  return ({ logits, noise, h, dh, gradient }) => {
    for (let i = 0; i < h.length; i++) gradient[i] = dh[i] * slope(logits[i], h[i], noise[i]);
  };
}

/** Lifts P(h ≠ 0) = rate(logit) and its slope to an `Opening`, for units that are not coupled. */
export function openingEach(rate: (logit: number) => number, slope: (logit: number) => number): Opening {
  return {
    probability({ logits }, p) {
      for (let i = 0; i < p.length; i++) p[i] = rate(logits[i]);
    },
    pullback({ logits }, dp, gradient) {
      for (let i = 0; i < dp.length; i++) gradient[i] = dp[i] * slope(logits[i]);
    },
  };
}
