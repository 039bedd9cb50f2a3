import { shapeText } from '../tensor/define-op.ts';
import { add } from '../tensor/ops/arithmetic.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { LayerSpec } from './layer-kinds.ts';
import type { LayerText } from './layer-text.ts';
import { isModule, type LayerDescription, type LayerKind, type Module, module } from './module.ts';
import type { Scope } from './scope.ts';
import { sequential } from './sequential.ts';

/** x + f(x). Source: He, Zhang, Ren, Sun 2016. */
export interface ResidualSpec extends LayerDescription {
  readonly layer: 'residual';
  readonly module: LayerSpec;
}

/** x + f(x) of a module f that keeps the shape. Of a shipped one it is plain JSON. */
export function residual(f: LayerSpec): ResidualSpec;
export function residual(f: Module | LayerSpec): Module | ResidualSpec;
export function residual(f: Module | LayerSpec): Module | ResidualSpec {
  return isModule(f) ? module('residual', (scope, x) => plus(scope, f, x)) : { layer: 'residual', module: f };
}

/** `residual(LAYER, …)`: several are one after another. */
export const residualText: LayerText<ResidualSpec> = {
  inside: {
    read: ([first, ...more]) => ({ module: more.length === 0 ? first : sequential(first, ...more) }),
    write: ({ module: f }) =>
      f.layer === 'sequential' && f.name === undefined && f.modules.length > 1 ? f.modules : [f],
  },
};

/** Shape [n] → [n]. @throws RangeError when f gives another shape */
export const applyResidual: LayerKind<ResidualSpec> = (scope, { module: f }, x) => plus(scope, f, x);

function plus(scope: Scope, f: Module | LayerSpec, x: Tensor): Tensor {
  const y = scope.call(f, x);
  if (x.shape.join() !== y.shape.join())
    throw new RangeError(
      `"${scope.name}" adds what its module gives, of the shape ${shapeText(y.shape)}, to its input of the shape ${shapeText(x.shape)}. Expected the same shape.`,
    );
  return add(x, y);
}
