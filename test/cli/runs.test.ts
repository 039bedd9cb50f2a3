/** What can be done with runs: list, compare, show, measure, ask. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { predictCommand } from '../../cli/predict.ts';
import { digitsSplit } from '../../src/data/digits.ts';
import { slow } from '../helpers/extent.ts';
import { pngFile } from '../helpers/png-file.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere, runHere } from '../helpers/run-here.ts';
import { digitsTable } from '../helpers/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-runs-cli-'));
after(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, 'runs', name);
const test = digitsSplit({ seed: 1, train: 1, valid: 1, test: 20 }).test;
const data = join(folder, 'digits.csv');
const row = (i: number, of = test): string => of.features.subarray(784 * i, 784 * (i + 1)).join(',');

digitsTable(data, 800);
const args = [
  'train',
  '--data',
  data,
  '--units',
  '64',
  '--blocks',
  '8',
  '--gater',
  '16',
  '--rate',
  '0.25',
  '--blas',
  'off',
];
for (const more of [
  ['--epochs', '6', '--lr', '0.01', '--batch', '40', '--run', path('a')],
  ['--epochs', '1', '--neuron', 'top-k', '--run', path('b')],
]) {
  const { code, stderr } = await runCliHere([...args, ...more]);
  assert.equal(code, 0, stderr);
}
// As a killed run leaves it.
const record = JSON.parse(readFileSync(join(path('b'), 'run.json'), 'utf8'));
delete record.result;
writeFileSync(join(path('b'), 'run.json'), JSON.stringify(record));

const json = async (...args: string[]): Promise<Record<string, unknown>[]> => {
  const { code, stderr, lines } = await runCliHere(args);
  assert.equal(code, 0, stderr);
  return lines();
};

describe('flipgrad runs', () => {
  it('lists runs with their state and what they reached', async () => {
    const [a, b] = await json('runs', join(folder, 'runs'), '--sort', 'valid');
    const result = JSON.parse(readFileSync(join(path('a'), 'run.json'), 'utf8')).result;
    assert.deepEqual([a.folder, a.state, a.epochs, a.ofEpochs], [path('a'), 'done', 6, 6]);
    assert.deepEqual(
      [a.validError, a.testError, a.density],
      [result.validError, result.testError.threshold, result.density],
    );
    assert.deepEqual([b.folder, b.state, b.epochs, b.ofEpochs, b.testError], [path('b'), 'stopped', 1, 1, undefined]);
    assert.deepEqual(await json('runs', path('a')), [a]);
  });

  it('says which runs it cannot read, and lists the others', async () => {
    const broken = path('c');
    rmSync(broken, { recursive: true, force: true });
    const { cpSync } = await import('node:fs');
    cpSync(path('a'), broken, { recursive: true });
    truncateSync(join(broken, 'run.json'), 500);
    const { code, stderr, lines } = await runCliHere(['runs', join(folder, 'runs')]);
    rmSync(broken, { recursive: true });
    assert.equal(code, 0);
    assert.equal(lines().length, 2);
    assert.match(stderr, /^not listed: .*c\/run\.json is not JSON/);
  });

  it('a folder without runs is bad usage', async () => {
    const { code, stderr } = await runCliHere(['runs', join(folder, 'nowhere')]);
    assert.deepEqual([code, /nowhere is no run and holds none/.test(stderr)], [2, true]);
  });
});

describe('flipgrad show', () => {
  it('prints one run with its record and its metrics', async () => {
    const [shown] = await json('show', path('a'));
    assert.equal((shown.metrics as unknown[]).length, 8);
    assert.equal((shown.record as { config: { units: number } }).config.units, 64);
    const { code, stderr } = await runCliHere(['show', folder]);
    assert.deepEqual([code, /holds no run: there is no run.json/.test(stderr)], [2, true]);
  });
});

describe('flipgrad evaluate', () => {
  it('measures every mode, as training did', async () => {
    const rows = await json('evaluate', path('a'));
    const { result } = JSON.parse(readFileSync(join(path('a'), 'run.json'), 'utf8'));
    const error = Object.fromEntries(rows.map(({ mode, error }) => [mode, error]));
    assert.deepEqual(
      [error.sample, error.threshold, error['mean-field']],
      [result.testError.sampled, result.testError.threshold, result.testError.meanField],
    );
    assert.ok((error.ensemble as number) <= 1);
    assert.ok(
      rows.every(
        ({ multiplyAdds, examples, part }) => (multiplyAdds as number) > 0 && examples === 80 && part === 'test',
      ),
    );
  });

  it('measures one mode on other data, and the best weights so far of a run that stopped', { skip: slow }, async () => {
    const own = join(folder, 'own.csv');
    writeFileSync(own, Array.from({ length: 20 }, (_, i) => `${test.labels[i]},${row(i)}`).join('\n'));
    const [other] = await json('evaluate', path('a'), '--data', own, '--mode', 'threshold', '--part', 'train');
    assert.deepEqual([other.data, other.part, other.examples], ['own.csv', 'train', 16]);
    assert.ok((other.error as number) < 0.5);
    const [stopped] = await json('evaluate', path('b'), '--mode', 'sample');
    assert.equal(stopped.weights, 'epoch 1, the best so far');
  });

  it('refuses damaged weights, and data of another width', async () => {
    const weights = join(path('a'), 'weights.safetensors');
    const good = readFileSync(weights);
    writeFileSync(weights, good.subarray(0, 5000));
    const { code, stderr } = await runCliHere(['evaluate', path('a')]);
    writeFileSync(weights, good);
    assert.equal(code, 2);
    assert.match(stderr, /^flipgrad: .*a\/weights\.safetensors/);
    const narrow = join(folder, 'narrow.csv');
    writeFileSync(narrow, Array.from({ length: 30 }, (_, i) => `${i % 3},${i},7`).join('\n'));
    const other = await runCliHere(['evaluate', path('a'), '--data', narrow]);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /has 3 columns\. Expected 784 for the network, or 785 with a label/);
  });
});

describe('flipgrad predict', () => {
  interface Answer {
    class: number;
    probability: number;
    probabilities: number[];
    multiplyAdds: number;
    dense: number;
    done: string[];
    gates: { site: string; of: number; fired: number[] }[];
  }
  const ask = async (...args: string[]): Promise<Answer[]> =>
    (await json('predict', path('a'), ...args)) as unknown as Answer[];

  it('tells class, probability, gates and multiply-adds of every row of a CSV file, with labels or without', async () => {
    const plain = join(folder, 'rows.csv');
    writeFileSync(plain, Array.from({ length: 20 }, (_, i) => row(i)).join('\n'));
    const answers = await ask(plain);
    assert.equal(answers.length, 20);
    const right = answers.filter((answer, i) => answer.class === test.labels[i]).length;
    assert.ok(right >= 12, `${right} of 20 are right`);
    for (const { class: label, probability, probabilities, multiplyAdds, dense, gates } of answers) {
      assert.equal(probability, Math.max(...probabilities));
      assert.equal(probabilities.indexOf(probability), label);
      assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
      const [{ site, of, fired }] = gates;
      assert.deepEqual([site, of], ['gated.gates', 8]);
      // Gater 784·16 + 16·8, of 8 values an open block 784 + 10.
      assert.equal(multiplyAdds, 784 * 16 + 16 * 8 + fired.length * 8 * 794);
      assert.equal(dense, 784 * 64 + 64 * 10);
    }
    const labelled = join(folder, 'labelled.csv');
    writeFileSync(
      labelled,
      Array.from({ length: 3 }, (_, i) => `${test.labels[i]};${row(i).replaceAll(',', ';')}`).join('\n'),
    );
    const again = await ask(labelled);
    assert.deepEqual(
      again.map((answer) => answer.class),
      answers.slice(0, 3).map((answer) => answer.class),
    );
    assert.deepEqual(again[0].done, [
      'columns are taken in the order of the training file: there are no names to find them by',
      'column 1 left out: the label',
    ]);
  });

  it('holds gates open and closed, and says how often each is open over an ensemble', { skip: slow }, async () => {
    const plain = join(folder, 'held.csv');
    writeFileSync(plain, row(0));
    const [free] = await ask(plain, '--mode', 'ensemble', '--samples', '10');
    const shares = (answer: Answer) => (answer.gates[0] as unknown as { shares: number[] }).shares;
    const [least, most] = [Math.min, Math.max].map((of) => shares(free).indexOf(of(...shares(free))));
    const hold = `gated.gates:${least}=open,gated.gates:${most}=closed`;
    const [held] = await ask(plain, '--mode', 'ensemble', '--samples', '10', '--hold', hold);
    assert.deepEqual(
      shares(held),
      shares(free).map((share, gate) => (gate === least ? 1 : gate === most ? 0 : share)),
    );
    assert.notDeepEqual(held.probabilities, free.probabilities);
    const saidTo = async (text: string) => (await refused(predictCommand(), [path('a'), plain, '--hold', text])).stderr;
    assert.match(await saidTo('1=open'), /Expected units as SITE:UNIT=open/);
    assert.match(
      await saidTo('gates:1=open'),
      /The model has no site "gates", of which a unit is to be held\. Expected gated\.gates, gated\.experts/,
    );
  });

  it('answers a picture as it does the same digit in a table; inverted too, and says so', { skip: slow }, async () => {
    const table = join(folder, 'one.csv');
    writeFileSync(table, row(4));
    const [expected] = await ask(table);
    const samples = [...test.features.subarray(784 * 4, 784 * 5)];
    const dark = join(folder, 'dark.png');
    writeFileSync(dark, pngFile({ width: 28, height: 28, depth: 8, colour: 0, samples }));
    const white = join(folder, 'white.png');
    writeFileSync(white, pngFile({ width: 28, height: 28, depth: 8, colour: 0, samples: samples.map((v) => 255 - v) }));
    const [same, inverted] = await ask(dark, white);
    assert.deepEqual(same.probabilities, expected.probabilities);
    assert.deepEqual(inverted.probabilities, expected.probabilities);
    assert.deepEqual([same.done, inverted.done], [[], ['inverted (its border is bright)']]);
  });

  it('of several files, one that is blank, of another format or not there is named, and the others are answered', async () => {
    const samples = [...test.features.subarray(784 * 4, 784 * 5)];
    const picture = (name: string, own: readonly number[], side = 28) => {
      writeFileSync(join(folder, name), pngFile({ width: side, height: side, depth: 8, colour: 0, samples: own }));
      return join(folder, name);
    };
    const good = picture('good.png', samples);
    const blanks = [
      picture(
        'blank.png',
        samples.map(() => 0),
      ),
      picture('large.png', Array(900).fill(255), 30),
    ];
    const photo = join(folder, 'photo.jpg');
    writeFileSync(photo, Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70));
    const away = join(folder, 'away.png');
    const { code, stdout, stderr } = await runHere(predictCommand(), [path('a'), good, ...blanks, photo, away, good]);
    assert.equal(code, 2);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ file }) => file),
      [good, ...blanks, photo, away, good],
    );
    assert.deepEqual(lines[5].probabilities, lines[0].probabilities);
    for (const [i, blank] of blanks.entries())
      assert.equal(lines[1 + i].error.indexOf(`${blank}: The picture is of one colour`), 0);
    assert.equal(lines[3].error.indexOf(`${photo} is a JPEG picture. Expected`), 0);
    assert.match(lines[4].error, /away\.png/);
    assert.match(stderr, /4 of 6 files could not be answered; the others are\./);
    const alone = await refused(predictCommand(), [path('a'), photo]);
    assert.match(alone.stderr, /photo\.jpg is a JPEG picture/);
  });

  const bad: readonly [string, string, RegExp][] = [
    ['a file that is not there', '', /^flipgrad: There is no .*that is not there\.x\. Expected the path of a file/],
    ['rows of another width', '1,2,3\n', /has 3 columns\. Expected 784 for the network, or 785 with a label/],
    ['no rows', '', /holds no row of numbers/],
    ['a damaged picture', '\x89PNG\r\n\x1a\n', /damaged PNG file: it is cut short/],
  ];
  for (const [name, content, message] of bad)
    it(`refuses ${name}`, async () => {
      const file = join(folder, `${name}.x`);
      if (!name.includes('not there')) writeFileSync(file, content, 'latin1');
      const { code, stderr } = await refused(predictCommand(), [path('a'), file]);
      assert.equal(code, 2);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
});
