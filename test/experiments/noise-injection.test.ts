import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderMarkdown } from '../../experiments/kit/report-page.ts';
import { noiseInjection } from '../../experiments/noise-injection/run.ts';
import type { InjectionTrial } from '../../experiments/noise-injection/trial.ts';

describe('noise-injection', () => {
  it('runs units and gates with every kind of noise, and takes the better learning rate of each', async () => {
    const options = { signal: new AbortController().signal, onProgress() {} };
    const setting = { data: 'digits', rate: 1, examples: 60, epochs: 2, seed: 1 } as const;
    const hidden = { ...setting, net: 'hidden', units: 5 } as const;
    const gates = { ...setting, net: 'gates', units: 5 } as const;
    const trials: InjectionTrial[] = [
      { ...hidden, noise: 'none', scale: 0 },
      { ...hidden, noise: 'none', scale: 0, rate: 1e-4 },
      { ...hidden, noise: 'additive', scale: 1 },
      { ...hidden, noise: 'multiplicative', scale: 1 },
      { ...gates, noise: 'none', scale: 0 },
      { ...gates, noise: 'additive', scale: 1 },
    ];
    const finished = [];
    for (const trial of trials) finished.push({ trial, result: await noiseInjection.run(trial, options), seconds: 1 });
    const [plain, slow] = finished.map(({ result }) => result);
    assert.ok(plain.curve[1].off < slow.curve[1].off);
    const report = noiseInjection.report(finished);
    assert.equal(report.findings.length, 6);
    const [none] = report.tables[0].rows;
    assert.deepEqual(none.slice(0, 3), ['none', '1', plain.curve[1].off.toPrecision(3)]);
    assert.match(report.learnt[0], /Best at 1, the highest learning rate that was tried.*: no noise; additive, s = 1;/);
    assert.doesNotMatch(report.learnt[1], /highest learning rate/, 'one rate is no choice');
    const page = renderMarkdown(noiseInjection, report, {
      form: 'quick',
      seeds: 1,
      seconds: 6,
      commits: [],
      engines: [],
    });
    assert.doesNotMatch(page + report.charts.join(), /NaN|Infinity|undefined/);
    assert.match(page, /published, 2013: additive \| 0\.1 \| 0\.00180/);
  });
});
