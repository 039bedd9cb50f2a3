interface Format {
  /** With its article. */
  readonly name: string;
  readonly at: number;
  readonly bytes: readonly number[];
  /** Places of zeros, which no text has. */
  readonly zeros?: readonly number[];
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
/** The files of one container, by its brand; its length comes first, whose first byte is 0. */
const boxed = (brand: string, name: string): Format => ({ name, at: 4, bytes: ascii(`ftyp${brand}`), zeros: [0] });

/** How files of other kinds begin. */
const FORMATS: readonly Format[] = [
  { name: 'a JPEG picture', at: 0, bytes: [0xff, 0xd8, 0xff] },
  { name: 'a JPEG XL picture', at: 0, bytes: [0xff, 0x0a] },
  { name: 'a JPEG XL picture', at: 0, bytes: [0, 0, 0, 12, ...ascii('JXL ')] },
  { name: 'a JPEG 2000 picture', at: 0, bytes: [0, 0, 0, 12, ...ascii('jP  ')] },
  { name: 'a GIF picture', at: 0, bytes: ascii('GIF8') },
  { name: 'a WebP picture', at: 8, bytes: ascii('WEBP') },
  { name: 'a BMP picture', at: 0, bytes: ascii('BM'), zeros: [6, 7, 8, 9] },
  { name: 'an icon (ICO)', at: 0, bytes: [0, 0, 1, 0] },
  { name: 'a TIFF picture', at: 0, bytes: [...ascii('II'), 42, 0] },
  { name: 'a TIFF picture', at: 0, bytes: [...ascii('MM'), 0, 42] },
  { name: 'a Photoshop picture', at: 0, bytes: ascii('8BPS') },
  { name: 'a QOI picture', at: 0, bytes: ascii('qoif') },
  ...['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1'].map((brand) =>
    boxed(brand, 'a HEIC picture'),
  ),
  ...['avif', 'avis'].map((brand) => boxed(brand, 'an AVIF picture')),
  boxed('', 'a video (MP4 or MOV)'),
  { name: 'a PDF file', at: 0, bytes: ascii('%PDF') },
  { name: 'a ZIP file, as those of spreadsheets are', at: 0, bytes: [...ascii('PK'), 3, 4] },
];

/** The same of formats that are text. */
const TEXTS: readonly (readonly [name: string, start: RegExp])[] = [
  ['a PNM picture (PBM, PGM or PPM)', /^P[1-6][ \r\n]+(#.*\n\s*)*\d+ +\d+\s/],
  ['an SVG picture', /^(<\?xml[^>]*>|<!--(?:(?!-->).)*-->|<!DOCTYPE svg[^>]*>|\s)*<svg\b/is],
  ['an HTML page', /^(<!--(?:(?!-->).)*-->|\s)*<(!DOCTYPE html|html|head|body)\b/is],
];
/** Bytes in which they are told apart. */
const HEAD = 1024;

/** The format of a file by its first bytes, with its article, where it is one that is not read here; undefined for others. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  const found = FORMATS.find(
    ({ bytes: own, at, zeros = [] }) =>
      own.every((byte, i) => bytes[at + i] === byte) && zeros.every((i) => bytes[i] === 0),
  );
  if (found) return found.name;
  const text = new TextDecoder().decode(bytes.subarray(0, HEAD));
  return TEXTS.find(([, start]) => start.test(text))?.[0];
}
