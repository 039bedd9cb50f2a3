/** Attacks on the audit: neurons that are right where one looks first, each of another kind; and honest ones that look odd. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certify, type Neuron, type NeuronDefinition, resolveNeuron } from '../../src/index.ts';
import { sigmoid, sigmoidSlope } from '../../src/math/special.ts';
import { sum } from '../../src/math/statistics.ts';
import type { Firing, Numbers } from '../../src/neurons/contract.ts';
import { builds } from '../helpers/engines.ts';
import { slow } from '../helpers/extent.ts';
import {
  bits,
  equalWeights,
  meanScore,
  ones,
  optional,
  own,
  rloo,
  scaled,
  score,
  set,
  several,
  times,
  uncut,
  untold,
  verdictOn,
} from '../helpers/judged.ts';
import { shuffled } from '../helpers/shuffled.ts';

const held: number[] = [0];
const group = resolveNeuron('categorical-reinforce') as Neuron;

type Attack = readonly [what: string, claim: string, neuron: Neuron | NeuronDefinition];

const attacks: readonly Attack[] = [
  [
    'minibatches of few rows, no cells',
    'examples by themselves',
    { ...uncut, pullback: times(({ pass }) => (pass.rows < 40 ? 2 : 1)) },
  ],
  ['64 rows', 'examples by themselves', { ...score, pullback: times(({ pass }) => (pass.rows === 64 ? 2 : 1)) }],
  ['100 rows', 'examples by themselves', { ...score, pullback: times(({ pass }) => (pass.rows === 100 ? -1 : 1)) }],
  ['128 units', 'unbiased', { ...score, pullback: times(({ pass }) => (pass.units === 128 ? 0.5 : 1)) }],
  [
    'crowded rows',
    'unbiased',
    { ...score, pullback: times((at) => (at.pass.units > 9 && ones(at) > 0.8 * at.pass.units ? 1.5 : 1)) },
  ],
  [
    'empty rows',
    'unbiased',
    { ...score, pullback: times((at) => (at.pass.units > 9 && ones(at) < 0.2 * at.pass.units ? 0 : 1)) },
  ],
  [
    'seven units at once',
    'unbiased',
    {
      ...score,
      pullback: times((at) =>
        at.pass.units >= 7 &&
        at.pass.h.subarray(at.row * at.pass.units, at.row * at.pass.units + 6).every((h) => h === 1)
          ? 3
          : 1,
      ),
    },
  ],
  [
    'small negative losses',
    'unbiased',
    { ...score, pullback: times(({ loss }) => (loss < 0 && loss > -0.05 ? 4 : 1)) },
  ],
  ['far logits', 'unbiased', { ...score, pullback: times(({ a }) => (Math.abs(a) > 15.5 ? 1.1 : 1)) }],
  [
    'its own loss in the baseline',
    'unbiased',
    {
      ...score,
      pullback: times(
        () => 1,
        ({ loss, pass, i }) => 0.01 * loss * pass.h[i],
      ),
    },
  ],
  [
    'a scale that the gradient does not have',
    'unbiased',
    {
      ...score,
      state: { n: 0 },
      update: ({ state }) => void state.n[0]++,
      claims: { unbiased: true, scale: ({ n }) => 1 + 0.001 * n[0] },
      pullback: times(() => 1),
    },
  ],
  ['one stretch of an option', 'unbiased', optional('stretch', ({ c }) => times(() => (c > 0.52 && c < 0.6 ? 2 : 1)))],
  ['two options together', 'unbiased', optional('pair', ({ c, d }) => times(() => (c > 0.3 && d > 0.3 ? 2 : 1)))],
  [
    'noise of the unit 32 before',
    'jointNoise',
    { ...score, sample: (f: Firing) => sharing(f, 32), fire: (f) => sharing(f, 32), claims: { unbiased: false } },
  ],
  [
    'all units of a row by one number',
    'jointNoise',
    {
      ...score,
      sample: (f: Firing) => sharing(f, Number.POSITIVE_INFINITY),
      fire: (f) => sharing(f, Number.POSITIVE_INFINITY),
    },
  ],
  [
    'the loss of the next row, in Float32',
    'examples by themselves',
    {
      ...score,
      pullback: times(
        () => 1,
        ({ pass, row }) => (pass.loss instanceof Float32Array ? pass.loss[(row + 1) % pass.rows] : 0),
      ),
    },
  ],
  [
    'the loss of one row, of another, in wide layers',
    'examples by themselves',
    {
      ...score,
      pullback: times(
        () => 1,
        ({ pass, row }) => (pass.units > 30 && row === 3 ? pass.loss[2] : 0),
      ),
    },
  ],
  [
    'the loss of the last pass',
    'same input, same output',
    {
      ...score,
      pullback: (pass) => {
        times(
          () => 1,
          () => held[0],
        )(pass);
        held[0] = pass.loss[0];
      },
    },
  ],
  [
    'weights of many units',
    'weigh',
    {
      ...rloo,
      weigh: (w) => {
        equalWeights(w);
        if (w.units > 8) w.weights.fill(1);
      },
    },
  ],
  [
    'weights of losses around 100',
    'weigh',
    {
      ...rloo,
      weigh: (w) => {
        equalWeights(w);
        if (w.loss[0] > 60) w.weights.fill(1);
      },
    },
  ],
  [
    'opening in wide layers',
    'opening',
    {
      ...score,
      opening: {
        ...score.opening,
        probability: (f: Omit<Firing, 'h' | 'state'>, p: Numbers) => {
          score.opening?.probability(f, p);
          if (f.units > 20) p[p.length - 1] *= 0.9;
        },
      } as never,
    },
  ],
  [
    'a stretch of the mean',
    'mean',
    { ...score, claims: { ...score.claims, mean: (a) => (a > 7.1 && a < 7.3 ? 1 : sigmoid(a)) } },
  ],
  [
    'a rate that moves with the state',
    'rate',
    {
      ...score,
      state: { n: 0 },
      update: ({ state }) => void state.n[0]++,
      fire: (f) => {
        score.fire(f);
        if ((f.state.n?.[0] ?? 0) > 100) f.h.fill(1);
      },
      sample: (f: Firing) => {
        score.fire(f);
        if ((f.state.n?.[0] ?? 0) > 100) f.h.fill(1);
      },
      claims: { unbiased: false, rate: sigmoid },
    },
  ],
  [
    'a range that is left far out',
    'range',
    {
      ...score,
      claims: { unbiased: false },
      fire: (f) => {
        score.fire(f);
        for (let i = 0; i < f.h.length; i++) if (f.logits[i] > 9) f.h[i] *= 1.01;
      },
    },
  ],
  [
    'a cotangent that is read far out',
    'reads',
    { ...score, pullback: times(({ a, pass, i }) => (a > 9 ? 1 + 0.1 * Math.sign(pass.dh[i]) : 1)) },
  ],
  [
    'groups that share their noise',
    'jointNoise',
    { ...group, fire: (f) => oneClass(f, group), sample: (f: Firing) => oneClass(f, group) },
  ],
  ['numbers of a twin for 64 units', 'twin', withNumbers('straight-through-gumbel', 64)],
  ['a kernel that settles otherwise', 'twin', wrongKernel('top-k', { settle: 'fireSigmoid' })],
  [
    'a kernel of opening of another',
    'twin',
    wrongKernel('noisy-top-k', { opening: { probability: 'fireSigmoid', pullback: 'pullbackOpenLargest' } }),
  ],
  ['a narrow stretch of logits', 'unbiased', { ...score, pullback: times(({ a }) => (a > 3.31 && a < 3.34 ? 2 : 1)) }],
  ['a band of losses', 'unbiased', { ...score, pullback: times(({ loss }) => (loss > 4 && loss < 4.2 ? 2 : 1)) }],
  [
    'minibatches of 25',
    'examples by themselves',
    { ...score, pullback: times(({ pass }) => (pass.rows === 25 ? 2 : 1)) },
  ],
  [
    'totals with the losses of others',
    'weigh',
    {
      ...rloo,
      weigh: (w) => {
        equalWeights(w);
        const mean = sum(w.loss) / w.loss.length;
        for (let row = 0; row < w.rows; row++) w.total[row] += 0.1 * (mean - w.loss[row]);
      },
    },
  ],
  ['groups that hang on the next one', 'jointNoise', { ...group, fire: besideGroup, sample: besideGroup }],
  ['a set whose states weigh alike', 'unbiased', { ...set, weigh: equalWeights, pullback: meanScore }],
  ['a set whose states weigh alike, no cells', 'unbiased', { ...untold, weigh: equalWeights, pullback: meanScore }],
  ['a set with 1.2 times its gradient, no cells', 'unbiased', { ...untold, pullback: scaled(set, () => 1.2) }],
  ['a set that is wrong by a thousandth', 'unbiased', { ...set, pullback: scaled(set, () => 1.001) }],
  [
    'a set that is wrong in layers of six and more',
    'unbiased',
    { ...set, pullback: scaled(set, ({ units }) => (units > 5 ? -1 : 1)) },
  ],
  [
    'a set that is wrong where the first state is all ones',
    'unbiased',
    {
      ...set,
      pullback: scaled(set, (pass, i) => (ones({ pass, row: Math.floor(i / pass.units) }) === pass.units ? 1.3 : 1)),
    },
  ],
];

function sharing({ units, logits, noise, h }: Firing, apart: number): void {
  const numbers = noise.length / logits.length;
  for (let i = 0; i < h.length; i++) {
    const unit = i % units;
    const from = apart > units ? i - unit : unit >= apart ? i - apart : i;
    h[i] = Number.isFinite(logits[i]) ? (noise[from * numbers] < sigmoid(logits[i]) ? 1 : 0) : Number.NaN;
  }
}

/** Every group by logits that those of the next one move. */
function besideGroup(firing: Firing): void {
  const { logits } = firing;
  group.fire({ ...firing, logits: logits.map((a, i) => a + 0.1 * logits[(i + (group.group ?? 1)) % logits.length]) });
}

