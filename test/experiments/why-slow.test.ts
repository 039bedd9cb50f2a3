import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finished } from '../../experiments/kit/experiment.ts';
import { renderMarkdown } from '../../experiments/kit/report-page.ts';
import { ordersOf, takenApart } from '../../experiments/why-slow/orders.ts';
import { whySlow } from '../../experiments/why-slow/run.ts';
import { stepsTo } from '../../experiments/why-slow/speed.ts';
import { ARMS, type ArmName, type Point, type WhyResult, type WhyTrial } from '../../experiments/why-slow/trial.ts';

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
    const page = renderMarkdown(whySlow, report, { form: 'quick', seeds: 1, seconds: 13, commits: [], engines: [] });
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

describe('the slow-down taken apart', () => {
  /** A run of an arm that comes under every target after so many steps. */
  const run = (arm: ArmName, seed: number, steps: number): Finished<WhyTrial, WhyResult> => ({
    trial: { data: 'digits', arm, rate: 1, examples: 10, units: 5, epochs: 1, seed },
    result: {
      curve: [0, 1].map((at) => ({ step: at * steps, sampled: at ? 0.4 : 1, off: at ? 0.4 : 1 })),
      test: { sampled: 0, off: 0 },
      forms: [],
      probed: [],
      dataChecksum: '',
      engine: '',
    },
    seconds: 1,
  });
  const steps: Partial<Record<ArmName, number>> = {
    bits: 64,
    'bits, many passes': 16,
    'bits, unbiased': 32,
    'bits, unbiased, many passes': 16,
    'Gaussian noise, trained as bits': 64,
    'Gaussian noise': 16,
    'Gaussian noise, many passes': 8,
    deterministic: 4,
  };
  const all = (own = steps) =>
    [1, 2, 3].flatMap((seed) => Object.entries(own).map(([arm, x]) => run(arm as ArmName, seed, x * 1.1 ** seed)));

  it('has every order once', () => {
    assert.deepEqual(ordersOf([1, 2, 3]).length, 6);
    assert.equal(new Set(ordersOf([1, 2, 3, 4]).map(String)).size, 24);
  });

  it('adds up to the whole, by hand, in the orders that have records', () => {
    // In powers of 2: bits 6, without G 4, B 5, GB 4, Q 6, BQ 4, all three 3, without noise 2: a whole of 4. Orders with GQ have no record.
    // G: GBQ 2, BGQ 1, BQG 1, QBG 1. B: GBQ 0, BGQ 1, BQG 1, QBG 2. Q: GBQ 1, BGQ 1, BQG 1, QBG 0. Means 1.25, 1, 0.75; variance 1.
    const apart = takenApart(all(), 'sampled', 0.4) ?? assert.fail();
    assert.deepEqual(apart.orders, { measured: 4, all: 6 });
    assert.ok(Math.abs(apart.whole.mean - 4 * Math.LN2) < 1e-12);
    const parts = Object.fromEntries(apart.parts.map(({ reason, log }) => [reason, log.mean / Math.LN2]));
    for (const [reason, part] of Object.entries({
      'gradient noise': 1.25,
      'wrong gradient': 1,
      quantising: 0.75,
      variance: 1,
    }))
      assert.ok(Math.abs(parts[reason] - part) < 1e-9, `${reason}: ${parts[reason]}`);
    const noise = apart.parts.find(({ reason }) => reason === 'gradient noise') ?? assert.fail();
    assert.deepEqual(
      noise.range.map((x) => Math.round(1000 * x)),
      [250, 500],
    );
    const total = apart.parts.reduce((sum, { log }) => sum + log.mean, 0);
    assert.ok(Math.abs(total - apart.whole.mean) < 1e-12);
  });

  it('is not measured where an arm never comes under the target', () => {
    assert.equal(takenApart(all(), 'sampled', 0.1), undefined);
    assert.equal(takenApart(all({ bits: 2, deterministic: 1 }), 'sampled', 0.4), undefined);
  });
});
