/** Files that are no tables and no PNG files: each is told by name, whatever its own name is; tables are never taken for one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignFormat } from '../../src/data/file-format.ts';

const box = (brand: string): string => `\0\0\0\x18ftyp${brand}\0\0\0\0mif1`;
const FILES: readonly (readonly [string, string])[] = [
  ['\xff\xd8\xff\xe0\0\x10JFIF', 'a JPEG picture'],
  ['\xff\xd8\xff\xdb', 'a JPEG picture'],
  ['\xff\x0a\x01\x02', 'a JPEG XL picture'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'a JPEG XL picture'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'a JPEG 2000 picture'],
  ['GIF87a', 'a GIF picture'],
  ['GIF89a', 'a GIF picture'],
  ['RIFF\x10\0\0\0WEBPVP8 ', 'a WebP picture'],
  ['BM\xe8\x03\0\0\0\0\0\0\x36\0', 'a BMP picture'],
  ['\0\0\x01\0\x01\0\x10\x10', 'an icon (ICO)'],
  ['II*\0\x08\0\0\0', 'a TIFF picture'],
  ['MM\0*\0\0\0\x08', 'a TIFF picture'],
  ['8BPS\0\x01', 'a Photoshop picture'],
  ['qoif\0\0\0\x1c', 'a QOI picture'],
  ...['heic', 'heix', 'hevc', 'hevx', 'heim', 'mif1', 'msf1'].map((brand) => [box(brand), 'a HEIC picture'] as const),
  ...['avif', 'avis'].map((brand) => [box(brand), 'an AVIF picture'] as const),
  ...['isom', 'mp42', 'qt  '].map((brand) => [box(brand), 'a video (MP4 or MOV)'] as const),
  ['P5\n28 28\n255\n\0\0', 'a PNM picture (PBM, PGM or PPM)'],
  ['P5\n# made by a scanner\n28 28\n255\n', 'a PNM picture (PBM, PGM or PPM)'],
  ['P1 28 28 0 1', 'a PNM picture (PBM, PGM or PPM)'],
  ['<svg xmlns="http://www.w3.org/2000/svg">', 'an SVG picture'],
  ['<?xml version="1.0"?>\n<!-- by a drawing program --><svg/>', 'an SVG picture'],
  ['\xef\xbb\xbf <!DOCTYPE svg PUBLIC "x"><svg>', 'an SVG picture'],
  ['<!DOCTYPE html><title>404</title>', 'an HTML page'],
  ['\n<HTML lang="en">', 'an HTML page'],
  ['%PDF-1.7', 'a PDF file'],
  ['PK\x03\x04', 'a ZIP file, as those of spreadsheets are'],
];

for (const [start, name] of FILES)
  test(`${JSON.stringify(start)} is ${name}`, () => {
    assert.equal(foreignFormat(Buffer.from(start, 'latin1')), name);
    // By what follows, too.
    assert.equal(foreignFormat(Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(5000, 7)])), name);
  });

test('tables are tables, whatever their columns are called', () => {
  for (const table of [
    'P5\n1\n2\n',
    'P1\t34\t56\t0\nP2\t41\t50\t1\n',
    'car_ftype,label\n',
    'P1,P2\n1,2\n',
    'BM,GIF8\n1,2\n',
    'II*,b\n1,2\n',
    '"<html>",b\n1,2\n',
    'qoi,8BP\n',
    '',
  ])
    assert.equal(foreignFormat(Buffer.from(table)), undefined, table);
});

test('comments that end in nothing are read once', () => {
  for (const text of ['<!---->'.repeat(1000), '\n'.repeat(5000), '<!--'.repeat(1000)])
    assert.equal(foreignFormat(Buffer.from(text)), undefined);
});
