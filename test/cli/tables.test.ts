/** Tables of one's own from the command line: what is understood is said, kept in the run, and applied to whatever it is asked later. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { adviseCommand } from '../../cli/advise.ts';
import { auditCommand } from '../../cli/audit.ts';
import { evaluateCommand } from '../../cli/evaluate.ts';
import { predictCommand } from '../../cli/predict.ts';
import { raceCommand } from '../../cli/race.ts';
import { trainCommand } from '../../cli/train.ts';
import { viewRun } from '../../lab/src/worker/run-view.ts';
import { createModel, dense, digits, inputsOfPixels, Run, trainRun } from '../../src/index.ts';
import { createEngine, loadDataset, nodeFolder } from '../../src/platform/node/index.ts';
import { slow } from '../helpers/extent.ts';
import { textsOf } from '../helpers/picture.ts';
import { pngFile } from '../helpers/png-file.ts';
import { refused } from '../helpers/refused.ts';
import { jsonLinesHere, runHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-tables-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
function file(name: string, rows: readonly string[]): string {
  writeFileSync(path(name), `${rows.join('\n')}\n`);
  return path(name);
}

type Line = Readonly<Record<string, unknown>>;
const COMMANDS = {
  train: trainCommand,
  evaluate: evaluateCommand,
  predict: predictCommand,
  race: raceCommand,
  advise: adviseCommand,
  audit: auditCommand,
};
const lines = (command: keyof typeof COMMANDS, ...args: string[]) => jsonLinesHere(COMMANDS[command](), args);
const recordOf = (run: string) => JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
const SMALL = [
  '--model',
  'dense',
  '--neuron',
  'tanh',
  '--units',
  '8',
  '--batch',
  '10',
  '--threads',
  '1',
  '--blas',
  'off',
];

/** Who comes through: mostly those with a low deck, and all of port C. */
const passengers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => i + from).map((i) => {
    const [port, deck] = [['C', 'Q', 'S'][i % 3], (i * 7) % 10];
    const age = i % 11 === 0 ? '' : String(20 + ((i * 13) % 50));
    return `${port},${age},${deck},${port === 'C' || deck < 3 ? 'yes' : 'no'}`;
  });
const HEADER = 'port,age,deck,survived';