/** Every group of a row by the noise of the first. */
function oneClass(firing: Firing, of: Neuron): void {
  const { units, noise } = firing;
  const size = of.group ?? 1;
  const shared = noise.map((_, i) => {
    const unit = Math.floor(i / of.noise);
    const row = Math.floor(unit / units);
    return noise[(row * units + ((unit % units) % size)) * of.noise + (i % of.noise)];
  });
  of.fire({ ...firing, noise: shared });
}

function withNumbers(name: string, units: number): Neuron {
  const neuron = resolveNeuron(name) as Neuron;
  const right = neuron.twin?.numbers;
  assert.ok(neuron.twin && Array.isArray(right));
  return {
    ...neuron,
    twin: { ...neuron.twin, numbers: (count) => (count === units ? [right[0] * 2] : right) as never },
  };
}

function wrongKernel(name: string, part: Partial<NonNullable<Neuron['twin']>>): Neuron {
  const neuron = resolveNeuron(name) as Neuron;
  return { ...neuron, twin: { ...neuron.twin, ...part } };
}

describe('dishonest neurons are refuted', () => {
  for (const [i, [what, claim, neuron]] of attacks.entries()) {
    // One of each claim; those that take long are run in full.
    const isQuick =
      !['unbiased', 'twin', 'same input, same output'].includes(claim) &&
      attacks.findIndex((one) => one[1] === claim) === i;
    it(`${what}: ${claim}`, { skip: !isQuick && slow }, () => {
      const found = verdictOn(claim, 'rule' in neuron ? neuron : { ...neuron, name: what });
      assert.equal(found?.verdict, 'refuted', JSON.stringify(found));
    });
  }
});

