import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readTrials } from '../../experiments/kit/trial-records.ts';
import { chosenDeviation } from '../../experiments/weight-noise/report.ts';
import { weightNoise } from '../../experiments/weight-noise/run.ts';
import { type WeightNoiseDone, type WeightNoiseTrial, weightNoiseGrid } from '../../experiments/weight-noise/trial.ts';

const size = { strings: 20, writers: 4, epochs: 4, evaluateEvery: 2, units: 6, valid: 12, test: 12 };
const signal = new AbortController().signal;

test('every variant of the grid runs, and the same trial gives the same result', async () => {
  const done: WeightNoiseDone[] = [];
  const trials = weightNoiseGrid([size], ['none', '0.1', 'adaptive', 'adaptive-after-none'])([1]);
  for (const trial of trials) {
    const shares: number[] = [];
    const result = await weightNoise.run(trial, { signal, onProgress: (share) => shares.push(share) });
    assert.deepEqual(shares, [0.5, 1]);
    // Where a net without noise comes first, only what the noise made of it counts.
    const counted = result.curve.slice(trial.variant === 'adaptive-after-none' ? 1 : 0);
    assert.ok(counted.some(({ epoch }) => epoch === result.byLoss.epoch));
    const lowest = Math.min(...counted.map(({ validLoss }) => validLoss));
    assert.ok(Math.abs(result.byLoss.valid.loss - lowest) < 1e-3 * lowest);
    assert.equal(result.complexity !== undefined, trial.variant.startsWith('adaptive'));
    done.push({ trial, result, seconds: 1 });
  }
  assert.deepEqual(await weightNoise.run(trials[1], { signal, onProgress() {} }), done[1].result);
  assert.notDeepEqual(done[0].result.byLoss, done[1].result.byLoss);
  assert.deepEqual(done[0].result.checksums, done[3].result.checksums);
  const { tables, charts } = weightNoise.report(done);
  assert.deepEqual(
    tables[0].rows.map(([name]) => name),
    ['none', 'fixed, σ = 0.1 (chosen on validation)', 'adaptive', 'adaptive after none'],
  );
  assert.match(charts[0], /^<svg [\s\S]*<\/svg>\n$/);
});

test('a trial stops when its signal says so', async () => {
  const [trial] = weightNoiseGrid([size], ['none'])([1]);
  await assert.rejects(async () => weightNoise.run(trial, { signal: AbortSignal.abort(), onProgress() {} }), {
    name: 'AbortError',
  });
});

/** A record of a trial that never ran. */
function record(variant: string, seed: number, validLoss: number, tested: number): WeightNoiseDone {
  const evaluation = (loss: number) => ({ loss, labelError: loss / 10, sequenceError: loss / 8 });
  const stop = { epoch: 3, valid: evaluation(validLoss), test: evaluation(tested) };
  const trial: WeightNoiseTrial = { ...size, variant, seed };
  const result = {
    weights: 100,
    byLoss: stop,
    byError: stop,
    curve: [{ epoch: 2, trainLoss: 1, validLoss, validError: 0.2 }],
    engine: 'test',
    threads: 1,
    checksums: { train: '', valid: '', test: '' },
  };
  return { trial, result, seconds: 60 };
}

test('σ is chosen on validation, never on the test, and ratios are paired by seed', () => {
  const done = [1, 2, 3].flatMap((seed) => [
    record('none', seed, 1, seed),
    record('0.1', seed, 0.8, seed * 1.2 * 1.01 ** seed),
    record('0.2', seed, 0.9, seed * 0.8 * 1.01 ** seed),
  ]);
  assert.equal(chosenDeviation(done), '0.1');
  const { answer, findings, tables } = weightNoise.report(done);
  assert.match(
    answer?.verdict ?? '',
    /taught by 20 strings, noise of one fixed size × 1\.22 \(1\.19 to 1\.25\) \(worse\)\.$/,
  );
  const [, first, second] = tables[0].rows;
  // By hand: 1.2·1.01² = 1.224; its logarithm’s standard error is log 1.01/√3, times t = 4.303: a factor of 1.025. t = 35.2: p = 0.0008.
  assert.deepEqual(first.slice(0, 2).concat(first[3]), [
    'fixed, σ = 0.1 (chosen on validation)',
    '3',
    '× 1.22 (1.19 to 1.25), p = 0.00081',
  ]);
  assert.match(first[2], /^2\.224 /);
  // Of what was not asked there is a ratio and no p.
  assert.deepEqual(second.slice(0, 2).concat(second[3]), ['fixed, σ = 0.2', '3', '× 0.82 (0.80 to 0.84)']);
  assert.deepEqual(
    findings.map(({ outcome }) => outcome),
    ['refuted', 'refuted'],
  );
});

test('nets that misread most strings refute nothing', () => {
  const done = [1, 2, 3].flatMap((seed) => [record('none', seed, 1, 1), record('adaptive', seed, 3, 5 + 0.1 * seed)]);
  const { findings } = weightNoise.report(done);
  assert.deepEqual(
    findings.map(({ outcome }) => outcome),
    ['not tested', 'not tested'],
  );
  assert.match(
    findings[0].evidence,
    /Not tested at this budget: after \d+ epochs its nets misread 65\.00% of the strings\.$/,
  );
});

test('the report says where the best epoch is among the last', () => {
  const done = [1, 2, 3].flatMap((seed) => [record('none', seed, 1, seed), record('0.1', seed, 0.8, seed)]);
  const within = (epochs: number): string => {
    const of = done.map(({ trial, ...rest }) => ({ ...rest, trial: { ...trial, epochs } }));
    return weightNoise.report(of).learnt.join();
  };
  assert.match(within(3), /best of 3 epochs is among the last for none \(3\), fixed, σ = 0\.1 \(3\): longer/);
  assert.doesNotMatch(within(4), /among the last/);
});

test('σ is chosen over seeds that every σ has: an interrupted grid favours none', () => {
  const whole = [record('0.1', 1, 1, 1), record('0.2', 1, 0.9, 1)];
  assert.equal(chosenDeviation([...whole, record('0.1', 2, 0.1, 1)]), '0.2');
  assert.equal(chosenDeviation([record('0.1', 1, 1, 1), record('0.2', 2, 1, 1)]), undefined);
});

test('every committed record is of a trial of the full form, so that none is run again', () => {
  const records = readTrials<WeightNoiseDone>(
    fileURLToPath(new URL('../../results/weight-noise.jsonl', import.meta.url)),
  );
  assert.ok(records.length > 0);
  const trials = new Set(weightNoise.full.trials([1, 2, 3, 4, 5]).map((trial) => JSON.stringify(trial)));
  for (const { trial } of records) assert.ok(trials.has(JSON.stringify(trial)), JSON.stringify(trial));
});
