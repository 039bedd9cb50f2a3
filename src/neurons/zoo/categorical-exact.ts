import { defineNeuron } from '../contract.ts';
import { classes, oneHot, pullGroups } from '../parts/one-hot.ts';
import { fireStates, probabilities, statesOf } from '../parts/one-hot-states.ts';

/** The most states of a layer. Every state is one draw. */
const MOST_STATES = 4096;

export const categoricalExact = defineNeuron({
  name: 'categorical-exact',
  source: 'the definition of the expectation: the sum over all states of the layer',
  summary: 'h = every state of the layer, in use one of `classes` units by p = softmax(a); ĝ = Σ_h P(h)·f(h)·(h − p)',
  options: { classes },
  rule: ({ classes }) => ({
    ...oneHot(classes),
    noise: 1,
    draws: (units) => statesOf(units, classes),
    mostUnits: classes * Math.floor(Math.log(MOST_STATES + 0.5) / Math.log(classes)),
    comparesRows: true,
    reads: 'loss',
    claims: { unbiased: true },
    weigh(weighing) {
      const { rows, loss, weights, total } = weighing;
      weights.set(probabilities(weighing, classes));
      total.fill(0);
      for (let at = 0; at < loss.length; at++) total[at % rows] += weights[at] * loss[at];
    },
    fire: (firing) => fireStates(firing, classes),
    pullback(pullback) {
      const { rows, logits, h, loss, gradient } = pullback;
      const weights = probabilities(pullback, classes);
      pullGroups(pullback, classes, (first, size, p, row) => {
        for (let at = row; at < loss.length; at += rows)
          for (let k = 0; k < size; k++) {
            const fired = h[Math.floor(at / rows) * logits.length + first + k];
            gradient[first + k] += weights[at] * loss[at] * (fired - p[k]);
          }
      });
    },
  }),
});
