import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hintonNoise } from '../../experiments/hinton-noise/run.ts';
import type { NoiseDone, NoiseTrial } from '../../experiments/hinton-noise/trial.ts';
import { chanceOf, renderMarkdown, renderPage } from '../../experiments/kit/report-page.ts';

const facts = { form: 'quick' as const, seeds: 3, seconds: 1, commits: [], engines: [] };

/** A record of a trial that never ran. */
function record(trial: Pick<NoiseTrial, 'arm' | 'units' | 'seed'>, error: number, epochsToTarget?: number): NoiseDone {
  const result = {
    trainLoss: 10 * error,
    trainError: error,
    test: { sampled: error, meanField: error },
    ...(epochsToTarget !== undefined && { epochsToTarget }),
    curve: [0.5, error].map((validError) => ({ trainLoss: 1, validError })),
    dataChecksum: '',
    engine: '',
  };
  return { trial: { data: 'digits', examples: 100, epochs: 2, ...trial }, result, seconds: 1 };
}

/** Two widths, three seeds; binary units err so many times as often as the deterministic net. */
const records = (factors: readonly number[], epochsToTarget?: number): NoiseDone[] =>
  [10, 20].flatMap((units, size) =>
    [1, 2, 3].flatMap((seed) => {
      const jitter = 1 + 0.01 * seed;
      const binary = 0.1 * factors[size] * (1 + 0.02 * ((seed + size) % 3));
      return [
        record({ arm: 'deterministic', units, seed }, 0.1 * jitter, epochsToTarget),
        record({ arm: 'binary stochastic', units, seed }, binary, epochsToTarget && epochsToTarget + 10 + seed),
        record({ arm: 'dropout', units, seed }, 0.09 * jitter, epochsToTarget),
      ];
    }),
  );
const outcomes = (own: readonly NoiseDone[], where: RegExp): string[] =>
  hintonNoise
    .report(own)
    .findings.filter(({ claim }) => where.test(claim))
    .map(({ outcome }) => outcome);

describe('the report of hinton-noise', () => {
  it('tells of every size and of all together, by ratios', () => {
    const own = records([0.5, 0.8], 1);
    assert.deepEqual(outcomes(own, /in all 2 sizes/), ['refuted', 'holds', 'holds']);
    assert.deepEqual(outcomes(own, /10 units/), ['refuted', 'holds', 'holds']);
    const { answer, findings, learnt } = hintonNoise.report(own);
    // √(0.5·0.8) of the mean, but for the jitter.
    assert.match(findings[2].evidence, /× 0\.6\d \(0\.6\d to 0\.6\d\)/);
    assert.match(learnt[0], /test error lower in 2 of 2 sizes, higher in 0/);
    assert.match(
      answer?.verdict ?? '',
      /take 13\.0 times the epochs .* end at 0\.6 times .* in 2 of 2 sizes, more in 0, .*: a regulariser\.$/,
    );
    assert.equal(hintonNoise.report(own.filter(({ trial }) => trial.seed === 1)).answer, undefined);
    assert.match(findings[3].evidence, /training criterion.* Without noise, training error, %: -\d/);
  });

  it('says where the best epoch is among the last', () => {
    const own = records([0.5, 0.8], 1);
    const early = own.map(({ result, ...rest }) => {
      const curve = [...result.curve, { trainLoss: 1, validError: 0.5 }];
      return { ...rest, trial: { ...rest.trial, epochs: 3 }, result: { ...result, curve } };
    });
    const late = ({ learnt }: ReturnType<typeof hintonNoise.report>) =>
      learnt.filter((text) => /last tenth/.test(text));
    assert.match(late(hintonNoise.report(own))[0], /: 10 units, 100 examples \(2 epochs\), all; 20 units, .*, all\.$/);
    assert.deepEqual(late(hintonNoise.report(early)), []);
  });

  it('refutes no test error where more epochs might lower it', () => {
    const own = records([2, 3], 1);
    const early = own.map(({ result, trial, ...rest }) => {
      const curve = [...result.curve, { trainLoss: 1, validError: 0.9 }];
      return { ...rest, trial: { ...trial, epochs: 3 }, result: { ...result, curve } };
    });
    assert.deepEqual(outcomes(early, /test set \(\d/), ['refuted', 'refuted']);
    assert.deepEqual(outcomes(own, /test set \(\d/), ['not tested', 'not tested']);
    assert.deepEqual(outcomes(records([0.5, 0.5], 1), /test set \(\d/), ['holds', 'holds']);
  });

  it('shows nothing in all where sizes point to different sides', () => {
    assert.deepEqual(outcomes(records([0.5, 2], 1), /test set \(in all/), ['not shown']);
  });

  it('says that speed was not tested where no run came under the target', () => {
    assert.deepEqual(outcomes(records([0.5, 0.8]), /slower/), ['not tested', 'not tested', 'not tested']);
  });

  it('stands on a page for light and dark, with what is asked, what was learnt, and what chance may decide', () => {
    const report = hintonNoise.report(records([0.5, 0.8], 1));
    const [page, text] = [renderPage, renderMarkdown].map((render) => render(hintonNoise, report, facts));
    for (const own of [page, text]) {
      for (const part of [hintonNoise.question, 'What was learnt', 'in a family without any effect'])
        assert.ok(own.includes(part), part);
      assert.doesNotMatch(own, /NaN|undefined|Infinity/);
      // Question, verdict, what would change it; then all else, folded.
      const { verdict, change } = report.answer ?? assert.fail();
      const places = [hintonNoise.question, verdict, change, '<details>'].map((part) => own.indexOf(part));
      assert.ok(
        places.every((at, i) => at > (places[i - 1] ?? 0)),
        `${places}`,
      );
      assert.equal(own.match(/<details>/g)?.length, own.match(/<\/details>/g)?.length);
    }
    const [first] = report.charts;
    assert.ok(page.indexOf(first) > 0 && page.indexOf(first) < page.indexOf('<details>'));
    const shown = renderMarkdown(hintonNoise, report, { ...facts, charts: ['a.svg', 'b.svg'] });
    assert.ok(
      shown.indexOf('](a.svg)') < shown.indexOf('<details>') && shown.indexOf('](b.svg)') > shown.indexOf('<details>'),
    );
    const before = renderMarkdown(hintonNoise, report, {
      ...facts,
      earlier: { until: '2020-01-01', differs: 'Shorter.' },
    });
    assert.ok(before.includes('Earlier protocol, until 2020-01-01: Shorter.'));
    // Words of their author stand in quotation marks, ours do not.
    const { text: words, source, published } = hintonNoise.claim;
    const ours = renderMarkdown({ ...hintonNoise, claim: { text: words, source, published } }, report, facts);
    assert.ok(text.includes(`Claimed: “${words}”`));
    assert.ok(ours.includes(`Claimed: ${words} (`));
    assert.match(page, /prefers-color-scheme:dark/);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, `${ids}`);
    assert.equal(ids.length, 2);
    for (const id of ids) assert.ok(page.includes(`url(#${id})`), id);
  });

  it('counts claims that were tested alone', () => {
    const claim = { claim: '', evidence: '' };
    assert.equal(chanceOf([{ ...claim, outcome: 'holds' }]), '');
    const all = Array.from({ length: 20 }, () => ({ ...claim, outcome: 'not shown' as const }));
    assert.match(chanceOf([...all, { ...claim, outcome: 'not tested' }]), /^20 claims /);
  });
});
