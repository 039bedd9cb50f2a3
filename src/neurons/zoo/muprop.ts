import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron } from '../contract.ts';
import { bernoulli, pullEach, unbiasedBits } from '../parts/bernoulli.ts';
import { firstDraw } from '../parts/first-draw.ts';
import { baselineScale, baselineState, centred, HIDDEN, learnBaseline } from '../parts/learned-baseline.ts';
import { fireWithMeans, residuals } from '../parts/muprop-parts.ts';

// The mean-field pass is the second draw. The paper never runs it bare: its MuProp-C, the default, subtracts the moving average c, -IDB
// adds a C that sees the layer's input, -VN divides by max(1, s); here the whole ĝ, so that it keeps its direction.
export const muprop = defineNeuron({
  name: 'muprop',
  source: 'Gu, Levine, Sutskever, Mnih 2016, "MuProp", §2.2, §3, Eq. 3 and Algorithm 1',
  summary: 'h = 1[u < p], p = σ(a); ĝ = (h − p)(f(h) − f(p) − f′(p)·(h − p) − C(x) − c) + f′(p)·p(1 − p)',
  options: {
    baseline: {
      choices: ['moving-average', 'linear', 'network', 'none'],
      default: 'moving-average',
      meaning: `c, a moving average; with it C, of the layer’s input x: linear, or a network of ${HIDDEN} tanh units; or neither`,
    },
    normalize: { choices: ['no', 'yes'], default: 'no', meaning: 'divide ĝ by max(1, s), s² the running variance' },
  },
  rule: ({ baseline, normalize }) => ({
    ...bernoulli,
    noise: 1,
    draws: 2,
    reads: 'both',
    ...((baseline === 'linear' || baseline === 'network') && { readsInput: true }),
    claims: { ...unbiasedBits, ...(normalize === 'yes' && { scale: baselineScale }) },
    cells: (logit) => [sigmoid(logit)],
    weigh: firstDraw,
    state: baselineState(baseline === 'linear' || baseline === 'network' ? baseline : 'nothing'),
    fire: fireWithMeans,
    pullback(pullback) {
      const { logits, h, dh, state } = pullback;
      const size = logits.length;
      const c = baseline === 'none' ? 0 : state.mean[0];
      const scale = normalize === 'yes' ? baselineScale(state) : 1;
      const signal = centred(pullback, residuals(pullback)).map((f) => f - c);
      const slope = (i: number) => dh[size + i] * sigmoidSlope(logits[i]);
      pullEach(pullback, (row, i) => ((h[i] - h[size + i]) * signal[row] + slope(i)) / scale);
    },
    update: (update) => learnBaseline(update, residuals(update)),
  }),
});