describe('a table of categories, gaps and words', () => {
  const run = path('survived');
  const data = file('passengers.csv', [HEADER, ...passengers(120)]);
  const how = ['--label', 'survived', '--missing', 'mean', '--standardize'];

  it('is told before training, and stands in run.json', async () => {
    const [told, , ...rest] = await lines(
      'train',
      '--data',
      data,
      ...how,
      ...SMALL,
      '--epochs',
      '30',
      '--lr',
      '0.02',
      '--run',
      run,
    );
    assert.equal(told.event, 'data');
    const text = (told.told as string[]).join('\n');
    assert.match(text, /predicts survived \(2 classes: no, yes\) from 3 features: port, age, deck, standardised/);
    assert.match(text, /categories, one feature for each value: port \(C, Q, S\)/);
    assert.match(text, /120 rows, 11 without age; filled in with the mean of the training rows/);
    const { table, width, classes } = recordOf(run).data;
    assert.deepEqual([width, classes, table.targets], [5, 2, [{ name: 'survived', classes: ['no', 'yes'] }]]);
    assert.equal(table.center.length, 5);
    assert.ok(((rest.at(-1) as Line).testError as { threshold: number }).threshold <= 0.25);
  });

  it('predict gives the words, whatever the order of columns and the other rows', async () => {
    const rows = file('ask.csv', ['deck,age,port', '9,30,S', '1,,C']);
    const answers = await lines('predict', run, rows);
    assert.deepEqual(
      answers.map((line) => line.class),
      ['no', 'yes'],
    );
    const alone = await lines('predict', run, file('alone.csv', ['port,age,deck', 'S,30,9']));
    assert.equal(alone[0].probability, answers[0].probability);
    for (const [rows, says] of [
      [['port,age', 'S,3'], /has no column "deck", which the run takes/],
      [['port,age,deck', 'X,3,1'], /holds "X", which is none of its values/],
      [['1,2,3,4,5'], /has 5 columns\. Expected 3/],
    ] as const) {
      const { code, stderr } = await refused(predictCommand(), [run, file('wrong.csv', rows)]);
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });

  it('predict does not read the labels: an empty one, or another word, changes nothing', async () => {
    const ask = (label: string) => file('labelled.csv', ['port,survived,age,deck', `S,${label},30,9`, `C,${label},,1`]);
    const alone = await lines('predict', run, file('labelled.csv', ['port,age,deck', 'S,30,9', 'C,,1']));
    for (const label of ['', 'perhaps', 'no', '?'])
      assert.deepEqual(await lines('predict', run, ask(label)), alone, label);
    const wrong = await refused(evaluateCommand(), [run, '--data', ask('perhaps')]);
    assert.match(wrong.stderr, /holds "perhaps", which is none of its classes/);
  });

  it('evaluate reads other files by name and with the numbers of the training rows', async () => {
    const shuffled = passengers(60, 500).map((row) => row.split(',').reverse().join(','));
    const other = file('other.csv', [HEADER.split(',').reverse().join(','), ...shuffled]);
    const [row] = await lines('evaluate', run, '--data', other, '--part', 'train', '--mode', 'threshold');
    assert.ok((row.error as number) < 0.2, String(row.error));
  });

  it('a run whose data moved goes on with --data where they are the same, and says so where they are not', async () => {
    const moved = path('moved.csv');
    renameSync(data, moved);
    const lost = await refused(trainCommand(), ['--resume', run, '--epochs', '31']);
    assert.match(lost.stderr, /There is no data set, file or folder/);
    const others = file('others.csv', [HEADER, ...passengers(120, 7)]);
    const wrong = await refused(trainCommand(), ['--resume', run, '--epochs', '31', '--data', others]);
    assert.match(wrong.stderr, /are not those that .* began with/);
    await lines('train', '--resume', run, '--epochs', '31', '--data', moved);
    assert.equal(recordOf(run).result.epochs, 31);
    assert.equal(recordOf(run).data.source, moved);
    await lines('train', '--resume', run, '--epochs', '32');
  });

  it('--log on resume is that of the run, in any order, or is refused', async () => {
    const wrong = await refused(trainCommand(), ['--resume', run, '--epochs', '32', '--log', 'csv']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--log is csv here and none in .*\. Expected no --log, or another folder/);
    const logged = path('logged');
    const args = [...SMALL, ...how, '--data', path('moved.csv'), '--run', logged, '--epochs', '1'];
    await lines('train', ...args, '--log', 'csv,tensorboard');
    const less = await refused(trainCommand(), ['--resume', logged, '--epochs', '2', '--log', 'csv']);
    assert.match(
      less.stderr,
      /--log is csv here and csv,tensorboard in .*\. Expected --log csv,tensorboard, or no --log/,
    );
    await lines('train', '--resume', logged, '--epochs', '2', '--log', 'tensorboard,csv');
    assert.equal(recordOf(logged).result.epochs, 2);
  });

  it('evaluate refuses data that changed since the training, unless --data names them', async () => {
    const [kept] = await lines('evaluate', run, '--mode', 'threshold');
    const moved = path('moved.csv');
    const before = readFileSync(moved, 'utf8');
    writeFileSync(moved, before.replaceAll(',yes', ',maybe').replaceAll(',no', ',yes').replaceAll(',maybe', ',no'));
    const { code, stderr } = await refused(evaluateCommand(), [run, '--mode', 'threshold']);
    assert.equal(code, 2);
    assert.match(stderr, /The data ".*moved\.csv" are not those that .* began with: their train part has another/);
    const [others] = await lines('evaluate', run, '--mode', 'threshold', '--data', moved);
    assert.notEqual(others.error, kept.error);
    writeFileSync(moved, before);
    assert.deepEqual((await lines('evaluate', run, '--mode', 'threshold'))[0], kept);
  });
});

describe('a table of pixels', () => {
  it('standardised: a picture is read as the row of its pixels is, by predict, the exported file and the lab', async () => {
    const { features, labels } = digits({ seed: 5, count: 60 });
    const names = Array.from({ length: 784 }, (_, i) => `p${i}`);
    const rowOf = (i: number) => features.subarray(784 * i, 784 * (i + 1)) as Uint8Array;
    const rows = Array.from(labels, (label, i) => `${['even', 'odd'][label % 2]},${rowOf(i).join(',')}`);
    const data = file('pixels.csv', [`label,${names.join(',')}`, ...rows]);
    const run = path('pixels');
    await lines('train', '--data', data, '--standardize', ...SMALL, '--epochs', '2', '--run', run);
    const picture = path('digit.png');
    writeFileSync(picture, pngFile({ width: 28, height: 28, depth: 8, colour: 0, samples: [...rowOf(3)] }));
    const [asPicture] = await lines('predict', run, picture);
    const [asRow] = await lines('predict', run, file('digit.csv', [names.join(','), rowOf(3).join(',')]));
    assert.deepEqual(asPicture.probabilities, asRow.probabilities);
    assert.ok(['even', 'odd'].includes(asRow.class as string));
    const record = recordOf(run);
    const { center, spread } = record.data.table;
    const inputs = [...rowOf(3)].map((byte, p) => Math.fround((byte - center[p]) / spread[p]));
    assert.deepEqual([...inputsOfPixels(record.data.table, rowOf(3))], inputs);
    const view = await viewRun(await Run.open(nodeFolder(run)), 'pixels');
    const told = Object.fromEntries(view.facts).table;
    assert.match(told, /predicts label \(2 classes: even, odd\) from 784 features: p0, .*, standardised/);
  });
});

describe('--task regression', () => {
  const run = path('price');
  const rows = Array.from({ length: 150 }, (_, i) => {
    const [size, age] = [40 + ((i * 37) % 160), (i * 11) % 50];
    return `${age},${3 * size - 2 * age},${size},${size / 10}`;
  });
  const data = file('houses.csv', ['age,price,size,rooms', ...rows]);

  it('learns several targets, tells RMSE, MAE and R²; predict gives them by name', async () => {
    const args = ['--task', 'regression', '--target', 'price,rooms', '--standardize', ...SMALL];
    const told = await lines('train', '--data', data, ...args, '--epochs', '60', '--lr', '0.05', '--run', run);
    const result = told.at(-1) as Line & Record<'testRmse' | 'testMae' | 'testR2', { threshold: number }>;
    assert.ok(result.testRmse.threshold > result.testMae.threshold);
    assert.ok(result.testR2.threshold > 0.5, JSON.stringify(result.testR2));
    const [row] = await lines('evaluate', run, '--mode', 'threshold');
    assert.deepEqual([row.rmse, row.r2], [result.testRmse.threshold, result.testR2.threshold]);
    const [answer] = await lines('predict', run, file('one.csv', ['size,age', '100,10']));
    assert.ok(Math.abs((answer.price as number) - 280) < 150, String(answer.price));
    assert.ok(typeof answer.rooms === 'number');
    const labelled = file('one.csv', ['size,price,rooms,age', '100,unknown,,10']);
    assert.deepEqual(await lines('predict', run, labelled), [answer]);
    const texts = textsOf(readFileSync(join(run, 'curves.svg'), 'utf8'));
    for (const name of ['RMSE', 'MAE', 'R²'])
      assert.ok(
        texts.some((text) => text.startsWith(name)),
        texts.join('|'),
      );
  });
});

describe('targets of any size', () => {
  it('train alike: a run on 400,000 times the price and seven million more has the same R², and its errors times 400,000', async () => {
    const rows = (of: (price: number) => number) =>
      Array.from({ length: 150 }, (_, i) => {
        const [size, age] = [40 + ((i * 37) % 160), (i * 11) % 50];
        return `${age},${of(3 * size - 2 * age)},${size}`;
      });
    const results: Record<'testRmse' | 'testMae' | 'testR2', { threshold: number }>[] = [];
    for (const [name, of] of Object.entries({
      small: (price: number) => price,
      large: (price: number) => 7e6 + 4e5 * price,
    })) {
      const data = file(`${name}.csv`, ['age,price,size', ...rows(of)]);
      const args = ['--task', 'regression', '--target', 'price', '--standardize', ...SMALL, '--epochs', '20'];
      const told = await lines('train', '--data', data, ...args, '--optimizer', 'sgd', '--run', path(name));
      assert.match((told[0].told as string[])[0], /predicts price \(standardised for training\) from 2 features/);
      results.push(told.at(-1) as unknown as (typeof results)[number]);
      const { table } = recordOf(path(name)).data;
      assert.deepEqual([table.targetCenter.length, table.targetSpread.length], [1, 1]);
    }
    const [small, large] = results;
    assert.ok(small.testR2.threshold > 0.8, String(small.testR2.threshold));
    assert.ok(Math.abs(large.testR2.threshold - small.testR2.threshold) < 1e-3);
    for (const metric of ['testRmse', 'testMae'] as const)
      assert.ok(Math.abs(large[metric].threshold / small[metric].threshold / 4e5 - 1) < 0.01, metric);
    const asked = file('ask.csv', ['size,age', '100,10']);
    const [[a], [b]] = [await lines('predict', path('small'), asked), await lines('predict', path('large'), asked)];
    assert.ok(Math.abs(((b.price as number) - 7e6) / 4e5 - (a.price as number)) < 1);
    const [{ rmse }] = await lines('evaluate', path('large'), '--mode', 'threshold');
    assert.equal(rmse, large.testRmse.threshold);
    const [{ rmse: drawn }] = await lines('evaluate', path('large'), '--mode', 'ensemble', '--samples', '2');
    assert.ok(Math.abs((drawn as number) / large.testRmse.threshold - 1) < 1e-4);
  });
});

describe('--task multi-label', () => {
  it('tells which labels an example has', async () => {
    const run = path('labels');
    const rows = Array.from({ length: 120 }, (_, i) => {
      const x = ((i * 29) % 100) / 50 - 1;
      return `${x},${x > 0 ? 1 : 0},${x < -0.4 ? 1 : 0}`;
    });
    const data = file('labels.csv', ['x,high,low', ...rows]);
    const args = ['--task', 'multi-label', '--target', 'high,low', ...SMALL, '--epochs', '60', '--lr', '0.05'];
    await lines('train', '--data', data, ...args, '--run', run);
    const answers = await lines('predict', run, file('x.csv', ['x', '0.8', '-0.9', '-0.2']));
    assert.deepEqual(
      answers.map(({ labels }) => labels),
      [['high'], ['low'], []],
    );
    const wrong = file('two.csv', ['x,high', ...Array.from({ length: 10 }, (_, i) => `${i},2`)]);
    const { stderr } = await refused(trainCommand(), [
      '--data',
      wrong,
      '--task',
      'multi-label',
      '--target',
      'high',
      '--run',
      'none',
    ]);
    assert.match(stderr, /is 2\. Expected 0 or 1/);
  });
});

describe('wide tables', () => {
  it('of 10,000 standardised columns with gaps: the run is read again, predicts and exports', {
    skip: slow,
  }, async () => {
    const width = 10_000;
    const names = Array.from({ length: width }, (_, i) => `feature number ${i}`);
    const rows = Array.from({ length: 12 }, (_, r) =>
      [r % 2, ...names.map((_, i) => (i === r ? '' : (((i * 31 + r * 17) % 97) / 7 + (r % 2)).toFixed(4)))].join(','),
    );
    const data = file('wide.csv', [`label,${names.join(',')}`, ...rows]);
    const run = path('wide');
    await lines('train', '--data', data, '--standardize', '--missing', 'mean', ...SMALL, '--epochs', '1', '--run', run);
    assert.ok(readFileSync(join(run, 'run.json')).length > 2 ** 20);
    const record = (await Run.open(nodeFolder(run))).record.data.table;
    assert.deepEqual([record?.columns.length, record?.center?.length, record?.fill?.length], [width, width, width]);
    assert.equal((await lines('predict', run, data)).length, rows.length);
    await lines('train', '--resume', run, '--epochs', '2');
  });

  it('whose record would be larger than what is read again are refused before the training', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `${'long '.repeat(400)}${i}`);
    const rows = Array.from({ length: 4 }, (_, r) => [r % 2, ...names.map((_, i) => (i + r) % 5)].join(','));
    const data = file('long.csv', [`label,${names.join(',')}`, ...rows]);
    const run = path('long');
    const { code, stderr } = await refused(trainCommand(), ['--data', data, ...SMALL, '--epochs', '1', '--run', run]);
    assert.equal(code, 2);
    assert.match(stderr, /more than 4194304 bytes|run\.json would have \d+ bytes\. Expected 4194304 at most/);
    assert.ok(!existsSync(run));
  });
});

