import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROWS } from '../../experiments/table-1/rows.ts';
import { table1 } from '../../experiments/table-1/run.ts';
import {
  chosenSetting,
  gridOf,
  type TableDone,
  type TableResult,
  type TableTrial,
} from '../../experiments/table-1/trial.ts';
import { full } from '../helpers/extent.ts';

const trials = gridOf({ data: 'digits', examples: 60, epochs: 2, searchEpochs: 1, units: 20, hidden: 6 })([1, 2, 3]);
const options = { signal: new AbortController().signal, onProgress() {} };

/** A record of a trial that never ran. */
function record(trial: TableTrial, validError: number, epochs = 1): TableDone {
  const final = {
    criterion: { sampled: 0.1, threshold: 0.1 },
    valid: { sampled: validError, threshold: validError },
    test: { sampled: validError, threshold: validError, meanField: validError },
    open: 0.1,
    multiplyAdds: { training: 1, test: 1, all: 2 },
  };
  const result: TableResult = {
    setting: trial.settings[0],
    bestEpoch: 1,
    validError,
    validLoss: 1,
    ...(trial.stage === 'final' && { final }),
    curve: Array.from({ length: epochs }, () => ({ trainLoss: 1, validError, open: 0.1 })),
    dataChecksum: '',
    engine: '',
  };
  return { trial, result, seconds: 1 };
}

describe('the search', () => {
  const final = trials.find(({ stage, settings }) => stage === 'final' && settings.length > 1) as TableTrial;
  const own = trials.filter(({ stage, gater }) => stage === 'search' && gater === final.gater);

  test('comes before the trials that use it, with a seed that none of them has', () => {
    const first = trials.findIndex(({ stage }) => stage === 'final');
    assert.ok(trials.slice(first).every(({ stage }) => stage === 'final'));
    const seeds = new Set(trials.slice(first).map(({ seed }) => seed));
    assert.ok(trials.slice(0, first).every(({ seed }) => !seeds.has(seed)));
    assert.ok(
      ROWS.every(
        ({ gater }) => trials.filter((trial) => trial.gater === gater && trial.stage === 'final').length === 3,
      ),
    );
  });

  test('chooses by validation among the searches of the row, and wants all of them', () => {
    const others = trials.filter(({ stage, gater }) => stage === 'search' && gater !== final.gater);
    const done = [
      ...others.map((trial) => record(trial, 0)),
      ...own.map((trial, i) => record(trial, i === 1 ? 0.1 : 0.2)),
    ];
    assert.deepEqual(chosenSetting(final, done), own[1].settings[0]);
    assert.throws(() => chosenSetting(final, done.slice(0, -1)), /has \d of \d searches; those trials come first/);
  });
});

test('every gater runs, search and final, the same trial gives the same result, and searches see no test', async () => {
  for (const { gater, settings } of full ? ROWS : ROWS.slice(0, 2)) {
    const own = trials.filter((trial) => trial.gater === gater);
    const done: TableDone[] = [];
    for (const trial of [own[0], own[settings.length]]) {
      const final = { ...trial, settings: own[0].settings };
      const result = await table1.run(final, { ...options, finished: done });
      done.push({ trial: final, result, seconds: 1 });
    }
    const [search, final] = done.map(({ result }) => result);
    assert.ok(!JSON.stringify(search).includes('test') && final.final, gater);
    assert.deepEqual(final.setting, settings[0]);
    assert.ok(final.final.test.threshold >= 0 && final.final.test.threshold < 1, gater);
    if (gater === ROWS[0].gater)
      assert.deepEqual(await table1.run(done[1].trial, { ...options, finished: done }), final);
  }
});

