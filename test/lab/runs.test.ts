/** The page "Runs": what a training left behind, in the worker's own functions and in a browser. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { benchLines } from '../../cli/bench.ts';
import { labServer } from '../../cli/lab-server.ts';
import { interval, withHalf } from '../../experiments/kit/statistics.ts';
import { readReport } from '../../lab/src/worker/report-view.ts';
import { runsAnswers } from '../../lab/src/worker/runs.ts';
import { digitsSplit, type InModes, measureCrossover, measureWaterfall, Run, trainRun } from '../../src/index.ts';
import { createEngine, nodeFolder } from '../../src/platform/node/index.ts';
import { full } from '../helpers/extent.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';
import { builtLab } from './build.ts';

const RESULTS = join(import.meta.dirname, '../../results');
const top = mkdtempSync(join(tmpdir(), 'flipgrad-lab-runs-'));
const folder = join(top, 'first');
const tested = (): InModes => record.result?.testError as InModes;

const flags = ['--units', '32', '--blocks', '8', '--gater', '8', '--epochs', '3', '--seed', '4', '--blas', 'off'];
const { code, stderr } = await runCliHere(['train', ...flags, '--run', folder, '--json']);
assert.equal(code, 0, stderr);
const { record } = await Run.open(nodeFolder(folder));
cpSync(folder, join(top, 'second'), { recursive: true });
cpSync(folder, join(top, 'third'), { recursive: true });
writeFileSync(join(top, 'third/run.json'), '{');
after(() => rmSync(top, { recursive: true, force: true }));

/** What `flipgrad bench` prints of two block sizes; the command itself measures each for four seconds. */
async function benchOutput(): Promise<string> {
  if (full) {
    const small = ['--units', '16', '--sizes', '4,8', '--rows', '2', '--inputs', '4', '--threads', '1'];
    const { stdout, code: ended } = await runCliHere(['bench', ...small, '--simd', 'simd', '--json']);
    assert.equal(ended, 0);
    return stdout;
  }
  const engine = await createEngine({ threads: 1, simd: 'simd' });
  const lines = [4, 8].flatMap((size) => {
    const shape = { rows: 2, inputs: 4, units: 16, size };
    const curve = measureCrossover(engine, shape, { milliseconds: 5 });
    return benchLines(engine, curve, measureWaterfall(engine, shape, 0.1, 64, 10));
  });
  engine.close();
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

const picked = (...names: string[]) => ({
  files: names.map((name) => [name, new Blob([readFileSync(join(top, name))])] as const),
});

describe('what the worker reads', () => {
  test('a run: facts, curves of its lines, gates of its last epoch, its result beside the published row of its neuron', async () => {
    const view = await runsAnswers.pickedFiles(picked('first/run.json', 'first/metrics.jsonl'));
    assert.ok(view.kind === 'run');
    const epochs = (await (await Run.open(nodeFolder(folder))).metrics()).filter((line) => line.event === 'epoch');
    const [loss, error, gates] = view.charts;
    assert.deepEqual(
      loss.lines[1].points,
      epochs.map(({ epoch, validLoss }) => ({ x: epoch, y: validLoss })),
    );
    assert.deepEqual(
      error.lines.map(({ points }) => points.length),
      [3, 3],
    );
    assert.deepEqual(
      gates.lines[0].points.map(({ y }) => y),
      epochs.map(({ health }) => 100 * health[0].rate),
    );
    const [site] = view.sites;
    assert.equal(site.rate, epochs[2].health[0].rate);
    assert.ok(Math.abs(site.bars.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12);
    assert.deepEqual(view.result[1], ['test error, threshold', `${(100 * tested().threshold).toFixed(2)}%`]);
    const own = view.published?.rows.filter(({ here }) => here) ?? [];
    assert.deepEqual(
      own.map(({ gater, published }) => [gater, published.test]),
      [['straight-through', 1.39]],
    );
    assert.match(view.published?.note ?? '', /data digits, not mnist; units 32, not 2000; blocks 8, not 2000/);
  });

  test('a folder of runs: a line each, and a sentence for one that is damaged', async () => {
    const names = ['first', 'second', 'third'].flatMap((name) => [`${name}/run.json`, `${name}/metrics.jsonl`]);
    const view = await runsAnswers.pickedFiles(picked(...names));
    assert.ok(view.kind === 'runs');
    assert.deepEqual(
      view.runs.map(({ place, summary }) => [place, summary.validError]),
      ['first', 'second'].map((place) => [place, record.result?.validError]),
    );
    assert.equal(view.damaged.length, 1);
    assert.match(view.damaged[0], /third\/run\.json is not JSON/);
    const one = await runsAnswers.pickedFiles({ ...picked(...names), place: 'second' });
    assert.ok(one.kind === 'run' && one.name === 'second');
  });

  test('trials of a reproduce: means over seeds with intervals, curves, findings of the Markdown beside', () => {
    const trials = [
      [1, 'plain', 0.1, 0.5],
      [2, 'plain', 0.2, 0.7],
      [1, 'noisy', 0.3, 0.9],
      [2, 'noisy', 0.5, 1.1],
    ].map(([seed, arm, error, loss]) => ({
      trial: { data: 'digits', arm, seed },
      result: { test: { sampled: error }, curve: [{ trainLoss: loss }, { trainLoss: Number(loss) / 2 }], engine: 'x' },
      seconds: 3,
    }));
    const text = trials.map((trial) => `${JSON.stringify(trial)}\n`).join('');
    const view = readReport('tiny-quick.jsonl', text, '# T\n\nClaimed: “it is” (me).\n\n- **holds**: it. `x`\n');
    assert.deepEqual([view.trials, view.seeds, view.command], [4, 2, 'flipgrad reproduce tiny --quick']);
    assert.equal(readReport('tiny-medium.jsonl', text, undefined).command, 'flipgrad reproduce tiny --medium');
    assert.deepEqual(view.head, ['arm', 'test, sampled, %']);
    const shown = (values: readonly number[]) => withHalf(interval(values), (x) => String(Number(x.toPrecision(4))));
    assert.deepEqual(view.rows, [
      ['plain', shown([10, 20])],
      ['noisy', shown([30, 50])],
    ]);
    assert.deepEqual(
      view.charts.map(({ title, lines }) => [title, lines.map(({ name, points }) => [name, points[0].y])]),
      [
        [
          'train loss, means over seeds',
          [
            ['plain', 0.6],
            ['noisy', 1],
          ],
        ],
      ],
    );
    assert.deepEqual(view.findings, ['Claimed: “it is” (me).', 'holds: it. x']);
    assert.equal(view.published, undefined);
    assert.deepEqual(readReport('tiny-quick.jsonl', text.replaceAll('{"trial":', '{"cell":')).rows, view.rows);
  });

  test('the committed results of many neurons stand beside the published table', () => {
    const text = readFileSync(join(RESULTS, 'mnist-neurons.jsonl'), 'utf8');
    const view = readReport('mnist-neurons.jsonl', text);
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const own = records.find(({ neuron, role }) => neuron === 'straight-through' && role === 'gates');
    const row = view.published?.rows.find(({ gater }) => gater === 'straight-through');
    assert.equal(row?.here?.test, 100 * own.testError.threshold);
    assert.equal(row?.published.test, 1.39);
    assert.match(view.published?.note ?? '', /or one that the records do not state/);
  });

  test('numbers that differ by rounding alone have no interval, settings are no JSON, shares are percent', () => {
    const arm = { neuron: { name: 'rloo', K: 4 }, widths: [64, 32] };
    const text = [1, 2, 3]
      .flatMap((seed) => [arm, 'plain'].map((own) => ({ own, seed })))
      .map(({ own, seed }) =>
        JSON.stringify({
          trial: { arm: own, seed },
          result: {
            validError: 0.1 + 0.2 - 0.1 - (seed - 2) * 1e-17,
            curve: [
              { epoch: 5, validError: 0.25 },
              { epoch: 10, validError: 0.125 },
            ],
          },
        }),
      )
      .join('\n');
    const { head, rows, charts } = readReport('x.jsonl', text);
    assert.deepEqual(head, ['arm', 'valid error, %']);
    for (const [name, value] of rows) {
      assert.doesNotMatch(name, /[{}"[\]]/);
      assert.match(value, /^20( ± 0)?$/);
    }
    const [{ title, x, y, lines }] = charts;
    assert.deepEqual([title, x, y], ['valid error, means over seeds', 'epoch', '%']);
    assert.deepEqual(lines[0].points, [
      { x: 5, y: 25 },
      { x: 10, y: 12.5 },
    ]);
    for (const { name } of lines) assert.doesNotMatch(name, /[{}"[\]]/);
  });

  test('the committed records of audits, benchmarks and variational autoencoders are read', () => {
    const read = (name: string) => readReport(`${name}.jsonl`, readFileSync(join(RESULTS, `${name}.jsonl`), 'utf8'));
    const audit = read('audit');
    assert.equal(audit.trials, audit.rows.length);
    assert.ok(['neuron', 'bias', 'total variance', 'claims refuted'].every((name) => audit.head.includes(name)));
    // An error squared is no share.
    assert.ok(audit.head.includes('squared error'), audit.head.join());
    const noise = read('weight-noise');
    for (const error of ['label error', 'sequence error'])
      assert.ok(noise.head.includes(`by error, test, ${error}, %`), noise.head.join());
    const bench = read('bench');
    assert.ok(bench.rows.length > 50 && ['comparison', 'milliseconds'].every((name) => bench.head.includes(name)));
    const variance = read('vae-variance');
    assert.deepEqual(
      variance.charts.map(({ x, y }) => [x, y]),
      [['step', 'variance']],
    );
    assert.ok(variance.charts[0].lines.every(({ points }) => points.length > 1));
    const time = read('vae-equal-time');
    assert.ok(time.seeds > 1 && time.head.includes('test elbo'));
    assert.ok(time.charts.some(({ y, lines }) => y === 'elbo' && lines.every(({ points }) => points.length > 5)));
  });

  test('the lines of `flipgrad bench` are read', async () => {
    const view = readReport('own.jsonl', await benchOutput());
    assert.equal(view.rows.length, 4);
    assert.deepEqual(view.head.slice(0, 2), ['what', 'block size']);
    assert.ok(view.charts.length > 0 && view.charts.every(({ x }) => x === 'density'));
  });

  test('what is neither is a sentence', async () => {
    const refused = (name: string, text: string, message: RegExp) =>
      assert.rejects(runsAnswers.pickedFiles({ files: [[name, new Blob([text])]] }), message);
    await refused('beach.png', 'x', /beach\.png is no run and no report: a run's folder holds run\.json/);
    await refused('x.jsonl', '{"trial":1}\n', /Line 1 of x\.jsonl is neither a trial of `flipgrad reproduce` nor/);
    await refused('x.jsonl', 'hello\n', /Line 1 of x\.jsonl is no JSON/);
    await refused('x.jsonl', '', /x\.jsonl is empty/);
    await refused('run.json', '{}', /run\.json has the format undefined/);
    await assert.rejects(runsAnswers.pickedFiles({ files: [] }), /What was picked is no run/);
  });
});

describe('the page "Runs" in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab({ run: folder });
  });
  after(() => lab.close());
  const error = (share = 0): string => `${(100 * share).toFixed(2)}%`;

  test('opens the run that the server has, and its address restores it; nothing serious for axe', async () => {
    // Without a click: it is what the server was started with.
    const { page, said } = await lab.page('#runs');
    const check = async () => {
      const row = page.locator('section[aria-label="result"] tr', { hasText: 'test error, threshold' });
      await row.locator('td', { hasText: error(tested().threshold) }).waitFor();
      await page.locator('section svg[role="img"]').nth(3).waitFor();
      assert.equal(await page.locator('section svg[role="img"]').count(), 4);
      const published = page.getByRole('region', { name: 'published numbers' });
      assert.match((await published.locator('tr.own').textContent()) as string, /straight-through.*1\.39/);
    };
    await check();
    assert.match(page.url(), /#runs\?source=served/);
    assert.match((await page.locator('pre').textContent()) as string, /flipgrad show first/);
    await page.reload();
    await check();
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
  });

  test('a run that is under way is followed to its end, and opens on page Gates from its last checkpoint', async () => {
    const engine = await createEngine({ threads: 1, simd: 'simd' });
    const place = join(top, 'under-way');
    const data = digitsSplit({ seed: 3, train: 60, valid: 20, test: 20 });
    const { train, valid, test } = data;
    const { result: _, ...rest } = record;
    const run = await Run.create(nodeFolder(place), {
      ...rest,
      engine: { ...rest.engine, name: engine.name, threads: 1, simd: 'simd', crossovers: engine.crossovers },
      data: {
        ...rest.data,
        seed: 3,
        checksums: { train: train.checksum, valid: valid.checksum, test: test.checksum },
        examples: { train: train.count, valid: valid.count, test: test.count },
        scale: train.scale,
      },
    });
    const server = labServer({ lab: builtLab(), run: place });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = `http://localhost:${(server.address() as AddressInfo).port}/`;
    // It trains as far as it is asked to.
    const training = trainRun(run, { engine, data, checkpointSeconds: 0 });
    const until = async (wanted: string): Promise<void> => {
      for (let next = await training.next(); !next.done; next = await training.next())
        if (next.value.event === wanted) return;
      throw new Error(`There is no ${wanted}.`);
    };
    try {
      await until('batch');
      const early = await lab.page('#gates?source=served', { at });
      assert.match(
        (await early.page.getByRole('alert').textContent()) as string,
        /has no weights yet: .* being trained\. Wait for its first checkpoint/,
      );
      await until('epoch');
      await until('saved');
      const { page, said } = await lab.page('#runs?source=served', { at });
      await page.getByRole('cell', { name: 'running, 1 of 3 epochs' }).waitFor();
      await page.getByText(/The run is under way: this page reads it again/).waitFor();
      await early.page.getByRole('button', { name: 'Open the run under-way' }).click();
      await early.page.getByRole('region', { name: 'one gate' }).waitFor();
      assert.match(
        (await early.page.getByRole('status').textContent()) as string,
        /The run under-way\. Weights: epoch 1, the best so far\. It is not done: opened again later/,
      );
      await until('epoch');
      await page.getByRole('cell', { name: 'running, 2 of 3 epochs' }).waitFor();
      await until('result');
      await training.next();
      await page.locator('section[aria-label="result"]').waitFor();
      await page.getByRole('cell', { name: 'done, 3 of 3 epochs' }).waitFor();
      await page.locator('#followed').waitFor({ state: 'detached' });
      assert.deepEqual([...said, ...early.said], []);
    } finally {
      await training.return();
      engine.close();
      server.closeAllConnections();
      server.close();
      rmSync(place, { recursive: true, force: true });
    }
  });

  test('opens picked folders and reports by keyboard; a file that is no run is a sentence', async () => {
    const { page, said } = await lab.page('#runs', { width: 400, colorScheme: 'dark' });
    await page.getByLabel(/a run’s folder/).setInputFiles(top);
    const second = page.getByRole('button', { name: /\/second$/ });
    await second.focus();
    await page.keyboard.press('Enter');
    await page.locator('section[aria-label="result"]').waitFor();
    assert.match((await page.locator('section[aria-label="run"] h2').textContent()) as string, /\/second$/);
    assert.match(page.url(), /source=picked/);
    await page.getByLabel(/files: a report/).setInputFiles(join(RESULTS, 'mnist-neurons.jsonl'));
    await page.getByRole('region', { name: 'means over seeds' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel(/files: a report/).setInputFiles(join(RESULTS, 'audit.svg'));
    assert.match(
      (await page.getByRole('alert').textContent()) as string,
      /audit\.svg is no run and no report: a run's folder holds run\.json/,
    );
    await page.reload();
    assert.match((await page.getByRole('alert').textContent()) as string, /please pick them again/);
    assert.deepEqual(said, []);
  });
});
