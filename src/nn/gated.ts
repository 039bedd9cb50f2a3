import { type BalanceOptions, BiasBalance } from '../gates/balance.ts';
import { resolveSparsity, type SparsitySpec } from '../gates/index.ts';
import { BiasNudge, type NudgeOptions } from '../gates/nudge.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import {
  allBlocks,
  type BlockShape,
  BlockTensor,
  blocksToBlocks,
  denseToBlocks,
  gateBlocks,
} from '../tensor/ops/blocks.ts';
import { fireTensor } from '../tensor/ops/fire.ts';
import { gate } from '../tensor/ops/gate.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine } from './affine.ts';
import { checkUnits } from './check.ts';
import type { FiringSite } from './firing-site.ts';
import { GatedPath } from './gated-path.ts';
import { glorotUniform, sparseNormal } from './initialize.ts';
import {
  flag,
  type LayerText,
  neuron,
  oneOf,
  option,
  percent,
  probability,
  unitsInBlocks,
  widths,
} from './layer-text.ts';
import type { LayerDescription, LayerKind } from './module.ts';
import type { Compute } from './paths.ts';
import type { Scope } from './scope.ts';
import { Sparsity } from './sparsity.ts';

/**
 * A gated layer: y_k = g_k·H_k. The experts H = activation(x·W + b) stand in `blocks` blocks of equal size; a gater network
 * (tanh hidden layers on the same input) gives one logit a block, and the neuron turns it into the gate g_k.
 * Source: Bengio, Léonard, Courville 2013, §5.
 */
