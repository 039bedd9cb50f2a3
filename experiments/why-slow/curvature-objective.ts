import { classification, penalty, placeBatch, softmaxCrossEntropy, type Tensor } from '../../src/index.ts';
import { type CurvatureGradient, curvature } from './curvature.ts';

/**
 * Cross-entropy of a network of one logistic layer and a linear one, plus the curvature penalty of the noise that the layer does not
 * have. The losses that training reports are cross-entropies alone.
 * @throws RangeError for a network of other layers
 */
const run: typeof classification.run = (model, pass, batch) => {
  const { x, labels } = placeBatch(pass, batch);
  const output = model.apply(pass, x);
  const hidden = model.sites[0]?.last?.h;
  const [weights, bias] = model.parameters.slice(-2).map(({ tensor }) => tensor);
  if (!hidden || model.layers.length !== 2)
    throw new RangeError(`The network has ${model.layers.length} layers. Expected a logistic layer and a linear one.`);
  const { tape } = pass;
  tape.layer = 'curvature';
  const readout = { weights: weights.values, bias: bias.values };
  const all = { weights: new Float64Array(weights.size), bias: new Float64Array(bias.size) };
  const h = hidden.array;
  const add = (on: Tensor, evaluate: (gradient: Float32Array | Float64Array) => number): void => {
    const tensor = penalty(on, { evaluate: (_values, gradient) => evaluate(gradient.values) });
    pass.penalties.push({ tensor, weight: 1 / h.rows, rows: h.rows });
  };
  add(hidden, (gradient) => {
    let total = 0;
    for (let row = 0; row < h.rows; row++) {
      const [from, to] = [row * h.columns, (row + 1) * h.columns];
      const own: CurvatureGradient = { p: gradient.subarray(from, to), ...all };
      total += curvature(h.values.subarray(from, to), readout, own);
    }
    return total;
  });
  // Their gradients came with those of h.
  for (const [tensor, gradient] of [
    [weights, all.weights],
    [bias, all.bias],
  ] as const)
    add(tape.parameter(tensor), (out) => {
      out.set(gradient);
      return 0;
    });
  tape.layer = 'loss';
  return { output, losses: softmaxCrossEntropy(output, labels) };
};

/** Classification by that loss, measured as ever. */
export const curvatureTask = { ...classification, run };
