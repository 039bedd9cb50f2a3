interface Format {
  readonly name: string;
  readonly at: number;
  readonly bytes: readonly number[];
  /** Places of zeros, which no text has. */
  readonly zeros?: readonly number[];
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

/** How files of other kinds begin. */
const FORMATS: readonly Format[] = [
  { name: 'JPEG picture', at: 0, bytes: [0xff, 0xd8, 0xff] },
  { name: 'GIF picture', at: 0, bytes: ascii('GIF8') },
  { name: 'WebP picture', at: 8, bytes: ascii('WEBP') },
  { name: 'BMP picture', at: 0, bytes: ascii('BM'), zeros: [6, 7, 8, 9] },
  { name: 'TIFF picture', at: 0, bytes: [...ascii('II'), 42, 0] },
  { name: 'TIFF picture', at: 0, bytes: [...ascii('MM'), 0, 42] },
  { name: 'HEIC picture', at: 4, bytes: ascii('ftyphei') },
  { name: 'HEIC picture', at: 4, bytes: ascii('ftypmif1') },
  { name: 'AVIF picture', at: 4, bytes: ascii('ftypavif') },
  { name: 'SVG picture', at: 0, bytes: ascii('<svg') },
  { name: 'PDF file', at: 0, bytes: ascii('%PDF') },
  { name: 'ZIP file, as those of spreadsheets are', at: 0, bytes: [...ascii('PK'), 3, 4] },
];

/** The format of a file by its first bytes, where it is one that is not read here; undefined for others. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  return FORMATS.find(
    ({ bytes: own, at, zeros = [] }) =>
      own.every((byte, i) => bytes[at + i] === byte) && zeros.every((i) => bytes[i] === 0),
  )?.name;
}
