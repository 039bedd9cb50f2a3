import {
  defineNeuron,
  fireEach,
  instantiate,
  lookAtUnit,
  type Neuron,
  randomStream,
  resolveNeuron,
  sigmoid,
  type UnitView,
  unitLosses,
} from '../../../src/index.ts';

/** A unit whose loss is (h − t)²; in a row of several, each has its own and all hear the sum. */
export interface UnitSettings {
  readonly logit: number;
  readonly t: number;
  readonly seed: number;
}

/** What a coin gives along its logit, its noise held fast, and what it gives on average. */
export interface Coin {
  /** Outputs at the logit. */
  readonly tosses: readonly number[];
  readonly points: readonly { readonly logit: number; readonly tossed: number; readonly expected: number }[];
  /** E[L], and its slope, at the logit. */
  readonly expected: number;
  readonly slope: number;
  /** Mean loss of the tosses at the logit. */
  readonly tossed: number;
}

/** One number a baseline. */
export interface Baselines {
  readonly points: readonly { readonly baseline: number; readonly variance: number }[];
  /** Of least variance. */
  readonly best: number;
}

/** The variance of one unit's gradient in a row of so many. */
export interface CrowdPoint {
  readonly neuron: string;
  readonly units: number;
  readonly variance: number;
}

const MOST_LOGIT = 5;
const STEPS = 200;
/** First word of the path of the stream of tosses: the word "coin" in ASCII. */
const STREAM = 0x636f696e;
const [LEAST_BASELINE, MOST_BASELINE, BASELINES] = [-1, 3, 41];

/** REINFORCE with a baseline that is given, and learns none: a neuron of one's own, as anybody can define one. */
export const scoreWith = defineNeuron({
  name: 'score-with-baseline',
  source: 'Williams 1992, §4',
  summary: 'h = 1[u < σ(a)]; ĝ = (h − σ(a))(L − b)',
  options: { b: { minimum: -1000, maximum: 1000, default: 0, meaning: 'the baseline' } },
  rule: ({ b }) => ({
    noise: 1,
    reads: 'loss',
    range: 'unit-interval',
    claims: { unbiased: true, mean: sigmoid, rate: sigmoid },
    cells: (logit) => [sigmoid(logit)],
    fire: fireEach((logit, u) => (u < sigmoid(logit) ? 1 : 0)),
    pullback({ units, logits, h, loss, gradient }) {
      for (let i = 0; i < h.length; i++) gradient[i] = (h[i] - sigmoid(logits[i])) * (loss[Math.floor(i / units)] - b);
    },
    expect: sigmoid,
    whenOpen: () => 1,
  }),
});
const withBaseline = (b: number): Neuron => instantiate(scoreWith, { b });

/** Answers of the page "The article". */
export const articleAnswers = {
  async coin({ logit, t, tosses, seed }: UnitSettings & { readonly tosses: number }): Promise<Coin> {
    const coin = resolveNeuron('stochastic-binary');
    const loss = unitLosses.square(t);
    const lossOf = (h: number): number => loss(Float64Array.of(h)).loss;
    const random = randomStream(seed, STREAM);
    const noise = Float64Array.from({ length: tosses }, () => random.uniform());
    const fire = (at: number): Float64Array => {
      const h = new Float64Array(tosses);
      coin.fire({ rows: tosses, units: 1, logits: new Float64Array(tosses).fill(at), noise, h, state: {} });
      return h;
    };
    const meanLoss = (h: Float64Array): number => h.reduce((sum, value) => sum + lossOf(value), 0) / tosses;
    const expected = (at: number): number => {
      const rate = coin.claims.rate?.(at) ?? Number.NaN;
      return rate * lossOf(1) + (1 - rate) * lossOf(0);
    };
    const here = fire(logit);
    return {
      tosses: [...here],
      points: Array.from({ length: STEPS + 1 }, (_, i) => {
        const at = (2 * i * MOST_LOGIT) / STEPS - MOST_LOGIT;
        return { logit: at, tossed: meanLoss(fire(at)), expected: expected(at) };
      }),
      expected: expected(logit),
      slope: lookAtUnit(coin, { logit, loss, seed }).truth,
      tossed: meanLoss(here),
    };
  },

  /** The variance of ĝ by its baseline, exactly: a parabola, which three of its points tell, and whose least is where the optimal one stands. */
  async baselines({ logit, t, units }: UnitSettings & { readonly units: number }): Promise<Baselines> {
    const loss = unitLosses.square(t);
    const [at0, at1, at2] = [0, 1, 2].map((b) => lookAtUnit(withBaseline(b), { logit, loss, units }).variance);
    const curvature = (at0 - 2 * at1 + at2) / 2;
    const slope = at1 - at0 - curvature;
    return {
      points: Array.from({ length: BASELINES }, (_, i) => {
        const b = LEAST_BASELINE + ((MOST_BASELINE - LEAST_BASELINE) * i) / (BASELINES - 1);
        // Rounding may take the least of it under 0.
        return { baseline: b, variance: Math.max(0, at0 + slope * b + curvature * b * b) };
      }),
      best: -slope / (2 * curvature),
    };
  },

  /** Single gradients with a baseline that is given. */
  async scored({
    logit,
    t,
    units,
    baseline,
    seed,
  }: UnitSettings & { readonly units: number; readonly baseline: number }): Promise<UnitView> {
    return lookAtUnit(withBaseline(baseline), { logit, loss: unitLosses.square(t), units, seed });
  },

  /** How the noise of one unit's gradient grows with the units beside it; one point an event. */
  async *crowd({
    logit,
    t,
    seed,
    neurons,
    units,
  }: UnitSettings & { readonly neurons: readonly string[]; readonly units: readonly number[] }): AsyncGenerator<
    CrowdPoint,
    void
  > {
    for (const count of units)
      for (const neuron of neurons) {
        const { variance } = lookAtUnit(resolveNeuron(neuron), {
          ...{ logit, seed, units: count },
          loss: unitLosses.square(t),
        });
        yield { neuron, units: count, variance };
      }
  },
};
