import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CsvOptions, tablesToDatasets } from '../../src/data/csv.ts';
import { DataError, type Dataset } from '../../src/data/dataset.ts';
import { readCsv } from '../../src/platform/node/csv.ts';
import { readNumbers } from '../../src/platform/node/csv-numbers.ts';

function read(text: string, options?: CsvOptions): Dataset {
  return tablesToDatasets(
    'table',
    [readCsv(new TextEncoder().encode(text), 'table.csv', options)],
    options?.classes,
  )[0];
}

/** Numbers of each feature, labels, scale and classes: what the tests compare. */
function facts({ features, labels, scale, classes }: Dataset) {
  return { features: [...features], labels: [...labels], scale, classes };
}

test('pixel bytes, labels first, without a header', () => {
  const dataset = read('3,0,255\n1,7,128\n');
  assert.deepEqual(facts(dataset), { features: [0, 255, 7, 128], labels: [3, 1], scale: 1 / 255, classes: 4 });
  assert.ok(dataset.features instanceof Uint8Array);
  assert.equal(dataset.image, undefined);
});

test('numbers from 0 to 1, and others, keep their values', () => {
  assert.deepEqual(facts(read('0,0.5,1\n1,0,0.25\n')), {
    features: [0.5, 1, 0, 0.25],
    labels: [0, 1],
    scale: 1,
    classes: 2,
  });
  assert.deepEqual(facts(read('0,0,1\n1,1,1\n')).scale, 1);
  assert.deepEqual(facts(read('0,-3,1e3\n')), { features: [-3, 1000], labels: [0], scale: 1, classes: 1 });
});

test('the column of labels is found by its name, or given', () => {
  for (const name of ['label', ' Class ', 'TARGET']) assert.deepEqual([...read(`a,${name},b\n1.5,2,3\n`).labels], [2]);
  assert.deepEqual([...read('a,b\n4,0.5\n').labels], [4]);
  assert.deepEqual([...read('a,b\n0.5,4\n', { label: 'b' }).labels], [4]);
  assert.deepEqual([...read('0.5,4\n', { label: 1 }).labels], [4]);
  assert.deepEqual([...read('1,2\n3,4\n', { header: true }).labels], [3]);
  assert.throws(() => read('a,b\n1,2\n', { label: 'c' }), /no column "c": its columns are "a", "b"/);
  assert.throws(() => read('1,2\n', { label: 'c' }), /it has no header/);
  assert.throws(() => read('1,2\n', { label: 2 }), /has 2 columns, 0 to 1/);
});

test('quotes, a byte order mark, other delimiters, carriage returns and empty lines are read', () => {
  assert.deepEqual([...read('\ufefflabel,"a,b"\r\n"1",2.5\r\n\r\n').features], [2.5]);
  assert.deepEqual([...read('1;2.5;3\n').features], [2.5, 3]);
  assert.deepEqual([...read('1\t2.5\t3\n').features], [2.5, 3]);
});

test('a square table of pixel bytes is an image', () => {
  const row = Array.from({ length: 784 }, (_, i) => i & 255).join();
  assert.deepEqual(read(`5,${row}\n`).image, { width: 28, height: 28 });
});

const DAMAGED: readonly [string, string, RegExp][] = [
  ['a ragged row', '1,2,3\n1,2,3\n1,2\n', /Line 3 of table.csv has 2 cells; the rows before it have 3/],
  ['a word among the numbers', 'label,a\n1,2\n1,two\n', /Line 3 of table.csv, column 2 \("a"\) holds "two"/],
  ['an empty cell', '1,2\n1,\n', /Line 2 of table.csv, column 2 holds ""/],
  ['a number beyond Float32', '1,2\n1,1e39\n', /Line 2 .* not a number/],
  ['a label that is not whole', '1,2\n1.5,2\n', /Line 2 of table.csv, column 1 has the label "1.5"; .* 0 to 255/],
  ['a label out of range', '1,2\n256,2\n', /has the label "256"/],
  ['a negative label', '-1,2\n', /has the label "-1"/],
  ['a header alone', 'label,a\n', /no row of numbers/],
  ['nothing', '', /no row of numbers/],
  ['one column', '1\n2\n', /has 1 column/],
  ['an open quote', '1,"2\n', /is not CSV/],
];

for (const [what, text, message] of DAMAGED)
  test(`${what} is refused as CSV`, () => {
    assert.throws(
      () => read(text),
      (error: Error) => error instanceof DataError && message.test(error.message),
    );
  });

test('labels are held to the classes given, and tables to one width and one scale', () => {
  assert.throws(() => read('3,1\n', { classes: 3 }), /label "3"; a whole number from 0 to 2/);
  const table = (text: string) => readCsv(new TextEncoder().encode(text), 'table.csv');
  const [train, valid] = tablesToDatasets('two', [table('0,0,200\n'), table('4,1,1\n')]);
  assert.deepEqual([train.scale, valid.scale, train.classes, valid.classes], [1 / 255, 1 / 255, 5, 5]);
  assert.throws(() => tablesToDatasets('two', [table('0,1,2\n'), table('0,1\n')]), /they must agree/);
});

test('any mutation of a table is read or refused', () => {
  const original = [...'label,a,b\n1,2,3\n0,"4",250\n'];
  const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.constantFrom(...',\n"\r;ax-.e 9\0')), {
    maxLength: 5,
  });
  const check = (list: [number, string][]): void => {
    const text = [...original];
    for (const [at, character] of list) text[at] = character;
    try {
      assert.ok(read(text.join('')).count > 0);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  };
  fc.assert(fc.property(edits, check), { numRuns: 500 });
});

test('errors repeat 80 characters of a file at most, and none that a terminal takes for a command', () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const piece of ['x', '\u001b[2J', '"\u0007', '\u009b', '😀']) {
    const long = piece.repeat(3000).replaceAll('"', '');
    const attempts: [string, () => unknown][] = [
      ['a cell', () => read(`a,b\n1,2\n1,${long}\n`)],
      ['a label', () => read(`a,label\n1,2\n1,${long}\n`)],
      ['a name', () => read(`a,${long}\n1,x\n`)],
      ['a column', () => read(`a,b\n1,2\n`, { label: long })],
      ['many columns', () => read(`${Array(500).fill(long.slice(0, 30)).join()}\n`, { label: 'c', header: true })],
      ['a quote', () => read(`a,b\n1,${long}"\n`)],
      ['an end', () => read(`a,b\n1,"${long}`)],
      ['a row to predict', () => readNumbers(encode(`a,b\n1,2\n1,${long}\n`), 'table.csv', 2)],
      ['a quote to predict', () => readNumbers(encode(`a,b\n1,${long}"\n`), 'table.csv', 2)],
    ];
    for (const [what, attempt] of attempts)
      assert.throws(attempt, (error: Error) => {
        assert.equal(error.name, 'DataError', what);
        // The sentence itself, and twice 80 characters where it names the column too.
        assert.ok(error.message.length < 330, `${what}: ${error.message.length} characters`);
        for (const [run] of error.message.matchAll(/(?:x|\\u001b\[2J|\\u0007|\\u009b|😀)+/g))
          assert.ok(run.length <= 80, `${what}: ${run}`);
        if (!what.includes('quote')) assert.doesNotMatch(error.message, /\p{Cc}/u, what);
        return true;
      });
  }
});
