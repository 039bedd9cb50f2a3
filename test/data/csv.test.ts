import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DataError, type Dataset } from '../../src/data/dataset.ts';
import { labelledRows, measureTable, rowsOf, targetRows } from '../../src/data/encode-table.ts';
import type { TableForm } from '../../src/data/table-form.ts';
import { tableText } from '../../src/data/table-text.ts';
import { tableWarnings } from '../../src/data/table-warnings.ts';
import { readTable, type TableLoadOptions } from '../../src/platform/node/table-data.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Options extends TableLoadOptions {
  readonly classes?: number;
}

/** All rows, those that the options are measured on. */
function read(text: string, { classes, ...options }: Options = {}): Dataset {
  const table = readTable(encode(text), 'table.csv', 'classes', options);
  const reading = measureTable(table, rowsOf(table), options);
  return labelledRows('table', table, reading, { ...(classes !== undefined && { classes }) });
}

/** Without a header, the label first. */
const bare = (text: string): Dataset => read(text, { targets: ['1'] });

/** Numbers of each feature, labels, scale and classes: what the tests compare. */
function facts({ features, labels, scale, classes }: Dataset) {
  return { features: [...features], labels: [...labels], scale, classes };
}

test('pixel bytes, labels first, without a header', () => {
  const dataset = bare('3,0,255\n1,7,128\n');
  assert.deepEqual(facts(dataset), { features: [0, 255, 7, 128], labels: [3, 1], scale: 1 / 255, classes: 4 });
  assert.ok(dataset.features instanceof Uint8Array);
  assert.equal(dataset.image, undefined);
});

test('numbers from 0 to 1, and others, keep their values', () => {
  assert.deepEqual(facts(bare('0,0.5,1\n1,0,0.25\n')), {
    features: [0.5, 1, 0, 0.25],
    labels: [0, 1],
    scale: 1,
    classes: 2,
  });
  assert.deepEqual(facts(bare('0,0,1\n1,1,1\n')).scale, 1);
  assert.deepEqual(facts(bare('0,-3,1e3\n')), { features: [-3, 1000], labels: [0], scale: 1, classes: 1 });
});

test('numbers with a decimal comma or with signs between thousands are refused in a sentence, and never become words', () => {
  const says =
    /line 2 of table\.csv, column 1 \("a"\) holds ".*", a number with a decimal comma or with signs between thousands\. Expected a decimal point and nothing between thousands, or --categorical "a"\./i;
  for (const cell of [
    '3,5',
    '-0,25',
    '1.234,5',
    '1,234',
    '1,234,567.89',
    '1 234',
    '1\u202f234,5',
    "1'234.5",
    '1.234.567',
  ]) {
    assert.throws(() => read(`a;label\n${cell};1\n2;0\n`), { name: 'DataError', message: says }, cell);
    assert.throws(() => read(`a;label\n2;0\n${cell};1\n`), {
      name: 'DataError',
      message: /line 3 .* a number with a decimal comma/i,
    });
    assert.equal(read(`a;label\n${cell};1\nx;0\n`, { categorical: ['a'] }).width, 2);
    assert.throws(
      () => readTable(encode(`a;y\n1;${cell}\n`), 'table.csv', 'numbers'),
      /column 2 \("y"\) holds ".*", a number with a decimal comma/,
    );
    const table = readTable(encode(`a;label\n1;${cell}\n2;0,5\n`), 'table.csv', 'classes');
    const [warning] = tableWarnings(table, measureTable(table, [0, 1], {}), [0, 1]);
    assert.match(warning, /^The label ".*" of label is a number with a decimal comma .* taken for a word\./);
  }
  for (const word of ['a,b', '12 apples', '2024-01-05', '10.0.0.1', '1,2,3', 'v1.2'])
    assert.deepEqual(facts(read(`a;label\n${word};1\nx;0\n`)).features, [1, 0, 0, 1], word);
});