const honest: Readonly<Record<string, Neuron>> = {
  'a roulette of 1 in 2,000 in the middle': several(2, {
    pullback: times((at) => (Math.abs(own(at, 1) - 0.4377) < 0.00025 ? 2000 : 0)),
  }),
  'a narrow bump': several(2, {
    pullback: times((at) =>
      Math.abs(own(at, 1) - 0.61234) < 0.00001 ? 1 + 1e4 : Math.abs(own(at, 1) - 0.2) < 0.00001 ? 1 - 1e4 : 1,
    ),
  }),
  'the sum of three numbers': several(3, {
    fire: bits((i, u) => (u[3 * i] + u[3 * i + 1] + u[3 * i + 2]) % 1),
  }),
  'heavy tails': several(2, {
    pullback: (pass) => {
      times(() => 1)(pass);
      for (let i = 0; i < pass.gradient.length; i++) {
        const u = 2 * pass.noise[2 * i + 1] - 1;
        pass.gradient[i] += Math.sign(u) * ((1 - Math.abs(u)) ** -0.45 - 1) * pass.loss[Math.floor(i / pass.units)];
      }
    },
  }),
  'a set, no cells': untold,
  'bits of a number in another order': several(1, {
    fire: bits((i, u) => shuffled(u[i])),
  }),
  'three draws, no cells': { ...rloo, cells: undefined as never },
  'every state and a slope': several(1, {
    draws: 2,
    sample: bits((i, u) => u[i]),
    fire({ logits, h }) {
      for (let at = 0; at < h.length; at++) {
        const i = at % logits.length;
        h[at] = Number.isFinite(logits[i]) ? (at < logits.length ? 1 : 0) : Number.NaN;
      }
    },
    weigh({ rows, logits, loss, weights, total }) {
      for (let row = 0; row < rows; row++) {
        const p = sigmoid(logits[row]);
        weights[row] = p;
        weights[rows + row] = 1 - p;
        total[row] = p * loss[row] + (1 - p) * loss[rows + row];
      }
    },
    mostUnits: 1,
    opening: undefined as never,
    pullback({ rows, logits, loss, gradient }) {
      for (let row = 0; row < rows; row++) gradient[row] = sigmoidSlope(logits[row]) * (loss[row] - loss[rows + row]);
    },
  }),
};

describe('honest neurons are not refuted', () => {
  for (const [what, neuron] of Object.entries(honest))
    it(what, { skip: what !== 'every state and a slope' && slow }, () => {
      const found = certify({ ...neuron, name: what }, { engines: builds });
      assert.deepEqual(
        found.filter(({ verdict }) => verdict === 'refuted'),
        [],
      );
    });
});
