/** Every kind of shipped module: how its description is computed and how it is written. Adding one: a file beside this one, and a line here. */
import { applyDense, type DenseSpec, denseText } from './dense.ts';
import { applyEmbedding, type EmbeddingSpec, embeddingText } from './embedding.ts';
import { applyGated, type GatedSpec, gatedText } from './gated.ts';
import type { LayerText } from './layer-text.ts';
import { applyLstm, type LstmSpec, lstmText } from './lstm.ts';
import type { LayerDescription, LayerKind } from './module.ts';
import { applyOwn, type OwnSpec } from './own.ts';
import { applyResidual, type ResidualSpec, residualText } from './residual.ts';
import { applySequential, type SequentialSpec, sequentialText } from './sequential.ts';
import { applySigns, type SignsSpec, signsText } from './signs.ts';

const kind = <S extends LayerDescription>(apply: LayerKind<S>, text?: LayerText<S>) => ({ apply, text });

export const layerKinds = {
  dense: kind(applyDense, denseText),
  embedding: kind(applyEmbedding, embeddingText),
  gated: kind(applyGated, gatedText),
  lstm: kind(applyLstm, lstmText),
  sequential: kind(applySequential, sequentialText),
  residual: kind(applyResidual, residualText),
  signs: kind(applySigns, signsText),
  own: kind(applyOwn),
};

export type LayerSpec =
  | DenseSpec
  | EmbeddingSpec
  | GatedSpec
  | LstmSpec
  | SequentialSpec
  | ResidualSpec
  | SignsSpec
  | OwnSpec;
