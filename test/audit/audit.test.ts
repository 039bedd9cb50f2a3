import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { biasVerdicts, measureBias } from '../../src/audit/bias-claim.ts';
import { checkNeuron } from '../../src/audit/checks.ts';
import { expectationVerdicts } from '../../src/audit/expectation-claims.ts';
import { findCells, withFoundCells } from '../../src/audit/found-cells.ts';
import { integrate } from '../../src/audit/integrate.ts';
import { referenceFor } from '../../src/audit/reference.ts';
import { relaxationVerdict } from '../../src/audit/relaxation-claim.ts';
import { sampleNeuron } from '../../src/audit/sample-neuron.ts';
import { trueGradient } from '../../src/audit/true-gradient.ts';
import {
  auditNeuron,
  certify,
  createModel,
  dense,
  digitsSplit,
  type Neuron,
  problemKinds,
  resolveNeuron,
  SiteAuditor,
  siteOf,
  unitOf,
} from '../../src/index.ts';
import { sigmoid } from '../../src/math/special.ts';
import type { Pullback, Update } from '../../src/neurons/contract.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { builds } from '../helpers/engines.ts';
import { full, slow } from '../helpers/extent.ts';
import { assertClose } from '../helpers/numbers.ts';

const score = resolveNeuron('stochastic-binary:baseline=none');
const verdictOf = (neuron: Neuron, claim: string) =>
  certify(neuron).find((verdict) => verdict.claim === claim)?.verdict;

describe('auditNeuron', () => {
  it('agrees with what is known of REINFORCE on a linear loss, to the last digits', () => {
    const { mean, variance, truth, bias, evaluations, method, unit } = auditNeuron(score, {
      problem: problemKinds.linear,
      units: 2,
    });
    const logits = [0.7, -1.3];
    const { dh: c } = problemKinds.linear(2).loss(new Float64Array(2));
    const p = logits.map(sigmoid);
    // E[(h−p)²L²] by hand over the four states.
    const second = [0, 0];
    for (const state of [0, 1, 2, 3]) {
      const h = [state & 1, state >> 1];
      const weight = h.reduce((product, bit, i) => product * (bit ? p[i] : 1 - p[i]), 1);
      const loss = c[0] * h[0] + c[1] * h[1];
      for (const i of [0, 1]) second[i] += weight * ((h[i] - p[i]) * loss) ** 2;
    }
    assertClose(
      truth,
      [0, 1].map((i) => p[i] * (1 - p[i]) * c[i]),
      { absolute: 1e-9 },
      'truth',
    );
    assertClose(mean, truth, { absolute: 1e-12 }, 'mean');
    assertClose(
      variance,
      second.map((s, i) => s - truth[i] ** 2),
      { absolute: 1e-9 },
      'variance',
    );
    assert.ok(bias.value < 1e-9 && evaluations === 1 && method === 'integration' && unit === 'bits');
  });

  it('samples where the grid is too large, and the two ways agree within the interval', () => {
    const exact = auditNeuron(resolveNeuron('rloo'), { problem: problemKinds.quadratic, units: 4 });
    const { loss } = problemKinds.quadratic(4);
    const logits = [0.7, -1.3, 2.1, -0.4];
    const sampled = sampleNeuron(resolveNeuron('rloo'), logits, loss, { samples: 40_000, seed: 3 });
    assertClose(sampled.variance, exact.variance, { relative: 0.05 }, 'variance');
    const errors = exact.variance.map((variance) => 5 * Math.sqrt(variance / 40_000));
    sampled.gradient.forEach((g, i) => {
      assert.ok(Math.abs(g - exact.mean[i]) < errors[i]);
    });
    const many = auditNeuron(resolveNeuron('rloo:K=12'), { problem: problemKinds.quadratic, units: 4, samples: 5000 });
    assert.equal(many.method, 'sampling');
    assert.equal(many.evaluations, 12);
    assert.ok(many.bias.least === 0 && many.bias.most > 0);
    assert.ok(many.totalVariance < exact.totalVariance / 3, 'more draws, less variance');
  });

  it('weighs bias and variance at equal compute', () => {
    const audit = auditNeuron(resolveNeuron('straight-through'), { problem: problemKinds.network, evaluations: 10 });
    const size = audit.truth.reduce((sum, g) => sum + g * g, 0);
    assertClose(
      [audit.atEqualCompute],
      [(audit.bias.value ** 2 + audit.totalVariance / 10) / size],
      { relative: 1e-12 },
      '',
    );
    assert.ok(audit.bias.value > 0.1 && audit.cosine < 0.99);
  });

  it('knows bits, whether the rate is declared or not', () => {
    for (const name of ['straight-through', 'rloo', 'muprop']) assert.equal(unitOf(resolveNeuron(name)), 'bits');
    for (const name of ['noisy-rectifier', 'stochastic-times-smooth', 'tanh', 'top-k'])
      assert.equal(unitOf(resolveNeuron(name)), 'own', name);
    assert.equal(unitOf({ ...score, claims: { unbiased: true } }), 'bits');
  });
});

