/** Gates of layers: a gater network on the layer's input, the neuron that gates, and what keeps the gates at a rate. */
import { type BalanceOptions, BiasBalance } from '../gates/balance.ts';
import { resolveSparsity, type SparsitySpec } from '../gates/index.ts';
import { BiasNudge, type NudgeOptions } from '../gates/nudge.ts';
import { steer } from '../gates/rate-control.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import { checkNames, checkOneOf, type NamesOf } from '../schema/names.ts';
import { BlockTensor } from '../tensor/ops/blocks.ts';
import { fireTensor } from '../tensor/ops/fire.ts';
import { mean } from '../tensor/ops/reductions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine } from './affine.ts';
import { checkUnits } from './check.ts';
import type { FiringSite } from './firing-site.ts';
import { glorotUniform, sparseNormal } from './initialize.ts';
import { flag, neuron, oneOf, option, percent, probability, type TextWord, widths } from './layer-text.ts';
import type { Compute } from './paths.ts';
import type { Scope } from './scope.ts';
import { opensAsSigmoid, Sparsity } from './sparsity.ts';

/** How gates are decided, trained and kept at a rate: what all layers with gates have in common. */
export interface GateOptions {
  /** The neuron that gates; default `straight-through`. */
  readonly neuron?: NeuronSpec;
  /** Widths of the gater's hidden tanh layers; default one of 64. `[]`: logits straight from the input. */
  readonly gater?: readonly number[];
  /**
   * Target share of open gates, in (0, 1); default 0.1. Over an epoch, as sampled while training, it is met: see `steer`. `'none'`: no
   * target, and no penalty unless `sparsity` names one that wants none. Neurons that keep a fixed number of gates open take their share from it.
   */
  readonly rate?: number | 'none';
  /**
   * Default: where the neuron keeps a fixed number of gates open, balance: `load` if it has one (noisy-top-k), else `switch`;
   * `kl` where σ(a) is about how often a gate opens; of other gates with a rate that is held, a weak `kl-opening` if P(h≠0) is smooth, else
   * none; with `steer: false` `expected-l0` for hard-concrete gates, `kl` for others in [0, 1], else `l1`.
   */
  readonly sparsity?: SparsitySpec;
  /** Where the gates start: biases that give about the target rate (default), or zero biases as in 2013. */
  readonly start?: 'rate' | 'zero';
  /**
   * Hold the rate by moving the gates' biases after every step (gates/rate-control.ts), for neurons that close at low logits and do not fix
   * how many open; default true. False: the penalties alone, of which some follow the open share by their weight, as in the papers.
   */
  readonly steer?: boolean;
  /** Raise the biases of dead gates; default false. */
  readonly nudge?: boolean | NudgeOptions;
  /** Balance the gates without a loss, by selection biases; for neurons that select (top-k and the like). Default false. */
  readonly balance?: boolean | BalanceOptions;
  /** Compute every block, or open blocks alone; default `auto`: what is faster at the density of the minibatch. */
  readonly compute?: Compute;
  /**
   * For neurons that want the gradients of closed gates too (straight-through): compute a closed block with this probability while
   * training and weight its gate gradient by its inverse. Unbiased for the neuron's own gradient. Default: compute all of them.
   */
  readonly probe?: number;
}

export const gateNames: NamesOf<GateOptions> = {
  neuron: true,
  gater: true,
  rate: true,
  sparsity: true,
  start: true,
  steer: true,
  nudge: true,
  balance: true,
  compute: true,
  probe: true,
};

const NUDGE_NAMES: NamesOf<NudgeOptions> = { below: true, step: true, decay: true };
const BALANCE_NAMES: NamesOf<BalanceOptions> = { step: true };

/** The penalties' own text. */
const sparsity = {
  read(text: string): SparsitySpec {
    resolveSparsity(text, 1);
    return text;
  },
  write: (spec: SparsitySpec): string =>
    typeof spec === 'string'
      ? spec
      : Object.entries(spec)
          .map(([name, weight]) => `${name}=${weight}`)
          .join('+'),
};

const yesOrNo = {
  read: (text: string): boolean => oneOf('yes', 'no').read(text) === 'yes',
  write: (value: boolean): string => (value ? 'yes' : 'no'),
};

/** The text form of gate options: positional words and keyed ones. */
export const gateWords = <S extends GateOptions>(): readonly TextWord<S>[] =>
  [
    neuron<GateOptions>('neuron', { form: 'GATES', usual: 'straight-through' }),
    percent<GateOptions>('rate', 0.1),
  ] as readonly TextWord<GateOptions>[] as readonly TextWord<S>[];