test('one class, one target, and a class that no training row has: a sentence each, of words and of numbers', () => {
  const warned = (text: string, train: number[], kind: 'classes' | 'numbers' = 'classes') => {
    const table = readTable(encode(text), 'table.csv', kind);
    return tableWarnings(table, measureTable(table, train, {}), train, kind);
  };
  assert.deepEqual(warned('a,label\n1,3\n2,3\n', [0, 1]), ['All rows have one class, 3: there is nothing to learn.']);
  assert.deepEqual(warned('a,label\n1,no\n2,no\n', [0, 1]), [
    'All rows have one class, no: there is nothing to learn.',
  ]);
  assert.deepEqual(warned('a,label\n1,0\n2,1\n3,7\n', [0, 1]), [
    'No training row has the class 7: it cannot be learned.',
  ]);
  assert.deepEqual(warned('a,label\n1,x\n2,y\n3,z\n', [0, 2]), [
    'No training row has the class y: it cannot be learned.',
  ]);
  assert.deepEqual(warned('a,y\n1,2.5\n2,2.5\n3,4\n', [0, 1], 'numbers'), [
    'All training rows have 2.5 as y: there is nothing to learn.',
  ]);
  assert.deepEqual(warned('a,y\n1,2.5\n2,2.5\n3,4\n', [0, 2], 'numbers'), []);
  assert.match(
    warned('a,b,label\n0.001,5000,0\n0.002,1,1\n', [0, 1])[0],
    /^Features differ in size: a goes up to .*, b to 5000\./,
  );
});

test('the column of labels is found by its name, or given', () => {
  for (const name of ['label', ' Class ', 'TARGET']) assert.deepEqual([...read(`a,${name},b\n1.5,2,3\n`).labels], [2]);
  assert.deepEqual([...read('a,y\n0.5,4\n').labels], [4]);
  assert.deepEqual([...read('a,b\n0.5,4\n', { targets: ['b'] }).labels], [4]);
  assert.deepEqual([...read('0.5,4\n', { targets: ['2'] }).labels], [4]);
  assert.deepEqual([...read('1,2\n3,4\n', { header: true, targets: ['1'] }).labels], [3]);
  assert.throws(() => read('a,b\n1,2\n', { targets: ['c'] }), /no column "c": its columns are "a", "b"/);
  assert.throws(() => read('1,2\n', { targets: ['c'] }), /it has no header, and 2 columns/);
  assert.throws(() => read('1,2\n', { targets: ['3'] }), /has no column "3"/);
});

test('two columns of one name, in any case, are refused by both names, in training and later', () => {
  const double = (text: string) =>
    new RegExp(`has two columns of one name: ${text}\\. Expected names that differ in more than case`);
  assert.throws(() => read('t,T,label\n1,2,0\n3,4,1\n'), double('column 1 is "t" and column 2 is "T"'));
  assert.throws(() => read('a,b, a ,label\n1,2,3,0\n'), double('column 1 is "a" and column 3 is "a"'));
  assert.throws(() => read('label,a,Label\n1,2,3\n'), double('column 1 is "label" and column 3 is "Label"'));
  assert.throws(
    () => like(formOf('a,b,label\n1,2,0\n'), 'a,b,A\n1,2,3\n'),
    double('column 1 is "a" and column 3 is "A"'),
  );
  // Rows without names may hold a number twice.
  assert.deepEqual([...bare('0,7,7\n').features], [7, 7]);
});

test('nothing is guessed: without a name that says it, and where the first row may be either, a sentence asks', () => {
  assert.throws(
    () => read('a,b\n4,0.5\n'),
    /no column called label, class, target, y: its columns are "a", "b"\. Expected --label/,
  );
  assert.throws(() => read('4,0.5\n'), /no column called .* and no names of columns/);
  // A damaged first row is no row of names.
  assert.throws(
    () => bare('1,2x,3\n1,2,3\n'),
    /holds numbers and "2x", so that it is neither names nor data for certain/,
  );
  assert.deepEqual([...read('label,0,1\n4,0.5,1\n').labels], [4]);
});

test('quotes, a byte order mark, other delimiters, carriage returns and empty lines are read', () => {
  assert.deepEqual([...read('\ufefflabel,"a,b"\r\n"1",2.5\r\n\r\n').features], [2.5]);
  assert.deepEqual([...bare('1;2.5;3\n').features], [2.5, 3]);
  assert.deepEqual([...bare('1\t2.5\t3\n').features], [2.5, 3]);
});

test('the delimiter is what stands between cells, and quotes may follow a space', () => {
  const names = (text: string) => formOf(text).columns.map(({ name }) => name);
  assert.deepEqual(names('"a, b, c";"d,e";label\n1;2;0\n'), ['a, b, c', 'd,e']);
  assert.deepEqual(names('"say ""a;b;c;d"" x",b,label\n1,2,0\n'), ['say "a;b;c;d" x', 'b']);
  assert.deepEqual(names('label, "first, second" , third\n0, 1, 2\n'), ['first, second', 'third']);
  assert.deepEqual(names('label\t"a b"\tc\n0\t1\t2\n'), ['a b', 'c']);
  assert.deepEqual([...read('label\ta\tb\n0\t \t2\n', { missing: 'mean' }).features], [0, 2]);
  assert.throws(() => read('a|label\n1|0\n'), /has 1 column; .*with commas, semicolons or tabs between them/);
});

