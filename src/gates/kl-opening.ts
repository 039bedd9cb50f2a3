import { kl } from './kl.ts';
import type { SparsityPenalty } from './penalty.ts';

/**
 * The KL penalty on how often gates are open, for neurons whose P(h ≠ 0) is not σ(a): stochastic-times-smooth gates then open at the
 * target rate, where `kl` leaves √s of them open.
 */
export const klOpening: SparsityPenalty = {
  ...kl,
  name: 'kl-opening',
  source: "Bengio, Léonard, Courville 2013, §5; on P(h ≠ 0) in the authors' code of the stochastic-times-smooth gater",
  summary: '−Σ_i [s·log r̄_i + (1−s)·log(1−r̄_i)], r̄_i the mean of P(h_i ≠ 0) over the minibatch',
  on: 'opening',
};
