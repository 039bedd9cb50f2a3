/** Data from strangers, read by the command line in a process with a gigabyte: refused with a sentence, before it is built. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeIdx } from '../../src/data/idx.ts';
import { slow } from '../helpers/extent.ts';
import { chunk, pngFile } from '../helpers/png-file.ts';
import { runCli } from '../helpers/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-hostile-data-'));
after(() => rmSync(folder, { recursive: true }));
const path = (...names: string[]): string => join(folder, ...names);

const LIMITS = { memory: 1_000_000, seconds: 120 };
const small = ['--units', '8', '--blocks', '2', '--gater', '4', '--epochs', '1', '--threads', '1', '--blas', 'off'];
const train = (data: string, run = 'none') => runCli(['train', '--data', data, '--run', run, ...small], LIMITS);

const skip = process.platform === 'linux' ? false : 'limits on memory, FIFOs and devices are tested on Linux';
const mebibytes = (count: number, byte: number): Buffer => Buffer.alloc(count * 2 ** 20, byte);
/** A few bytes of gzip that hold so many of one value: gzip data may be put one after the other. */
const packed = (mebi: number, byte: number, before = ''): Buffer =>
  Buffer.concat([gzipSync(before), ...Array<Buffer>(mebi / 32).fill(gzipSync(mebibytes(32, byte)))]);