describe('neurons are chosen and judged on tables too', () => {
  const data = file('chosen.csv', [HEADER, ...passengers(80)]);
  const how = ['--label', 'survived', '--missing', 'mean', '--standardize'];
  const run = path('chosen');
  const judged = ['--rows', '8', '--repeats', '8', '--neuron', 'rloo', '--threads', '1'];

  it('race reads a table as train does, and refuses its flags where there is none', async () => {
    const small = [
      '--budget',
      '4',
      '--points',
      '1',
      '--units',
      '4',
      '--examples',
      '40',
      '--valid',
      '8',
      '--seeds',
      '1',
    ];
    const args = [...small, '--batch', '10', '--neuron', 'rloo,straight-through', '--threads', '1'];
    const [told, ...more] = await lines('race', '--data', data, ...how, ...args);
    assert.match((told.told as string[])[0], /survived \(2 classes: no, yes\).*standardised/);
    assert.equal(more.at(-1)?.event, 'result');
    assert.match((await refused(raceCommand(), ['--data', data, ...args])).stderr, /Expected --label with the name/);
    const none = await refused(raceCommand(), [...args, '--label', 'a']);
    assert.match(none.stderr, /--label says how a table is read, and the data "digits" are no table/);
  });

  it('audit --run and advise --run read the data of the run as it did, where they lie now, and no others', async () => {
    await lines('train', '--data', data, ...how, ...SMALL.with(3, 'rloo'), '--epochs', '1', '--run', run);
    const [row] = await lines('audit', '--run', run, ...judged);
    assert.deepEqual([row.event, row.neuron], ['neuron', 'rloo']);
    const short = ['--seconds', '1', '--seeds', '3', '--neuron', 'rloo', '--threads', '1'];
    assert.equal((await lines('advise', '--run', run, ...short)).at(-1)?.neuron, 'rloo');
    const twice = await refused(adviseCommand(), ['--run', run, ...short, '--missing', 'mean']);
    assert.match(twice.stderr, /--missing and --run both say how the data are read\. Expected one of them/);
    const moved = path('moved-chosen.csv');
    renameSync(data, moved);
    const [again] = await lines('audit', '--run', run, '--data', moved, ...judged);
    assert.deepEqual([again.bias, again.variance], [row.bias, row.variance]);
    assert.equal((await lines('advise', '--run', run, '--data', moved, ...short)).at(-1)?.neuron, 'rloo');
    const others = file('others.csv', [HEADER, ...passengers(80, 7)]);
    for (const [command, more] of [
      [auditCommand, judged],
      [adviseCommand, short],
    ] as const) {
      const { code, stderr } = await refused(command(), ['--run', run, '--data', others, ...more]);
      assert.equal(code, 2);
      assert.match(stderr, /are not those that .* began with: their train part has another checksum/);
    }
    const alone = await refused(auditCommand(), ['--neuron', 'rloo', '--data', moved]);
    assert.match(alone.stderr, /--data goes with --run/);
  });

  it('a run of another task has no classes to choose by', async () => {
    const numbers = path('numbers');
    const given = ['--task', 'regression', '--target', 'deck', '--missing', 'mean', ...SMALL.with(3, 'rloo')];
    const table = file('numbers.csv', [HEADER, ...passengers(30)]);
    await lines('train', '--data', table, ...given, '--epochs', '1', '--run', numbers);
    const { code, stderr } = await refused(auditCommand(), ['--run', numbers, ...judged]);
    assert.equal(code, 2);
    assert.match(stderr, /is a run of the task "regression.*"\. Expected a run of a classifier/);
  });
});