export const gateOptionWords = <S extends GateOptions>(): readonly TextWord<S>[] =>
  [
    option<GateOptions, readonly number[]>('gater', 'WIDTH+…', widths),
    option<GateOptions, SparsitySpec>('sparsity', 'PENALTY', sparsity),
    option<GateOptions, 'rate' | 'zero'>('start', 'rate|zero', oneOf('rate', 'zero')),
    option<GateOptions, boolean>('steer', 'yes|no', yesOrNo),
    flag<GateOptions>('nudge', ['below', 'step', 'decay']),
    flag<GateOptions>('balance', ['step']),
    option<GateOptions, Compute>('compute', 'auto|dense|blocks', oneOf('auto', 'dense', 'blocks')),
    option<GateOptions, number>('probe', 'P', probability),
  ] as readonly TextWord<GateOptions>[] as readonly TextWord<S>[];

const GATER_GAIN = 4;

/** Do more gates of this neuron open when all biases rise, from fewer than the target to more? */
function canSteer({ claims: { rate }, opens, jointNoise }: Neuron, target: number | undefined): target is number {
  if (target === undefined || opens || jointNoise || !rate) return false;
  return rate(-STEEPEST) < target && rate(STEEPEST) > target;
}

/** A logit at which gates that can be closed, or open, are. */
const STEEPEST = 30;

/** The state of a layer's gates across steps. */
export interface GateFacts {
  readonly neuron: Neuron;
  /** Target share of open gates; undefined: no target. */
  readonly target: number | undefined;
}

/** @throws RangeError for a rate outside (0, 1), an unknown neuron, or another option that does not fit */
export function resolveGates(scope: Scope, options: GateOptions, count: number): GateFacts {
  checkGates(scope.name, options);
  const { rate = 0.1 } = options;
  const gateNeuron = scope.neuron(options.neuron ?? 'straight-through', rate === 'none' ? undefined : rate);
  const target = gateNeuron.opens ? gateNeuron.opens(count) / count : rate === 'none' ? undefined : rate;
  return { neuron: gateNeuron, target };
}

/** Gates that have fired in this pass. */
export interface FiredGates {
  readonly site: FiringSite;
  readonly logits: Tensor;
  /** Shape [count], 0 where closed. */
  readonly g: Tensor;
}

/** Fires the gates of a module for its input. The module's random streams from 1 up are theirs. */
export function fireGates(
  scope: Scope,
  x: Tensor,
  options: GateOptions,
  { neuron: gateNeuron, target, count }: GateFacts & { readonly count: number },
): FiredGates {
  const logits = gaterOf(scope, x, options, count, gateNeuron, target);
  const site = scope.site(gateNeuron, count, {
    name: 'gates',
    stream: scope.stream + 1,
    input: x,
    ...(target !== undefined && { rate: target }),
  });
  return { site, logits, g: site.fire(scope.pass, logits, x) };
}

/**
 * Adds the penalties of gates that have fired, and has their rates followed after every step.
 * @param costs multiply-adds that every gate lets through for one row; asked for in the first pass alone
 * @throws RangeError for a penalty or balance that does not fit the neuron
 */
export function keepRates(
  scope: Scope,
  options: GateOptions,
  { site, logits, g }: FiredGates,
  target: number | undefined,
  costs: () => ArrayLike<number>,
): void {
  scope.keep('rules', () => rulesOf(scope, options, site, target, costs())).apply(scope.pass, logits, g);
}

/** Penalty, nudge and balance of the gates. */
function rulesOf(
  scope: Scope,
  options: GateOptions,
  site: FiringSite,
  target: number | undefined,
  costs: ArrayLike<number>,
) {
  const { units } = site;
  const steered = options.steer !== false && canSteer(site.neuron, target);
  const penalized = options.sparsity ?? (target === undefined ? 'none' : Sparsity.defaultFor(site, steered));
  const sparsity = new Sparsity(site, target, penalized, costs);
  const nudgeOptions = options.nudge === true ? {} : options.nudge || undefined;
  const nudge = nudgeOptions && new BiasNudge(units, target ?? 0.1, nudgeOptions);
  const balanceOptions = options.balance === true ? {} : options.balance || undefined;
  const balance = balanceOptions && balanced(scope.name, site, target, balanceOptions);
  const gaterBias = scope.arrayOf('gater.bias');
  scope.remember('penaltyWeights', sparsity.weights);
  if (nudge) scope.remember('nudgedRates', nudge.rates);
  scope.afterStep(() => {
    // Gates inside a part that nothing opened have no rates.
    if (!site.last) return;
    const rates = site.countLast();
    if (steered) steer(target, { rates, ...site.epoch }, gaterBias.values);
    else sparsity.adapt(rates.reduce((sum, share) => sum + share, 0) / units);
    nudge?.apply(rates, gaterBias.values);
    balance?.apply(rates);
  });
  return sparsity;
}