test('what is no UTF-8 is refused with its line: words that differ may not become one', () => {
  const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const refused = (bytes: Uint8Array, line: number) =>
    assert.throws(
      () => readTable(bytes, 'table.csv', 'classes'),
      new RegExp(`^DataError: Line ${line} of table\\.csv is not UTF-8\\.`),
    );
  refused(latin('a,label\n1,M\xfcller\n2,M\xf6ller\n'), 2);
  refused(latin('a,stra\xdfe,label\n1,2,0\n'), 1);
  refused(Uint8Array.from([0xff, 0xfe, ...latin('a\0,\0')]), 1);
  assert.deepEqual(formOf('a,label\n1,Müller\n2,Möller\n').targets[0].classes, ['Möller', 'Müller']);
});

test('a first line of words alone is asked about where it may be data', () => {
  const mushrooms = 'p,x,s\ne,x,y\np,b,s\n';
  const asks =
    /first line of table\.csv holds no number, so that it may be names; but line 2 has "x" in column 2 too.*--header yes or no/;
  assert.throws(() => read(mushrooms, { targets: ['1'] }), asks);
  assert.throws(() => read('no,x\nyes,y\nno,z\n', { targets: ['1'] }), /line 3 has "no" in column 1 too/);
  assert.equal(read(mushrooms, { targets: ['1'], header: false }).count, 3);
  assert.equal(read(mushrooms, { targets: ['1'], header: true }).count, 2);
  assert.equal(read(mushrooms.replace('p,x,s', 'kind,cap,smell'), { targets: ['1'] }).count, 2);
  // Where a name of it is asked for, it holds names.
  assert.equal(read(mushrooms, { targets: ['p'] }).count, 2);
  assert.throws(() => read('p,p\ne,x\n', { targets: ['1'] }), /two columns of one name.*, or --header no/);
  assert.throws(() => read('NA,?\n1,2\n', { targets: ['1'], missing: 'drop' }), /neither names nor data for certain/);
  const table = readTable(encode('0,1,2\n1,5,6\n0,7,8\n'), 'table.csv', 'classes', { targets: ['1'] });
  assert.deepEqual(
    [table.count, table.notes],
    [3, ['the first line, 0, 1, 2, …, is taken for data; --header yes takes it for names']],
  );
});

test('of two columns that may be the label none is guessed', () => {
  const points = 'x,y,label\n1,2,0\n3,4,1\n';
  assert.throws(
    () => read(points),
    /has the columns "y", "label", each of which may be the one to predict\. Expected --label/,
  );
  assert.deepEqual([...read(points, { targets: ['label'] }).features], [1, 2, 3, 4]);
  assert.equal(read('Label,a,TARGET\n1,2,3\n', { guess: true }).width, 2);
  // Names that a training file had not do not say which is the label either.
  const form = formOf('1,2,0\n3,4,1\n', { targets: ['3'] });
  assert.deepEqual([...(like(form, 'y,b,class\n5,6,1\n').targets ?? [])], [1]);
});

test('a column of names or dates is warned of', () => {
  const text = `day,label\n${Array.from({ length: 20 }, (_, i) => `d${i},${i % 2}`).join('\n')}\n`;
  const table = readTable(encode(text), 'table.csv', 'classes');
  assert.match(
    tableWarnings(table, measureTable(table, rowsOf(table), {}), rowsOf(table))[0],
    /^The column day has 20 values in 20 rows, and each becomes a feature: names and dates tell nothing about other rows/,
  );
});

test('columns and tables without any value are told', () => {
  const text = 'a,gap,label\n1,,0\n2,NA,1\n3,5,0\n';
  const table = readTable(encode(text), 'table.csv', 'classes', { missing: 'mean' });
  const warned = (train: number[]) => tableWarnings(table, measureTable(table, train, {}), train);
  assert.deepEqual(warned([0, 1]), [
    'No training row has a value of gap: it is 0 everywhere, and nothing can be learned from it.',
  ]);
  // One value, and a gap that its mean fills: the same number everywhere.
  assert.deepEqual(warned([1, 2]), ['All training rows have one value of gap: nothing can be learned from it.']);
  assert.throws(
    () => read('a,gap,label\n1,,0\n,,1\n', { missing: 'drop' }),
    /^DataError: All 2 rows of table\.csv lack a value in some column, .*most lack "gap"\. Expected a row with all values, or --missing mean\./,
  );
});