describe('evaluate --data FILE', () => {
  it('measures all of a file, and its parts where they are asked for; a folder has parts', async () => {
    const train = file('train-all.csv', [
      'label,a,b',
      ...Array.from({ length: 60 }, (_, i) => `${i % 2},${i % 7}.5,${i % 5}`),
    ]);
    const run = path('all');
    await lines('train', '--data', train, ...SMALL, '--epochs', '1', '--run', run);
    const other = file('other-all.csv', [
      'label,a,b',
      ...Array.from({ length: 40 }, (_, i) => `${i % 2},${i % 6}.5,${i % 3}`),
    ]);
    const counted = async (...args: string[]) =>
      (await lines('evaluate', run, '--mode', 'threshold', ...args)).map(({ part, examples }) => [part, examples])[0];
    assert.deepEqual(await counted('--data', other), ['all', 40]);
    assert.deepEqual(await counted('--data', other, '--part', 'test'), ['test', 4]);
    assert.deepEqual(await counted(), ['test', 6]);
    assert.deepEqual(await counted('--data', file('one-all.csv', ['a,b,label', '1.5,2,1'])), ['all', 1]);
    const none = await refused(evaluateCommand(), [run, '--part', 'all']);
    assert.match(none.stderr, /--part all is all of a file, and no --data names one\. Expected --data FILE/);
  });
});

