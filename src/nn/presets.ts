/** Networks of the literature with parts behind gates, as layers made of others. */

import { checkNames } from '../schema/names.ts';
import { type ConditionalOptions, type ConditionalSpec, conditional } from './conditional.ts';
import { convolution, type WindowOptions } from './convolution.ts';
import { dense } from './dense.ts';
import { type GateOptions, gateNames } from './gate-options.ts';
import { type GatedSpec, gated, gatedNames } from './gated.ts';
import type { LayerSpec } from './layer-kinds.ts';
import { layerNames } from './module.ts';
import { parallel } from './parallel.ts';
import { type ResidualSpec, residual } from './residual.ts';
import { type SequentialSpec, sequential } from './sequential.ts';

/**
 * Mixture of experts: each row (or point of a sequence) opens `open` of `experts` two-layer parts, by noisy top-k gates.
 * y = Σ_k g_k·V_k·max(0, W_k·x + b_k) + c, c shared by all: a gated layer with an expert a block, and a dense one on it, so that the products of all open
 * experts are one job. Source: Shazeer and others 2017; one expert open: Fedus, Zoph, Shazeer 2021 (Switch), §2.1, with its balance `switch`.
 * @param width of input and output
 * @param options.hidden units of an expert; default 4·width
 * @param options.open experts that a row opens; default 2
 */
export function experts(
  width: number,
  options: Omit<GatedSpec, 'layer' | 'units' | 'blocks'> & {
    readonly experts: number;
    readonly hidden?: number;
    readonly open?: number;
  },
): SequentialSpec {
  const { blocks: _, ...known } = gatedNames;
  checkNames('experts', options, { ...layerNames, ...known, experts: true, hidden: true, open: true });
  const { experts: blocks, hidden = 4 * width, open = 2, name, ...gates } = options;
  const neuron = { name: 'noisy-top-k', k: open };
  const first = gated(blocks * hidden, { neuron, gater: [], activation: 'rectifier', ...gates, blocks });
  return { ...sequential(first, dense(width)), ...(name !== undefined && { name }) };
}

/**
 * x + g·f(x): a residual layer that is skipped where its gate is closed. Source: Wang and others 2018 (SkipNet); Veit and Belongie 2018 (ConvNet-AIG), whose gates
 * are straight-through Gumbel with a target rate; Wu and others 2018 (BlockDrop).
 * @param gates default: `straight-through-gumbel`, open for half of the rows, a gater of 16 hidden units
 */
export const skipped = (f: LayerSpec, gates: ConditionalOptions = {}): ResidualSpec =>
  residual(conditional({ neuron: 'straight-through-gumbel', rate: 0.5, gater: [16], ...gates }, [f]));

/**
 * A convolution whose channels stand in blocks behind gates: a picture computes the blocks that it opens. Source: Gao and others 2019 (feature boosting and
 * suppression); Chen and others 2019 (GaterNet), §3.
 * @throws RangeError for channels that the blocks do not divide
 */
export function channelBlocks(
  channels: number,
  size: number,
  options: GateOptions & WindowOptions & { readonly blocks: number; readonly activation?: string },
): ConditionalSpec {
  const known = { ...gateNames, blocks: true, activation: true, stride: true, padding: true } as const;
  checkNames('channelBlocks', options, known);
  const { blocks, activation = 'rectifier', stride, padding, ...gates } = options;
  if (!Number.isInteger(channels / blocks))
    throw new RangeError(
      `channelBlocks: ${channels} channels cannot be divided into ${blocks} equal blocks. Expected a multiple of ${blocks}.`,
    );
  const windows = { ...(stride && { stride }), ...(padding && { padding }) };
  return conditional({ gater: [16], ...gates, join: 'concatenate', copies: blocks }, [
    convolution(channels / blocks, size, activation, windows),
  ]);
}

/**
 * Early exits: every stage has a layer to the classes, and a gate decides whether a row goes on to the next. The logits of the exits that a row
 * reached are added: e_1 + g_1·(e_2 + g_2·(…)). Source: Teerapittayanon, McDanel, Kung 2016 (BranchyNet); gates that are learnt:
 * Bolukbasi, Wang, Dekel, Saligrama 2017.
 * @param gates default: `straight-through`, half of the rows go on, a gater of 16 hidden units
 * @throws RangeError for no stage
 */
export function earlyExits(
  stages: readonly LayerSpec[],
  classes: number,
  gates: Omit<GateOptions, 'compute'> = {},
): SequentialSpec {
  if (stages.length === 0) throw new RangeError('earlyExits: there are no stages. Expected one or more.');
  const from = (stage: number): SequentialSpec => {
    const exit = dense(classes, 'linear', 'exit');
    if (stage === stages.length - 1) return sequential(stages[stage], exit);
    const rest = conditional({ rate: 0.5, gater: [16], ...gates, name: 'rest' }, [from(stage + 1)]);
    return sequential(stages[stage], parallel([exit, rest]));
  };
  return from(0);
}