test('columns of one value are told, numbers and categories, but not the blank border of pictures', () => {
  const warned = (text: string, train: number[]) => {
    const table = readTable(encode(text), 'table.csv', 'classes');
    return tableWarnings(table, measureTable(table, train, {}), train);
  };
  const text = 'a,same,word,label\n1,4,x,0\n2,4,x,1\n3,4,x,1\n4,5,y,0\n';
  assert.deepEqual(warned(text, [0, 1, 2]), [
    'All training rows have one value of same, word: nothing can be learned from it.',
  ]);
  assert.deepEqual(warned(text, [0, 1, 3]), []);
  const pixels = (i: number) => Array.from({ length: 64 }, (_, j) => (j < 8 ? 0 : (i * j) % 256)).join();
  const picture = Array.from({ length: 6 }, (_, i) => `${i % 2},${pixels(i)}`);
  assert.deepEqual(
    warned(
      `label,${Array.from({ length: 64 }, (_, j) => `p${j}`).join()}\n${picture.join('\n')}\n`,
      rowsOf({ count: 6 }),
    ),
    [],
  );
});

test('a square table of pixel bytes is an image', () => {
  const row = Array.from({ length: 784 }, (_, i) => i & 255).join();
  assert.deepEqual(bare(`5,${row}\n`).image, { width: 28, height: 28 });
});

const DAMAGED: readonly [string, string, RegExp][] = [
  ['a ragged row', '1,2,3\n1,2,3\n1,2\n', /Line 3 of table.csv has 2 cells; the rows before it have 3/],
  ['a word among the numbers', 'label,a\n1,2\n1,two\n', /Line 3 of table.csv, column 2 \("a"\) holds "two"/],
  ['an empty cell', '1,2\n1,\n', /Line 2 of table.csv, column 2 holds ""/],
  ['a number beyond Float32', '1,2\n1,1e39\n', /Line 2 .* not a number/],
  [
    'a label that is not whole',
    '1,2\n1.5,2\n',
    /Line 2 of table.csv, column 1 has the label "1.5"\. Expected .* 0 to 255/,
  ],
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
      () => (text.startsWith('label') ? read(text) : bare(text)),
      (error: Error) => error instanceof DataError && message.test(error.message),
    );
  });

/** Reads a table like another one. */
const like = (form: TableForm, text: string) => readTable(encode(text), 'later.csv', 'classes', {}, form);
const formOf = (text: string, options: Options = {}) => readTable(encode(text), 'table.csv', 'classes', options).form;

test('later tables are matched by name, whatever their order; what they lack is told', () => {
  const form = formOf('a,b,label\n1,2,0\n');
  assert.deepEqual([...like(form, 'label,b,a\n1,4,3\n').values], [3, 4]);
  assert.deepEqual([...like(form, 'b,A\n4,3\n').values], [3, 4]);
  const more = like(form, 'c,b,a\n9,4,3\n');
  assert.deepEqual(
    [[...more.values], more.targets, more.notes],
    [[3, 4], undefined, ['left out, as the run does not take them: "c"']],
  );
  assert.throws(() => like(form, 'a,c\n1,2\n'), /has no column "b", which the run takes: its columns are "a", "c"/);
  const bareRows = like(form, '3,4\n');
  assert.deepEqual([...bareRows.values], [3, 4]);
  assert.match(bareRows.notes[0], /in the order of the training file/);
  assert.throws(() => like(form, '1,2,3,4\n'), /has 4 columns\. Expected 2 for the network, or 3 with a label/);
  const without = formOf('7,1,2\n', { targets: ['1'] });
  // Names that the training file had not are told of, and nothing of the rows is taken for them.
  const named = like(without, 'p,q\n3,4\n');
  assert.deepEqual([[...named.values], named.notes[0]], [[3, 4], 'the first line is taken for names: "p", "q"']);
  assert.throws(() => like(without, 'p,4\n3,4\n'), /Line 1 of later\.csv, column 1 holds "p", which is not a number/);
  assert.deepEqual([...like(without, '7,3,4\n').values], [3, 4]);
  assert.throws(() => like(without, '7,x,4\n'), /Line 1 of later\.csv, column 2 holds "x"/);
});