describe('the report', () => {
  const onMnist = gridOf({ data: 'mnist', examples: 50_000, epochs: 2, searchEpochs: 1, units: 2000, hidden: 400 })([
    1, 2, 3,
  ]);
  const finals = onMnist.filter(({ stage }) => stage === 'final');
  /** Errors in percent: what was published, but for rows that are named; seeds differ by 0.01 points. */
  const reportOf = (errors: Readonly<Record<string, number>> = {}, epochs?: number) =>
    table1.report(
      finals.map((trial) => {
        const published = ROWS.find(({ gater }) => gater === trial.gater)?.published?.test ?? 2;
        // Differences between rows must not be constant: an interval of no width would show anything.
        const jitter = 0.01 * trial.seed * (1 + (ROWS.findIndex(({ gater }) => gater === trial.gater) % 3));
        return record(trial, ((errors[trial.gater] ?? published) + jitter - 0.02) / 100, epochs);
      }),
    );
  const outcomeOf = (report: ReturnType<typeof reportOf>, claim: RegExp) =>
    report.findings.filter((finding) => claim.test(finding.claim)).map(({ outcome }) => outcome);

  test('what was published, with small intervals, repeats the table and its best row, and refutes that noise helps the rectifier on the test', () => {
    const report = reportOf();
    assert.deepEqual(new Set(outcomeOf(report, /as published/)), new Set(['holds']));
    assert.deepEqual(outcomeOf(report, /at most 1\.6%/), ['holds']);
    assert.deepEqual(new Set(outcomeOf(report, /trains/)), new Set(['holds']));
    assert.deepEqual(outcomeOf(report, /is the best/), ['holds']);
    assert.match(
      report.answer?.verdict ?? '',
      /^6 of 6 ways to train .* though straight-through is shown to be the best\.$/,
    );
    assert.deepEqual(outcomeOf(report, /helps the rectifier \(test\)/), ['refuted']);
    assert.deepEqual(outcomeOf(report, /helps the sigmoid \(test\)/), ['holds']);
  });

  test('errors far from the published ones refute what they touch, and nothing else', () => {
    const report = reportOf({ 'straight-through': 2.6 }, 660);
    assert.deepEqual(outcomeOf(report, /straight-through: .*as published/), ['refuted']);
    assert.deepEqual(outcomeOf(report, /straight-through trains/), ['refuted']);
    assert.deepEqual(outcomeOf(report, /is the best/), ['refuted']);
    assert.deepEqual(outcomeOf(report, /sigmoid: .*as published/), ['holds']);
  });

  test('after fewer epochs than were published errors are no test of what was published, and differences are', () => {
    const report = reportOf({ 'straight-through': 2.6 }, 659);
    assert.deepEqual(outcomeOf(report, /straight-through: .*as published|straight-through trains/), [
      'not tested',
      'not tested',
    ]);
    assert.match(
      report.findings.find(({ claim }) => /straight-through trains/.test(claim))?.evidence ?? '',
      /Not tested at this budget: 659 epochs of about 660 that the published curve runs\.$/,
    );
    assert.deepEqual(outcomeOf(report, /is the best/), ['refuted']);
  });

  test('one seed shows nothing, and other data are no test of published errors', () => {
    const one = table1.report(finals.filter(({ seed }) => seed === 1).map((trial) => record(trial, 0.0187)));
    assert.deepEqual(new Set(one.findings.map(({ outcome }) => outcome)), new Set(['not shown']));
    const digits = table1.report(trials.filter(({ stage }) => stage === 'final').map((trial) => record(trial, 0.1)));
    assert.deepEqual(new Set(outcomeOf(digits, /as published|at most/)), new Set(['not tested']));
  });

  test('says how far trainings came, beside what was published, on MNIST alone', () => {
    // 0.1 nats in every record, over 9.9e-3 and 6.3e-5.
    const told = (report: ReturnType<typeof reportOf>) =>
      report.learnt.filter((text) => /Training criteria/.test(text));
    assert.match(told(reportOf())[0], /are 10 to 1587 times those published/);
    const digits = trials.filter(({ stage }) => stage === 'final').map((trial) => record(trial, 0.1));
    assert.deepEqual(told(table1.report(digits)), []);
  });

  test('the ranking says how far it is certain', () => {
    const ranking = reportOf().tables.find(({ title }) => title.startsWith('Ranking'));
    assert.deepEqual(ranking?.rows[0].slice(0, 3), ['straight-through', '1', '1 to 1']);
  });
});
