/** Every kind of shipped module: its description and how it is computed. Adding one: a file beside this one, and a line here. */
import { applyDense, type DenseSpec } from './dense.ts';
import { applyGated, type GatedSpec } from './gated.ts';
import { applyLstm, type LstmSpec } from './lstm.ts';
import { applyResidual, type ResidualSpec } from './residual.ts';
import { applySequential, type SequentialSpec } from './sequential.ts';
import { applySigns, type SignsSpec } from './signs.ts';

export const layerKinds = {
  dense: applyDense,
  gated: applyGated,
  lstm: applyLstm,
  sequential: applySequential,
  residual: applyResidual,
  signs: applySigns,
};

export type LayerSpec = DenseSpec | GatedSpec | LstmSpec | SequentialSpec | ResidualSpec | SignsSpec;
