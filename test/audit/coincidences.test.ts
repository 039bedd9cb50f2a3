/**
 * Neurons that are wrong only where numbers coincide (equal logits, whole losses), in layers and minibatches of some sizes, or in functions that
 * few modes call; and honest ones of unusual make.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certify, type Neuron, type NeuronDefinition, resolveNeuron } from '../../src/index.ts';
import { logit, sigmoid } from '../../src/math/special.ts';
import { sum } from '../../src/math/statistics.ts';
import { type Firing, fireEach, type Numbers } from '../../src/neurons/contract.ts';
import { builds } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import { bits, equalWeights, optional, own, rloo, score, several, times, verdictOn } from '../helpers/judged.ts';

/** A neuron whose `settle` is its mean, row by row but for what `change` does to it. */
const settling = (change: (firing: Firing) => void): Neuron => ({
  ...score,
  claims: { unbiased: false },
  settle(firing: Firing) {
    const { logits, h } = firing;
    for (let i = 0; i < h.length; i++) h[i] = Number.isFinite(logits[i]) ? sigmoid(logits[i]) : Number.NaN;
    change(firing);
  },
});

/** A kernel's numbers are others in layers of so many units. */
function numbersFor(units: number): Neuron {
  const neuron = resolveNeuron('straight-through-gumbel') as Neuron;
  const right = neuron.twin?.numbers;
  assert.ok(neuron.twin && Array.isArray(right));
  return {
    ...neuron,
    twin: { ...neuron.twin, numbers: (count) => (count === units ? [right[0] * 2] : right) as never },
  };
}

type Attack = readonly [what: string, claim: string, neuron: Neuron | NeuronDefinition];

const attacks: readonly Attack[] = [
  [
    'equal logits of the first two units',
    'unbiased',
    {
      ...score,
      pullback: times(({ pass: { logits, units }, row }) =>
        units > 1 && logits[row * units] === logits[row * units + 1] ? 2 : 1,
      ),
    },
  ],
  ['whole losses', 'unbiased', { ...score, pullback: times(({ loss }) => (Number.isInteger(loss) ? 1.5 : 1)) }],
  ['a loss of 1', 'unbiased', { ...score, pullback: times(({ loss }) => (loss === 1 ? 0 : 1)) }],
  ['the logit 0', 'unbiased', { ...score, pullback: times(({ a }) => (a === 0 ? 0.5 : 1)) }],
  [
    'layers of over 1,500 units',
    'unbiased',
    { ...score, pullback: times(({ pass: { units } }) => (units > 1500 ? -1 : 1)) },
  ],
  [
    'after 700 updates',
    'unbiased',
    {
      ...score,
      state: { n: 0 },
      update: ({ state }) => void state.n[0]++,
      pullback: times(({ pass: { state } }) => (state.n[0] > 700 ? 0.5 : 1)),
    },
  ],
  [
    'draws that are the same from the fourth unit on',
    'unbiased',
    {
      ...rloo,
      fire(firing) {
        rloo.fire(firing);
        const { units, logits, h } = firing;
        for (let i = 0; i < logits.length; i++) if (i % units > 2) h[logits.length + i] = h[i];
      },
    },
  ],
  [
    'a stretch of 0.02 of an option',
    'unbiased',
    optional('stretch', ({ c }) => times(() => (c > 0.51 && c < 0.53 ? 2 : 1))),
  ],
  ['the third row alone', 'examples by themselves', { ...score, pullback: times(({ row }) => (row === 2 ? 2 : 1)) }],
  [
    '`sample` of a single row',
    'examples by themselves',
    {
      ...score,
      sample(firing) {
        score.fire(firing);
        if (firing.rows === 1) firing.h.fill(1);
      },
    },
  ],
  [
    '`settle` less the mean of the minibatch',
    'examples by themselves',
    settling(({ rows, h }) => {
      const mean = sum(h) / h.length;
      if (rows > 1) for (let i = 0; i < h.length; i++) h[i] += 0.1 * (mean - h[i]);
    }),
  ],
  [
    '`settle` that is not `expect`',
    'settle',
    settling(({ logits, h }) => void h.set(logits.map((a) => (a > 0 ? 1 : 0)))),
  ],
  [
    'weights of equal losses',
    'weigh',
    {
      ...rloo,
      weigh(weighing) {
        equalWeights(weighing);
        const { rows, loss, weights } = weighing;
        for (let i = rows; i < loss.length; i++) if (loss[i] === loss[i - rows]) weights[i] = 0;
      },
    },
  ],
  [
    'opening from unit 100 on',
    'opening',
    {
      ...score,
      opening: {
        ...score.opening,
        probability(firing: Omit<Firing, 'h' | 'state'>, p: Numbers) {
          score.opening?.probability(firing, p);
          for (let i = 0; i < p.length; i++) if (i % firing.units >= 100) p[i] *= 0.9;
        },
      } as never,
    },
  ],
  ['numbers of a twin for 400 units', 'twin', numbersFor(400)],
];

