/** Gates of layers: a gater network on the layer's input, the neuron that gates, and what keeps the gates at a rate. */
import { type BalanceOptions, BiasBalance } from '../gates/balance.ts';
import { resolveSparsity, type SparsitySpec } from '../gates/index.ts';
import { BiasNudge } from '../gates/nudge.ts';
import { steer } from '../gates/rate-control.ts';
import type { Neuron } from '../neurons/contract.ts';
import { resolveNeuron } from '../neurons/resolve.ts';
import { BlockTensor } from '../tensor/ops/block-tensor.ts';
import { stopGradient } from '../tensor/ops/comparison.ts';
import { fireTensor } from '../tensor/ops/fire.ts';
import { mean } from '../tensor/ops/reductions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine } from './affine.ts';
import { checkUnits } from './check.ts';
import type { FiringSite } from './firing-site.ts';
import { checkGates, type GateOptions, STARTS } from './gate-options.ts';
import { glorotUniform, sparseNormal } from './initialize.ts';
import { flag, neuron, oneOf, oneOfOption, option, percent, probability, type TextWord, widths } from './layer-text.ts';
import { COMPUTES, type Compute } from './paths.ts';
import type { Scope } from './scope.ts';
import { opensAsSigmoid, Sparsity } from './sparsity.ts';

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
    oneOfOption<GateOptions, (typeof STARTS)[number]>('start', STARTS),
    option<GateOptions, boolean>('steer', 'yes|no', yesOrNo),
    option<GateOptions, boolean>('detached', 'yes|no', yesOrNo),
    flag<GateOptions>('nudge', ['below', 'step', 'decay']),
    flag<GateOptions>('balance', ['step']),
    oneOfOption<GateOptions, Compute>('compute', COMPUTES),
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

/** The same values, through which no gradient comes back; open blocks stay the ones that are stored. */
const detach = (x: Tensor): Tensor =>
  x instanceof BlockTensor ? new BlockTensor(stopGradient(x.open), x.blocks) : stopGradient(x);

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
  const input = x instanceof BlockTensor || x.shape.length < 3 ? x : mean(x, [-3, -2]);
  let h = options.detached ? detach(input) : input;
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
