/** Data as a stranger may send them: bombs, giants without contents, FIFOs, devices, and what a command says of each. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeIdx } from '../../src/data/idx.ts';
import { chunk, pngFile } from './png-file.ts';
import { type Finished, runCli } from './run-cli.ts';

/** What a process may have that reads them, far more than it wants: 1.5 GB, and two minutes on a machine with a load of ten. */
export const LIMITS = { memory: 1_500_000, seconds: 120 };

/** Of which command they are the input. */
type Reader = 'train' | 'predict';

export interface HostileData {
  readonly name: string;
  readonly reader: Reader;
  /** Makes it in an empty folder. @returns its path */
  make(folder: string): string;
  /** What the command says; where there is none it takes the data, which are merely odd. */
  readonly refusal?: RegExp;
}

const small = ['--units', '8', '--blocks', '2', '--gater', '4', '--epochs', '1', '--threads', '1', '--blas', 'off'];
const train = (data: string, run: string): Promise<Finished> =>
  runCli(['train', '--data', data, '--label', '1', '--run', run, ...small], LIMITS);

/** Trains a run of 64 inputs within the limits. @returns its folder */
export async function honestRun(folder: string): Promise<string> {
  const [table, run] = [join(folder, 'honest.csv'), join(folder, 'honest')];
  const rows = Array.from({ length: 60 }, (_, i) => `${i % 2},${Array(64).fill(i).join(',')}`);
  writeFileSync(table, `${rows.join('\n')}\n`);
  const { code, stderr } = await train(table, run);
  if (code !== 0) throw new Error(`An honest run does not pass the limits: ${stderr}`);
  return run;
}

/** Gives a command one of them, in a process of its own with limits. @param run as of `honestRun` */
export function giveHostile({ reader, make }: HostileData, folder: string, run: string): Promise<Finished> {
  const path = make(mkdtempSync(join(folder, 'hostile-')));
  return reader === 'train' ? train(path, 'none') : runCli(['predict', run, path], LIMITS);
}

/** So many mebibytes of one value. */
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

