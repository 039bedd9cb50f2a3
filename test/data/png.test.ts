import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { DataError } from '../../src/data/dataset.ts';
import { readPng } from '../../src/platform/node/png.ts';
import { chunk, type PngFacts, pngFile, resealed } from '../helpers/png-file.ts';

const close = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(actual[i] - value) < 1e-6, `${i}: ${actual[i]} is not ${value}`);
  });
};

describe('PNG files as grey pictures', () => {
  for (const depth of [1, 2, 4, 8, 16])
    test(`grey of ${depth} bits, rows that end within a byte`, () => {
      const most = 2 ** depth - 1;
      const samples = [0, most, most >> 1, 1 % (most + 1), most, 0];
      const { width, height, values } = readPng(pngFile({ width: 3, height: 2, depth, colour: 0, samples }), 'x');
      assert.deepEqual([width, height], [3, 2]);
      close(
        values,
        samples.map((sample) => sample / most),
      );
    });

  const cases: readonly [string, Partial<PngFacts>, readonly number[]][] = [
    ['colours are weighed as eyes do', { depth: 8, colour: 2, samples: [255, 0, 0, 0, 255, 0] }, [0.299, 0.587]],
    ['colours of 16 bits', { depth: 16, colour: 2, samples: [0, 0, 65535, 0, 0, 0] }, [0.114, 0]],
    ['dark ink on nothing is on white', { depth: 8, colour: 4, samples: [0, 255, 77, 0] }, [0, 1]],
    ['bright ink on nothing is on black', { depth: 8, colour: 4, samples: [255, 255, 77, 0] }, [1, 0]],
    ['half transparent', { depth: 8, colour: 6, samples: [0, 0, 0, 51, 0, 0, 0, 255] }, [0.8, 0]],
    ['white that hides nothing', { depth: 8, colour: 6, samples: [255, 255, 255, 255, 255, 255, 255, 255] }, [1, 1]],
    ['black ink, and a grey that is nothing', { depth: 8, colour: 0, samples: [0, 9], key: [9] }, [0, 1]],
    ['a key of 2 bits', { depth: 2, colour: 0, samples: [3, 0], key: [0] }, [1, 0]],
    [
      'a colour that is nothing',
      { colour: 2, height: 2, samples: [0, 0, 0, 1, 2, 3, 1, 2, 3, 0, 0, 0], key: [1, 2, 3] },
      [0, 1, 1, 0],
    ],
    [
      'a colour of 16 bits that is nothing',
      { depth: 16, colour: 2, height: 2, samples: [0, 0, 0, 0, 0, 300, 0, 0, 300, 0, 0, 0], key: [0, 0, 300] },
      [0, 1, 1, 0],
    ],
    ['a key that no pixel has', { depth: 8, colour: 0, samples: [0, 255], key: [7] }, [0, 1]],
    [
      'a palette',
      {
        depth: 1,
        colour: 3,
        palette: [
          [255, 255, 255],
          [0, 0, 0],
        ],
        samples: [1, 0],
      },
      [0, 1],
    ],
  ];
  for (const [name, facts, expected] of cases)
    test(name, () =>
      close(readPng(pngFile({ width: 2, height: 1, depth: 8, colour: 0, ...facts }), 'x').values, expected),
    );

  const good = pngFile({ width: 4, height: 4, depth: 8, colour: 0 });
  const header = (change: (header: Buffer) => void): Buffer => {
    const file = Buffer.from(good);
    change(file.subarray(16, 29));
    return resealed(file);
  };
  const bomb = Buffer.concat([
    good.subarray(0, 33),
    chunk('IDAT', deflateSync(Buffer.alloc(2 ** 26))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  const profile = Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(2 ** 26))]);
  const damaged: readonly [string, Uint8Array, RegExp][] = [
    ['another file', Buffer.from('PNG89a'), /^x\.png is no PNG file\.$/],
    ['a GIF', Buffer.from('GIF89a'), /^x\.png is a GIF picture\. Expected a PNG file\.$/],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe1]), /^x\.png is a JPEG picture\. Expected a PNG file\.$/],
    ['an AVIF', Buffer.from('\0\0\0\x18ftypavis'), /^x\.png is an AVIF picture\. Expected a PNG file\.$/],
    ['a cut', good.subarray(0, -20), /cut short/],
    ['a cut before its end', good.subarray(0, -12), /cut short/],
    [
      'a picture of gigapixels',
      header((h) => h.writeUInt32BE(2 ** 31 - 1, 0)),
      /2147483647 × 4 pixels\. Expected 1 to 16384 a side, and at most 16777216 in all/,
    ],
    ['a picture of no height', header((h) => h.writeUInt32BE(0, 4)), /4 × 0 pixels/],
    ['an unknown colour type', header((h) => h.writeUInt8(5, 9)), /8 bits in colour type 5/],
    ['an interlaced file', header((h) => h.writeUInt8(1, 12)), /interlaced PNG file\. Expected one without/],
    ['a height that its pixels lack', header((h) => h.writeUInt32BE(5, 4)), /20 bytes of pixels in place of 25/],
    ['pixels that inflate to far more', bomb, /its data of pixels/],
    ['no pixels', Buffer.concat([good.subarray(0, 33), good.subarray(-12)]), /its data of pixels/],
    ['a header twice', Buffer.concat([good.subarray(0, 33), good.subarray(8)]), /its header is not at its start, once/],
    ['a wrong checksum', Buffer.from(good).fill(1, 29, 30), /CRC mismatch/],
    [
      'a palette without the colour',
      pngFile({ width: 2, height: 1, depth: 8, colour: 3, palette: [[1, 2, 3]], samples: [0, 9] }),
      /there is no colour 9/,
    ],
  ];
  for (const [name, file, message] of damaged)
    test(`${name} is refused`, () => {
      assert.throws(
        () => readPng(file, 'x.png'),
        (error: Error) => error instanceof DataError && message.test(error.message),
      );
    });

  test('a colour profile that inflates to far more is not looked at', () => {
    const file = Buffer.concat([good.subarray(0, 33), chunk('iCCP', profile), good.subarray(33)]);
    assert.deepEqual(readPng(file, 'x'), readPng(good, 'x'));
  });
});
