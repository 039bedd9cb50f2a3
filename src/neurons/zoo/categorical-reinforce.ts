import { sum } from '../../math/statistics.ts';
import { defineNeuron, type NeuronState } from '../contract.ts';
import { classes, fireOneHot, oneHot, pullGroups } from '../parts/one-hot.ts';

const DECAY = 0.9;

const baselineOf = ({ loss }: NeuronState): number => loss?.[0] ?? 0;

export const categoricalReinforce = defineNeuron({
  name: 'categorical-reinforce',
  source: 'Williams 1992, "Simple Statistical Gradient-Following Algorithms", for softmax units',
  summary: 'h = one of `classes` units by p = softmax(a); ĝ = (h − p)(L − L̄), L̄ the moving average of the loss or 0',
  options: {
    classes,
    baseline: { choices: ['moving-average', 'none'], default: 'moving-average', meaning: 'L̄' },
  },
  rule: ({ classes, baseline }) => ({
    ...oneHot(classes),
    noise: 1,
    reads: 'loss',
    claims: { unbiased: true },
    fire: (firing) => fireOneHot(firing, classes),
    pullback(pullback) {
      const { h, loss, gradient, state } = pullback;
      pullGroups(pullback, classes, (first, size, p, row) => {
        const advantage = loss[row] - baselineOf(state);
        for (let k = 0; k < size; k++) gradient[first + k] = (h[first + k] - p[k]) * advantage;
      });
    },
    ...(baseline === 'moving-average' && {
      state: { loss: { size: () => 1, start: () => 0 } },
      update({ loss, state }) {
        state.loss[0] = DECAY * state.loss[0] + ((1 - DECAY) * sum(loss)) / loss.length;
      },
    }),
  }),
});
