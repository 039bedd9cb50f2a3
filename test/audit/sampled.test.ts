/** What sampling says of a gradient: its standard errors, and what it can tell at all. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { biasVerdicts, measureBias } from '../../src/audit/bias-claim.ts';
import { drawPlace, type Place } from '../../src/audit/places.ts';
import { linearProblem } from '../../src/audit/problems.ts';
import { sampled } from '../../src/audit/sampled.ts';
import { truthAt } from '../../src/audit/truth.ts';
import { type Neuron, resolveNeuron } from '../../src/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import { fireEach } from '../../src/neurons/contract.ts';
import { full, slow } from '../helpers/extent.ts';
import { shuffled } from '../helpers/shuffled.ts';

const { twin: _, ...score } = resolveNeuron('stochastic-binary:baseline=none') as Neuron;

/** A place whose units all matter to a linear loss of about 1. */
function placeOf(seed: number, logits: readonly number[], number = 0): Place {
  const drawn = drawPlace(score, { seed, number, most: 1, points: 700, numbers: 30_000, updates: 0 });
  const units = logits.length;
  return {
    ...drawn,
    units,
    active: Array.from({ length: units }, (_, i) => i),
    logits: Float64Array.from(logits),
    loss: linearProblem(units, 7).loss,
    ...{ rows: 8, size: 1, offset: 0, arrays: 'Float64' },
  };
}

const unitsOf = (place: Place) => sampled(score, place, { scale: 1, truth: truthAt(score, place) }, 400_000).units;

it('the means of sampled places scatter as much as their standard errors say', () => {
  const scores = Array.from({ length: full ? 400 : 100 }, (_, i) => unitsOf(placeOf(1, [0.3], i))[0].z);
  const root = Math.sqrt(scores.reduce((sum, z) => sum + z * z, 0) / scores.length);
  assert.ok(root > 0.8 && root < 1.2, `root mean square of ${scores.length} scores: ${root}`);
});

it('states that are likely enough each and unlikely together refute nothing where they do not come', () => {
  for (const seed of full ? Array.from({ length: 100 }, (_, i) => i + 1) : [6])
    for (const { z } of unitsOf(placeOf(seed, [-4.417614698410034, 4.8])))
      assert.ok(z < 5, `seed ${seed}: ${z} standard errors`);
});

/** 1 with probability σ(a), with jumps in all stretches of its noise number. */
const fire = fireEach((logit, u) => (shuffled(u) < sigmoid(logit) ? 1 : 0));
const { cells: _cells, ...uncut } = score;

it('of countless jumps the true gradient is known by the declared rate, and a factor of 1.2 is seen', {
  skip: slow,
}, () => {
  const pullback: Neuron['pullback'] = (pass) => {
    score.pullback(pass);
    for (let i = 0; i < pass.gradient.length; i++) pass.gradient[i] *= 1.2;
  };
  const neuron = { ...uncut, fire, sample: fire, pullback, name: 'a fifth more' };
  const [{ verdict, evidence }] = biasVerdicts([measureBias(neuron, neuron.name, true)]);
  assert.equal(verdict, 'refuted', evidence);
});

it('of countless jumps and no declared rate nothing is said', { skip: slow }, () => {
  const neuron: Neuron = {
    ...{ ...uncut, fire, sample: fire, name: 'unknown' },
    claims: { unbiased: true },
  };
  const [{ verdict, evidence }] = biasVerdicts([measureBias(neuron, neuron.name, true)]);
  assert.equal(verdict, 'undecided', evidence);
  assert.match(evidence, /more jumps .* than are looked for/);
});

it('where sampling would not have told the gradient from 0, an unbiased one is undecided', () => {
  const measures = [placeOf(1, [13, -13]), placeOf(2, [-12.5])].map((place) =>
    sampled(score, place, { scale: 1, truth: truthAt(score, place) }, 400_000),
  );
  const [{ claim, verdict, evidence }] = biasVerdicts([{ neuron: score, text: 'far out', measures }]);
  assert.deepEqual([claim, verdict], ['unbiased', 'undecided'], evidence);
  assert.match(evidence, /a gradient of 0 would not have been told from ∇/);
  const near = [
    {
      neuron: score,
      text: 'near',
      measures: [
        ...measures,
        sampled(score, placeOf(3, [0.3]), { scale: 1, truth: truthAt(score, placeOf(3, [0.3])) }, 400_000),
      ],
    },
  ];
  assert.equal(biasVerdicts(near)[0].verdict, 'holds');
});
