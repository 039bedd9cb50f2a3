import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finished } from '../../experiments/experiment.ts';
import { renderMarkdown } from '../../experiments/report-page.ts';
import { ARMS, type ArmName, type Point, type WhyResult, type WhyTrial, whySlow } from '../../experiments/why-slow.ts';
import { stepsTo } from '../../experiments/why-slow-runs.ts';

describe('stepsTo', () => {
  const curve: Point[] = [4, 2, 1, 0.5].map((sampled, i) => ({ step: 10 * i, sampled, off: sampled / 2 }));

  it('lies between two points by the logarithm of the criterion', () => {
    assert.ok(Math.abs(stepsTo(curve, 'sampled', Math.SQRT2) - 15) < 1e-9);
    assert.ok(Math.abs(stepsTo(curve, 'off', Math.SQRT2) - 5) < 1e-9);
    assert.equal(stepsTo(curve, 'sampled', 1), 20);
  });

  it('is infinite where the criterion never falls so far, and 0 where it begins there', () => {
    assert.equal(stepsTo(curve, 'sampled', 0.4), Number.POSITIVE_INFINITY);
    assert.equal(stepsTo(curve, 'off', 3), 0);
  });
});

describe('why-slow', () => {
  it('runs every arm from the same weights and data, and says what cannot be said of one short run', async () => {
    const options = { signal: new AbortController().signal, onProgress() {} };
    const setting = { data: 'digits', rate: 1, examples: 60, units: 5, epochs: 2, seed: 1 } as const;
    const finished: Finished<WhyTrial, WhyResult>[] = [];
    for (const arm of Object.keys(ARMS) as ArmName[]) {
      const trial = { ...setting, arm };
      finished.push({ trial, result: await whySlow.run(trial, options), seconds: 1 });
    }
    const [plain, bits] = finished.map(({ result }) => result);
    for (const { trial, result } of finished) {
      assert.equal(result.dataChecksum, plain.dataChecksum);
      // Before training, noise off, all are one network.
      assert.ok(Math.abs(result.curve[0].off - plain.curve[0].off) < 1e-5, trial.arm);
      assert.deepEqual(
        result.curve.map(({ step }) => step),
        [0, 2, 4],
      );
      assert.equal(
        result.curve[0].sampled === result.curve[0].off,
        ['deterministic', 'curvature penalty'].includes(trial.arm),
      );
    }
    assert.deepEqual([...new Set(bits.forms.map(({ epoch }) => epoch))], [0, 1, 2]);
    const report = whySlow.report(finished);
    const page = renderMarkdown(whySlow, report, { quick: true, seeds: 1, seconds: 13, commits: [], engines: [] });
    assert.doesNotMatch(page + report.charts.join(), /NaN|Infinity|undefined/);
    for (const arm of Object.keys(ARMS)) assert.ok(page.includes(`| ${arm} |`), arm);
    // Where speed can be told, the report says which arms are fastest at the highest rate.
    const reached = (arm: ArmName, rate: number) => (arm === 'bits' && rate === 2 ? 10 : 20 + rate);
    const told = [1, 2].flatMap((rate) =>
      finished.map(({ trial, result }) => {
        const step = reached(trial.arm, rate);
        const curve = [0, step].map((at) => ({ step: at, sampled: at === 0 ? 2 : 0.1, off: at === 0 ? 2 : 0.1 }));
        return { trial: { ...trial, rate }, result: { ...result, curve }, seconds: 1 };
      }),
    );
    assert.ok(
      whySlow
        .report(told)
        .learnt.some((text) => /^Fastest at 2, .*: as sampled: bits\. And noise off: bits\.$/.test(text)),
    );
    assert.ok(report.findings.every(({ outcome }) => outcome === 'not tested' || outcome === 'not shown'));
  });
});
