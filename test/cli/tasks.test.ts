/** Every task from the command line: train, stop and go on, evaluate, predict, show, runs; tasks of one's own from a file. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { exportCommand } from '../../cli/export.ts';
import { predictCommand } from '../../cli/predict.ts';
import { runsCommand } from '../../cli/runs.ts';
import { showCommand } from '../../cli/show.ts';
import { trainCommand } from '../../cli/train.ts';
import { slow } from '../helpers/extent.ts';
import { textsOf } from '../helpers/picture.ts';
import { refused } from '../helpers/refused.ts';
import { jsonLinesHere, runHere } from '../helpers/run-here.ts';
import { twoClasses } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-tasks-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

type Line = Readonly<Record<string, unknown>>;
const COMMANDS = {
  train: trainCommand,
  evaluate: evaluateCommand,
  predict: predictCommand,
  show: showCommand,
  runs: runsCommand,
  export: exportCommand,
};
const lines = (command: keyof typeof COMMANDS, ...args: string[]) => jsonLinesHere(COMMANDS[command](), args);
const resultOf = (run: string): Line => JSON.parse(readFileSync(join(path(run), 'run.json'), 'utf8')).result;
const weights = (run: string): Buffer => readFileSync(join(path(run), 'weights.safetensors'));

/** As on a terminal. */
async function forPeople<T>(say: () => Promise<T>): Promise<T> {
  const terminal = process.stdout.isTTY;
  process.stdout.isTTY = true;
  try {
    return await say();
  } finally {
    process.stdout.isTTY = terminal;
  }
}

/** Sequences of points (x, x²) whose labels are the signs of x. */
const sequences = Array.from({ length: 30 }, (_, i) => {
  const signs = [i % 2, (i >> 1) % 2];
  const features = signs.flatMap((sign) => [0.5, 1].map((x) => [sign ? x : -x, x * x]));
  return JSON.stringify({ features, labels: signs });
});
const TEXT = 'to be or not to be, that is the question. '.repeat(30);

const CASES = [
  {
    task: 'next-token',
    data: 'text.txt',
    metric: 'testBits',
    args: ['--layers', 'embedding 256 8, lstm 12'],
    asked: 'text.txt',
    answer: (line: Line) => assert.ok(Number.isInteger(line.next) && (line.probability as number) > 0),
    title: /valid bits a token/,
  },
  {
    task: 'ctc',
    data: 'sequences.jsonl',
    metric: 'testLabelError',
    args: ['--layers', 'lstm 8', '--log', 'csv'],
    asked: 'sequences.jsonl',
    answer: (line: Line) => assert.ok((line.labels as number[]).every((label) => label === 0 || label === 1)),
    title: /valid label error/,
  },
];

writeFileSync(path('text.txt'), TEXT);
writeFileSync(path('sequences.jsonl'), `${sequences.join('\n')}\n`);

for (const [i, { task, data, metric, args, asked, answer, title }] of CASES.entries())
  describe(`flipgrad train --task ${task}`, { skip: i > 0 && slow }, () => {
    const common = ['--task', task, '--data', path(data), ...args, '--threads', '1'];

    it('trains in a folder, with curves and logs; evaluate measures what training did', async () => {
      const told = await lines('train', ...common, '--epochs', '3', '--run', path(task));
      assert.deepEqual(
        told.map(({ event }) => event),
        ['network', 'run', 'epoch', 'epoch', 'epoch', 'result'],
      );
      const result = resultOf(task);
      const test = result[metric] as { threshold: number; sampled: number };
      const rows = await lines('evaluate', path(task));
      const name = metric[4].toLowerCase() + metric.slice(5);
      assert.deepEqual(
        rows.map(({ mode }) => mode),
        ['threshold', 'mean-field', 'sample', 'ensemble'],
      );
      assert.equal(rows[0][name], test.threshold);
      assert.equal(rows[2][name], test.sampled);
      const texts = textsOf(readFileSync(join(path(task), 'curves.svg'), 'utf8'));
      assert.ok(texts.includes('training · validation'), texts.join('|'));
    });

    it('--resume goes on as if nothing had been between', async () => {
      await lines('train', ...common, '--epochs', '1', '--run', path(`${task}-again`));
      await lines('train', '--resume', path(`${task}-again`), '--epochs', '3');
      assert.ok(weights(`${task}-again`).equals(weights(task)));
      const { code, stderr } = await refused(trainCommand(), ['--resume', path(task), '--task', 'classification']);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`--task is "classification" here and "${task}" in`));
    });

    it('predict answers, show and runs read its numbers by its task, export writes its weights', async () => {
      const [first] = await lines('predict', path(task), path(asked));
      answer(first);
      const [summary] = await lines('runs', path(task));
      assert.deepEqual([summary.task, summary.state], [task, 'done']);
      assert.equal(summary[metric], (resultOf(task)[metric] as { threshold: number }).threshold);
      const [shown] = await lines('show', path(task));
      assert.equal((shown.metrics as unknown[]).length, 5);
      for (const command of [showCommand(), runsCommand()]) {
        const { stdout } = await forPeople(() => runHere(command, [path(task)]));
        assert.match(stdout, title);
        assert.doesNotMatch(stdout, /undefined|NaN/);
      }
      const out = path(`${task}.safetensors`);
      const [exported] = await lines('export', path(task), '--format', 'safetensors', '--out', out);
      assert.equal(exported.format, 'safetensors');
    });
  });

