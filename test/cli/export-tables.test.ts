/** Exports of runs on tables read rows as the run did, and tell answers by their names: held against `flipgrad predict`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { exportCommand } from '../../cli/export.ts';
import { predictCommand } from '../../cli/predict.ts';
import { trainCommand } from '../../cli/train.ts';
import {
  createModel,
  dense,
  digits,
  exportOneFile,
  exportOnnx,
  fitPicture,
  type Picture,
  regression,
} from '../../src/index.ts';
import type { PortablePrediction } from '../../src/lower/one-file-predictor.ts';
import type { PortableRow } from '../../src/lower/one-file-row.ts';
import { createEngine } from '../../src/platform/node/index.ts';
import '../helpers/onnx-session.ts';
import { pngFile } from '../helpers/png-file.ts';
import { jsonLinesHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-export-tables-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
function file(name: string, rows: readonly string[]): string {
  writeFileSync(path(name), `${rows.join('\n')}\n`);
  return path(name);
}

const COMMANDS = { train: trainCommand, predict: predictCommand, export: exportCommand };
const lines = (command: keyof typeof COMMANDS, ...args: string[]) => jsonLinesHere(COMMANDS[command](), args);
const SMALL = [
  '--units',
  '8',
  '--blocks',
  '4',
  '--gater',
  '4',
  '--rate',
  '0.5',
  '--batch',
  '10',
  '--threads',
  '1',
  '--blas',
  'off',
  '--epochs',
  '5',
];

type Predict = (row: PortableRow) => PortablePrediction;
async function exported(run: string): Promise<{ predict: Predict; names?: string[]; text: string }> {
  const out = `${run}.mjs`;
  await lines('export', run, '--format', 'js', '--out', out);
  return { ...(await import(pathToFileURL(out).href)), text: readFileSync(out, 'utf8') };
}
async function onnx(run: string): Promise<{ session: InferenceSession; text: string }> {
  const out = `${run}.onnx`;
  await lines('export', run, '--out', out);
  const bytes = readFileSync(out);
  return {
    session: await InferenceSession.create(bytes, { executionProviders: ['wasm'] }),
    text: bytes.toString('latin1'),
  };
}
const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-4): void => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) assert.ok(Math.abs(a[i] - b[i]) <= tolerance, `${a[i]} and ${b[i]} at ${i}`);
};

const passengers = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const [port, deck] = [['C', 'Q', 'S'][i % 3], (i * 7) % 10];
    return `${port},${i % 11 === 0 ? '' : 20 + ((i * 13) % 50)},${deck},${port === 'C' || deck < 3 ? 'yes' : 'no'}`;
  });
const ROWS = [
  ['C', 44, 9],
  ['S', null, 1],
  ['Q', 21.5, 4],
  ['', 30, 2],
] as const;

describe('a table of categories, gaps and words', () => {
  const run = path('survived');
  let answers: Awaited<ReturnType<typeof lines>>;
  before(async () => {
    const data = file('passengers.csv', ['port,age,deck,survived', ...passengers(120)]);
    const how = ['--label', 'survived', '--missing', 'mean', '--standardize'];
    await lines('train', '--data', data, ...how, ...SMALL, '--run', run);
    const asked = ROWS.map((row) => row.map((cell) => cell ?? '').join(','));
    answers = await lines('predict', run, file('ask.csv', ['port,age,deck', ...asked]));
  });

  it('the JavaScript file takes rows by name in any case and order, or in the order of the columns, and gives back words', async () => {
    const { predict, names, text } = await exported(run);
    assert.deepEqual(names, ['no', 'yes']);
    assert.match(text, /as the table of the training has them: port, age, deck\./);
    ROWS.forEach(([port, age, deck], i) => {
      for (const row of [
        [port, age, deck],
        { deck: String(deck), PORT: port, ' age ': age ?? 'NA' },
      ] as PortableRow[]) {
        const told = predict(row);
        assert.equal(told.class, answers[i].class);
        assert.equal(told.class, names[told.label as number]);
        close(told.probabilities ?? [], answers[i].probabilities as number[], 1e-6);
      }
    });
  });

  it('the JavaScript file refuses what the run refuses, in a sentence', async () => {
    const { predict } = await exported(run);
    for (const [row, says] of [
      [{ port: 'C', age: 3 }, /The row has no "deck"\. Expected port, age, deck\./],
      [['X', 3, 1], /"port" is "X"\. Expected one of C, Q, S\./],
      [['C', 'old', 1], /"age" is "old"\. Expected a number\./],
      [['C', Number.POSITIVE_INFINITY, 1], /"age" is "Infinity"\. Expected a number\./],
      [[1, 0, 0, 30, 1], /was given 5 values\. Expected 3: port, age, deck; or an object/],
      [undefined, /was given undefined\. Expected a row/],
    ] as const)
      assert.throws(() => predict(row as never), { name: 'RangeError', message: says });
  });

  it('the ONNX file standardises and fills by itself; its metadata name features and classes', async () => {
    const { session, text } = await onnx(run);
    assert.match(text, /\["port=C","port=Q","port=S","age","deck"\]/);
    assert.match(text, /classes.{1,4}\["no","yes"\]/s);
    const input = ROWS.flatMap(([port, age, deck]) => [
      ...['C', 'Q', 'S'].map((value) => (port === '' ? Number.NaN : Number(port === value))),
      age ?? Number.NaN,
      deck,
    ]);
    const { probabilities } = await session.run({ input: new Tensor('float32', Float32Array.from(input), [4, 5]) });
    close(
      probabilities.data as Float32Array,
      answers.flatMap((line) => line.probabilities as number[]),
    );
  });
});

describe('numbers as targets', () => {
  it('are given in their own units, by name, as predict gives them', async () => {
    const run = path('houses');
    const houses = Array.from({ length: 100 }, (_, i) => {
      const [size, age] = [40 + ((i * 37) % 160), (i * 11) % 50];
      return `${age},${250_000 + 3000 * size - 2000 * age},${size},${size / 10}`;
    });
    const data = file('houses.csv', ['age,price,size,rooms', ...houses]);
    const how = ['--task', 'regression', '--target', 'price,rooms', '--standardize'];
    await lines('train', '--data', data, ...how, ...SMALL, '--run', run);
    const rows = [
      [10, 100],
      [40, 60],
    ];
    const answers = await lines('predict', run, file('ask.csv', ['age,size', ...rows.map(String)]));
    const { predict } = await exported(run);
    const { session, text } = await onnx(run);
    assert.match(text, /targets.{1,4}\["price","rooms"\]/s);
    assert.deepEqual(session.outputNames, ['values']);
    const { values } = await session.run({ input: new Tensor('float32', Float32Array.from(rows.flat()), [2, 2]) });
    for (const [i, { price, rooms }] of (answers as { price: number; rooms: number }[]).entries()) {
      assert.ok(price > 250_000 && price < 1_000_000, String(price));
      const told = predict(rows[i]);
      assert.deepEqual(Object.keys(told), ['values', 'logits', 'gates', 'multiplyAdds']);
      close(Object.values(told.values ?? {}), [price, rooms], 0.05);
      close((values.data as Float32Array).slice(2 * i, 2 * i + 2), [price, rooms], 0.5);
    }
  });

  it('labels that do not exclude each other are told by name', async () => {
    const run = path('labels');
    const rows = Array.from({ length: 90 }, (_, i) => {
      const x = ((i * 29) % 100) / 50 - 1;
      return `${x},${x > 0 ? 1 : 0},${x < -0.4 ? 1 : 0}`;
    });
    const data = file('labels.csv', ['x,high,low', ...rows]);
    await lines('train', '--data', data, '--task', 'multi-label', '--target', 'high,low', ...SMALL, '--run', run);
    const answers = await lines('predict', run, file('x.csv', ['x', '0.8', '-0.9', '0']));
    const { predict } = await exported(run);
    const { session } = await onnx(run);
    const input = new Tensor('float32', Float32Array.of(0.8, -0.9, 0), [3, 1]);
    const { probabilities } = await session.run({ input });
    close(
      probabilities.data as Float32Array,
      answers.flatMap((line) => line.probabilities as number[]),
    );
    for (const [i, x] of [0.8, -0.9, 0].entries()) {
      const told = predict({ x });
      assert.deepEqual(told.labels, answers[i].labels);
      close(told.probabilities ?? [], answers[i].probabilities as number[], 1e-6);
    }
  });
});

describe('what a file says is text, whatever it is', async () => {
  const engine = await createEngine({ threads: 1 });
  after(() => engine.close());
  const NAME = `a'\n*/</script>\`$\u007b1}\u2028`;
  const table = {
    named: true,
    columns: [{ name: NAME }],
    targets: [{ name: NAME, classes: [NAME, '__proto__'] }],
    missing: 'error' as const,
    scale: 1,
  };

  it('names of anybody stay names', async () => {
    const model = createModel(engine, { inputs: 1, layers: [dense(2)] });
    const text = exportOneFile(model, { table });
    assert.ok(!text.includes('</script>'));
    writeFileSync(path('names.mjs'), text);
    const { predict, names } = (await import(pathToFileURL(path('names.mjs')).href)) as Awaited<
      ReturnType<typeof exported>
    >;
    assert.deepEqual(names, [NAME, '__proto__']);
    assert.ok(names.includes(predict({ [NAME]: 2 }).class as string));
  });

  it('a table of another width, and a task whose link nobody knows, are refused', () => {
    const model = createModel(engine, { inputs: 2, layers: [dense(2)] });
    for (const make of [exportOneFile, exportOnnx]) {
      assert.throws(() => make(model, { table }), {
        name: 'ExportError',
        message: /The table has 1 features, and the network takes 2/,
      });
      const task = { name: 'own', link: { to() {}, back() {} } };
      assert.throws(() => make(model, { task }), {
        name: 'ExportError',
        message: /The link of the task "own" has no name/,
      });
      assert.doesNotThrow(() => make(model, { task: regression() as never }));
    }
  });

  for (const [units, white] of [
    ['bytes', 255],
    ['numbers from 0 to 1', 1],
  ] as const)
    it(`the file of a run on a standardised table of pixels in ${units} fits pictures to what \`predict\` takes`, async () => {
      const side = 8;
      const ink = (row: number, i: number): number => {
        const stroke = row % 2 === 0 ? i % side === 3 : Math.floor(i / side) === 4;
        return Math.round(((stroke ? 200 + ((7 * row) % 50) : (3 * row + i) % 9) / 255) * white * 1000) / 1000;
      };
      const names = Array.from({ length: side * side }, (_, i) => `p${i}`);
      const rows = Array.from({ length: 60 }, (_, r) => [
        r % 2 === 0 ? 'one' : 'dash',
        ...names.map((_, i) => ink(r, i)),
      ]);
      const table = file(
        `pixels-${white}.csv`,
        [['label', ...names], ...rows].map((row) => row.join()),
      );
      const run = path(`pixels-run-${white}`);
      await lines('train', '--data', table, '--standardize', ...SMALL, '--run', run);
      const { predict, text } = await exported(run);
      assert.match(text, /export const fitPicture/);
      const { fitPicture: fit } = (await import(pathToFileURL(`${run}.mjs`).href)) as {
        fitPicture(picture: unknown): { pixels: ArrayLike<number> };
      };
      const [width, height] = [40, 30];
      const greys = Array.from({ length: width * height }, (_, i) =>
        Math.abs((i % width) - 20) < 2 && i > 200 && i < 1000 ? 20 : 250,
      );
      const png = path(`pixels-${white}.png`);
      writeFileSync(png, pngFile({ width, height, depth: 8, colour: 0, samples: greys }));
      const [ours] = await lines('predict', run, png, '--mode', 'threshold');
      const data = Uint8ClampedArray.from({ length: 4 * greys.length }, (_, i) => (i % 4 === 3 ? 255 : greys[i >> 2]));
      const { pixels } = fit({ width, height, data });
      assert.equal(Math.max(...Array.from(pixels)) > 1, white === 255);
      const theirs = predict(pixels);
      assert.equal(theirs.class, ours.class);
      close(theirs.probabilities as number[], ours.probabilities as number[]);
      close(
        predict(rows[0].slice(1) as number[]).probabilities as number[],
        predict(Object.fromEntries(names.map((name, i) => [name, rows[0][i + 1] as number]))).probabilities as number[],
      );
    });

  it('a table of other numbers has no pictures, and says nothing of them', () => {
    const model = createModel(engine, { inputs: 64, layers: [dense(2)] });
    const columns = Array.from({ length: 64 }, (_, i) => ({ name: `c${i}` }));
    const own = { ...table, columns, targets: [{ name: 'label' }], spread: Array(64).fill(1) };
    const text = (center: number) => exportOneFile(model, { table: { ...own, center: Array(64).fill(center) } });
    assert.match(text(0.2), /fitPicture/);
    assert.doesNotMatch(text(-0.2), /fitPicture/);
    assert.doesNotMatch(exportOneFile(createModel(engine, { inputs: 1, layers: [dense(2)] }), { table }), /fitPicture/);
  });

  it('a file of a network on pictures fits pictures as the library does, from greys and from a canvas', async () => {
    const model = createModel(engine, { inputs: 784, layers: [dense(10)] });
    const image = { width: 28, height: 28 };
    writeFileSync(path('digits.mjs'), exportOneFile(model, { image }));
    const file = (await import(pathToFileURL(path('digits.mjs')).href)) as {
      fitPicture(picture: unknown): { pixels: Uint8Array; done: string[] };
      predict: Predict;
    };
    const { features } = digits({ seed: 3, count: 1 });
    const [width, height] = [90, 70];
    const values = Float32Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [Math.floor((i % width) / 2) - 5, Math.floor(Math.floor(i / width) / 2) - 3];
      return x >= 0 && x < 28 && y >= 0 && y < 28 ? Math.fround(1 - features[y * 28 + x] / 255) : 1;
    });
    const picture: Picture = { width, height, values };
    const ours = fitPicture(picture, image);
    assert.deepEqual(file.fitPicture(picture), ours);
    const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
      i % 4 === 3 ? 255 : 255 * values[Math.floor(i / 4)],
    );
    const { pixels } = file.fitPicture({ width, height, data });
    close(pixels, ours.pixels, 1);
    assert.ok((file.predict(pixels).label as number) < 10);
    assert.throws(
      () => exportOneFile(model, { image: { width: 27, height: 28 } }),
      /`image` is 27 × 28, and the network takes 784/,
    );
  });
});