describe('one set of defaults', () => {
  it('a run of the command line, with no word of seed or BLAS, goes on from a program that says none, to the same bits', async () => {
    const data = file('defaults.csv', [
      'label,a,b',
      ...Array.from({ length: 60 }, (_, i) => `${i % 2},${i % 7}.5,${i % 5}`),
    ]);
    const network = ['--model', 'dense', '--neuron', 'tanh', '--units', '8', '--batch', '10'];
    const whole = path('whole');
    await lines('train', '--data', data, ...network, '--epochs', '3', '--run', whole);
    const part = path('part');
    await lines('train', '--data', data, ...network, '--epochs', '2', '--run', part);
    const engine = await createEngine();
    const run = await Run.open(nodeFolder(part));
    for await (const event of trainRun(run, { engine, data: await loadDataset(data), epochs: 3 }))
      if (event.event === 'result') assert.equal(event.epochs, 3);
    assert.deepEqual(await run.weights(), new Uint8Array(readFileSync(join(whole, 'weights.safetensors'))));
    const { seed } = createModel(engine, { inputs: 2, layers: [dense(2)] });
    assert.deepEqual([recordOf(whole).seed, recordOf(whole).data.seed], [seed, seed]);
    engine.close();
  });
});

describe('files that people have', () => {
  it('a folder of train.csv and a test.csv without labels is read, and what is left out is said', async () => {
    const kaggle = path('kaggle');
    mkdirSync(kaggle);
    file('kaggle/train.csv', [
      'label,p0,p1',
      ...Array.from({ length: 40 }, (_, i) => `${i % 2},${(i % 2) * 200},${i}`),
    ]);
    file('kaggle/test.csv', ['p0,p1', '1,2']);
    const [told] = await lines('train', '--data', kaggle, ...SMALL, '--epochs', '1', '--run', 'none');
    assert.match((told.told as string[]).join('\n'), /test\.csv has no labels and is left out/);
  });

  it('whose column of labels nobody can know are refused; a flag given twice adds or is refused', async () => {
    const data = file('ab.csv', ['a,b', ...Array.from({ length: 20 }, (_, i) => `${i},${i % 2}`)]);
    const none = await refused(trainCommand(), ['--data', data, ...SMALL, '--run', 'none']);
    assert.match(none.stderr, /no column called label, class, target, y: its columns are "a", "b"\. Expected --label/);
    const both = await refused(trainCommand(), ['--data', data, '--label', 'b', '--target', 'a', '--run', 'none']);
    assert.match(both.stderr, /--label and --target both name the column to predict/);
    const two = await refused(trainCommand(), ['--data', data, '--target', 'a,b', ...SMALL, '--run', 'none']);
    assert.equal(two.code, 2);
    assert.match(two.stderr, /--target names 2 columns and classification tells one\. Expected one, or --task multi-/);
  });

  it('flags of tables are refused by name where the data are no table', async () => {
    const text = file('words.txt', Array(100).fill('some words of a text'));
    for (const [source, ...given] of [
      ['digits', '--label', 'b'],
      [`text:${text}`, '--target', 'a,b'],
      [`text:${text}`, '--missing', 'mean'],
      [`text:${text}`, '--standardize'],
      [`text:${text}`, '--categorical', 'a'],
      [`text:${text}`, '--header', 'yes'],
    ]) {
      const out = path('no-table');
      const { code, stderr } = await refused(trainCommand(), ['--data', source, ...given, ...SMALL, '--run', out]);
      assert.equal(code, 2);
      assert.match(
        stderr,
        new RegExp(`${given[0]} says how a table is read, and the data ".*" are no table\\. Expected a CSV`),
      );
      assert.ok(!existsSync(out));
    }
  });
});