/** A picture of one colour, from a palette, whose rows are written without being made. */
function palettePicture(width: number, height: number): Buffer {
  const like = pngFile({ width: 8, height: 1, depth: 1, colour: 3 });
  const header = Buffer.from(like.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    like.subarray(0, 8),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from([0, 0, 0, 255, 255, 255])),
    chunk('tRNS', Buffer.from([128])),
    chunk('IDAT', deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** One of each kind, for `npm test`. */
const QUICK = new Set([
  '192 MiB of commas in 194 kB',
  '3 GiB of zeros in 3 MB, for pictures',
  'a sparse table of a gibibyte',
  'a FIFO',
  'a picture of 16 million pixels in 2 kB',
]);

describe('data that a gigabyte of memory does not hold', { skip }, () => {
  const table = path('honest.csv');
  const run = path('run');
  before(async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 2},${Array(64).fill(i).join(',')}`);
    writeFileSync(table, `${rows.join('\n')}\n`);
    const { code, stderr } = await train(table, run);
    assert.equal(code, 0, `an honest run passes the limit: ${stderr}`);
  });

  const idx = (shape: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 + 4 * shape.length);
    bytes.set([0, 0, 8, shape.length]);
    shape.forEach((extent, i) => {
      bytes.writeUInt32BE(extent, 4 + 4 * i);
    });
    return bytes;
  };
  const labels = encodeIdx({ shape: [2], data: new Uint8Array(2) });
  const images = (name: string, bytes: Uint8Array, zipped = true) => {
    mkdirSync(path(name));
    writeFileSync(path(name, 'train-labels'), labels);
    writeFileSync(path(name, `train-images${zipped ? '.gz' : ''}`), bytes);
    return path(name);
  };
  const csv = (name: string, bytes: string | Uint8Array): string => {
    writeFileSync(path(name), bytes);
    return path(name);
  };
  const sparse = (name: string, gibi: number, begin = new Uint8Array(0)): string => {
    const file = csv(name, begin);
    truncateSync(file, gibi * 2 ** 30);
    return file;
  };

  const cases: readonly [string, () => string, RegExp | undefined][] = [
    [
      '192 MiB of commas in 194 kB',
      () => csv('commas.csv.gz', packed(192, 44)),
      /commas\.csv\.gz holds more than 67108864 bytes\. Expected at most 64 MiB, or 100 times its \d+ bytes/,
    ],
    [
      '64 MiB of commas',
      () => csv('commas.csv', mebibytes(64, 44)),
      /commas\.csv has a line of more than 4194304 bytes/,
    ],
    [
      'a record of 64 MiB of lines, in quotes',
      () => csv('quoted.csv', Buffer.concat([Buffer.from('0,"'), mebibytes(64, 10)])),
      /quoted\.csv is not CSV: Max Record Size/,
    ],
    ['8 MiB of rows in 9 kB', () => csv('rows.csv.gz', gzipSync(`0${',0'.repeat(64)}\n`.repeat(2 ** 16))), undefined],
    [
      '3 GiB of zeros in 3 MB, for pictures',
      () => images('zeros', packed(3072, 0)),
      /train-images\.gz holds more than \d+ bytes/,
    ],
    [
      '3 GiB of zeros in 3 MB, as a table',
      () => csv('zeros.csv.gz', packed(3072, 0)),
      /zeros\.csv\.gz holds more than \d+ bytes/,
    ],
    [
      'a header of 16 EiB',
      () => images('claims', idx([2 ** 32 - 1, 2 ** 32 - 1]), false),
      /says that it holds 4294967295 × 4294967295 = \d+ bytes, but 0 follow its header: it is truncated/,
    ],
    [
      'an example of 900 MB in a sparse file',
      () => {
        const place = images('wide', idx([2, 450_000_000]), false);
        truncateSync(join(place, 'train-images'), 12 + 900_000_000);
        return place;
      },
      /train-images has 900000012 bytes, for which there is no memory/,
    ],
    [
      'a sparse table of a gibibyte',
      () => sparse('sparse.csv', 1),
      /sparse\.csv has a line of more than 4194304 bytes/,
    ],
    [
      'a sparse file of pictures',
      () => {
        const place = images('sparse', idx([2, 28, 28]), false);
        truncateSync(join(place, 'train-images'), 2 ** 30);
        return place;
      },
      /says that it holds 2 × 28 × 28 = 1568 bytes, but 1073741808 follow/,
    ],
    [
      'a sparse file of a tebibyte',
      () => sparse('large.csv', 1024),
      /large\.csv has 1099511627776 bytes; 1073741824 is the most that can be read/,
    ],
    [
      'a FIFO',
      () => {
        execFileSync('mkfifo', [path('fifo.csv')]);
        return path('fifo.csv');
      },
      /fifo\.csv is a FIFO\. Expected a file/,
    ],
    ['a device', () => '/dev/zero', /\/dev\/zero is a device\. Expected a file/],
    [
      'a folder with a link to a device',
      () => {
        mkdirSync(path('linked'));
        symlinkSync('/dev/zero', path('linked', 'train.csv'));
        return path('linked');
      },
      /train\.csv is a device\. Expected a file/,
    ],
    [
      'a folder whose table is a folder',
      () => {
        mkdirSync(path('folders', 'train.csv'), { recursive: true });
        return path('folders');
      },
      /train\.csv is a folder\. Expected a file/,
    ],
  ];
  for (const [name, make, message] of cases)
    it(name, { skip: !QUICK.has(name) && slow }, async () => {
      const { code, stderr } = await train(make());
      assert.equal(code, message ? 2 : 0, stderr);
      if (message) assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });

  const predicted: readonly [string, () => string, RegExp][] = [
    [
      'a picture of 16 million pixels in 2 kB',
      () => csv('bomb.png', palettePicture(2 ** 12, 2 ** 12)),
      /The picture is of one colour/,
    ],
    [
      'a picture of one row of 16 million pixels',
      () => csv('row.png', palettePicture(2 ** 24, 1)),
      /16777216 × 1 pixels\. Expected 1 to 16384 a side/,
    ],
    [
      'a table of rows of 2 million cells',
      () => csv('wide.csv', `${'0,'.repeat(2 ** 20)}\n`.repeat(30)),
      /wide\.csv has 1048577 columns; the network takes 64/,
    ],
    [
      'a picture that is a FIFO',
      () => {
        execFileSync('mkfifo', [path('fifo.png')]);
        return path('fifo.png');
      },
      /is a FIFO\. Expected a file/,
    ],
    ['a picture that is a device', () => '/dev/zero', /is a device\. Expected a file/],
  ];
  for (const [name, make, message] of predicted)
    it(`predict is given ${name}`, { skip: !QUICK.has(name) && slow }, async () => {
      const file = make();
      const { code, stderr } = await runCli(['predict', run, file], LIMITS);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
});
