import type { NdArray } from '../backend/nd-array.ts';
import { type BalanceOptions, BiasBalance } from '../gates/balance.ts';
import type { SparsitySpec } from '../gates/index.ts';
import { BiasNudge, type NudgeOptions } from '../gates/nudge.ts';
import type { Neuron } from '../neurons/contract.ts';
import { type NeuronSpec, resolveNeuron } from '../neurons/resolve.ts';
import { gateBlocks } from '../tensor/ops/blocks.ts';
import { gate } from '../tensor/ops/gate.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Affine } from './affine.ts';
import type { AffineBlueprint } from './blueprint.ts';
import { checkUnits } from './check.ts';
import { Experts } from './experts.ts';
import { FiringSite } from './firing-site.ts';
import { GatedPath } from './gated-path.ts';
import { glorotUniform, sparseNormal } from './initialize.ts';
import type { Activation, Layer, LayerContext, Pass } from './layer.ts';
import type { Compute } from './paths.ts';
import { Sparsity } from './sparsity.ts';

/**
 * A gated layer: y_k = g_k·H_k. The experts H = activation(x·W + b) stand in `blocks` blocks of equal size; a gater network
 * (tanh hidden layers on the same input) gives one logit a block, and the neuron turns it into the gate g_k.
 * Source: Bengio, Léonard, Courville 2013, §5.
 */
export interface GatedSpec {
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
  readonly name?: string;
}

/** Shorthand for a `GatedSpec`. */
export function gated(units: number, options: Omit<GatedSpec, 'layer' | 'units'> = {}): GatedSpec {
  return { layer: 'gated', units, ...options };
}

const GATER_GAIN = 4;

/**
 * @throws RangeError for units that the blocks do not divide, a rate outside (0, 1), an unknown neuron or penalty
 */