export interface GatedSpec extends LayerDescription {
  readonly layer: 'gated';
  /** Expert units in all. */
  readonly units: number;
  /** Blocks, hence gates; default one gate a unit, as in 2013. */
  readonly blocks?: number;
  /** The neuron that gates; default `straight-through`. */
  readonly neuron?: NeuronSpec;
  /** Widths of the gater's hidden tanh layers; default one of 64. `[]`: logits straight from the input. */
  readonly gater?: readonly number[];
  /** The experts' activation; default `linear`, as in 2013. */
  readonly activation?: NeuronSpec;
  /**
   * Target share of open gates, in (0, 1); default 0.1. `'none'`: no target, and no penalty unless `sparsity` names one that
   * wants none. Neurons that keep a fixed number of gates open take their share from it.
   */
  readonly rate?: number | 'none';
  /**
   * Default: where the neuron keeps a fixed number of gates open, balance: `load` if it has one (noisy-top-k), else `switch`;
   * `expected-l0` for hard-concrete gates; else `kl` for gates in [0, 1] and `l1` for others.
   */
  readonly sparsity?: SparsitySpec;
  /** Where the gates start: biases that give about the target rate (default), or zero biases as in 2013. */
  readonly start?: 'rate' | 'zero';
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

/** Shorthand for a `GatedSpec`. */
export function gated(units: number, options: Omit<GatedSpec, 'layer' | 'units'> = {}): GatedSpec {
  return { layer: 'gated', units, ...options };
}

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

export const gatedText: LayerText<GatedSpec> = {
  words: [
    unitsInBlocks(),
    neuron('neuron', { form: 'GATES', usual: 'straight-through' }),
    percent('rate', 0.1),
    neuron('activation', { form: 'ACTIVATION', usual: 'linear' }),
    option('gater', 'WIDTH+…', widths),
    option('sparsity', 'PENALTY', sparsity),
    option('start', 'rate|zero', oneOf('rate', 'zero')),
    flag('nudge', ['below', 'step', 'decay']),
    flag('balance', ['step']),
    option('compute', 'auto|dense|blocks', oneOf('auto', 'dense', 'blocks')),
    option('probe', 'P', probability),
  ],
};

const GATER_GAIN = 4;

/** What a gated layer keeps from step to step. */
interface Kept {
  readonly activation: Neuron;
  readonly gateNeuron: Neuron;
  readonly size: number;
  readonly target: number | undefined;
}

/** @throws RangeError for units that the blocks do not divide, a rate outside (0, 1), an unknown neuron or penalty */
function resolveGated(scope: Scope, spec: GatedSpec): Kept {
  checkGated(scope.name, spec);
  const { units, blocks = units, rate = 0.1 } = spec;
  const gateNeuron = scope.neuron(spec.neuron ?? 'straight-through', rate === 'none' ? undefined : rate);
  const target = gateNeuron.opens ? gateNeuron.opens(blocks) / blocks : rate === 'none' ? undefined : rate;
  return { gateNeuron, activation: scope.neuron(spec.activation ?? 'linear'), size: units / blocks, target };
}

/** Shape [inputs] → [units], of which only open blocks may be stored. @throws RangeError for a spec that does not fit */
export const applyGated: LayerKind<GatedSpec> = (scope, spec, x) => {
  const { units, blocks = units } = spec;
  const { pass, stream } = scope;
  const { gateNeuron, activation, size, target } = scope.keep('spec', () => resolveGated(scope, spec));
  const experts = expertsOf(scope, x, blocks, size);
  const logits = gaterOf(scope, x, spec, blocks, gateNeuron, target);
  const gates = scope.site(gateNeuron, blocks, {
    name: 'gates',
    stream: stream + 1,
    ...(target !== undefined && { rate: target }),
  });
  const expertSite = activation.identity ? undefined : scope.site(activation, units, { name: 'experts', stream });
  const { sparsity, path } = scope.keep('rules', () => {
    const rules = rulesOf(scope, spec, { gates, expertSite, target, size, inputs: x.columns });
    scope.afterStep(rules.afterStep);
    return rules;
  });
  const g = gates.fire(pass, logits);
  sparsity.apply(pass, logits, g);
  const open = path.choose(pass, g);
  if (!open) {
    // Several draws of the gates share what all experts say; each has noise of its own in experts that have any.
    const pre = experts.all();
    const values = expertSite ? expertSite.fire(pass, expertSite.stochastic ? pass.tape.atDraws(pre) : pre) : pre;
    return gate(g, values, { size });
  }
  const pre = experts.open(open);
  const values = expertSite ? expertSite.fire(pass, pre) : pre;
  return new BlockTensor(gateBlocks(g, values, open), open);
};

/** x·W + b with the weights stored block by block, so that an open block is one stretch of memory. */
function expertsOf(scope: Scope, x: Tensor, blocks: number, size: number) {
  const inputs = x.columns;
  const weights = scope.parameter('experts.weights', [blocks, inputs, size], {
    axes: ['inputs', 'units'],
    blocks: { count: blocks, inputs, size },
    stream: scope.stream,
    initialize: (array, seed, at) => glorotUniform(array, seed, at, 1, [inputs, blocks * size]),
  });
  const bias = scope.parameter('experts.bias', [blocks * size], { axes: ['units'] });
  return {
    /** Every block: shape [units]. */
    all: (): Tensor => allBlocks(x, weights, bias, { blocks, size }),
    /** The open blocks alone: shape [size] for every open pair. */
    open: (shape: BlockShape): Tensor =>
      x instanceof BlockTensor && x.blocks.rows === shape.rows
        ? blocksToBlocks(x.open, weights, bias, { from: x.blocks, to: shape })
        : denseToBlocks(x, weights, bias, shape),
  };
}

interface Parts {
  readonly gates: FiringSite;
  readonly expertSite: FiringSite | undefined;
  readonly target: number | undefined;
  readonly size: number;
  readonly inputs: number;
}

/** Penalty, nudge, balance and path of the gates. */
function rulesOf(scope: Scope, spec: GatedSpec, { gates, expertSite, target, size, inputs }: Parts) {
  const { engine, name, stream } = scope;
  const blocks = gates.units;
  const penalized = spec.sparsity ?? (target === undefined ? 'none' : Sparsity.defaultFor(gates));
  const sparsity = new Sparsity(gates, target, penalized, new Float64Array(blocks).fill(inputs * size));
  const nudgeOptions = spec.nudge === true ? {} : spec.nudge || undefined;
  const nudge = nudgeOptions && new BiasNudge(blocks, target ?? 0.1, nudgeOptions);
  const balanceOptions = spec.balance === true ? {} : spec.balance || undefined;
  const balance = balanceOptions && balanced(name, gates, target, balanceOptions);
  const path = new GatedPath({ engine, gates, expertSite, spec, size, probeLayer: stream + 2 });
  const gaterBias = scope.arrayOf('gater.bias');
  scope.remember('penaltyWeights', sparsity.weights);
  if (nudge) scope.remember('nudgedRates', nudge.rates);
  const afterStep = (): void => {
    const rates = gates.countLast();
    if (expertSite?.stochastic) expertSite.countLast();
    sparsity.adapt(rates.reduce((sum, share) => sum + share, 0) / blocks);
    nudge?.apply(rates, gaterBias.values);
    balance?.apply(rates);
  };
  return { sparsity, path, afterStep };
}

/** Selection biases for the gates of a site. @throws RangeError for a neuron that does not select */
function balanced(name: string, gates: FiringSite, target: number | undefined, options: BalanceOptions): BiasBalance {
  if (!gates.neuron.selects)
    throw new RangeError(
      `${name}: \`balance\` moves biases that gates are selected by, and "${gates.neuron.name}" does not select; \`nudge\`, or a penalty, would do.`,
    );
  const balance = new BiasBalance(gates.units, target, options);
  gates.selectionBias = balance.bias;
  return balance;
}

/**
 * The logit at which gates start near a target rate: σ(a) = rate for gates in [0, 1], since that is what their penalties see
 * (for stochastic-times-smooth it is the mean, not P(h≠0), as in 2013); for others, and where penalties see P(h≠0), P(h≠0) =
 * rate, by bisection. Where the rule fixes how many gates open, 0.
 */
function startingLogit({ claims, range, opens, penalized }: Neuron, target: number): number {
  if (opens) return 0;
  if (range === 'unit-interval' && penalized !== 'opening') return Math.log(target / (1 - target));
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

/** Shape [inputs] → hidden tanh layers → one logit a block. */
function gaterOf(
  scope: Scope,
  x: Tensor,
  spec: GatedSpec,
  blocks: number,
  neuron: Neuron,
  target: number | undefined,
): Tensor {
  const { learningRateScale = 1 } = neuron;
  const common = { group: 'gater' as const, learningRateScale };
  const { gater: hidden = [64] } = spec;
  const first = scope.stream + 4;
  const tanh = scope.keep('tanh', () => resolveNeuron('tanh'));
  let h = x;
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
    units: blocks,
    axes: [hidden.length === 0 ? 'inputs' : 'hidden', 'gates'],
    stream: first + 1,
    // The paper's code: four times Glorot for sigmoid gates, 15 non-zero N(0, 1) weights a unit for rectifier gates.
    initialize:
      neuron.range !== 'non-negative'
        ? (weights, seed, at) => glorotUniform(weights, seed, at, GATER_GAIN)
        : sparseNormal,
  });
  if (scope.building && target !== undefined && spec.start !== 'zero')
    scope.arrayOf('gater.bias').values.fill(startingLogit(neuron, target));
  return logits;
}

