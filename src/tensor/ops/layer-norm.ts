import { columnSums } from '../../backend/matrix.ts';
import type { NdArray } from '../../backend/nd-array.ts';
import { f } from '../../neurons/formula.ts';
import { defineOp, like, shapeText } from '../define-op.ts';
import type { Tensor } from '../tensor.ts';

interface Attributes {
  readonly epsilon: number;
}

/** The last axis as columns, all before it as rows. */
function asRows(x: NdArray): NdArray {
  const columns = x.shape[x.shape.length - 1] ?? 0;
  return x.reshaped([columns === 0 ? 0 : x.size / columns, columns]);
}

const layerNormOp = defineOp<Attributes>({
  name: 'layerNorm',
  causal: () => true,
  forward(engine, [x, gain, bias], { epsilon }, { plated }) {
    const columns = x.shape.length > Number(plated[0]) ? (x.shape.at(-1) ?? 0) : 0;
    if (columns === 0 || gain.size !== columns || bias.size !== columns || plated[1] || plated[2])
      throw new RangeError(
        `layerNorm: a gain of ${shapeText(gain.shape)} and a bias of ${shapeText(bias.shape)} do not fit rows of ${shapeText(x.shape.slice(Number(plated[0])))}. Expected one number for each of the last axis, which all rows share.`,
      );
    const rows = asRows(x);
    const output = like(engine, x, 'a normalised layer');
    const moments = engine.allocate([rows.rows, 2], 'the moments of rows');
    const pointers = [x.pointer, gain.pointer, bias.pointer, output.pointer, moments.pointer] as const;
    engine.backend.run('layerNorm', ...pointers, rows.rows, columns, epsilon);
    return { output, saved: [moments] };
  },
  pullback(engine, { inputs: [given, gain, bias], saved: [moments], needs }, dy) {
    const { backend } = engine;
    const [x, above] = [asRows(given), asRows(dy)];
    const extents = [x.rows, x.columns] as const;
    const dx = needs[0] ? like(engine, given, 'the gradient of a normalised layer') : null;
    if (dx) {
      const pointers = [x.pointer, gain.pointer, moments.pointer, dy.pointer, dx.pointer] as const;
      backend.run('layerNormInputs', ...pointers, ...extents);
    }
    const dGain = needs[1] ? like(engine, gain, 'the gradient of a gain') : null;
    if (dGain) backend.run('layerNormGain', x.pointer, moments.pointer, dy.pointer, dGain.pointer, ...extents);
    return [dx, dGain, needs[2] ? columnSums(engine, above).reshaped(bias.shape) : null];
  },
  lower(to, [x, gain, bias], { attributes: { epsilon } }) {
    const axis = x.shape.length - 1;
    const share = 1 / x.shape[axis];
    const mean = (of: typeof x) => to.elementwise(f.multiply(f.logit, share), to.reduce('sum', of, [axis]));
    const centred = to.elementwise(f.subtract(f.logit, f.operand(1)), x, mean(x));
    const variance = mean(to.elementwise(f.multiply(f.logit, f.logit), centred));
    const normal = f.divide(f.logit, f.power(f.add(f.operand(1), epsilon), 0.5));
    return to.elementwise(f.add(f.multiply(normal, f.operand(2)), f.operand(3)), centred, variance, gain, bias);
  },
});

/**
 * gain·(x − mean)/√(variance + ε) + bias, mean and variance over the last axis: shape [..., n] → [..., n], gain and bias [n].
 * Source: Ba, Kiros, Hinton 2016.
 * @param epsilon default 1e-5
 * @throws RangeError for a gain or bias that does not fit
 */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, { epsilon = 1e-5 } = {}): Tensor =>
  layerNormOp(x, gain, bias, { epsilon });
layerNorm.definition = layerNormOp.definition;
