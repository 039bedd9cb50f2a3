import { defineNeuron } from '../contract.ts';
import { addJacobian, classes, classOf, eachGroup, oneHot, pullGroups, relaxGiven } from '../parts/one-hot.ts';
import { temperature } from './concrete.ts';

// In use the unit emits the class with the largest relaxed value; it trains with the relaxation itself.
export const categoricalConcrete = defineNeuron({
  name: 'categorical-concrete',
  source: 'Jang, Gu, Poole 2017 (Gumbel-softmax), §2.1; Maddison, Mnih, Teh 2017 (concrete), §3',
  summary: 'h = softmax((a + G)/τ), G Gumbel, in use 1 where a + G is largest; ĝ = (diag h − h·hᵀ)·δ/τ',
  options: { classes, temperature },
  rule: ({ classes, temperature }) => ({
    ...oneHot(classes),
    noise: 2,
    reads: 'cotangent',
    claims: { unbiased: false, unbiasedRelaxation: true },
    fire(firing) {
      const { noise, h } = firing;
      eachGroup(firing, classes, (_row, first, _size, p) => {
        h.set(
          relaxGiven(classOf(p, noise[2 * first]), p, (i) => noise[2 * (first + i) + 1], temperature),
          first,
        );
      });
    },
    pullback(pullback) {
      const { h } = pullback;
      pullGroups(pullback, classes, (first, size) =>
        addJacobian(Float64Array.from(h.subarray(first, first + size)), pullback, first, 1 / temperature),
      );
    },
  }),
});
