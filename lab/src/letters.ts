/** A byte as one character: what cannot be seen as a mark. */
export const letterOf = (byte: number): string =>
  byte === 10 ? '⏎' : byte === 32 ? '␣' : byte > 32 && byte < 127 ? String.fromCharCode(byte) : '·';

/** The same in words, for who hears the page. */
export const letterName = (byte: number): string =>
  byte === 10
    ? 'end of line'
    : byte === 32
      ? 'space'
      : byte > 32 && byte < 127
        ? String.fromCharCode(byte)
        : `byte ${byte}`;

/** The last bytes of a text, at most so many; no character is cut in two. */
export function lastBytes(text: string, most: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let from = Math.max(0, bytes.length - most);
  while (from < bytes.length && (bytes[from] & 0xc0) === 0x80) from++;
  return bytes.slice(from);
}
