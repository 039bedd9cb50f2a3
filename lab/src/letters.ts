/** A byte as one visible character: `⏎` for the end of a line, `␣` for a space, `·` for a byte outside printable ASCII. */
export const letterOf = (byte: number): string =>
  byte === 10 ? '⏎' : byte === 32 ? '␣' : byte > 32 && byte < 127 ? String.fromCharCode(byte) : '·';

/** The name of a byte, for screen readers. */
export const letterName = (byte: number): string =>
  byte === 10
    ? 'end of line'
    : byte === 32
      ? 'space'
      : byte > 32 && byte < 127
        ? String.fromCharCode(byte)
        : `byte ${byte}`;

/** The end of a text in UTF-8, of `most` bytes or fewer: it begins with a whole character. */
export function lastBytes(text: string, most: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let from = Math.max(0, bytes.length - most);
  while (from < bytes.length && (bytes[from] & 0xc0) === 0x80) from++;
  return bytes.slice(from);
}