const idx = (shape: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 + 4 * shape.length);
  bytes.set([0, 0, 8, shape.length]);
  shape.forEach((extent, i) => {
    bytes.writeUInt32BE(extent, 4 + 4 * i);
  });
  return bytes;
};
const labels = encodeIdx({ shape: [2], data: new Uint8Array(2) });
const images = (folder: string, bytes: Uint8Array, zipped = true): string => {
  writeFileSync(join(folder, 'train-labels'), labels);
  writeFileSync(join(folder, `train-images${zipped ? '.gz' : ''}`), bytes);
  return folder;
};
const fileOf = (folder: string, name: string, bytes: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const fifo = (folder: string, name: string): string => {
  execFileSync('mkfifo', [join(folder, name)]);
  return join(folder, name);
};
const sparse = (folder: string, name: string, gibi: number): string => {
  const file = fileOf(folder, name, '');
  truncateSync(file, gibi * 2 ** 30);
  return file;
};

type Case = readonly [name: string, make: (folder: string) => string, refusal?: RegExp];

const trained: readonly Case[] = [
  [
    '192 MiB of commas in 194 kB',
    (folder) => fileOf(folder, 'commas.csv.gz', packed(192, 44)),
    /commas\.csv\.gz holds more than 67108864 bytes\. Expected at most 64 MiB, or 100 times its \d+ bytes/,
  ],
  [
    '64 MiB of commas',
    (folder) => fileOf(folder, 'commas.csv', mebibytes(64, 44)),
    /commas\.csv has a line of more than 4194304 bytes/,
  ],
  [
    'a record of 64 MiB of lines, in quotes',
    (folder) => fileOf(folder, 'quoted.csv', Buffer.concat([Buffer.from('0,"'), mebibytes(64, 10)])),
    /quoted\.csv is not CSV: Max Record Size/,
  ],
  [
    '8 MiB of rows in 9 kB',
    (folder) => fileOf(folder, 'rows.csv.gz', gzipSync(`0${',0'.repeat(64)}\n`.repeat(2 ** 16))),
  ],
  [
    '3 GiB of zeros in 3 MB, for pictures',
    (folder) => images(folder, packed(3072, 0)),
    /train-images\.gz holds more than \d+ bytes/,
  ],
  [
    '3 GiB of zeros in 3 MB, as a table',
    (folder) => fileOf(folder, 'zeros.csv.gz', packed(3072, 0)),
    /zeros\.csv\.gz holds more than \d+ bytes/,
  ],
  [
    'a header of 16 EiB',
    (folder) => images(folder, idx([2 ** 32 - 1, 2 ** 32 - 1]), false),
    /says that it holds 4294967295 × 4294967295 = \d+ bytes, but 0 follow its header: it is truncated/,
  ],
  [
    'an example of 900 MB in a sparse file',
    (folder) => {
      const place = images(folder, idx([2, 450_000_000]), false);
      truncateSync(join(place, 'train-images'), 12 + 900_000_000);
      return place;
    },
    /train-images has 900000012 bytes, for which there is no memory|holds 2 training examples/,
  ],
  [
    'a sparse table of a gibibyte',
    (folder) => sparse(folder, 'sparse.csv', 1),
    /sparse\.csv has a line of more than 4194304 bytes/,
  ],
  [
    'a sparse file of pictures',
    (folder) => {
      const place = images(folder, idx([2, 28, 28]), false);
      truncateSync(join(place, 'train-images'), 2 ** 30);
      return place;
    },
    /says that it holds 2 × 28 × 28 = 1568 bytes, but 1073741808 follow/,
  ],
  [
    'a sparse file of a tebibyte',
    (folder) => sparse(folder, 'large.csv', 1024),
    /large\.csv has 1099511627776 bytes; 1073741824 is the most that can be read/,
  ],
  ['a FIFO', (folder) => fifo(folder, 'fifo.csv'), /fifo\.csv is a FIFO\. Expected a file/],
  ['a device', () => '/dev/zero', /\/dev\/zero is a device\. Expected a file/],
  [
    'a folder with a link to a device',
    (folder) => {
      symlinkSync('/dev/zero', join(folder, 'train.csv'));
      return folder;
    },
    /train\.csv is a device\. Expected a file/,
  ],
  [
    'a folder whose table is a folder',
    (folder) => {
      mkdirSync(join(folder, 'train.csv'));
      return folder;
    },
    /train\.csv is a folder\. Expected a file/,
  ],
];

const predicted: readonly Case[] = [
  [
    'a picture of 16 million pixels in 2 kB',
    (folder) => fileOf(folder, 'bomb.png', palettePicture(2 ** 12, 2 ** 12)),
    /The picture is of one colour/,
  ],
  [
    'a picture of one row of 16 million pixels',
    (folder) => fileOf(folder, 'row.png', palettePicture(2 ** 24, 1)),
    /16777216 × 1 pixels\. Expected 1 to 16384 a side/,
  ],
  [
    'a table of rows of 2 million cells',
    (folder) => fileOf(folder, 'wide.csv', `${'0,'.repeat(2 ** 20)}\n`.repeat(30)),
    /wide\.csv has 1048577 columns\. Expected 64/,
  ],
  ['a picture that is a FIFO', (folder) => fifo(folder, 'fifo.png'), /is a FIFO\. Expected a file/],
  ['a picture that is a device', () => '/dev/zero', /is a device\. Expected a file/],
];

/** Everything hostile. */
export const hostileData: readonly HostileData[] = Object.entries({ train: trained, predict: predicted }).flatMap(
  ([reader, cases]) =>
    cases.map(([name, make, refusal]) => ({ name, reader: reader as Reader, make, ...(refusal && { refusal }) })),
);