describe('certify', () => {
  it('lets right claims pass, and refutes wrong ones, exact or by sampling', () => {
    assert.ok(certify(score, { engines: builds }).every(({ verdict }) => verdict === 'holds'));
    assert.equal(certify(score).find(({ claim }) => claim === 'twin')?.verdict, 'undecided');
    const claims = score.claims;
    const wrong: [string, Neuron][] = [
      ['mean', { ...score, claims: { ...claims, mean: (a) => sigmoid(a) + 1e-6 } }],
      ['rate', { ...score, claims: { ...claims, rate: (a) => sigmoid(1.01 * a) } }],
      ['biased', { ...score, claims: { ...claims, unbiased: false } }],
      ['unbiased', { ...resolveNeuron('straight-through-derivative'), claims }],
      ['reads', { ...score, reads: 'cotangent' }],
      ['reads', { ...resolveNeuron('straight-through'), reads: 'cotangent-when-open' }],
      ['range', { ...resolveNeuron('tanh'), range: 'unit-interval' }],
      ['jointNoise', { ...score, jointNoise: 'units' }],
      ['extreme logits', { ...score, expect: (a) => 1 / Math.exp(-a) - 1 / Math.exp(-a) }],
      ['formulas', { ...score, expect: (a) => 0.9 * sigmoid(a) }],
    ];
    for (const [claim, neuron] of full ? wrong : wrong.slice(0, 2))
      assert.equal(verdictOf(neuron, claim), 'refuted', claim);
    if (!full) return;
    const many = resolveNeuron('rloo:K=16');
    const biasOf = (neuron: Neuron) => biasVerdicts([measureBias(neuron, neuron.name, true)])[0];
    const found = [...expectationVerdicts(many), biasOf(many)];
    assert.ok(
      found.every(({ verdict }) => verdict === 'holds'),
      JSON.stringify(found),
    );
    assert.ok(found.some(({ evidence }) => /sampling .*false alarms 0\.000001/.test(evidence)));
    const lying: Neuron = { ...many, claims: { ...many.claims, mean: (a) => sigmoid(a) + 0.02 } };
    assert.equal(expectationVerdicts(lying).find(({ claim }) => claim === 'mean')?.verdict, 'refuted');
    const scaled: Neuron = {
      ...many,
      pullback(pullback) {
        many.pullback(pullback);
        for (let i = 0; i < pullback.gradient.length; i++) pullback.gradient[i] *= 1.5;
      },
    };
    assert.equal(biasOf(scaled).verdict, 'refuted');
  });

  it('refutes what is right in most places, or most of the time, and says what is wrong', () => {
    const p = (a: number) => Math.min(1 - 1e-5, Math.max(1e-5, sigmoid(a)));
    const scoreOf = (
      { units, logits, h, loss, gradient }: Pullback,
      f: (a: number, row: number, i: number) => number,
    ) => {
      for (let i = 0; i < gradient.length; i++)
        gradient[i] =
          (h[i] - sigmoid(logits[i])) * loss[Math.floor(i / units)] * f(logits[i], Math.floor(i / units), i);
    };
    const pulled = (pullback: Neuron['pullback'], more: Partial<Neuron> = {}): Neuron => ({
      ...score,
      ...more,
      pullback,
    });
    const learner = (update: (update: Update) => void): Neuron =>
      pulled((pass) => scoreOf(pass, () => 1), { state: { c: 0 }, update });
    const wrong: readonly [claim: string, evidence: RegExp, neuron: Neuron][] = [
      ['unbiased', /E\[ĝ\] = 1\.01·∇ in every unit/, pulled((pass) => scoreOf(pass, () => 1.01))],
      [
        'unbiased',
        /right elsewhere; e\.g\. E\[ĝ\] = .* and ∇ = .* at the logit/,
        pulled(({ units, logits, h, loss, gradient }) => {
          for (let i = 0; i < h.length; i++) gradient[i] = (h[i] - p(logits[i])) * loss[Math.floor(i / units)];
        }),
      ],
      [
        'unbiased',
        /E\[ĝ\] = 0 for p < .* \(logits of size 12/,
        pulled((pass) => scoreOf(pass, (a) => (Math.abs(a) > 12 ? 0 : 1))),
      ],
      ['mean', /E\[h\] at the logit -1\d.* is/, { ...score, claims: { unbiased: true, mean: p } }],
      [
        'examples by themselves',
        /depends on the others of its minibatch/,
        pulled((pass) => scoreOf(pass, (_, row) => (pass.rows > 100 ? pass.loss[pass.rows - 1 - row] : 1))),
      ],
      [
        'extreme logits',
        /the gradient is NaN at the logit 50/,
        pulled((pass) => scoreOf(pass, (a) => 1 + 0 * Math.log(1 / (1 + Math.exp(-a)) - 1 / (1 + Math.exp(-a))) * a)),
      ],
      [
        'extreme logits',
        /the state is not finite/,
        learner(({ state, logits }) => void (state.c[0] = Math.log(1 - sigmoid(logits[0])))),
      ],
      [
        'reads',
        /depends on the cotangent$/,
        pulled((pass) => scoreOf(pass, (_a, _row, i) => (pass.dh[i] > 30 ? 2 : 1))),
      ],
      [
        'reads',
        /cotangent of units that are closed/,
        pulled(
          ({ h, dh, units, gradient }) => {
            for (let i = 0; i < h.length; i++) gradient[i] = h[i] === 0 ? 0 : dh[i] + dh[units * Math.floor(i / units)];
          },
          { reads: 'cotangent-when-open' },
        ),
      ],
      ['same input, same output', /another gradient/, pulled((pass) => scoreOf(pass, () => 1 + Math.random()))],
      [
        'same input, same output',
        /only `update` may/,
        {
          ...learner(() => {}),
          fire(firing) {
            score.fire(firing);
            firing.state.c?.fill(1);
          },
        },
      ],
      [
        'same update, same state',
        /another state of the same one/,
        learner(({ state }) => void state.c.fill(Math.random())),
      ],
      ['same update, same state', /changes its input arrays/, learner(({ loss }) => void (loss[0] = 0))],
    ];
    for (const [claim, evidence, neuron] of full ? wrong : wrong.filter((_, i) => i % 6 === 3)) {
      const found = certify(neuron).find((one) => one.claim === claim);
      assert.equal(found?.verdict, 'refuted', `${claim}: ${evidence}`);
      assert.match(found.evidence, evidence);
    }
  });

  it('decides whether a relaxation of groups is unbiased for its own objective, on a group cut short', {
    skip: slow,
  }, () => {
    const relaxed = resolveNeuron('categorical-concrete');
    const claim = 'unbiased for its relaxation';
    const verdict = (neuron: Neuron) => relaxationVerdict(neuron);
    const found = verdict(relaxed);
    assert.equal(found.claim, claim);
    assert.equal(found?.verdict, 'holds', found?.evidence);
    assert.match(found?.evidence ?? '', /by exact integration over 2 units$/);
    const scaled: Neuron = {
      ...relaxed,
      pullback(pullback) {
        relaxed.pullback(pullback);
        for (let i = 0; i < pullback.gradient.length; i++) pullback.gradient[i] *= 1.0001;
      },
    };
    assert.equal(verdict(scaled)?.verdict, 'refuted');
  });

  it('finds what every neuron has to do undone', () => {
    let calls = 0;
    const broken: [string, Partial<Neuron>][] = [
      ['same input, same output', { fire: ({ h }) => h.fill(++calls) }],
      ['same input, same output', { pullback: () => {} }],
      [
        'same input, same output',
        {
          pullback({ loss, gradient }) {
            loss.fill(0);
            gradient.fill(0);
          },
        },
      ],
      ['examples by themselves', { pullback: ({ loss, gradient }) => gradient.fill(loss[0]) }],
      ['NaN and infinity', { fire: ({ logits, h }) => h.forEach((_, i) => void (h[i] = logits[i] > 0 ? 1 : 0)) }],
      // σ(∞) is 1, which looks like any open unit.
      [
        'NaN and infinity',
        {
          fire: ({ logits, noise, h }) =>
            h.forEach((_, i) => void (h[i] = noise[i] < sigmoid(logits[i]) ? 1 : 0 * logits[i] || 0)),
        },
      ],
    ];
    for (const [claim, part] of broken) {
      const verdicts = checkNeuron({ ...score, ...part });
      assert.equal(verdicts.find((verdict) => verdict.claim === claim)?.verdict, 'refuted', claim);
    }
    const throwing = checkNeuron({
      ...score,
      pullback() {
        throw new Error('no');
      },
    });
    assert.match(throwing[0].evidence, /it threw: no/);
  });
});

describe('cells that nobody declared', () => {
  it('are found, and none where there are none', () => {
    const { cells, ...undeclared } = score;
    for (const logit of [-5, -0.4, 0.7, 3]) {
      assertClose(findCells(undeclared, logit, []), [sigmoid(logit)], { absolute: 1e-11 }, `${logit}`);
      assert.deepEqual(findCells(resolveNeuron('noisy-sigmoid'), logit, []), []);
    }
    const neuron = withFoundCells(undeclared);
    assert.notEqual(neuron, undeclared);
    assert.equal(withFoundCells(score), score);
    const { loss } = problemKinds.network(3);
    const logits = [0.7, -1.3, 2.1];
    const [found, known] = [neuron, score].map((one) => integrate(one, logits, loss));
    assertClose(found.gradient, known.gradient, { absolute: 1e-10 }, 'gradient');
    assertClose(found.variance, known.variance, { absolute: 1e-10 }, 'variance');
  });
});

describe('references', () => {
  it('are unbiased, with no variance or with less than others', () => {
    const logits = [0.7, -1.3, 2.1, -0.4];
    const { loss } = problemKinds.network(4);
    const truth = trueGradient(score, logits, loss);
    const all = integrate(referenceFor(4), logits, loss);
    assertClose(all.gradient, truth, { absolute: 1e-9 }, 'every state');
    assertClose(all.variance, [0, 0, 0, 0], { absolute: 1e-12 }, 'its variance');
    const flipped = integrate({ ...referenceFor(9), cells: score.cells as never }, logits, loss);
    assertClose(flipped.gradient, truth, { absolute: 1e-9 }, 'every unit flipped');
    const rloo = integrate(resolveNeuron('rloo'), logits, loss);
    assert.ok(flipped.variance.every((variance, i) => variance < rloo.variance[i] / 2));
    assert.match(referenceFor(5000).name, /draws/);
  });
});

describe('SiteAuditor', async () => {
  const engine = await createEngine({ threads: 1 });
  after(() => engine.close());
  const data = digitsSplit({ seed: 3, train: 100, valid: 20, test: 20 }).train;
  const indices = [0, 1, 2, 3, 4, 5];

  it('tells unbiased from biased on a network, and leaves it as it was', () => {
    const layers = [dense(8, 'tanh'), dense(6, 'stochastic-binary', 'bits'), dense(10)];
    const model = createModel(engine, { inputs: 784, layers, seed: 3 });
    const before = model.snapshot();
    const auditor = new SiteAuditor(model, siteOf(model), data, { indices });
    const audits = ['rloo:K=4', 'straight-through', 'muprop'].map((text) => auditor.audit(resolveNeuron(text), text));
    const [rloo, st, muprop] = audits;
    for (const unbiased of [rloo, muprop]) {
      assert.equal(unbiased.verdict.verdict, 'holds');
      assert.ok((unbiased.bias?.least ?? 1) < 0.1, JSON.stringify(unbiased));
      assert.ok((unbiased.cosine ?? 0) > 0.9);
    }
    assert.deepEqual([st.verdict.claim, st.verdict.verdict], ['biased', 'holds']);
    assert.ok((st.bias?.least ?? 0) > 0.5);
    assert.deepEqual(
      audits.map(({ evaluations }) => evaluations),
      [4, 1, 2],
    );
    assert.deepEqual(
      audits.map(({ skips }) => skips),
      [true, false, false],
    );
    for (const { signs, signsOfDraws, seconds, squaredError, variance } of audits)
      assert.ok(
        signs > 0.5 && signs <= 1 && signsOfDraws >= 0 && seconds > 0 && squaredError >= variance && variance > 0,
      );
    const lying = auditor.audit({ ...resolveNeuron('straight-through'), claims: { unbiased: true } });
    assert.equal(lying.verdict.verdict, 'refuted');
    assert.deepEqual(model.snapshot(), before);
  });

  it('measures units of another kind without a verdict on them', () => {
    const model = createModel(engine, { inputs: 784, layers: [dense(6, 'noisy-rectifier'), dense(10)], seed: 3 });
    const audit = new SiteAuditor(model, siteOf(model), data, { indices }).audit(resolveNeuron('noisy-rectifier'));
    assert.equal(audit.bias, undefined);
    assert.equal(audit.verdict.verdict, 'undecided');
    assert.ok(audit.variance > 0 && (audit.cosine ?? 0) > 0.9);
  });

  it('refuses too few repeats and no examples', () => {
    const model = createModel(engine, { inputs: 784, layers: [dense(6, 'rloo'), dense(10)] });
    const make = (options: { indices: number[]; repeats?: number }) => () =>
      new SiteAuditor(model, siteOf(model), data, options);
    assert.throws(make({ indices: [] }), /no examples/);
    assert.throws(make({ indices, repeats: 2 }), /`repeats` is 2/);
  });
});