test('what later tables lack is told without the flags of training', () => {
  const form = formOf('color,size,label\nred,1,0\nblue,2,1\n');
  const says = (text: string, message: RegExp) => assert.throws(() => like(form, text), message);
  says(
    'a,b\nred,1\n',
    /^DataError: The first line of later\.csv holds no number, and none of the names of the run's columns: "a", "b"\. Expected "color", "size"\.$/,
  );
  says(
    'color,size\n,1\n',
    /column 1 \("color"\) holds "", which is no value, and the run was trained on rows with values alone\. Expected one\.$/,
  );
  says(
    'color,size\nred,big\n',
    /column 2 \("size"\) holds "big", which is not a number\. Expected one, as in the training\.$/,
  );
  assert.deepEqual([...like(form, 'red,3\n').values], [0, 3]);
  const words = formOf('color,form,label\nred,round,0\nblue,flat,1\n');
  assert.deepEqual([...like(words, 'blue,flat\n').values], [1, 1]);
});

test('the scale is that of the training rows, whatever a later table holds', () => {
  const table = readTable(encode('label,a,b\n1,0,200\n0,4,1\n'), 'table.csv', 'classes');
  const reading = measureTable(table, [0, 1], {});
  for (const text of ['a,b\n0,1\n', 'a,b\n0,1\n255,255\n', 'a,b\n0,0.5\n']) {
    const later = labelledRows('later', like(table.form, text), reading);
    assert.equal(later.scale, 1 / 255, text);
    assert.equal(later.features[0], 0);
  }
});

test('labels that are words have their names, in order; others later are refused', () => {
  const text = 'species,size\nversicolor,2\nsetosa,1\nversicolor,3\n';
  const table = readTable(encode(text), 'table.csv', 'classes', { targets: ['species'] });
  assert.deepEqual(table.form.targets, [{ name: 'species', classes: ['setosa', 'versicolor'] }]);
  assert.deepEqual([...(table.targets ?? [])], [1, 0, 1]);
  assert.deepEqual([...(like(table.form, 'size,species\n4,setosa\n').targets ?? [])], [0]);
  assert.throws(
    () => like(table.form, 'size,species\n4,virginica\n'),
    /Line 2 of later\.csv, column 2 \("species"\) holds "virginica", which is none of its classes/,
  );
});

test('categories are one feature a value; a column of numbers with a word is not taken for one', () => {
  const text = 'port,fare,label\nS,1,0\nQ,2,1\nS,3,0\n';
  const data = read(text);
  assert.deepEqual([data.width, [...data.features]], [3, [1, 0, 1, 0, 1, 2, 1, 0, 3]]);
  const form = formOf(text);
  assert.throws(
    () => like(form, 'port,fare\nC,1\n'),
    /holds "C", which is none of its values\. Expected one of "S", "Q"/,
  );
  assert.throws(
    () => read('a,label\n1,0\nx,1\n'),
    /holds "x", which is not a number\. Expected one, as in the rows before, or --categorical "a"/,
  );
  assert.equal(read('a,label\n1,0\n2,1\n', { categorical: ['a'] }).width, 2);
});

test('cells without a value are refused, get the mean of the training rows, or their row is dropped', () => {
  const text = 'age,port,label\n20,S,0\n,Q,1\n40,,0\n';
  assert.throws(() => read(text), /Line 3 of table\.csv, column 1 \("age"\) holds "".*--missing mean or drop/);
  const table = readTable(encode(text), 'table.csv', 'classes', { missing: 'mean' });
  const reading = measureTable(table, [0, 1], {});
  // Of the rows 0 and 1: age 20; S and Q once each.
  assert.deepEqual([...labelledRows('t', table, reading).features], [20, 1, 0, 20, 0, 1, 40, 0.5, 0.5]);
  const dropped = readTable(encode(text), 'table.csv', 'classes', { missing: 'drop' });
  assert.deepEqual([dropped.count, dropped.dropped], [1, 2]);
  assert.match(
    tableText(table, reading).join('\n'),
    /3 rows, 1 without age, 1 without port; filled in with the mean of the training rows/,
  );
  assert.throws(() => read('a,label\n1,\n'), /has no label/);
});

