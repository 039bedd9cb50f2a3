import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, type Numbers } from '../contract.ts';
import { bernoulli, bit, unbiasedBits } from '../parts/bernoulli.ts';
import { firstDraw } from '../parts/first-draw.ts';

/** The unit of a row that is flipped, chosen by the second noise number of the row's first unit. */
const flippedOf = (noise: Numbers, row: number, units: number): number =>
  row * units + Math.floor(noise[2 * row * units + 1] * units);

export const bitflip = defineNeuron({
  name: 'bitflip',
  source:
    'Kunes, Yin, Land, Haviv, Pe’er, Tavaré 2023, "Gradient estimation for binary latent variables via gradient variance clipping", bitflip-1',
  summary:
    'h = 1[u < p], p = σ(a), and h with one unit j of n flipped, j uniform; ĝ = n·p(1 − p)(1 − 2h)(f(flipped) − f(h)) for j, else 0',
  options: {},
  rule: () => ({
    ...bernoulli,
    noise: 2,
    draws: 2,
    comparesRows: true,
    reads: 'loss',
    claims: unbiasedBits,
    cells(logit, index, _before, { unit, units } = { unit: 0, units: 1 }) {
      if (index === 0) return [sigmoid(logit)];
      return unit === 0 ? Array.from({ length: units }, (_, k) => k / units) : [];
    },
    weigh: firstDraw,
    fire({ rows, units, logits, noise, h }) {
      for (let i = 0; i < logits.length; i++) h[i] = h[logits.length + i] = bit(logits[i], noise[2 * i]);
      for (let row = 0; row < rows; row++) {
        const flipped = flippedOf(noise, row, units);
        h[logits.length + flipped] = 1 - h[flipped];
      }
    },
    pullback({ rows, units, logits, noise, h, loss, gradient }) {
      gradient.fill(0);
      for (let row = 0; row < rows; row++) {
        const i = flippedOf(noise, row, units);
        gradient[i] = units * sigmoidSlope(logits[i]) * (1 - 2 * h[i]) * (loss[rows + row] - loss[row]);
      }
    },
  }),
});
