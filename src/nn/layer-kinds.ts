/** Every kind of shipped module: how its description is computed and how it is written. Adding one: a file beside this one, and a line here. */
import type { NamesOf } from '../schema/names.ts';
import { type AttentionSpec, applyAttention, attentionText } from './attention.ts';
import {
  applyConditional,
  type ConditionalSpec,
  conditionalNames,
  conditionalText,
  ungatedConditional,
} from './conditional.ts';
import { applyConvolution, type ConvolutionSpec, convolutionText } from './convolution.ts';
import { applyDense, type DenseSpec, denseText } from './dense.ts';
import { applyDepthwise, type DepthwiseSpec, depthwiseText } from './depthwise.ts';
import { applyDropout, type DropoutSpec, dropoutText } from './dropout.ts';
import { applyEmbedding, type EmbeddingSpec, embeddingText } from './embedding.ts';
import { applyGated, blocksOf, type GatedSpec, gatedNames, gatedText, ungatedGated, withBlocks } from './gated.ts';
import type { LayerText } from './layer-text.ts';
import { applyLstm, type LstmSpec, lstmNames, lstmText } from './lstm.ts';
import { type LayerDescription, type LayerKind, layerNames } from './module.ts';
import { applyNorm, type NormSpec, normText } from './norm.ts';
import { applyOwn, type OwnSpec } from './own.ts';
import { applyParallel, type ParallelSpec, parallelNames, parallelText } from './parallel.ts';
import { applyPool, type PoolSpec, poolText } from './pool.ts';
import { applyPositions, type PositionsSpec, positionsText } from './positions.ts';
import { applyReshape, type ReshapeSpec, reshapeText } from './reshape.ts';
import { applyResidual, type ResidualSpec, residualText } from './residual.ts';
import { applySequential, type SequentialSpec, sequentialText } from './sequential.ts';
import { applySigns, type SignsSpec, signsText } from './signs.ts';

/** Structure of a kind of layer: layers inside it, and its ungated form. */
export interface LayerFacts<S> {
  /** A copy with `change` applied to every layer inside. */
  inside?(spec: S, change: (layer: LayerSpec) => LayerSpec): S;
  /** Of a layer with gates: the layer with every part computed and no gates. */
  ungated?(spec: S): LayerSpec;
  /** Of a layer whose outputs are blocks with a gate each: how many. */
  blocks?(spec: S): number;
  /** The same layer with `blocks` of its blocks. */
  withBlocks?(spec: S, blocks: number): S;
  /** Does it read every number of its input through weights alone, so that numbers that are always 0 can be left out? */
  readonly readsByWeights?: true;
}

const kind = <S extends LayerDescription>(
  apply: LayerKind<S>,
  names: NamesOf<Omit<S, keyof LayerDescription>>,
  text?: LayerText<S>,
  facts: LayerFacts<S> = {},
) => ({
  apply,
  names: { layer: true, ...layerNames, ...names } as Readonly<Record<string, true>>,
  text,
  ...facts,
});

/** Of layers with a list of parts. */
const parts = <S extends { readonly parts: readonly LayerSpec[] }>(
  spec: S,
  change: (layer: LayerSpec) => LayerSpec,
): S => ({
  ...spec,
  parts: spec.parts.map(change),
});

export const layerKinds = {
  attention: kind(applyAttention, { heads: true, positions: true, bidirectional: true }, attentionText),
  conditional: kind(applyConditional, { parts: true, ...conditionalNames }, conditionalText, {
    inside: parts,
    ungated: ungatedConditional,
  }),
  convolution: kind(
    applyConvolution,
    { channels: true, size: true, neuron: true, stride: true, padding: true },
    convolutionText,
  ),
  dense: kind(applyDense, { units: true, neuron: true }, denseText, { readsByWeights: true }),
  depthwise: kind(applyDepthwise, { size: true, neuron: true, stride: true, padding: true }, depthwiseText),
  dropout: kind(applyDropout, { drop: true }, dropoutText),
  embedding: kind(applyEmbedding, { classes: true, units: true }, embeddingText),
  gated: kind(applyGated, { units: true, ...gatedNames }, gatedText, {
    ungated: ungatedGated,
    blocks: blocksOf,
    withBlocks,
    readsByWeights: true,
  }),
  lstm: kind(applyLstm, { units: true, ...lstmNames }, lstmText, { readsByWeights: true }),
  norm: kind(applyNorm, {}, normText),
  parallel: kind(applyParallel, { parts: true, ...parallelNames }, parallelText, { inside: parts }),
  pool: kind(applyPool, { size: true, stride: true, by: true }, poolText),
  positions: kind(applyPositions, { points: true }, positionsText),
  reshape: kind(applyReshape, { shape: true }, reshapeText),
  sequential: kind(applySequential, { modules: true }, sequentialText, {
    inside: (spec, change) => ({ ...spec, modules: spec.modules.map(change) }),
  }),
  residual: kind(applyResidual, { module: true }, residualText, {
    inside: (spec, change) => ({ ...spec, module: change(spec.module) }),
  }),
  signs: kind(applySigns, {}, signsText),
  own: kind(applyOwn, {}),
};

/** A shipped layer as plain JSON; `layer` tells the kinds apart. */
export type LayerSpec =
  | AttentionSpec
  | ConditionalSpec
  | ConvolutionSpec
  | DenseSpec
  | DepthwiseSpec
  | DropoutSpec
  | EmbeddingSpec
  | GatedSpec
  | LstmSpec
  | NormSpec
  | ParallelSpec
  | PoolSpec
  | PositionsSpec
  | ReshapeSpec
  | SequentialSpec
  | ResidualSpec
  | SignsSpec
  | OwnSpec;

/** A layer with those inside it changed. */
export function changeInside(layer: LayerSpec, change: (inside: LayerSpec) => LayerSpec): LayerSpec {
  const { inside } = layerKinds[layer.layer] as LayerFacts<LayerSpec>;
  return inside ? inside(layer, change) : layer;
}

/** The layers right inside a layer. */
export function layersInside(layer: LayerSpec): readonly LayerSpec[] {
  const found: LayerSpec[] = [];
  changeInside(layer, (one) => {
    found.push(one);
    return one;
  });
  return found;
}

/** Does it have gates of its own? */
export const hasGates = ({ layer }: LayerSpec): boolean =>
  (layerKinds[layer] as LayerFacts<LayerSpec>).ungated !== undefined;

/** How many blocks with a gate each its outputs are; undefined for other layers. */
export const gatedBlocks = (layer: LayerSpec): number | undefined =>
  (layerKinds[layer.layer] as LayerFacts<LayerSpec>).blocks?.(layer);

/** The same layer with `blocks` of its blocks; other layers as they are. */
export const layerWithBlocks = (layer: LayerSpec, blocks: number): LayerSpec =>
  (layerKinds[layer.layer] as LayerFacts<LayerSpec>).withBlocks?.(layer, blocks) ?? layer;

/** Does it read its input through weights alone? */
export const readsByWeights = ({ layer }: LayerSpec): boolean =>
  (layerKinds[layer] as LayerFacts<LayerSpec>).readsByWeights === true;

/** The same without gates, inside too: every part computed. */
export function ungated(layer: LayerSpec): LayerSpec {
  const plain = changeInside(layer, ungated);
  return (layerKinds[layer.layer] as LayerFacts<LayerSpec>).ungated?.(plain) ?? plain;
}