test('a class may be called none, null, na or ?; a label is missing where its cell is empty', () => {
  const words = ['?', 'n/a', 'na', 'nan', 'none', 'null'];
  const rows = words.map((word, i) => `${i},${word}`).join('\n');
  for (const missing of ['error', 'mean', 'drop'] as const) {
    const table = readTable(encode(`a,label\n${rows}\n`), 'table.csv', 'classes', { missing });
    assert.deepEqual([table.form.targets[0].classes, table.dropped], [words, 0], missing);
    assert.deepEqual([...(table.targets ?? [])], [0, 1, 2, 3, 4, 5]);
  }
  const gap = `a,label\n${rows}\n6, \n?,none\n`;
  assert.throws(() => read(gap, { missing: 'mean' }), /Line 8 of table\.csv, column 2 \("label"\) has no label/);
  assert.deepEqual(readTable(encode(gap), 'table.csv', 'classes', { missing: 'drop' }).dropped, 2);
  // Of numbers a word for nothing is none.
  const numbers = readTable(encode('a,y\n1,2\n2,NA\n'), 'table.csv', 'numbers', { missing: 'drop' });
  assert.deepEqual([numbers.count, numbers.dropped], [1, 1]);
});

test('columns are standardised by the training rows alone', () => {
  const table = readTable(encode('a,b,label\n1,5,0\n3,5,1\n100,7,0\n'), 'table.csv', 'classes');
  const reading = measureTable(table, [0, 1], { standardize: true });
  assert.deepEqual([reading.center, reading.spread, reading.scale], [[2, 5], [1, 1], 1]);
  assert.deepEqual([...labelledRows('t', table, reading).features], [-1, 0, 1, 0, 98, 2]);
});

test('several numbers are told of a row', () => {
  const table = readTable(encode('a,price,size\n1,2.5,-3\n2,4,1e3\n'), 'table.csv', 'numbers', {
    targets: ['price', 'size'],
  });
  const data = targetRows('t', table, measureTable(table, [0, 1], {}));
  assert.deepEqual([[...data.targets], data.outputs, [...data.features]], [[2.5, -3, 4, 1000], 2, [1, 2]]);
  assert.throws(
    () => readTable(encode('a,y\n1,high\n'), 'table.csv', 'numbers'),
    /holds "high", which is not a number/,
  );
});

test('several columns of classes are refused, wherever they were read', () => {
  const several = /--target names 2 columns and classification tells one\. Expected one, or --task multi-label/;
  const text = 'x,a,b\n1,0,1\n2,1,0\n';
  assert.throws(() => read(text, { targets: ['a', 'b'] }), several);
  const table = readTable(encode(text), 'table.csv', 'numbers', { targets: ['a', 'b'] });
  const reading = measureTable(table, [0, 1], {});
  assert.throws(() => labelledRows('t', table, reading), several);
  assert.throws(() => like(table.form, text), several);
  assert.deepEqual([...targetRows('t', table, reading).targets], [0, 1, 1, 0]);
});

test('what may go wrong is said: sizes, one class, a class that no training row has', () => {
  const warned = (text: string, train: number[]) => {
    const table = readTable(encode(text), 'table.csv', 'classes');
    return tableWarnings(table, measureTable(table, train, {}), train).join('\n');
  };
  assert.match(
    warned('income,rooms,label\n90000.5,3,0\n10000,2,1\n', [0, 1]),
    /rooms goes up to 3, income to 90000\.5\. --standardize/,
  );
  assert.match(warned('a,label\n1,x\n2,x\n', [0, 1]), /All rows have one class, x/);
  assert.match(warned('a,label\n1,x\n2,y\n', [0]), /No training row has the class y/);
  assert.equal(warned('a,label\n1,x\n2,y\n', [0, 1]), '');
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
  for (const piece of ['x', '\u001b[2J', '"\u0007', '\u009b', '😀']) {
    const long = piece.repeat(3000).replaceAll('"', '');
    const attempts: [string, () => unknown][] = [
      ['a cell', () => read(`label,b\n1,2\n1,${long}\n`)],
      ['a label', () => read(`a,label\n1,2\n1,${long}\n`)],
      ['a name', () => read(`label,${long}\n1,2\n1,x\n`)],
      ['a column', () => read(`a,b\n1,2\n`, { targets: [long] })],
      ['many columns', () => read(`${Array(500).fill(long.slice(0, 30)).join()}\n`, { targets: ['c'], header: true })],
      ['a quote', () => read(`label,b\n1,${long}"\n`)],
      ['an end', () => read(`label,b\n1,"${long}`)],
      ['a row to predict', () => like(formOf('a,b,label\n1,2,0\n'), `a,b\n1,2\n1,${long}\n`)],
      ['a quote to predict', () => like(formOf('a,b,label\n1,2,0\n'), `a,b\n1,${long}"\n`)],
      ['a column that a later table lacks', () => like(formOf(`${long},b,label\n1,2,0\n`), 'a,b\n1,2\n')],
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