describe('predict on several files', () => {
  it('names one whose numbers are too large to compute with, at its row, and answers the others; alone it is refused', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 2},${(i % 7) / 7},${i % 5}`);
    const run = path('several');
    const data = file('small.csv', ['label,a,b', ...rows]);
    await lines(
      'train',
      '--data',
      data,
      '--units',
      '8',
      '--blocks',
      '4',
      '--epochs',
      '1',
      '--threads',
      '1',
      '--run',
      run,
    );
    const plain = file('plain.csv', ['a,b', '1,2']);
    const large = file('large.csv', ['a,b', '1,2', '3e38,-3e38', '2,1']);
    const answered = await runHere(predictCommand(), [run, plain, large, plain]);
    assert.equal(answered.code, 2);
    const told = answered.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      told.map(({ file: name, row, error }) => [name, row, error !== undefined]),
      [
        [plain, 1, false],
        [large, 1, false],
        [large, undefined, true],
        [plain, 1, false],
      ],
    );
    assert.ok(told.every(({ error, probability }) => error !== undefined || Number.isFinite(probability)));
    const sentence = `${large}: What the network gives for example 2 is not finite; the operation`;
    assert.equal(told[2].error.indexOf(sentence), 0);
    assert.match(answered.stderr, /One of 3 files could not be answered; the others are\./);
    const alone = await runHere(predictCommand(), [run, large]);
    assert.deepEqual([alone.code, alone.stderr.includes(sentence)], [2, true]);
    const none = await runHere(predictCommand(), [run, path('no.csv'), path('nor.csv')]);
    assert.match(none.stderr, /None of the 2 files could be answered\./);
  });
});
