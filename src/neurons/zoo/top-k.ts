import { sigmoid } from '../../math/special.ts';
import { defineNeuron, type Firing } from '../contract.ts';
import { fireLargest, keepOptions, keptOf, largestFormulas, largestTwin, pullLargest } from '../parts/keep-largest.ts';

export const topK = defineNeuron({
  name: 'top-k',
  source:
    'Shazeer et al. 2017, §2.1, Eq. 3 and 5 (KeepTopK) without the noise; of equal logits the lower index is kept',
  summary:
    "h = softmax over the k largest logits of the row, or σ(a) of them, others 0; ĝ = h_i(δ_i − Σ_j h_j·δ_j), or δ·σ'",
  options: keepOptions,
  rule: (options) => {
    const { value } = options;
    const opens = keptOf(options);
    const fire = (firing: Firing): void => fireLargest(firing, opens, value);
    const alone = value === 'softmax' ? () => 1 : sigmoid;
    return {
      noise: 0,
      jointNoise: 'units',
      selects: true,
      opens,
      reads: 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: true },
      fire,
      settle: fire,
      pullback: (pullback) => pullLargest(pullback, value),
      expect: alone,
      whenOpen: alone,
      formulas: largestFormulas(value),
      twin: largestTwin(opens, value, 0),
    };
  },
});