describe('a task of one\u2019s own', () => {
  const file = path('halved.ts');
  before(() => {
    const source = new URL('../../src/index.ts', import.meta.url).pathname;
    writeFileSync(
      file,
      `import { classification } from ${JSON.stringify(source)};
// Tells twice as much of the truth: half the error.
export const halved = {
  ...classification,
  name: 'halved',
  figures: { half: { title: 'half of the error', unit: 'share' } },
  metrics: ({ wrong }, examples) => ({ half: wrong / examples / 2 }),
  best: { metric: 'half', better: 'less' },
};
`,
    );
  });
  const data = ['--data', twoClasses(path('two.csv'))];
  const small = [...data, '--task', 'halved', '--model', 'dense', '--units', '8', '--neuron', 'tanh', '--threads', '1'];

  it('trains from --use; its numbers are read without its code, and everything else wants the file', async () => {
    const args = [...small, '--use', file];
    const told = await lines('train', ...args, '--epochs', '2', '--run', path('halved'));
    const last = told.at(-1) as Line & { testHalf: { threshold: number } };
    assert.ok(last.testHalf.threshold < 0.45);
    const record = JSON.parse(readFileSync(join(path('halved'), 'run.json'), 'utf8'));
    assert.deepEqual([record.task.name, record.own[0].tasks], ['halved', ['halved']]);
    const [summary] = await lines('runs', path('halved'));
    assert.equal(summary.testHalf, last.testHalf.threshold);
    const { stdout } = await forPeople(() => runHere(showCommand(), [path('halved')]));
    assert.match(stdout, /valid half of the error/);
    const without = await refused(evaluateCommand(), [path('halved')]);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /has neurons or tasks of .*halved\.ts \(halved\), .*Expected --use FILE/);
    const [row] = await lines('evaluate', path('halved'), '--use', file, '--mode', 'threshold');
    assert.equal(row.half, last.testHalf.threshold);
    await lines('train', ...args, '--epochs', '1', '--run', path('halved-again'));
    await lines('train', '--resume', path('halved-again'), '--use', file, '--epochs', '2');
    assert.ok(weights('halved-again').equals(weights('halved')));
  });

  it('that lacks a part, has the name of a shipped one, or is not there, is refused with a sentence', async () => {
    const other = (name: string, code: string) => {
      writeFileSync(path(name), code);
      return path(name);
    };
    const source = JSON.stringify(new URL('../../src/index.ts', import.meta.url).pathname);
    const part = other(
      'part.ts',
      `import { classification } from ${source};\nexport const x = { ...classification, name: 'part', measure: 1 };\n`,
    );
    const named = other(
      'named.ts',
      `import { classification } from ${source};\nexport const x = { ...classification, name: 'vae' };\n`,
    );
    for (const [args, says] of [
      [['--task', 'part', '--use', part], /The task "part" of .*part\.ts has no `measure`\. Expected a function/],
      [['--task', 'vae', '--use', named], /exports a task "vae", as another is called\. Expected another name/],
      [['--task', 'halved'], /There is no task "halved"\. .*Known: classification/],
      [['--task', 'vae:sample=2'], /The task "vae" has no option "sample"\. Did you mean "samples"\?/],
      [['--task', 'regression:loss=square'], /`loss` of the task "regression" is "square"\. Expected one of squared/],
      [['--model', 'vae', '--task', 'ctc'], /--model vae is a network for the task vae, and --task is ctc/],
      [['--task', 'regression'], /has no data set of its own\. Expected a CSV file/],
    ] as const) {
      const { code, stderr } = await refused(trainCommand(), ['--epochs', '1', '--run', 'none', ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
    }
  });
});