/** Selection biases for the gates of a site. @throws RangeError for a neuron that does not select */
function balanced(name: string, gates: FiringSite, target: number | undefined, options: BalanceOptions): BiasBalance {
  if (!gates.neuron.selects)
    throw new RangeError(
      `${name}: \`balance\` moves biases that gates are selected by, and "${gates.neuron.name}" does not select. Expected \`nudge\`, or a penalty.`,
    );
  const balance = new BiasBalance(gates.units, target, options);
  gates.selectionBias = balance.bias;
  return balance;
}

/**
 * The logit at which gates start near a target rate: σ(a) = rate for gates in [0, 1] that are not steered, since that is what their
 * penalties see (for stochastic-times-smooth it is the mean, not P(h≠0), as in 2013); for others, P(h≠0) = rate, by bisection. Where the rule fixes how many gates open, 0.
 */
function startingLogit(neuron: Neuron, target: number, steered: boolean): number {
  const { claims, range, opens, penalized } = neuron;
  if (opens) return 0;
  if ((!steered || opensAsSigmoid(neuron, target)) && range === 'unit-interval' && penalized !== 'opening')
    return Math.log(target / (1 - target));
  if (!claims.rate) return 0;
  let low = -30;
  let high = 30;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (claims.rate(middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

/** Shape [inputs] → hidden tanh layers → one logit a gate. */
function gaterOf(
  scope: Scope,
  x: Tensor,
  options: GateOptions,
  count: number,
  neuron: Neuron,
  target: number | undefined,
): Tensor {
  const { learningRateScale = 1 } = neuron;
  const common = { group: 'gater' as const, learningRateScale };
  const { gater: hidden = [64] } = options;
  const first = scope.stream + 4;
  const tanh = scope.keep('tanh', () => resolveNeuron('tanh'));
  // Of a picture a gater sees what its channels are on average (Veit and Belongie 2018).
  let h = x instanceof BlockTensor || x.shape.length < 3 ? x : mean(x, [-3, -2]);
  hidden.forEach((units, i) => {
    const name = `gater${i}`;
    scope.keep(`checked ${name}`, () => checkUnits(scope.name, units, 'gater'));
    const logits = affine(scope, h, {
      ...common,
      name,
      units,
      axes: [i === 0 ? 'inputs' : 'hidden', 'hidden'],
      stream: first + i * 65536,
    });
    h = fireTensor(logits, { neuron: tanh, mode: 'train', source: { ...scope.pass.source, layer: 0 } });
  });
  const logits = affine(scope, h, {
    ...common,
    name: 'gater',
    units: count,
    axes: [hidden.length === 0 ? 'inputs' : 'hidden', 'gates'],
    stream: first + 1,
    // The paper's code: four times Glorot for sigmoid gates, 15 non-zero N(0, 1) weights a unit for rectifier gates.
    initialize:
      neuron.range !== 'non-negative'
        ? (weights, seed, at) => glorotUniform(weights, seed, at, GATER_GAIN)
        : sparseNormal,
  });
  if (scope.building && target !== undefined && options.start !== 'zero')
    scope
      .arrayOf('gater.bias')
      .values.fill(startingLogit(neuron, target, options.steer !== false && canSteer(neuron, target)));
  return logits;
}

function checkGates(
  name: string,
  { rate = 0.1, start = 'rate', compute = 'auto', probe, gater = [], nudge, balance }: GateOptions,
): void {
  if (typeof nudge === 'object') checkNames('`nudge`', nudge, NUDGE_NAMES, name);
  if (typeof balance === 'object') checkNames('`balance`', balance, BALANCE_NAMES, name);
  if (!Array.isArray(gater))
    throw new RangeError(
      `${name}: \`gater\` is ${JSON.stringify(gater)}. Expected a list of widths, as [64], or [] for no hidden layer.`,
    );
  checkOneOf('compute', compute, ['auto', 'dense', 'blocks'], name);
  if (probe !== undefined && !(probe > 0 && probe <= 1))
    throw new RangeError(`${name}: \`probe\` is ${probe}. Expected a probability over 0 and up to 1.`);
  checkOneOf('start', start, ['rate', 'zero'], name);
  if (rate !== 'none' && !(rate > 0 && rate < 1))
    throw new RangeError(`${name}: the rate is ${rate}. Expected a number between 0 and 1 (both excluded), or 'none'.`);
}
