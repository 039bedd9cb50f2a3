import type { Neuron } from '../neurons/contract.ts';
import type { NeuronSpec } from '../neurons/resolve.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { allBlocks } from '../tensor/ops/all-blocks.ts';
import { gateBlocks } from '../tensor/ops/block-gates.ts';
import { type BlockShape, openBlocks } from '../tensor/ops/block-shape.ts';
import { BlockTensor } from '../tensor/ops/block-tensor.ts';
import { blocksToBlocks, denseToBlocks } from '../tensor/ops/blocks.ts';
import { gate } from '../tensor/ops/gate.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkUnits } from './check.ts';
import { type DenseSpec, dense } from './dense.ts';
import { type GateOptions, gateNames } from './gate-options.ts';
import { GatedPath } from './gated-path.ts';
import { fireGates, type GateFacts, gateOptionWords, gateWords, keepRates, resolveGates } from './gating.ts';
import { glorotUniform } from './initialize.ts';
import { type LayerText, neuron, unitsAndBlocks } from './layer-text.ts';
import { type LayerDescription, type LayerKind, layerNames } from './module.ts';
import { fastestPath } from './paths.ts';
import type { Scope } from './scope.ts';

/**
 * A gated layer: y_k = g_k·H_k. The experts H = activation(x·W + b) stand in `blocks` blocks of equal size; a gater network
 * (tanh hidden layers on the same input) gives one logit a block, and the neuron turns it into the gate g_k.
 * Source: Bengio, Léonard, Courville 2013, §5.
 */
export interface GatedSpec extends LayerDescription, GateOptions {
  readonly layer: 'gated';
  /** Expert units in all. */
  readonly units: number;
  /** Blocks, hence gates; default one gate a unit, as in 2013. */
  readonly blocks?: number;
  /** The experts' activation; default `linear`, as in 2013. */
  readonly activation?: NeuronSpec;
}

/** Shorthand for a `GatedSpec`. @throws RangeError for an unknown option */
export function gated(units: number, options: Omit<GatedSpec, 'layer' | 'units'> = {}): GatedSpec {
  checkNames('gated', options, { ...layerNames, ...gatedNames });
  return { layer: 'gated', units, ...options };
}

export const gatedNames: NamesOf<Omit<GatedSpec, 'units' | keyof LayerDescription>> = {
  ...gateNames,
  blocks: true,
  activation: true,
};

export const gatedText: LayerText<GatedSpec> = {
  words: [
    unitsAndBlocks(),
    ...gateWords<GatedSpec>(),
    neuron('activation', { form: 'ACTIVATION', usual: 'linear' }),
    ...gateOptionWords<GatedSpec>(),
  ],
};

/** The ungated layer of the same experts. */
export const ungatedGated = ({ units, activation = 'linear', name }: GatedSpec): DenseSpec =>
  dense(units, activation, name);

export const blocksOf = ({ units, blocks = units }: GatedSpec): number => blocks;

export const withBlocks = (spec: GatedSpec, blocks: number): GatedSpec => ({
  ...spec,
  units: (spec.units / blocksOf(spec)) * blocks,
  blocks,
});

/** What a gated layer keeps from step to step. */
interface Kept extends GateFacts {
  readonly activation: Neuron;
  readonly size: number;
}

/** @throws RangeError for units that the blocks do not divide, a rate outside (0, 1), an unknown neuron or penalty */
function resolveGated(scope: Scope, spec: GatedSpec): Kept {
  const { units, blocks = units } = spec;
  checkBlocks(scope.name, units, blocks);
  const facts = resolveGates(scope, spec, blocks);
  return { ...facts, activation: scope.neuron(spec.activation ?? 'linear'), size: units / blocks };
}

/** Shape [inputs] → [units], of which only open blocks may be stored. @throws RangeError for a spec that does not fit */
export const applyGated: LayerKind<GatedSpec> = (scope, spec, x) => {
  const { units, blocks = units } = spec;
  const { pass, stream, engine } = scope;
  const { activation, size, ...facts } = scope.keep('spec', () => resolveGated(scope, spec));
  const experts = expertsOf(scope, x, blocks, size);
  const fired = fireGates(scope, x, spec, { ...facts, count: blocks });
  const { site, g } = fired;
  keepRates(scope, spec, fired, facts.target, () => new Float64Array(blocks).fill(x.columns * size));
  const expertSite = activation.identity
    ? undefined
    : scope.site(activation, units, { name: 'experts', stream, input: x });
  const path = scope.keep('path', () => {
    if (expertSite?.stochastic) scope.afterStep(() => expertSite.countLast());
    // Experts with noise are calibrated and counted unit by unit over whole minibatches; coupled ones want whole rows.
    const wantAll = expertSite !== undefined && (expertSite.stochastic || expertSite.neuron.jointNoise !== undefined);
    return new GatedPath({
      engine,
      site,
      options: spec,
      probeLayer: stream + 2,
      // Units of experts are held by their place in whole rows.
      wantsAll: ({ held }) => wantAll || (expertSite !== undefined && held?.has(expertSite) === true),
      fastest: (pairs, rows) => fastestPath(engine, { rows, blocks, size }, pairs, spec.compute),
    });
  });
  engine.profile?.enter('forward', scope.name, 'choice of blocks');
  const chosen = path.choose(pass, g);
  engine.profile?.leave();
  if (!chosen) {
    // Several draws of the gates share what all experts say; each has noise of its own in experts that have any.
    const pre = experts.all();
    const values = expertSite ? expertSite.fire(pass, expertSite.stochastic ? pass.tape.atDraws(pre) : pre, x) : pre;
    return gate(g, values, { size });
  }
  const { mask, path: by, gradientWeights } = chosen;
  const open = { ...openBlocks(g, mask, size, by === 'gathered'), ...(gradientWeights && { gradientWeights }) };
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

/** @throws RangeError for units that the blocks do not divide */
function checkBlocks(name: string, units: number, blocks: number): void {
  checkUnits(name, units);
  checkUnits(name, blocks, 'blocks');
  if (units % blocks !== 0)
    throw new RangeError(
      `${name}: ${units} units cannot be divided into ${blocks} equal blocks. Expected a multiple of ${blocks}, such as ${blocks * Math.max(1, Math.round(units / blocks))}.`,
    );
}