function checkGated(
  name: string,
  { units, blocks = units, rate = 0.1, start = 'rate', compute = 'auto', probe, gater = [] }: GatedSpec,
): void {
  checkUnits(name, units);
  checkUnits(name, blocks, 'blocks');
  if (units % blocks !== 0)
    throw new RangeError(
      `${name}: ${units} units cannot stand in ${blocks} equal blocks; ${blocks * Math.max(1, Math.round(units / blocks))} units would do.`,
    );
  if (!Array.isArray(gater))
    throw new RangeError(
      `${name}: \`gater\` is ${JSON.stringify(gater)}. Expected a list of widths, as [64], or [] for no hidden layer.`,
    );
  if (compute !== 'auto' && compute !== 'dense' && compute !== 'blocks')
    throw new RangeError(`${name}: \`compute\` is "${compute}"; "auto", "dense" or "blocks" would do.`);
  if (probe !== undefined && !(probe > 0 && probe <= 1))
    throw new RangeError(`${name}: \`probe\` is ${probe}; a probability over 0 and up to 1 would do.`);
  if (start !== 'rate' && start !== 'zero')
    throw new RangeError(`${name}: \`start\` is "${start}"; "rate" or "zero" would do.`);
  if (rate !== 'none' && !(rate > 0 && rate < 1))
    throw new RangeError(
      `${name}: the rate is ${rate}; a number between 0 and 1 (both excluded), or 'none', would do.`,
    );
}