describe('dishonest neurons are refuted', () => {
  for (const [what, claim, neuron] of attacks)
    it(`${what}: ${claim}`, { skip: ['unbiased', 'twin'].includes(claim) && slow }, () => {
      const found = verdictOn(claim, 'rule' in neuron ? neuron : { ...neuron, name: what });
      assert.equal(found?.verdict, 'refuted', JSON.stringify(found));
    });
});

/** −log of a uniform number on both sides of 0. */
const laplace = (u: number): number => (u < 0.5 ? Math.log(2 * u) : -Math.log(2 * (1 - u)));

const honest: Readonly<Record<string, Neuron>> = {
  'an antithetic pair': several(1, {
    draws: 2,
    sample: bits((i, u) => u[i]),
    fire({ logits, noise, h }) {
      for (let i = 0; i < logits.length; i++)
        for (const [draw, u] of [noise[i], 1 - noise[i]].entries())
          h[draw * logits.length + i] = Number.isFinite(logits[i]) ? (u < sigmoid(logits[i]) ? 1 : 0) : Number.NaN;
    },
    pullback({ rows, units, logits, h, loss, gradient }) {
      for (let i = 0; i < gradient.length; i++) {
        const [p, row] = [sigmoid(logits[i]), Math.floor(i / units)];
        gradient[i] = (loss[row] * (h[i] - p) + loss[rows + row] * (h[logits.length + i] - p)) / 2;
      }
    },
  }),
  'a tiny variance': several(2, {
    pullback: times((at) => 1 + 1e-9 * (own(at, 1) - 0.5)),
  }),
  'noise of another unit, of mean 0': {
    ...score,
    pullback(pass) {
      times(() => 1)(pass);
      const { units, logits, h, gradient } = pass;
      for (let i = 0; i < gradient.length; i++) {
        const next = i % units === units - 1 ? i - units + 1 : i + 1;
        if (next !== i) gradient[i] += 0.3 * (h[next] - sigmoid(logits[next]));
      }
    },
  },
  'units that are 1 or −1': {
    ...score,
    claims: { unbiased: true },
    range: 'real',
    opening: undefined as never,
    fire: fireEach((a, u) => (u < sigmoid(a) ? 1 : -1)),
    sample: fireEach((a, u) => (u < sigmoid(a) ? 1 : -1)),
    expect: (a) => 2 * sigmoid(a) - 1,
    formulas: 'none',
    pullback({ units, logits, h, loss, gradient }) {
      for (let i = 0; i < gradient.length; i++)
        gradient[i] = loss[Math.floor(i / units)] * ((h[i] + 1) / 2 - sigmoid(logits[i]));
    },
  },
  'Laplace noise with its kink undeclared': {
    ...resolveNeuron('linear'),
    noise: 1,
    identity: undefined as never,
    twin: undefined as never,
    claims: { unbiased: true },
    formulas: 'none',
    fire: fireEach((a, u) => a + laplace(u)),
  },
  'three stretches of the noise': {
    ...several(1, { fire: bits((i, u) => (3 * u[i]) % 1) }),
  },
  'logistic noise and its score': several(1, {
    fire: bits((i, u) => sigmoid(logit(u[i]))),
  }),
  'draws by another law, weighed': several(1, {
    draws: 2,
    mostUnits: 1,
    opening: undefined as never,
    sample: bits((i, u) => u[i]),
    fire({ logits, noise, h }) {
      for (let i = 0; i < logits.length; i++) {
        const broken = Number.isFinite(logits[i]) ? 0 : Number.NaN;
        h[i] = (noise[i] < 0.5 ? 1 : 0) + broken;
        h[logits.length + i] = 1 - h[i];
      }
    },
    weigh({ rows, logits, h, loss, weights, total }) {
      for (let row = 0; row < rows; row++) {
        const p = sigmoid(h[row] === 1 ? logits[row] : -logits[row]);
        weights[row] = p;
        weights[rows + row] = 1 - p;
        total[row] = p * loss[row] + (1 - p) * loss[rows + row];
      }
    },
    pullback({ rows, logits, h, loss, gradient }) {
      for (let row = 0; row < rows; row++) {
        const slope = sigmoid(logits[row]) * sigmoid(-logits[row]);
        gradient[row] = (h[row] === 1 ? 1 : -1) * slope * (loss[row] - loss[rows + row]);
      }
    },
  }),
  'a baseline that is learnt from far off': {
    ...score,
    state: { mean: 1e4 },
    update({ loss, state }) {
      for (let i = 0; i < state.mean.length; i++) state.mean[i] += 0.1 * (loss[0] - state.mean[i]);
    },
    pullback: times(
      () => 1,
      ({ pass: { state }, unit }) => state.mean[unit],
    ),
  },
  'one gradient of three, times three': several(2, {
    pullback: times((at) => (own(at, 1) < 1 / 3 ? 3 : 0)),
  }),
};

describe('honest neurons are not refuted', () => {
  for (const [what, neuron] of Object.entries(honest))
    it(what, { skip: what !== 'an antithetic pair' && slow }, () => {
      const found = certify({ ...neuron, name: what }, { engines: builds });
      assert.deepEqual(
        found.filter(({ verdict }) => verdict === 'refuted'),
        [],
      );
    });
});
