import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seedsOf } from '../../experiments/kit/experiment.ts';
import { unbiasedRegulariser } from '../../experiments/unbiased-regulariser/run.ts';
import type { ArmName, UnbiasedDone, UnbiasedTrial } from '../../experiments/unbiased-regulariser/trial.ts';

const options = { signal: new AbortController().signal, onProgress() {} };

describe('unbiased-regulariser', () => {
  it('runs every arm, of one layer and of two, from the same data', async () => {
    const small = { data: 'digits', rate: 1, examples: 40, epochs: 1, seed: 11 } as const;
    const trials: UnbiasedTrial[] = [
      ...(['smooth', 'bits', 'bits, unbiased', 'curvature penalty'] as const).map((arm) => ({
        ...small,
        arm,
        widths: [4],
      })),
      { ...small, arm: 'bits, unbiased', widths: [3, 3] },
    ];
    const results = [];
    for (const trial of trials) results.push(await unbiasedRegulariser.run(trial, options));
    assert.equal(new Set(results.map(({ dataChecksum }) => dataChecksum)).size, 1);
    assert.ok(results.every(({ testError }) => testError >= 0 && testError <= 1));
    assert.deepEqual(await unbiasedRegulariser.run(trials[2], options), results[2]);
  });

  it('has fresh seeds, sizes of one and two layers, and no penalty where it is not exact', () => {
    const { full } = unbiasedRegulariser;
    const trials = full.trials(seedsOf(full, full.seeds));
    assert.deepEqual([...new Set(trials.map(({ seed }) => seed))], [11, 12, 13, 14, 15, 16, 17, 18]);
    assert.equal(new Set(trials.map(({ widths }) => widths.join())).size, 4);
    assert.ok(trials.every(({ arm, widths }) => arm !== 'curvature penalty' || widths.length === 1));
  });

  /** Records of trials that never ran: errors by arm, at two rates, the better on validation first. */
  const records = (errors: Readonly<Partial<Record<ArmName, number>>>): UnbiasedDone[] =>
    [[16], [32]].flatMap((widths) =>
      [11, 12, 13, 14].flatMap((seed) =>
        Object.entries(errors).flatMap(([arm, error], i) =>
          [1, 3].map((rate): UnbiasedDone => {
            const jitter = 1 + 0.005 * ((seed + 3 * i + widths[0]) % 4);
            return {
              trial: { data: 'mnist', arm: arm as ArmName, widths, rate, examples: 10, epochs: 1, seed },
              result: {
                validError: rate === 1 ? 0.1 : 0.2,
                testError: rate === 1 ? error * jitter : 0.001,
                ...{ trainLoss: 1, bestEpoch: 1, dataChecksum: '', engine: '' },
              },
              seconds: 1,
            };
          }),
        ),
      ),
    );
  const outcomes = (own: readonly UnbiasedDone[], claim: RegExp): string[] =>
    unbiasedRegulariser
      .report(own)
      .findings.filter((finding) => claim.test(finding.claim))
      .map(({ outcome }) => outcome);

  it('chooses rates on validation, and says of each hypothesis what the errors say', () => {
    const own = records({ smooth: 0.1, bits: 0.1, 'bits, unbiased': 0.08, 'curvature penalty': 0.085 });
    assert.deepEqual(outcomes(own, /^Bits with an unbiased/), ['holds', 'holds', 'holds']);
    assert.deepEqual(outcomes(own, /^Bits as they are/), ['not shown', 'not shown', 'not shown']);
    assert.deepEqual(outcomes(own, /^Bits err less/), ['holds', 'holds', 'holds']);
    assert.match(
      unbiasedRegulariser.report(own).answer?.verdict ?? '',
      /less in 2 \(16 units, × 0\.80 .*; 32 units, .*\) and more in none, × 0\.80 in the mean; as they are usually trained, less in none and more in none/,
    );
    const other = records({ smooth: 0.1, bits: 0.08, 'bits, unbiased': 0.12 });
    assert.match(
      unbiasedRegulariser.report(other).answer?.verdict ?? '',
      /unbiased gradient .* less in none and more in 2 \(16 units, × 1\.20 .*usually trained, less in 2 /,
    );
    assert.deepEqual(outcomes(other, /^Bits with an unbiased/), ['refuted', 'refuted', 'refuted']);
    assert.deepEqual(outcomes(other, /^Bits as they are/), ['refuted', 'refuted', 'refuted']);
  });
});
