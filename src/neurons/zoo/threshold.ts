import { sigmoid, sigmoidSlope } from '../../math/special.ts';
import { defineNeuron, type Firing, LEAST_OPEN, pullbackEach } from '../contract.ts';
import { f } from '../formula.ts';

export const threshold = defineNeuron({
  name: 'threshold',
  source: 'Bengio, Léonard, Courville 2013, §5 (gates cut at a threshold), here in training too; ĝ of §4 for value=one',
  summary: "h = 1[σ(a) > θ], or σ(a) there; ĝ = δ·σ'(a) for value=one, δ·σ'(a)·1[h ≠ 0] for value=sigmoid",
  options: {
    theta: { minimum: 0, maximum: 0.95, default: 0.5, meaning: 'θ: units with σ(a) over it are open' },
    value: { choices: ['one', 'sigmoid'], default: 'one', meaning: 'what open units emit: 1, or σ(a)' },
  },
  rule: ({ theta, value }) => {
    const one = value === 'one';
    const cut = Math.log(theta / (1 - theta));
    const whenOpen = (logit: number): number => (one ? 1 : Math.max(LEAST_OPEN, sigmoid(logit)));
    const expect = (logit: number): number => (logit > cut ? whenOpen(logit) : 0);
    const open = one ? 1 : f.max(LEAST_OPEN, f.sigmoid(f.logit));
    const fire = ({ units, logits, h, selectionBias }: Firing): void => {
      for (let i = 0; i < h.length; i++) {
        const score = logits[i] + (selectionBias?.[i % units] ?? 0);
        h[i] = Number.isFinite(score) ? (score > cut ? whenOpen(logits[i]) : 0) : Number.NaN;
      }
    };
    return {
      noise: 0,
      selects: true,
      reads: one ? 'cotangent' : 'cotangent-when-open',
      range: 'unit-interval',
      claims: { unbiased: !one, mean: expect, rate: (logit) => (logit > cut ? 1 : 0) },
      fire,
      settle: fire,
      pullback: pullbackEach((logit, h) => (one || h !== 0 ? sigmoidSlope(logit) : 0)),
      expect,
      whenOpen,
      twin: {
        fire: 'fireThreshold',
        settle: 'fireThreshold',
        pullback: 'pullbackThreshold',
        numbers: [cut, one ? 1 : 0],
      },
      formulas: {
        expect: f.pick(f.logit, cut, open, 0),
        whenOpen: open,
        settle: { keep: { over: cut }, value: open },
      },
    };
  },
});