export function buildGated(spec: GatedSpec, context: LayerContext): Layer {
  checkGated(context.name, spec);
  const { units, blocks = units, rate = 0.1 } = spec;
  const { name, inputs, engine } = context;
  const size = units / blocks;
  const first = context.index * 8;
  const neuron = resolveNeuron(spec.neuron ?? 'straight-through', rate === 'none' ? undefined : rate);
  const activation = resolveNeuron(spec.activation ?? 'linear');
  const experts = new Experts(context, { name: `${name}.experts`, inputs, blocks, size, stream: first });
  const gater = buildGater(context, spec.gater ?? [64], blocks, neuron, first + 4);
  const target = neuron.opens ? neuron.opens(blocks) / blocks : rate === 'none' ? undefined : rate;
  if (target !== undefined && spec.start !== 'zero') gater.outputBias.values.fill(startingLogit(neuron, target));
  const gates = new FiringSite(engine, neuron, {
    name: `${name}.gates`,
    units: blocks,
    layer: first + 1,
    ...(target !== undefined && { rate: target }),
  });
  const expertSite = activation.identity
    ? undefined
    : new FiringSite(engine, activation, { name: `${name}.experts`, units, layer: first });
  const penalized = spec.sparsity ?? (target === undefined ? 'none' : Sparsity.defaultFor(gates));
  const sparsity = new Sparsity(gates, target, penalized, new Float64Array(blocks).fill(inputs * size));
  const nudgeOptions = spec.nudge === true ? {} : spec.nudge || undefined;
  const nudge = nudgeOptions && new BiasNudge(blocks, target ?? 0.1, nudgeOptions);
  const balanceOptions = spec.balance === true ? {} : spec.balance || undefined;
  const balance = balanceOptions && balanced(name, gates, target, balanceOptions);
  const path = new GatedPath({ engine, gates, expertSite, spec, size, probeLayer: first + 2 });
  return {
    name,
    inputs,
    outputs: units,
    parameters: [...experts.parameters, ...gater.parameters],
    sites: expertSite ? [gates, expertSite] : [gates],
    memory: { penaltyWeights: sparsity.weights, ...(nudge && { nudgedRates: nudge.rates }) },
    cost: { dense: experts.multiplyAdds, gater: gater.multiplyAdds },
    blueprint: {
      kind: 'gated',
      gater: gater.blueprint(gates),
      experts: { kind: 'affine', weights: experts.parameters[0], bias: experts.parameters[1], site: expertSite },
      blocks,
      size,
    },
    apply(pass, x) {
      const logits = gater.apply(pass, x);
      const g = gates.fire(pass, logits);
      sparsity.apply(pass, logits, g);
      const open = path.choose(pass, g);
      if (!open) {
        // Several draws of the gates share what all experts say; each has noise of its own in experts that have any.
        const pre = experts.all(pass, x);
        const values = expertSite ? expertSite.fire(pass, expertSite.stochastic ? pass.tape.atDraws(pre) : pre) : pre;
        return gate(g, values, { size });
      }
      const pre = experts.open(pass, x, open);
      const values = expertSite ? expertSite.fire(pass, pre) : pre;
      return { ...open, values: gateBlocks(g, values, open) };
    },
    afterStep() {
      const rates = gates.countLast();
      if (expertSite?.stochastic) expertSite.countLast();
      sparsity.adapt(rates.reduce((sum, share) => sum + share, 0) / blocks);
      nudge?.apply(rates, gater.outputBias.values);
      balance?.apply(rates);
    },
  };
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

interface Gater {
  readonly parameters: Layer['parameters'];
  readonly multiplyAdds: number;
  readonly outputBias: NdArray;
  blueprint(gates: FiringSite): readonly AffineBlueprint[];
  apply(pass: Pass, x: Activation): Tensor;
}

/** inputs → hidden tanh layers → one logit a block */
function buildGater(
  context: LayerContext,
  hidden: readonly number[],
  blocks: number,
  neuron: Neuron,
  stream: number,
): Gater {
  const { name, engine } = context;
  const tanh = resolveNeuron('tanh');
  const learningRateScale = neuron.learningRateScale ?? 1;
  const common = { group: 'gater' as const, learningRateScale };
  const layers = hidden.map((units, i) => {
    checkUnits(name, units, 'gater');
    const inputs = i === 0 ? context.inputs : hidden[i - 1];
    const part = `${name}.gater${i}`;
    return {
      affine: new Affine(context, {
        ...common,
        name: part,
        inputs,
        units,
        axes: [i === 0 ? 'inputs' : 'hidden', 'hidden'],
        stream: stream + i * 65536,
      }),
      site: new FiringSite(engine, tanh, { name: part, units, layer: 0 }),
    };
  });
  const output = new Affine(context, {
    ...common,
    name: `${name}.gater`,
    inputs: hidden.at(-1) ?? context.inputs,
    units: blocks,
    axes: [hidden.length === 0 ? 'inputs' : 'hidden', 'gates'],
    stream: stream + 1,
    // The paper's code: four times Glorot for sigmoid gates, 15 non-zero N(0, 1) weights a unit for rectifier gates.
    initialize:
      neuron.range !== 'non-negative'
        ? (weights, seed, at) => glorotUniform(weights, seed, at, GATER_GAIN)
        : sparseNormal,
  });
  const affines = [...layers.map(({ affine }) => affine), output];
  return {
    parameters: affines.flatMap(({ parameters }) => parameters),
    multiplyAdds: affines.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
    outputBias: output.bias,
    blueprint: (gates) => [...layers.map(({ affine, site }) => affine.blueprint(site)), output.blueprint(gates)],
    apply(pass, x) {
      const top = layers.reduce((h: Activation, { affine, site }) => site.fire(pass, affine.apply(pass, h)), x);
      return output.apply(pass, top);
    },
  };
}

function checkGated(
  name: string,
  { units, blocks = units, rate = 0.1, start = 'rate', compute = 'auto', probe }: GatedSpec,
): void {
  checkUnits(name, units);
  checkUnits(name, blocks, 'blocks');
  if (units % blocks !== 0)
    throw new RangeError(
      `${name}: ${units} units cannot stand in ${blocks} equal blocks; ${blocks * Math.max(1, Math.round(units / blocks))} units would do.`,
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
