/** White ink on black, as a word of an ImageData: alpha, blue, green, red from the highest bits (browsers are little-endian). */
const whiteInk = (byte: number): number => 0xff000000 | (byte * 0x010101);

/** Draws a square of bytes on a canvas as large. */
export function putBytes(canvas: HTMLCanvasElement, bytes: Uint8Array): void {
  const side = Math.sqrt(bytes.length);
  const image = new ImageData(side, side);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < words.length; i++) words[i] = whiteInk(bytes[i]);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** The words of an ImageData from one colour (0xRRGGBB), at byte 0, to another, at byte 255. */
export function shades(from: number, to: number): Uint32Array {
  const part = (byte: number, shift: number): number => {
    const [a, b] = [from, to].map((colour) => (colour >> shift) & 0xff);
    return Math.round(a + ((b - a) * byte) / 255);
  };
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const [red, green, blue] = [16, 8, 0].map((shift) => part(byte, shift));
    return (0xff << 24) | (blue << 16) | (green << 8) | red;
  });
}

/** A square of bytes as a larger square of pixels, each pixel that of the nearest byte. @param side of the picture, in pixels @param words a colour a byte: `shades` */
export function enlarged(bytes: Uint8Array, side: number, words: Uint32Array): ImageData {
  const own = Math.sqrt(bytes.length);
  const image = new ImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  const nearest = Uint8Array.from({ length: side }, (_, at) => Math.floor((at * own) / side));
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) pixels[y * side + x] = words[bytes[nearest[y] * own + nearest[x]]];
  return image;
}
