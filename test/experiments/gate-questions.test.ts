import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QUESTIONS, sparselyUpdated } from '../../experiments/gate-questions/arms.ts';
import { gateQuestions } from '../../experiments/gate-questions/run.ts';
import type { QuestionDone } from '../../experiments/gate-questions/trial.ts';
import { seedsOf } from '../../experiments/kit/experiment.ts';
import { createModel, digitsSplit, sgd, train } from '../../src/index.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import { full } from '../helpers/extent.ts';

describe('arms of gate-questions', () => {
  it('sparse updates have the pass of a rectifier, and its gradient in the mean', () => {
    const neuron = sparselyUpdated(1 / 8);
    const units = 80_000;
    const logits = Float64Array.from({ length: units }, (_, i) => (i % 2 ? 1 : -1));
    // A lattice of uniforms: the mean over it is exact.
    const noise = Float64Array.from({ length: units }, (_, i) => ((i >> 1) + 0.5) / (units / 2));
    const h = new Float64Array(units);
    const firing = { rows: 1, units, logits, noise, h, state: {} };
    neuron.fire(firing);
    assert.ok(h.every((x, i) => x === Math.max(0, logits[i])));
    const [gradient, dh] = [new Float64Array(units), new Float64Array(units).fill(3)];
    neuron.pullback({ ...firing, loss: new Float64Array(1), dh, gradient });
    assert.equal(gradient.filter((x) => x !== 0).length, units / 2 / 8);
    assert.ok(Math.abs(gradient.reduce((sum, x) => sum + x, 0) / (units / 2) - 3) < 1e-9);
  });

  it('learnt gates and controls are the same work, and so are the experts of k of n', async () => {
    const engine = await createEngine({ threads: 1 });
    try {
      const costs = (question: keyof typeof QUESTIONS) =>
        Object.values(QUESTIONS[question].arms).map(
          ({ layers }) => createModel(engine, { inputs: 784, seed: 1, layers: layers() }).cost,
        );
      const [learnt, ...controls] = costs('learnt gates');
      for (const cost of controls) assert.deepEqual(cost, learnt);
      assert.equal(new Set(costs('k of n').map(({ dense }) => dense)).size, 1);
    } finally {
      engine.close();
    }
  });

  it('gaters of controls stay as they started, while gates that learn move theirs', async () => {
    const engine = await createEngine({ threads: 1 });
    const data = digitsSplit({ seed: 1, train: 60, valid: 20, test: 20 });
    try {
      for (const [arm, { layers }] of Object.entries(QUESTIONS['learnt gates'].arms)) {
        const model = createModel(engine, { inputs: 784, seed: 1, layers: layers() });
        const gater = model.parameters.filter(({ name }) => /gater/.test(name));
        assert.ok(gater.length > 0, arm);
        const before = gater.map(({ tensor }) => Float32Array.from(tensor.values));
        for await (const _ of train(model, data, { epochs: 1, batch: 20, optimizer: sgd({ learningRate: 0.1 }) }));
        const moved = gater.some(({ tensor }, i) => tensor.values.some((value, j) => value !== before[i][j]));
        assert.equal(moved, arm === 'learnt', arm);
      }
    } finally {
      engine.close();
    }
  });
});

describe('gate-questions', () => {
  it('every question runs with all its arms', async () => {
    const seen = new Set<string>();
    for (const trial of gateQuestions.quick.trials([1])) {
      // Of every question one arm, and the control that is measured otherwise; all of them with --full.
      const name = full || trial.arm === 'random' ? trial.question + trial.arm : trial.question;
      if (seen.has(name) || (!full && trial.question === 'closed gates')) continue;
      seen.add(name);
      const result = await gateQuestions.run(
        { ...trial, examples: 60, epochs: 1 },
        { signal: new AbortController().signal, onProgress() {} },
      );
      assert.ok(result.testError > 0 && result.testError <= 1 && result.open.length === 1, trial.arm);
    }
    assert.equal(seen.size, full ? 12 : 4);
  });

  /** Records of trials that never ran: 10% of errors, times a factor of the arm; a share of dead gates. */
  const records = (
    factors: Readonly<Record<string, number>>,
    dead: Readonly<Record<string, number>> = {},
  ): QuestionDone[] =>
    gateQuestions.full.trials(seedsOf(gateQuestions.full, 3)).map((trial) => {
      const jitter = 1 + 0.004 * ((trial.seed + trial.arm.length) % 3);
      const worse = trial.rate === 0.1 ? 0.2 : 0;
      const testError = 0.1 * (factors[trial.arm] ?? 1) * jitter;
      const share = (dead[trial.arm] ?? 0) * jitter;
      const result = {
        validError: 0.1 + worse,
        testError,
        open: [0.1],
        dead: share,
        work: 1000,
        dataChecksum: '',
        engine: '',
      };
      return { trial, result, seconds: 1 };
    });
  const outcomes = (own: readonly QuestionDone[]): string[] =>
    gateQuestions.report(own).findings.map(({ outcome }) => outcome);

  it('says of every hypothesis what the errors say', () => {
    const own = records(
      { 'an eighth of the updates': 0.7, '4 of 32 blocks of 32': 0.7, 'hash routing': 1.5, random: 2 },
      { 'as in 2013': 0.9, nudged: 0.01 },
    );
    assert.deepEqual(outcomes(own), ['holds', 'holds', 'holds', 'holds', 'holds', 'holds']);
    const other = records(
      { 'an eighth of the updates': 1.5, '4 of 32 blocks of 32': 1.5, 'hash routing': 0.7, random: 0.7 },
      { 'as in 2013': 0.1, nudged: 0.9 },
    );
    assert.deepEqual(outcomes(other), ['refuted', 'refuted', 'refuted', 'refuted', 'refuted', 'refuted']);
    const { answer, charts } = gateQuestions.report(own);
    assert.match(answer?.verdict ?? '', /gates that learn err less than hash routing: yes/);
    assert.doesNotMatch(charts.join(), /NaN|Infinity/);
  });
});
